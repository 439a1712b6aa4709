/**
 * What the events of a batch do to one chat: who it is with, what was said last, who took it over, that an appointment was
 * booked. Any order of batches leaves the same, but for what follows our own clock. Pure.
 */
import * as Address from "../channel/Address.ts"
import type { ContactId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import * as Chat from "./Chat.ts"

/** A message as a preview shows it. */
export interface Said {
  /** The platform's time. */
  readonly at: Instant
  readonly text: string
  readonly direction: Chat.Chat["lastDirection"]
}

export interface ChatNews {
  readonly contact: ContactId | null
  /** For a chat without a name. */
  readonly name: string
  /** The last name of a person who wrote, with the platform's time; null = none was told. */
  readonly called: { readonly name: string; readonly at: Instant } | null
  /** When the first thing was said, booked or opted out of; null = there are only changes of what was said. */
  readonly at: Instant | null
  /** New messages. */
  readonly said: ReadonlyArray<Said>
  /** What messages of the chat's last instant say now, where some of them were changed; null = none was. */
  readonly changed: ReadonlyArray<Said> | null
  /** When messages were written by hand. */
  readonly byHand: ReadonlyArray<Instant>
  /** The first booking; null = none. */
  readonly bookedAt: Instant | null
}

/** Whether anything was said in it yet. */
const isSilent = (chat: Chat.Chat): boolean => chat.lastText === "" && chat.lastInboundAt === null

const last = (chat: Chat.Chat): Said => ({ at: chat.lastAt, text: chat.lastText, direction: chat.lastDirection })

/** Of two messages of one instant the person's shows, and of two such the greater text. */
const isLater = (one: Said, other: Said): boolean =>
  one.at !== other.at
    ? one.at > other.at
    : one.direction !== other.direction
      ? one.direction === "inbound"
      : one.text > other.text

const latest = (all: ReadonlyArray<Said>): Said | null =>
  all.reduce<Said | null>((first, one) => (first === null || isLater(one, first) ? one : first), null)

/** The instant of what is said last once all of it is known. */
export const lastAt = (chat: Chat.Chat, said: ReadonlyArray<Said>): Instant =>
  Math.max(...said.map(({ at }) => at), isSilent(chat) ? -Infinity : chat.lastAt)

/** Whether the news say more of the chat than that something happened in it. */
export const isWorthTelling = ({ bookedAt, byHand, changed, said }: ChatNews): boolean =>
  said.length > 0 || changed !== null || byHand.length > 0 || bookedAt !== null

/** The chat with these news, at `now` by our clock; the very same where they say nothing new. */
export const known = (self: Chat.Chat, news: ChatNews, now: Instant): Chat.Chat => {
  let chat = self
  if (!Address.isErased(chat.address)) {
    const contact = chat.contact ?? news.contact
    const name = chat.name === "" ? news.name : chat.name
    if (contact !== chat.contact || name !== chat.name) chat = { ...chat, contact, name }
    if (news.called !== null) chat = Chat.named(chat, news.called.name, news.called.at)
  }
  const shown = isSilent(chat) ? null : last(chat)
  const preview = latest([...(news.changed ?? (shown === null ? [] : [shown])), ...news.said])
  if (preview !== null && (shown === null || isLater(preview, shown) || isLater(shown, preview))) {
    chat = { ...chat, lastAt: preview.at, lastText: preview.text, lastDirection: preview.direction }
  }
  // It was opened by our clock, and nothing is said in it yet.
  const { at: since } = news
  if (preview === null && since !== null && (since < chat.lastAt || chat.lastAt === chat.createdAt)) {
    chat = { ...chat, lastAt: since }
  }
  for (const { at, direction } of news.said) {
    if (direction === "outbound") continue
    chat = {
      ...Chat.received(chat, at, now),
      lastInboundAt: Math.max(at, chat.lastInboundAt ?? at),
      unread: chat.unread + 1
    }
  }
  for (const at of news.byHand) {
    const since = Math.min(chat.takenOverAt ?? at, at)
    if (Chat.isTakenOverBy(chat, at) && since !== chat.takenOverAt) chat = { ...chat, takenOverAt: since }
  }
  const { bookedAt } = news
  return bookedAt === null ? chat : Chat.booked(chat, bookedAt)
}
