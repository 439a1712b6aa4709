/**
 * One message of a chat. Outbound ones are the ledger: a row exists before anything is handed to a channel, and its
 * status says how far it came. `queued < sending < sent < delivered < read`; `failed` may replace queued, sending and
 * sent; proof replaces a failure whose outcome was unknown or that came late; `cancelled` comes only from queued.
 */
import { Schema } from "effect"
import type { Account } from "../account/Account.ts"
import * as Address from "../channel/Address.ts"
import { type Content, SaidContent } from "../channel/Content.ts"
import { LocalDate } from "../workspace/LocalDate.ts"
import {
  AccountGroupId,
  AccountId,
  CampaignId,
  ChatId,
  ClaimId,
  ContactId,
  LeadId,
  MessageId,
  StepId,
  WorkspaceId
} from "../workspace/Id.ts"
import { Instant } from "../workspace/Instant.ts"
import { Metadata } from "../workspace/Json.ts"
import { MessageDetails } from "./MessageDetails.ts"

export const MessageStatus = Schema.Literals([
  "queued",
  "sending",
  "sent",
  "delivered",
  "read",
  "failed",
  "cancelled",
  "received"
])
export type MessageStatus = typeof MessageStatus.Type

export class Author extends Schema.Opaque<Author>()(
  Schema.Struct({
    type: Schema.Literals(["contact", "member", "api", "campaign", "system", "device"]),
    id: Schema.NullOr(Schema.String)
  }).annotate({ identifier: "Author" })
) {}

/** The days whose budgets hold this message, so that what returns goes where it came from. */
export const Reservation = Schema.Struct({
  /** The campaign day of the pace; null for messages of no pace. */
  pace: Schema.NullOr(LocalDate),
  account: LocalDate,
  workspace: LocalDate,
  /** Of the account's group at that time; absent where it had none. */
  group: Schema.optionalKey(Schema.Struct({ id: AccountGroupId, day: LocalDate }))
})
export type Reservation = typeof Reservation.Type

export class Message extends Schema.Opaque<Message>()(
  Schema.Struct({
    id: MessageId,
    workspace: WorkspaceId,
    account: AccountId,
    chat: ChatId,
    contact: Schema.NullOr(ContactId),
    /** The key of the participant's address. */
    address: Schema.String,
    direction: Schema.Literals(["inbound", "outbound"]),
    author: Author,
    campaign: Schema.NullOr(CampaignId),
    campaignVersion: Schema.NullOr(Schema.Int),
    lead: Schema.NullOr(LeadId),
    step: Schema.NullOr(StepId),
    /** 0-based place in its touch, and how many parts the touch has. */
    part: Schema.Int,
    parts: Schema.Int,
    content: SaidContent,
    status: MessageStatus,
    /** Why it failed or was cancelled. */
    reason: Schema.NullOr(Schema.String),
    errorCode: Schema.NullOr(Schema.String),
    errorDetail: Schema.NullOr(Schema.String),
    /** Tries that count: three transient ones make it final. */
    attempts: Schema.Int,
    /** Tries known not to have gone out: the number in its key. */
    tries: Schema.Int,
    externalId: Schema.NullOr(Schema.String),
    replyTo: Schema.NullOr(Schema.String),
    /** Not sent before this, as asked for. */
    notBefore: Schema.NullOr(Instant),
    /** When the queue may claim it; null while claimed, waiting for a slot or for the part before it. */
    dueAt: Schema.NullOr(Instant),
    claim: Schema.NullOr(ClaimId),
    /** Set while it was being sent: why nothing may follow it. */
    stop: Schema.NullOr(Schema.String),
    reserved: Schema.NullOr(Reservation),
    createdAt: Instant,
    begunAt: Schema.NullOr(Instant),
    sentAt: Schema.NullOr(Instant),
    deliveredAt: Schema.NullOr(Instant),
    readAt: Schema.NullOr(Instant),
    failedAt: Schema.NullOr(Instant),
    externalRef: Schema.NullOr(Schema.String),
    metadata: Metadata,
    /** Null of what nothing beside its text is known. */
    details: Schema.NullOr(MessageDetails)
  }).annotate({ identifier: "Message" })
) {}

/** What is not known of a row that nothing was done with: no try, no receipt, no budget, no time to be sent at. */
export const untried = {
  reason: null,
  errorCode: null,
  errorDetail: null,
  attempts: 0,
  tries: 0,
  externalId: null,
  replyTo: null,
  notBefore: null,
  dueAt: null,
  claim: null,
  stop: null,
  reserved: null,
  begunAt: null,
  sentAt: null,
  deliveredAt: null,
  readAt: null,
  failedAt: null,
  externalRef: null,
  metadata: {},
  details: null
} as const

