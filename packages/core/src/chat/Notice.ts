/**
 * What a platform tells of a message that is there already: receipts, a failure, edits, a deletion, reactions. They may
 * come in any order, any number of times and before the message itself, and leave the same: by the platform's time the
 * latest edit, the first receipt of each kind, the last word on each reaction. A message that was delivered or read did
 * not fail, whatever else is told.
 */
import type { ChannelEvent } from "../channel/ChannelEvent.ts"
import type { DomainEvent, EventType } from "../event/DomainEvent.ts"
import type { ChatId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { canonical } from "../workspace/Json.ts"
import * as AttachedMedia from "./AttachedMedia.ts"
import type { Message } from "./Message.ts"
import * as Messages from "./Message.ts"
import { reacted } from "./MessageDetails.ts"

type Telling = Extract<
  ChannelEvent,
  {
    readonly type:
      | "messageDelivered"
      | "messageRead"
      | "messageFailed"
      | "messageEdited"
      | "messageDeleted"
      | "reactionAdded"
      | "reactionRemoved"
  }
>

type Without<A, K extends PropertyKey> = A extends unknown ? Omit<A, K> : never

/** Such an event without what says whose message it is of. */
export type Notice = Without<Telling, "dedupeKey" | "participant" | "externalId">

/** A notice that came before its message and waits for it. */
export interface EarlyNotice {
  /** The digest of the event's `dedupeKey`. */
  readonly key: string
  readonly workspace: WorkspaceId
  readonly chat: ChatId
  readonly externalId: string
  readonly notice: Notice
  /** When it was told, by our clock. */
  readonly toldAt: Instant
}

export const isNotice = (event: ChannelEvent): event is Telling => {
  switch (event.type) {
    case "messageDelivered":
    case "messageRead":
    case "messageFailed":
    case "messageEdited":
    case "messageDeleted":
    case "reactionAdded":
    case "reactionRemoved":
      return true
    default:
      return false
  }
}

/** The notice in an event. */
export const of = ({ dedupeKey: _key, externalId: _id, participant: _person, ...notice }: Telling): Notice => notice

const earlier = (known: Instant | null, at: Instant): Instant => (known === null ? at : Math.min(known, at))

const delivered = (message: Message, notice: Notice): Message => {
  const isRead = notice.type === "messageRead"
  const deliveredAt = isRead ? message.deliveredAt : earlier(message.deliveredAt, notice.at)
  const readAt = isRead ? earlier(message.readAt, notice.at) : message.readAt
  const status = isRead ? "read" : "delivered"
  const becomes = Messages.mayBecome(message, status)
  if (!becomes && deliveredAt === message.deliveredAt && readAt === message.readAt) return message
  return {
    ...message,
    deliveredAt,
    readAt,
    ...(becomes && { status, reason: null }),
    ...(becomes && message.reason === Messages.failedLate && { errorCode: null, errorDetail: null, failedAt: null })
  }
}

const failed = (message: Message, notice: Extract<Notice, { readonly type: "messageFailed" }>): Message => {
  const code = notice.code ?? null
  const isKnown = message.status === "failed" && message.reason === Messages.failedLate
  // Of two failures the first counts; of two at once, that of the lesser code.
  const isFirst =
    isKnown &&
    (notice.at < (message.failedAt ?? 0) ||
      (notice.at === message.failedAt && (code ?? "") < (message.errorCode ?? "")))
  if (!isFirst && (isKnown || message.status !== "sent")) return message
  return {
    ...message,
    status: "failed",
    reason: Messages.failedLate,
    errorCode: code,
    errorDetail: Messages.isErased(message) ? null : (notice.detail ?? null),
    failedAt: notice.at
  }
}

const edited = (message: Message, notice: Extract<Notice, { readonly type: "messageEdited" }>): Message => {
  const { details } = message
  const before = details?.editedAt ?? -Infinity
  // Of two edits at once the greater text counts, whichever was told first.
  const isLater = notice.at > before || (notice.at === before && canonical(notice.content) > canonical(message.content))
  if (!isLater || Messages.isErased(message)) return message
  if (details?.deletedAt !== undefined && message.direction === "inbound") {
    return notice.at > before ? { ...message, details: { ...details, editedAt: notice.at } } : message
  }
  return AttachedMedia.rewritten(message, {
    ...message,
    content: notice.content,
    details: { ...details, editedAt: notice.at }
  })
}

const deleted = (message: Message, at: Instant): Message => {
  const { details } = message
  const deletedAt = earlier(details?.deletedAt ?? null, at)
  if (deletedAt === details?.deletedAt) return message
  if (message.direction === "outbound") return { ...message, details: { ...details, deletedAt } }
  const { attachments: _files, button: _button, raw: _raw, ...others } = details ?? {}
  return { ...message, content: Messages.deletedContent, details: { ...others, deletedAt } }
}

/**
 * The message with what a notice says of it; the very same where that says nothing new. Not of one that is on its way, or
 * will be again: there the notice has to wait (`isReady`).
 */
export const applied = (message: Message, notice: Notice): Message => {
  switch (notice.type) {
    case "messageDelivered":
    case "messageRead":
      return delivered(message, notice)
    case "messageFailed":
      return failed(message, notice)
    case "messageEdited":
      return edited(message, notice)
    case "messageDeleted":
      return deleted(message, notice.at)
    case "reactionAdded":
    case "reactionRemoved": {
      const { at, emoji, fromUs } = notice
      const details = reacted(message.details, { emoji, fromUs, at }, notice.type === "reactionAdded")
      return details === message.details ? message : { ...message, details }
    }
  }
}

/** Whether notices of it can be applied: what is on its way, or will be again, is settled first. */
export const isReady = ({ status }: Pick<Message, "status">): boolean =>
  status !== "queued" && status !== "sending" && status !== "cancelled"

const statusEvents: Partial<Record<Message["status"], EventType>> = {
  sent: "message.sent",
  delivered: "message.delivered",
  read: "message.read",
  failed: "message.failed"
}

/** What is told of a message whose status changed; null where it did not. */
export const statusEvent = (before: Message, after: Message): EventType | null =>
  before.status === after.status ? null : (statusEvents[after.status] ?? null)

/** What is told of a message that a notice changed; null where nobody need know. */
export const eventOf = (notice: Notice, before: Message, after: Message): EventType | null => {
  if (after === before) return null
  switch (notice.type) {
    case "messageEdited":
      return "message.edited"
    case "messageDeleted":
      return before.details?.deletedAt === undefined ? "message.deleted" : null
    case "reactionAdded":
      return "reaction.added"
    case "reactionRemoved":
      return "reaction.removed"
    default:
      return statusEvent(before, after)
  }
}

/** What an event of a notice says; never the words of a message, which may change after it. */
export const dataOf = (notice: Notice, { chat, direction }: Message): DomainEvent["data"] => {
  switch (notice.type) {
    case "reactionAdded":
    case "reactionRemoved":
      return { chat, emoji: notice.emoji, direction: notice.fromUs ? "outbound" : "inbound" }
    case "messageEdited":
    case "messageDeleted":
      return { chat, direction }
    default:
      return { chat }
  }
}
