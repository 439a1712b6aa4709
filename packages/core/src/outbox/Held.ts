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
  /** When its lease runs out unless it is renewed, by the same clock. */
  until: number
  /** It ran out once, as of a process that slept: what was being sent then is to be found out as if its worker were lost. */
  ranOut: boolean
  lost: boolean
  /** For how long it is renewed (milliseconds): at least as long as any lease, which is all that begins go by. */
  leaseMs: number
  /** How long what stays in it at its end is left alone, by what its channels could not tell (milliseconds); 0 = no longer. */
  restMs: number
}

/** A claim made or taken over when the monotonic clock stood at `from`. */
export const make = (claim: Claim, from: number, leaseMs: number): Held => ({
  claim,
  beginUntil: from + leaseMs * beginPart,
  until: from + leaseMs,
  ranOut: false,
  lost: false,
  leaseMs,
  restMs: 0
})

/** Sees whether its lease ran out by now, or had before. */
export const hasRunOut = (held: Held): Effect.Effect<boolean> =>
  Effect.map(Clearance.monotonicMs, (now) => {
    held.ranOut ||= now > held.until
    return held.ranOut
  })

/** Keeps a claim until it is lost or this is interrupted. */
export const renewing = (
  held: Held,
  renew: Effect.Effect<boolean, StorageError>,
  leaseMs: number
): Effect.Effect<unknown> =>
  Effect.gen(function* () {
    yield* hasRunOut(held)
    const from = yield* Clearance.monotonicMs
    if (yield* renew) {
      held.beginUntil = from + leaseMs * beginPart
      held.until = from + leaseMs
    } else held.lost = true
  }).pipe(
    Effect.catch((error) => Effect.logWarning("a claim could not be renewed", error)),
    Effect.delay(leaseMs / 3),
    Effect.repeat({ until: () => held.lost })
  )