/** A message by itself: of no campaign, in one part. */
export const single = { campaign: null, campaignVersion: null, lead: null, step: null, part: 0, parts: 1 } as const

/**
 * What channels that take one use to send a message once: the same for every try that may repeat a former one, a new one
 * after a try that is known not to have gone out.
 */
export const idempotencyKey = (self: Pick<Message, "id" | "tries">): string =>
  self.tries === 0 ? self.id : `${self.id}.${self.tries}`

/** What it said, once its person is erased. */
const erasedContent: Content = { type: "text", text: "[erased]" }

/** What a message of a person said that they took back. */
export const deletedContent: Content = { type: "text", text: "[deleted]" }

/** Why a message failed that the platform had taken. */
export const failedLate = "failedLate"

/**
 * The message without the person: that there was one, when, and what became of it. One that is queued is cancelled; one
 * that is being sent is settled, but never looked up or repeated.
 */
export const erase = (self: Message): Message => ({
  ...self,
  contact: null,
  address: Address.erased(),
  author: self.author.type === "contact" ? { type: "contact", id: null } : self.author,
  content: erasedContent,
  errorDetail: null,
  externalId: null,
  replyTo: null,
  externalRef: null,
  metadata: {},
  details: null,
  ...(self.status === "queued" && {
    status: "cancelled" as const,
    reason: "erased",
    claim: null,
    dueAt: null,
    reserved: null
  }),
  ...(self.status === "sending" && { stop: "erased" })
})

/** Whether its person was erased; told by a mark where the rest of the message may be older than that. */
export const isErased = (self: Pick<Message, "address" | "stop">): boolean =>
  self.stop === "erased" || Address.isErased(self.address)

/** Whether it is a test send to somebody else that shows what this contact would read. */
export const shows = ({ metadata: { test } }: Pick<Message, "metadata">, contact: ContactId): boolean =>
  typeof test === "object" && test !== null && "as" in test && test.as === contact

/** Whether it may have gone out, and nobody knows yet. */
export const isUnproven = ({ reason, status }: Pick<Message, "status" | "reason">): boolean =>
  status === "sending" || (status === "failed" && reason === "outcomeUnknown")

/** Whether the channel took it, and nobody said since that it failed. */
export const wentOut = ({ status }: Pick<Message, "status">): boolean =>
  status === "sent" || status === "delivered" || status === "read"

/** Whether it failed although the platform had taken it. */
export const isFailedLate = ({ reason, status }: Pick<Message, "status" | "reason">): boolean =>
  status === "failed" && reason === failedLate

/** A failed or cancelled row that waits to be tried again, after `tries` tries known not to have gone out. */
export const requeued = (self: Message, tries: number): Message => ({
  ...self,
  status: "queued",
  reason: null,
  errorCode: null,
  errorDetail: null,
  attempts: 0,
  tries,
  notBefore: null,
  dueAt: null,
  claim: null,
  stop: null,
  reserved: null,
  begunAt: null,
  failedAt: null
})

/**
 * Whether it may be tried again by itself: it failed, its person was not erased, and either it is known not to have gone
 * out or somebody says so.
 */
export const isRetryable = (
  self: Pick<Message, "address" | "lead" | "reason" | "status" | "stop">,
  includeUnknown: boolean
): boolean =>
  self.lead === null &&
  self.status === "failed" &&
  !isErased(self) &&
  (includeUnknown || self.reason !== "outcomeUnknown")

/** A message that failed, due again: under a new key where the platform may know the former one. */
export const retried = (self: Message, now: Instant): Message => ({
  ...requeued(self, self.tries + (self.reason === "outcomeUnknown" || self.reason === failedLate ? 1 : 0)),
  externalId: null,
  dueAt: now
})

/** A claimed message with the account it goes out from, as the claim's transaction saw both. */
export interface Claimed {
  readonly message: Message
  readonly account: Account
  /** How many suppressions of its address the gates let it go in spite of; absent = none stood against it. */
  readonly despite?: number | undefined
}

const rank: Record<MessageStatus, number> = {
  queued: 0,
  sending: 1,
  sent: 2,
  delivered: 3,
  read: 4,
  failed: 5,
  cancelled: 5,
  received: 5
}

/** Whether `next` may replace `status`. */
export const mayBecome = (self: Pick<Message, "status" | "reason">, next: MessageStatus): boolean => {
  if (self.status === "received" || self.status === "cancelled") return false
  if (self.status === "failed") {
    if (next === "delivered" || next === "read") {
      return self.reason === "outcomeUnknown" || self.reason === failedLate
    }
    return self.reason === "outcomeUnknown" && next === "sent"
  }
  if (next === "failed") return rank[self.status] <= rank.sent
  if (next === "cancelled") return self.status === "queued"
  return next !== "received" && rank[next] > rank[self.status]
}
