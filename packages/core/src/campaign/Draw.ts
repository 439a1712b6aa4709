/**
 * Leads are drawn, not dealt: they wait in the campaign's pool until an account needs some. An account draws when it
 * holds less than one day's touches, up to two days', and never more of what is left than its part of the able accounts'
 * volume. So an account that joins, slows down or falls out needs no redistribution.
 */
import type { AccountId } from "../workspace/Id.ts"

export interface Drawer {
  readonly account: AccountId
  /** Untouched leads it holds. */
  readonly holding: number
  /** Touches of its next active day; 0 = it cannot draw. */
  readonly touches: number
}

/** How many leads an account would take if the pool were endless. */
export const wanted = (self: Drawer): number => (self.holding < self.touches ? 2 * self.touches - self.holding : 0)

/** The pool beyond which no account's part binds: who knows that there are this many need not count further. */
export const enough = (drawers: ReadonlyArray<Drawer>): number => {
  const total = drawers.reduce((sum, drawer) => sum + drawer.touches, 0)
  return drawers.reduce(
    (most, drawer) =>
      drawer.touches === 0 ? most : Math.max(most, Math.ceil((wanted(drawer) * total) / drawer.touches)),
    0
  )
}

/** What each account takes of a pool of `pool` leads; together never more than there are. */
export const shares = (
  drawers: ReadonlyArray<Drawer>,
  pool: number
): ReadonlyArray<{ readonly account: AccountId; readonly take: number }> => {
  const total = drawers.reduce((sum, drawer) => sum + drawer.touches, 0)
  let left = pool
  return drawers.flatMap((drawer) => {
    const take = Math.min(left, wanted(drawer), total === 0 ? 0 : Math.ceil((pool * drawer.touches) / total))
    left -= take
    return take > 0 ? [{ account: drawer.account, take }] : []
  })
}
