/**
 * What an outcome makes of a message, and what must be given back: the outcome table of the ledger, as one pure function.
 */
import type { Claimed, Message } from "../chat/Message.ts"
import type { Outcome } from "../channel/Outcome.ts"
import { isAccountTrouble } from "../channel/Outcome.ts"
import { day, minute, type Instant } from "../workspace/Instant.ts"
import * as Seed from "../workspace/Seed.ts"

export interface Result {
  readonly claimed: Claimed
  readonly outcome: Outcome
  /** When the outcome was known, in pacing time. */
  readonly at: Instant
}

/** What a message came to. */
export type Fate =
  /** The channel took it. */
  | "sent"
  /** Final, and the channel did not take it. */
  | "failed"
  /** Final until proof: it may have gone out. */
  | "unknown"
  /** Known not to have gone out, and to be tried again. */
  | "again"
  /** The account's trouble: as if it had never been claimed. */
  | "returned"

export interface Settled {
  readonly claimed: Claimed
  readonly outcome: Outcome
  readonly at: Instant
  readonly fate: Fate
  /** For `again`: when, at the earliest. */
  readonly retryAt: Instant | null
  /** The row as it is to be written, unless `isRemoved`. */
  readonly message: Message
}

/** Whether its row goes: nothing happened, and the next claim renders the touch anew. */
export const isRemoved = (self: Settled): boolean =>
  self.fate === "returned" && self.message.lead !== null && self.message.part === 0

/** Whether the queued rows of the later parts of its touch go: they are rendered anew with part 0. */
export const dropsParts = (self: Settled): boolean =>
  (self.fate === "returned" || self.fate === "again") && self.message.lead !== null && self.message.part === 0

/** Whether its row keeps what it reserves: it went out, may have, or is a later part that waits by itself. */
export const keepsReservation = (self: Settled): boolean =>
  self.fate === "sent" ||
  self.fate === "unknown" ||
  (self.message.status === "queued" && self.message.lead !== null && self.message.part > 0)

/** Transient tries before it is final. */
export const maxAttempts = 3
/** A rate-limited message waits this long at most, from the first time that the platform put it off. */
export const maxWaitMs = 7 * day

/** Full jitter over an exponential base of one minute; the same for the same try of the same message. */
export const backoffMs = (message: Pick<Message, "id">, attempt: number): number =>
  Math.floor(1_000 + Seed.random(`${message.id}|backoff|${attempt}`)() * minute * 2 ** (attempt - 1))

/** Under which id the platform knows what was sent; null where it is not known to have it. */
export const externalIdOf = ({ outcome }: Result, message: Pick<Message, "externalId">): string | null =>
  outcome.type === "accepted" ? outcome.externalId : message.externalId

/** Judges a result. `message` is the locked row, which may carry a stop mark that came while it was being sent. */
export const settle = (result: Result, message: Message): Settled => {
  const { at, claimed } = result
  // The platform told of it while it was being sent: whatever the send came to, it went out.
  const outcome: Outcome =
    message.sentAt !== null && message.externalId !== null && result.outcome.type !== "accepted"
      ? { type: "accepted", externalId: message.externalId, at: message.sentAt }
      : result.outcome
  const detail = {
    errorCode: "code" in outcome ? (outcome.code ?? null) : null,
    errorDetail: "detail" in outcome ? (outcome.detail ?? null) : null
  }
  const { limitedSince, ...details } = message.details ?? {}
  const done = {
    ...message,
    ...detail,
    claim: null,
    dueAt: null,
    // What it waited for is over, whatever comes now.
    ...(limitedSince !== undefined && { details: Object.keys(details).length === 0 ? null : details })
  }
  const base = { claimed, outcome, at, retryAt: null }
  const failed = (reason: string): Settled => ({
    ...base,
    fate: "failed",
    message: {
      ...done,
      status: "failed",
      reason,
      failedAt: at,
      attempts: message.attempts + 1,
      tries: message.tries + 1,
      reserved: null
    }
  })
  const again = (retryAt: Instant, counted: number): Settled =>
    message.stop !== null
      ? {
          ...base,
          fate: "failed",
          message: {
            ...done,
            status: "failed",
            reason: message.stop,
            failedAt: at,
            tries: message.tries + 1,
            reserved: null
          }
        }
      : {
          ...base,
          fate: "again",
          retryAt,
          message: {
            ...done,
            status: "queued",
            reason: outcome.type,
            begunAt: null,
            attempts: message.attempts + counted,
            tries: message.tries + 1,
            // Part 0 waits for a later slot of its pace; everything else is due by itself.
            dueAt: message.lead !== null && message.part === 0 ? null : retryAt
          }
        }

  if (outcome.type === "accepted") {
    return {
      ...base,
      fate: "sent",
      message: {
        ...done,
        status: "sent",
        reason: null,
        attempts: message.attempts + 1,
        externalId: outcome.externalId,
        sentAt: outcome.at ?? at
      }
    }
  }
  if (outcome.type === "outcomeUnknown") {
    return {
      ...base,
      fate: "unknown",
      message: { ...done, status: "failed", reason: "outcomeUnknown", failedAt: at, attempts: message.attempts + 1 }
    }
  }
  if (isAccountTrouble(outcome.type)) {
    return {
      ...base,
      fate: "returned",
      message: {
        ...done,
        status: message.stop === null ? "queued" : "cancelled",
        reason: message.stop ?? outcome.type,
        begunAt: null,
        tries: message.tries + 1,
        dueAt: message.stop !== null || (message.lead !== null && message.part === 0) ? null : at
      }
    }
  }
  if (outcome.type === "rateLimited") {
    const since = limitedSince ?? at
    if (at - since > maxWaitMs) return failed("rateLimited")
    const put = again(at + outcome.retryAfterMs, 0)
    return put.fate === "again"
      ? { ...put, message: { ...put.message, details: { ...details, limitedSince: since } } }
      : put
  }
  if (outcome.type === "transient") {
    return message.attempts + 1 >= maxAttempts
      ? failed("transient")
      : again(at + backoffMs(message, message.attempts + 1), 1)
  }
  return failed(outcome.type)
}
