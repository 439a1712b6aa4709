/**
 * One contact in one campaign.
 *
 * - `status` is the fate of step 0 and of nothing else: pending → assigned → claimed → sending → sent | partial | failed |
 *   skipped. What follows is beside it: `step` and `dueAt` say what comes next, `ended` why nothing does.
 * - *pending*: in the campaign's pool, without an account. *assigned*: an account drew it. *claimed*: a claim holds it.
 * - A touch (lead, step) has a status and reason of its own, kept in `touches`.
 */
import { Schema } from "effect"
import * as Address from "../channel/Address.ts"
import { AccountId, CampaignId, ClaimId, ContactId, LeadId, StepId, WorkspaceId } from "../workspace/Id.ts"
import { Instant } from "../workspace/Instant.ts"
import { Metadata } from "../workspace/Json.ts"

export const LeadStatus = Schema.Literals([
  "pending",
  "assigned",
  "claimed",
  "sending",
  "sent",
  "partial",
  "failed",
  "skipped"
])
export type LeadStatus = typeof LeadStatus.Type

/** Which leads of a campaign a list shows; absent = all. */
export const LeadFilter = Schema.Struct({ status: Schema.optional(LeadStatus) }).annotate({ identifier: "LeadFilter" })
export type LeadFilter = typeof LeadFilter.Type

export const LeadEnded = Schema.Literals([
  "completed",
  "replied",
  "optedOut",
  "booked",
  "closed",
  "takenOver",
  "accountRemoved",
  "failed",
  "cancelled"
])
export type LeadEnded = typeof LeadEnded.Type

/**
 * A gate put it off (`deferred`, for that reason first at `at`; the present reason is the last), until it is made, skipped
 * or dropped: then nothing remains of that.
 */
export const TouchStatus = Schema.Literals(["deferred", "sent", "partial", "failed", "skipped"])
export type TouchStatus = typeof TouchStatus.Type
/** What a touch came to in the end. */
export type TouchFate = Exclude<TouchStatus, "deferred">

export const Touch = Schema.Struct({
  step: StepId,
  status: TouchStatus,
  reason: Schema.NullOr(Schema.String),
  at: Instant
}).annotate({ identifier: "Touch" })
export type Touch = typeof Touch.Type

/** What else platforms told, by their time: by this and by its replies and bookings its end is worked out (`LeadNews`). */
export const LeadTold = Schema.Struct({
  /** The first of each. */
  takenOverAt: Schema.optionalKey(Instant),
  optedOutAt: Schema.optionalKey(Instant),
  /** A member closed a chat with them. */
  closedAt: Schema.optionalKey(Instant),
  /** A message that the platform had taken failed. */
  failedAt: Schema.optionalKey(Instant),
  /** The last message that a person wrote, the contact or a member. */
  lastAt: Schema.optionalKey(Instant)
}).annotate({ identifier: "LeadTold" })
export type LeadTold = typeof LeadTold.Type

export class Lead extends Schema.Opaque<Lead>()(
  Schema.Struct({
    id: LeadId,
    workspace: WorkspaceId,
    campaign: CampaignId,
    account: Schema.NullOr(AccountId),
    contact: ContactId,
    /** Which accounts reach it (`Address.reach` of the address it uses): what a draw looks for. */
    reach: Schema.String,
    /** The account that is to draw it; null = none in particular. */
    wanted: Schema.NullOr(AccountId),
    /** The key of the address it uses. */
    address: Schema.String,
    status: LeadStatus,
    reason: Schema.NullOr(Schema.String),
    ended: Schema.NullOr(LeadEnded),
    /** The step that comes next, step 0 at first; null = none. */
    step: Schema.NullOr(StepId),
    /** Not before this; null = in its turn. Follow-ups always have one. */
    dueAt: Schema.NullOr(Instant),
    /** Higher goes first. */
    priority: Schema.Int,
    /** The import number: the order among equals. */
    position: Schema.Int,
    /** Tries of the present step. */
    attempts: Schema.Int,
    claim: Schema.NullOr(ClaimId),
    /** Set while a touch is being sent: why nothing follows it. */
    stop: Schema.NullOr(LeadEnded),
    touches: Schema.Array(Touch),
    firstSentAt: Schema.NullOr(Instant),
    lastSentAt: Schema.NullOr(Instant),
    /** The first reply since its first touch, and the first booking, by the platform's time. */
    repliedAt: Schema.NullOr(Instant),
    bookedAt: Schema.NullOr(Instant),
    told: Schema.NullOr(LeadTold),
    externalRef: Schema.NullOr(Schema.String),
    metadata: Metadata,
    createdAt: Instant
  }).annotate({ identifier: "Lead" })
) {}

