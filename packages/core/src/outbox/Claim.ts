/**
 * A claim is the time-limited right to send a batch of messages. Its id in each message is the fence: who no longer owns
 * a message changes nothing of it. The claim's row keeps the lease. Lease times are the database's own clock; a worker measures how long it may begin sends with a clock that
 * never jumps.
 */
import type { Claimed } from "../chat/Message.ts"
import type { ClaimId } from "../workspace/Id.ts"
import { day, hour } from "../workspace/Instant.ts"

export interface Claim {
  readonly id: ClaimId
  readonly messages: ReadonlyArray<Claimed>
}

/** How a claim is made. */
export interface Lease {
  readonly claim: ClaimId
  /** Names the process in the claim row, for people. */
  readonly worker: string
  readonly durationMs: number
}

/** The part of a lease in which sends may begin; the rest is left for what is under way. */
export const beginPart = 0.6

/** How long after its begin a message of a lost worker may be sent again: platforms keep keys for about a day. */
export const repeatableMs = day

/**
 * How long after its begin a channel is asked again what became of a message that it could not tell of; where it is busy,
 * once each such time after that.
 */
export const askableMs = hour

/**
 * How long to leave a message alone that its channel could not tell of, `ageMs` after its begin: three times as long as it
 * took so far, so that a platform in trouble is asked a handful of times; the last time when it is no longer to be asked.
 * At least `leastMs`. Null once it was asked for long enough.
 */
export const askAgainMs = (ageMs: number, leastMs: number): number | null =>
  ageMs >= askableMs ? null : Math.max(leastMs, Math.min(3 * ageMs, askableMs - ageMs))

/** A claim whose lease ran out, taken over under a new id. */
export interface Recovered {
  readonly id: ClaimId
  /** Being sent when their worker was lost: what became of them is unknown. */
  readonly sending: ReadonlyArray<Claimed>
  /** Never handed to a channel: they are due again. */
  readonly returned: ReadonlyArray<Claimed>
}
