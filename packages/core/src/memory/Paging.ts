/** How the memory storage orders and cuts rows. */
import { cursorOf, type Key, type Page, type PageRequest, placeOf } from "../workspace/Page.ts"

/** Negative when `a` comes first. */
export type Order<A> = (a: A, b: A) => number

/** By a key of a row: numbers by size, texts by code unit. */
export const by =
  <A>(...keys: ReadonlyArray<(row: A) => number | string>): Order<A> =>
  (a, b) => {
    for (const key of keys) {
      const one = key(a),
        other = key(b)
      if (one !== other) return one < other ? -1 : 1
    }
    return 0
  }

export const byId: Order<{ readonly id: string }> = by((row) => row.id)

/** The first `limit` rows of an order, without sorting the others. */
export const firstOf = <A>(rows: Iterable<A>, limit: number, order: Order<A>): ReadonlyArray<A> => {
  const first: Array<A> = []
  if (limit <= 0) return first
  for (const row of rows) {
    if (first.length === limit && order(row, first[limit - 1]!) >= 0) continue
    let low = 0,
      high = first.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (order(row, first[middle]!) < 0) high = middle
      else low = middle + 1
    }
    first.splice(low, 0, row)
    if (first.length > limit) first.pop()
  }
  return first
}

const compare = (a: Key, b: Key): number => {
  for (const [index, one] of a.entries()) {
    const other = b[index]!
    if (one !== other) return one < other ? -1 : 1
  }
  return 0
}

/** The page of `rows` that was asked for. */
export const page = <A>(
  rows: Iterable<A>,
  request: PageRequest,
  keyOf: (row: A) => Key,
  order: "ascending" | "descending" = "ascending"
): Page<A> => {
  const sign = order === "ascending" ? 1 : -1
  const all = Array.from(rows, (row) => ({ row, key: keyOf(row) })).sort((a, b) => sign * compare(a.key, b.key))
  const { after, limit, offset } = placeOf(request, all[0]?.key ?? [])
  const start = after === null ? offset : all.findIndex(({ key }) => sign * compare(key, after) > 0)
  const rest = start < 0 ? [] : all.slice(start)
  const data = rest.slice(0, limit)
  return {
    data: data.map(({ row }) => row),
    nextCursor: rest.length > limit ? cursorOf(data[limit - 1]!.key) : null,
    ...(request.count === true ? { total: all.length } : {})
  }
}
