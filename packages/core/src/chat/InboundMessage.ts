/** What a platform's event makes of a message: a new row for what a person wrote, a status for what we did. Pure. */
import type { Account } from "../account/Account.ts"
import type { ChannelEvent } from "../channel/ChannelEvent.ts"
import type { ContactId, IdGenerator } from "../workspace/Id.ts"
import type { Message } from "./Message.ts"
import * as Messages from "./Message.ts"

/** The row of a message that a person wrote. */
export const received = (
  account: Account,
  event: Extract<ChannelEvent, { readonly type: "messageReceived" }>,
  ids: IdGenerator,
  at: { readonly address: string; readonly chat: Message["chat"]; readonly contact: ContactId | null }
): Message => ({
  ...Messages.untried,
  ...Messages.single,
  id: ids.next("msg"),
  workspace: account.workspace,
  account: account.id,
  chat: at.chat,
  contact: at.contact,
  address: at.address,
  direction: "inbound",
  author: { type: "contact", id: at.contact },
  content: event.content,
  status: "received",
  externalId: event.externalId,
  replyTo: event.replyTo ?? null,
  createdAt: event.at,
  sentAt: event.at,
  metadata: event.button === undefined ? {} : { button: event.button }
})

/** The row of a message that the account's owner wrote from another device. */
export const written = (
  account: Account,
  event: Extract<ChannelEvent, { readonly type: "messageEchoed" }>,
  ids: IdGenerator,
  at: { readonly address: string; readonly chat: Message["chat"]; readonly contact: ContactId | null }
): Message => ({
  ...received(account, { ...event, type: "messageReceived" }, ids, at),
  direction: "outbound",
  author: { type: "device", id: null },
  status: "sent",
  metadata: {}
})

/** A message of ours after the platform told of it itself: proof, also while what the send came to is not known yet. */
export const echoed = (message: Message, event: Extract<ChannelEvent, { readonly type: "messageEchoed" }>): Message =>
  message.status === "sending"
    ? { ...message, sentAt: message.sentAt ?? event.at, externalId: event.externalId }
    : Messages.mayBecome(message, "sent")
      ? {
          ...message,
          status: "sent",
          reason: null,
          sentAt: message.sentAt ?? event.at,
          externalId: event.externalId
        }
      : message

/** A message of ours after a receipt or a late failure; receipts that come late still leave their time. */
export const statusAfter = (
  message: Message,
  event: Extract<ChannelEvent, { readonly type: "messageDelivered" | "messageRead" | "messageFailed" }>
): Message => {
  switch (event.type) {
    case "messageDelivered":
      return Messages.mayBecome(message, "delivered")
        ? { ...message, status: "delivered", reason: null, deliveredAt: event.at }
        : { ...message, deliveredAt: message.deliveredAt ?? event.at }
    case "messageRead":
      return Messages.mayBecome(message, "read")
        ? { ...message, status: "read", reason: null, readAt: event.at }
        : { ...message, readAt: message.readAt ?? event.at }
    case "messageFailed":
      return Messages.mayBecome(message, "failed")
        ? {
            ...message,
            status: "failed",
            reason: "failedLate",
            errorCode: event.code ?? null,
            errorDetail: Messages.isErased(message) ? null : (event.detail ?? null),
            failedAt: event.at
          }
        : message
  }
}
