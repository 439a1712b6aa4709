/**
 * What an attempt to send came to. A value, not an error: every outcome has its place in the ledger, and only the adapter
 * that knows the platform decides which one its answer means. Whoever cannot tell whether the platform took the message
 * says `outcomeUnknown`, and it is never sent again by itself, unless the platform knows its key again or is found not to
 * have it.
 */
import { Schema } from "effect"
import { Instant } from "../workspace/Instant.ts"

/** The platform's own words, kept for people; never read by rules and free of secrets. */
const detail = { code: Schema.optionalKey(Schema.String), detail: Schema.optionalKey(Schema.String) }

export const AccountTrouble = Schema.Literals(["unauthorized", "restricted", "banned", "challenge", "misconfigured"])
export type AccountTrouble = typeof AccountTrouble.Type

export const FinalRefusal = Schema.Literals(["replyWindowClosed", "unreachable", "contentRejected", "unsupported"])
export type FinalRefusal = typeof FinalRefusal.Type

export const Outcome = Schema.Union([
  Schema.Struct({
    type: Schema.Literal("accepted"),
    externalId: Schema.NonEmptyString,
    /** The platform's time, where it tells. */
    at: Schema.optionalKey(Instant)
  }),
  Schema.Struct({
    type: Schema.Literal("rateLimited"),
    scope: Schema.Literals(["recipient", "account", "group"]),
    retryAfterMs: Schema.Int,
    ...detail
  }),
  Schema.Struct({ type: Schema.Literal("transient"), ...detail }),
  Schema.Struct({ type: FinalRefusal, ...detail }),
  /** The person blocked this account. */
  Schema.Struct({ type: Schema.Literal("blocked"), ...detail }),
  /** The person wants no messages from us at all. */
  Schema.Struct({ type: Schema.Literal("optedOut"), ...detail }),
  /** The account, not the message, is the trouble: the touch did not happen. */
  Schema.Struct({ type: AccountTrouble, ...detail }),
  Schema.Struct({ type: Schema.Literal("outcomeUnknown"), ...detail })
]).annotate({ identifier: "Outcome" })
export type Outcome = typeof Outcome.Type
export type OutcomeType = Outcome["type"]

/** Whether the fault is the account's. */
export const isAccountTrouble = (type: OutcomeType): type is AccountTrouble =>
  (AccountTrouble.literals as ReadonlyArray<string>).includes(type)

/** Whether the fault is the contact's own, which says nothing about the account. */
export const isContacts = (type: OutcomeType): boolean =>
  type === "unreachable" || type === "optedOut" || type === "blocked"