/** What is not yet known of a lead of the pool: nothing was tried, said or answered. */
export const untouched = {
  account: null,
  ended: null,
  dueAt: null,
  priority: 0,
  attempts: 0,
  claim: null,
  stop: null,
  touches: [],
  firstSentAt: null,
  lastSentAt: null,
  repliedAt: null,
  bookedAt: null,
  told: null,
  externalRef: null,
  metadata: {}
} as const

/** How many leads have each status: none. */
export const nobody: Readonly<Record<LeadStatus, number>> = {
  pending: 0,
  assigned: 0,
  claimed: 0,
  sending: 0,
  sent: 0,
  partial: 0,
  failed: 0,
  skipped: 0
}

/** How many leads there are of all statuses. */
export const total = (counts: Readonly<Record<LeadStatus, number>>): number =>
  LeadStatus.literals.reduce((sum, status) => sum + counts[status], 0)

/** Whether step 0 is still to be decided. */
export const isOpen = (self: Pick<Lead, "status">): boolean =>
  self.status === "pending" || self.status === "assigned" || self.status === "claimed" || self.status === "sending"

/** Whether anything of it went out or may have. */
export const isTouched = (self: Lead): boolean =>
  self.firstSentAt !== null || self.touches.some(({ status }) => status !== "skipped" && status !== "deferred")

/** Whether a takeover holds it in whichever chat of its contact: while its step 0 is open. Later steps heed their own chat. */
export const heedsTakeovers = (self: Pick<Lead, "status">): boolean => isOpen(self)

/** Whether it waits for a follow-up rather than for step 0. */
export const isFollowUp = (self: Pick<Lead, "status">): boolean => !isOpen(self)

/** Whether anything of it is open, claimed or to come. */
export const isActive = (self: Pick<Lead, "claim" | "status" | "step">): boolean =>
  isOpen(self) || self.step !== null || self.claim !== null

/** Whether a touch of it is claimed, being sent or between two parts. */
export const isUnderWay = (self: Pick<Lead, "claim" | "dueAt" | "status" | "step">): boolean =>
  self.claim !== null || self.status === "sending" || (isFollowUp(self) && self.step !== null && self.dueAt === null)

/** What its row shows while a claim holds it. */
export const shown = (self: Lead): LeadStatus =>
  self.status === "assigned" && self.claim !== null ? "claimed" : self.status

/** For which reasons its present touch was put off, the last one last. */
const deferrals = (self: Lead): ReadonlyArray<Touch> =>
  self.touches.filter(({ status, step }) => status === "deferred" && step === self.step)

/** Why its present touch is put off; null when it was not. */
export const deferral = (self: Lead): string | null => deferrals(self).at(-1)?.reason ?? null

/** When its present touch was first put off for a reason, whatever else it waited for since; null when it was not. */
export const deferredSince = (self: Lead, reason: string): Instant | null =>
  deferrals(self).find((touch) => touch.reason === reason)?.at ?? null

/** The lead put off until `until`. */
export const deferTo = (self: Lead, until: Instant, reason: string, now: Instant): Lead => {
  if (self.step === null || deferral(self) === reason) return { ...self, dueAt: until }
  const others = deferrals(self).filter((touch) => touch.reason !== reason)
  const touch: Touch = { step: self.step, status: "deferred", reason, at: deferredSince(self, reason) ?? now }
  return { ...self, dueAt: until, touches: [...made(self), ...others, touch] }
}

/** Its touches without what was put off. */
export const made = (self: Lead): ReadonlyArray<Touch> =>
  self.touches.some(({ status }) => status === "deferred")
    ? self.touches.filter(({ status }) => status !== "deferred")
    : self.touches

/** The lead with nothing more to come. */
export const end = (self: Lead, ended: LeadEnded): Lead => ({
  ...self,
  step: null,
  dueAt: null,
  ended,
  stop: null,
  touches: made(self)
})

/** The lead without the person: its fate, and all that is counted of it. */
export const erase = (self: Lead): Lead => ({ ...self, address: Address.erased(), externalRef: null, metadata: {} })

export class LeadNotFound extends Schema.TaggedError<LeadNotFound>()("LeadNotFound", { lead: Schema.String }) {
  override get message(): string {
    return `there is no lead ${this.lead} in this workspace`
  }
}
