/** A claim under way in this process: how long sends of it may begin, and whether it is still ours. */
import { Effect } from "effect"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Claim } from "./Claim.ts"
import { beginPart } from "./Claim.ts"
import * as Clearance from "./Clearance.ts"

export interface Held {
  readonly claim: Claim
  /** No send of it begins after this, by a clock that never jumps (milliseconds). */
  beginUntil: number
  lost: boolean
}

/** A claim made or taken over when the monotonic clock stood at `from`. */
export const make = (claim: Claim, from: number, leaseMs: number): Held => ({
  claim,
  beginUntil: from + leaseMs * beginPart,
  lost: false
})

/** Keeps a claim until it is lost or this is interrupted. */
export const renewing = (
  held: Held,
  renew: Effect.Effect<boolean, StorageError>,
  leaseMs: number
): Effect.Effect<unknown> =>
  Effect.gen(function* () {
    const from = yield* Clearance.monotonicMs
    if (yield* renew) held.beginUntil = from + leaseMs * beginPart
    else held.lost = true
  }).pipe(
    Effect.catch((error) => Effect.logWarning("a claim could not be renewed", error)),
    Effect.delay(leaseMs / 3),
    Effect.repeat({ until: () => held.lost })
  )
