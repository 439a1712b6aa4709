/**
 * Shares by largest remainder: how many of `size` leads each account gets so that all end as near to their weights as what
 * they have already lets them. Who has more than its share keeps it, and the others divide the rest.
 */

export interface Holder {
  /** Leads it has already. */
  readonly given: number
  /** Its part, in proportion to the others'; above 0. */
  readonly weight: number
}

const sumOf = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0)

/** The holders that are not above the level of all those who are not above it. */
const below = (holders: ReadonlyArray<Holder>, size: number): ReadonlySet<number> => {
  let rest = holders.map((_, i) => i)
  while (true) {
    const total = size + sumOf(rest.map((i) => holders[i]!.given))
    const weights = sumOf(rest.map((i) => holders[i]!.weight))
    const kept = rest.filter((i) => holders[i]!.given * weights <= total * holders[i]!.weight)
    if (kept.length === rest.length) return new Set(kept)
    rest = kept
  }
}

/** How many of `size` leads each holder gets, together all of them; of equal remainders the first wins. */
export const fill = (holders: ReadonlyArray<Holder>, size: number): ReadonlyArray<number> => {
  const open = below(holders, size)
  const weights = sumOf(holders.map(({ weight }, i) => (open.has(i) ? weight : 0)))
  const total = size + sumOf(holders.map(({ given }, i) => (open.has(i) ? given : 0)))
  const parts = holders.map(({ given, weight }, i) => {
    if (!open.has(i)) return { i, got: 0, remainder: -1 }
    const remainder = (total * weight) % weights
    return { i, got: (total * weight - remainder) / weights - given, remainder }
  })
  const left = size - sumOf(parts.map(({ got }) => got))
  const first = new Set(
    [...parts]
      .sort((a, b) => b.remainder - a.remainder || a.i - b.i)
      .slice(0, left)
      .map(({ i }) => i)
  )
  return parts.map(({ got, i }) => (first.has(i) ? got + 1 : got))
}
