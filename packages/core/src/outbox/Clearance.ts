/**
 * Whether a process may send at all: its clock agrees with the database's, the database is the one it last wrote to, and
 * it recognises everyone who was erased from it, also since it began.
 * A wall clock that is set is noticed at once, without asking the database.
 */
import { Clock, Effect, Schema } from "effect"
import type { ContactStore } from "../contact/ContactStore.ts"
import type { AddressHash } from "../contact/Suppression.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { OutboxStore } from "./OutboxStore.ts"

/** The process's clock and the database's differ too much for anything to be sent. */
export class ClockSkewed extends Schema.TaggedError<ClockSkewed>()("ClockSkewed", { differenceMs: Schema.Int }) {
  override get message(): string {
    return `this machine's clock differs from the database's by ${(this.differenceMs / 1000).toFixed(
      1
    )} s; nothing is sent until they agree`
  }
}

/** The database was restored from a backup or moved: what was sent since is unknown until a person says to go on. */
export class RestoreDetected extends Schema.TaggedError<RestoreDetected>()("RestoreDetected", {
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.detail}; messages sent after the backup are not in it, so nothing is sent until \`overture acknowledge\``
  }
}

/** Someone was erased whom this process would write to again: it has no secret to recognise them by, or another one. */
export class ErasedUnrecognised extends Schema.TaggedError<ErasedUnrecognised>()("ErasedUnrecognised", {
  hasHash: Schema.Boolean
}) {
  override get message(): string {
    return `people were erased ${
      this.hasHash
        ? "with another secret than that of"
        : "and cannot be recognised without the secret that is missing in"
    } this process, and would be written to again: nothing is sent until it is started with that secret`
  }
}

/** For measuring only: it never jumps, unlike `Clock.currentTimeNanos`, which follows the wall clock. */
export const monotonicMs = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos / 1_000_000n))

/** How often the clock, the place of the database and who was erased are checked while it is sending (milliseconds). */
const checkEveryMs = 1_000

/** Why nothing may be sent. */
export type NotClear = StorageError | ClockSkewed | RestoreDetected | ErasedUnrecognised

export interface Clearance {
  /** Fails while nothing may be sent. The check is made at most once a second, as the guard writes. */
  readonly ensure: Effect.Effect<void, NotClear>
  /** Whether the wall clock was set since it last agreed with the database's. */
  readonly hasJumped: Effect.Effect<boolean>
  /** Pacing time. While the wall clock is wrong it is the last instant that was right, so nothing is put an hour off. */
  readonly present: Effect.Effect<Instant>
}

export const make = (
  store: OutboxStore["Service"],
  contacts: Pick<ContactStore["Service"], "hasUnrecognised">,
  time: PacingTime["Service"],
  { addressHash, maxClockSkewMs }: { readonly addressHash: AddressHash | null; readonly maxClockSkewMs: number }
): Clearance => {
  /** Pacing time, and how far the wall clock was from the monotonic one, when it last agreed with the database's. */
  let right: { readonly now: Instant; readonly offset: number } | null = null
  let checkedUntil = -Infinity
  const wallOffset = Effect.zipWith(Clock.currentTimeMillis, monotonicMs, (wall, monotonic) => wall - monotonic)
  const hasJumped = Effect.map(
    wallOffset,
    (offset) => right !== null && Math.abs(offset - right.offset) > maxClockSkewMs
  )
  return {
    hasJumped,
    present: Effect.flatMap(hasJumped, (jumped) => (jumped && right !== null ? Effect.succeed(right.now) : time.now)),
    ensure: Effect.gen(function* () {
      const from = yield* monotonicMs
      if (from < checkedUntil && !(yield* hasJumped)) return
      const there = yield* store.clock
      const here = yield* Clock.currentTimeMillis
      const agreed = { now: yield* time.now, offset: here - (yield* monotonicMs) }
      if (Math.abs(here - there) > maxClockSkewMs) {
        return yield* new ClockSkewed({ differenceMs: Math.round(here - there) })
      }
      right = agreed
      const guard = yield* store.guard
      if (guard.type === "restored") return yield* new RestoreDetected({ detail: guard.detail })
      if (yield* contacts.hasUnrecognised(addressHash)) {
        return yield* new ErasedUnrecognised({ hasHash: addressHash !== null })
      }
      checkedUntil = from + checkEveryMs
    })
  }
}
