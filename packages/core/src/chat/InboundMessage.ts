/** What a platform's event makes of a message: a new row for what was written, proof of what we sent. Pure. */
import type { Account } from "../account/Account.ts"
import type { ChannelEvent } from "../channel/ChannelEvent.ts"
import * as Id from "../workspace/Id.ts"
import type { ChatId, ContactId } from "../workspace/Id.ts"
import type { Message } from "./Message.ts"
import * as Messages from "./Message.ts"
import type { Attachment, MessageDetails } from "./MessageDetails.ts"

/** Where an event belongs. */
export interface Place {
  readonly address: string
  readonly chat: ChatId
  readonly contact: ContactId | null
}

type Received = Extract<ChannelEvent, { readonly type: "messageReceived" }>
type Echoed = Extract<ChannelEvent, { readonly type: "messageEchoed" }>

const attachments = (
  { at, content, externalId, files = [] }: Received | Echoed,
  chat: ChatId
): ReadonlyArray<Attachment> => {
  const own =
    content.type === "media"
      ? [
          {
            kind: content.kind,
            url: content.url,
            ...(content.filename !== undefined && { filename: content.filename })
          }
        ]
      : []
  return [...own, ...files].map((file, i) => ({
    ...file,
    id: Id.derived("med", at, `${chat}|${externalId}|${i}`),
    status: "remote"
  }))
}

const details = (event: Received | Echoed, chat: ChatId): MessageDetails | null => {
  const files = attachments(event, chat)
  const button = event.type === "messageReceived" ? event.button : undefined
  const known: MessageDetails = {
    ...(files.length > 0 && { attachments: files }),
    ...(button !== undefined && { button }),
    ...(event.raw !== undefined && { raw: event.raw })
  }
  return Object.keys(known).length === 0 ? null : known
}

const said = (account: Account, event: Received | Echoed, { address, chat, contact }: Place) => ({
  ...Messages.untried,
  ...Messages.single,
  // The same however often it is told, so that messages of one instant are in the same order everywhere.
  id: Id.derived("msg", event.at, `${chat}|${event.externalId}`),
  workspace: account.workspace,
  account: account.id,
  chat,
  contact,
  address,
  content: event.content,
  externalId: event.externalId,
  replyTo: event.replyTo ?? null,
  createdAt: event.at,
  sentAt: event.at,
  details: details(event, chat)
})

/** The row of a message that a person wrote. */
export const received = (account: Account, event: Received, place: Place): Message => ({
  ...said(account, event, place),
  direction: "inbound",
  author: { type: "contact", id: place.contact },
  status: "received"
})

/** The row of a message that the account's owner wrote from another device. */
export const written = (account: Account, event: Echoed, place: Place): Message => ({
  ...said(account, event, place),
  direction: "outbound",
  author: { type: "device", id: null },
  status: "sent"
})

/** A message of ours after the platform told of it itself: proof, also while what the send came to is not known yet. */
export const echoed = (message: Message, event: Echoed): Message =>
  message.status === "sending"
    ? message.externalId === event.externalId && message.sentAt !== null
      ? message
      : { ...message, sentAt: message.sentAt ?? event.at, externalId: event.externalId }
    : Messages.mayBecome(message, "sent")
      ? {
          ...message,
          status: "sent",
          reason: null,
          sentAt: message.sentAt ?? event.at,
          externalId: event.externalId
        }
      : message
