/** A subscriber that tells each webhook in words: what it was sent, with the names that it looks up. */
import { AccountStore } from "@overture/core/account/AccountStore"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import { preview } from "@overture/core/channel/Content"
import * as Chat from "@overture/core/chat/Chat"
import { InboxStore } from "@overture/core/chat/InboxStore"
import type { Message } from "@overture/core/chat/Message"
import type { EventType } from "@overture/core/event/DomainEvent"
import type { AccountId, ChatId, LeadId, MessageId } from "@overture/core/workspace/Id"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { Effect, Option } from "effect"
import * as Screen from "./Screen.ts"
import { workspace } from "./Studio.ts"

/** What the body of a webhook says. */
export interface Told {
  readonly id: string
  readonly type: EventType
  readonly timestamp: string
  readonly subject: string
  readonly data: Readonly<Record<string, unknown>>
}

/** The order in which things happened: ids are given in it. */
export const before = (one: Told, other: Told): number =>
  Date.parse(one.timestamp) - Date.parse(other.timestamp) || (one.id < other.id ? -1 : 1)

/** What is subscribed to: all that is worth a line. */
export const events: ReadonlyArray<EventType> = [
  "campaign.started",
  "message.sent",
  "message.received",
  "message.edited",
  "attachment.stored",
  "reaction.added",
  "chat.assigned",
  "chat.taken_over",
  "chat.booked",
  "contact.opted_out",
  "lead.replied",
  "lead.ended",
  "campaign.finished"
]

/** The chat that a webhook is about; null where it is about none. */
const chatOf = Effect.fnUntraced(function* ({ data, subject }: Told) {
  const inbox = yield* InboxStore
  const named = subject.startsWith("cht_") ? subject : data["chat"]
  let id = typeof named === "string" ? (named as ChatId) : null
  if (subject.startsWith("led_")) {
    const lead = Option.getOrNull(yield* (yield* CampaignStore).getLead(workspace, subject as LeadId))
    id = lead === null || lead.account === null ? null : Chat.idOf(lead.account, lead.address)
  }
  const [chat = null] = id === null ? [] : yield* inbox.find(workspace, [id])
  return chat
})

/** Whom a chat is with: as the platform presents them, or as the contact is known. */
export const personOf = Effect.fnUntraced(function* ({ contact, name }: Chat.Chat) {
  if (name !== "" || contact === null) return name
  const known = yield* (yield* ContactStore).get(workspace, contact)
  return Option.match(known, { onNone: () => "", onSome: (person) => person.name })
})

/** The name by which the platform knows an account. */
export const accountName = Effect.fnUntraced(function* (id: AccountId) {
  const account = Option.getOrNull(yield* (yield* AccountStore).get(workspace, id))
  return account?.externalId ?? ""
})

const said = (message: Message | null): string => {
  if (message === null) return ""
  const { content } = message
  return content.type === "media"
    ? `📎 ${content.filename ?? content.kind}  ${content.caption ?? ""}`
    : preview(content)
}

const endings: Readonly<Record<string, string>> = { takenOver: "taken over", optedOut: "opted out" }

type Words = Pick<Screen.Line, "arrow" | "what" | "style">

const quiet = (what: string): Words => ({ arrow: "·", what, style: "yellow" })

const wordsOf = ({ data, type }: Told, message: Message | null): Words => {
  switch (type) {
    case "campaign.started":
      return quiet("the campaign starts: six people, two accounts")
    case "campaign.finished":
      return quiet("the campaign is finished")
    case "message.sent": {
      const author = message?.author.type
      const style = author === "member" ? "green" : author === "campaign" ? "cyan" : "magenta"
      return { arrow: "→", what: said(message), style }
    }
    case "message.received":
      return { arrow: "←", what: said(message), style: "reset" }
    case "attachment.stored":
      return quiet("the photo is kept here: its URL at the platform may expire")
    case "message.edited":
      return { arrow: "←", what: `✎ ${said(message)}`, style: "reset" }
    case "reaction.added":
      return { arrow: "←", what: `${String(data["emoji"])} to “${said(message)}”`, style: "reset" }
    case "chat.assigned":
      return quiet("Mia has this one")
    case "chat.taken_over":
      return quiet(`${data["by"] === "device" ? "Nora" : "Mia"} writes by hand: automation keeps out`)
    case "chat.booked":
      return { arrow: "←", what: `★ books ${String(data["ref"])}`, style: "green" }
    case "contact.opted_out":
      return { arrow: "·", what: "wants no more messages", style: "red" }
    case "lead.replied":
      return quiet("the sequence ends: answered, no follow-up will come")
    default:
      return quiet(`the sequence ends: ${endings[String(data["ended"])] ?? String(data["ended"])}`)
  }
}

/** Tells one webhook on the screen. */
export const tell = Effect.fnUntraced(function* (told: Told) {
  const isMessage = told.subject.startsWith("msg_")
  const message = isMessage
    ? Option.getOrNull(yield* (yield* InboxStore).message(workspace, told.subject as MessageId))
    : null
  const chat = yield* chatOf(told)
  const account = chat === null ? "" : yield* accountName(chat.account)
  const who = chat === null ? "" : yield* personOf(chat)
  const line = { at: Date.parse(told.timestamp), account, who, ...wordsOf(told, message) }
  Screen.happened(line, told.type)
})
