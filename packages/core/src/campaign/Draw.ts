/**
 * Leads are drawn, not dealt: they wait in the campaign's pool until an account needs some. An account draws when it
 * holds less than one day's touches, up to two days', from the parts of the pool that it may draw from. Of each part it
 * gets at most its fair part: by what the accounts can send, or, where the strategy promises shares, by these. So an
 * account that joins, slows down, falls out or comes back needs no redistribution.
 */
import type { AccountId } from "../workspace/Id.ts"
import * as Shares from "./Shares.ts"

export interface Drawer {
  readonly account: AccountId
  /** Untouched leads it holds and that may go out. */
  readonly holding: number
  /** Touches of its next active day; 0 = it cannot draw. */
  readonly touches: number
  /** Leads it ever got and kept. */
  readonly given: number
  /** Its weight in shares; null where there are none. All drawers of a campaign have one, or none has. */
  readonly weight: number | null
}

/** A range of the pool's index: leads of one reach that want one account, or (null) none in particular. */
export interface PoolRange {
  readonly reach: string
  readonly wanted: AccountId | null
}

/** A range with the accounts that may draw from it, by their places among the drawers. */
export interface PoolPart extends PoolRange {
  readonly drawers: ReadonlyArray<number>
}

/** What an account draws: the first leads, in the pool's order, of its ranges together. */
export interface Take {
  readonly account: AccountId
  readonly take: number
  /** Each with the most that may come from it. */
  readonly from: ReadonlyArray<PoolRange & { readonly most: number }>
}

/** How many leads an account would take if the pool were endless. */
export const wanted = (self: Drawer): number =>
  self.touches > 0 && self.holding < self.touches ? 2 * self.touches - self.holding : 0

/** The size of a part beyond which nobody's part binds: who knows that there are this many need not count further. */
export const enough = (drawers: ReadonlyArray<Drawer>): number => {
  const able = drawers.filter(({ touches }) => touches > 0)
  const hungry = able.filter((drawer) => wanted(drawer) > 0)
  if (hungry.length === 0) return 0
  if (able.some(({ weight }) => weight === null)) {
    const total = able.reduce((sum, { touches }) => sum + touches, 0)
    return Math.max(...hungry.map((drawer) => Math.ceil((wanted(drawer) * total) / drawer.touches)))
  }
  // With one more than asked for, rounding takes nothing away.
  const level = Math.max(...hungry.map((drawer) => (drawer.given + wanted(drawer) + 1) / (drawer.weight ?? 1)))
  return able.reduce((sum, { given, weight }) => sum + Math.max(0, Math.ceil(level * (weight ?? 1)) - given), 0)
}

/** Of a part of `size` leads, the most that each of its drawers gets by what they can send. */
const byCapacity = (drawers: ReadonlyArray<Drawer>, size: number): ReadonlyArray<number> => {
  const total = drawers.reduce((sum, { touches }) => sum + touches, 0)
  return drawers.map(({ touches }) => (total === 0 ? 0 : Math.ceil((size * touches) / total)))
}

/**
 * What each account draws of parts of these sizes. Parts that fewer accounts may draw from are shared out first, so that
 * one that only some reach is no loss to the others.
 */
export const takes = (
  drawers: ReadonlyArray<Drawer>,
  parts: ReadonlyArray<PoolPart & { readonly size: number }>
): ReadonlyArray<Take> => {
  const given = drawers.map((drawer) => drawer.given)
  const from = drawers.map((): Array<Take["from"][number]> => [])
  for (const { drawers: places, reach, size, wanted: account } of [...parts].sort(
    (a, b) => a.drawers.length - b.drawers.length
  )) {
    const able = places.filter((place) => drawers[place]!.touches > 0)
    if (size === 0 || able.length === 0) continue
    const shared = able.every((place) => drawers[place]!.weight !== null)
    const most = shared
      ? Shares.fill(
          able.map((place) => ({ given: given[place]!, weight: drawers[place]!.weight ?? 1 })),
          size
        )
      : byCapacity(
          able.map((place) => drawers[place]!),
          size
        )
    able.forEach((place, i) => {
      if (most[i]! === 0) return
      from[place]!.push({ reach, wanted: account, most: most[i]! })
      given[place]! += most[i]!
    })
  }
  return drawers.flatMap((drawer, place) => {
    const take = Math.min(
      wanted(drawer),
      from[place]!.reduce((sum, { most }) => sum + most, 0)
    )
    return take > 0 ? [{ account: drawer.account, take, from: from[place]! }] : []
  })
}
