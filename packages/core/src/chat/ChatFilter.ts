/** Which chats a list shows. What is left out does not matter; all that is given must hold. */
import { Schema } from "effect"
import { ChannelName } from "../channel/Address.ts"
import { AccountId, MemberId } from "../workspace/Id.ts"
import { Instant } from "../workspace/Instant.ts"
import * as Chat from "./Chat.ts"

export const ChatFilter = Schema.Struct({
  account: Schema.optional(AccountId),
  channel: Schema.optional(ChannelName),
  /** Whether the person wrote since anybody last read the chat. */
  unread: Schema.optional(Schema.Boolean),
  /** The person wrote since this member last read the chat. */
  unreadBy: Schema.optional(MemberId),
  /** Null = nobody. */
  assignee: Schema.optional(Schema.NullOr(MemberId)),
  tag: Schema.optional(Schema.String),
  open: Schema.optional(Schema.Boolean),
  archived: Schema.optional(Schema.Boolean),
  /** Whether it is open and the last message is the person's. */
  waiting: Schema.optional(Schema.Boolean),
  responded: Schema.optional(Schema.Boolean),
  booked: Schema.optional(Schema.Boolean),
  pinned: Schema.optional(Schema.Boolean),
  /** The last message came at that time or later. */
  after: Schema.optional(Instant),
  /** The last message came before that time. */
  before: Schema.optional(Instant),
  /** Words in the name of the chat or its contact, in a tag, or in what was said (`SearchText`). */
  search: Schema.optional(Schema.String)
}).annotate({ identifier: "ChatFilter" })
export type ChatFilter = typeof ChatFilter.Type

/** Whether a chat that is not deleted passes all but `unreadBy` and `search`, which need more than its row. */
export const admits = (self: ChatFilter, chat: Chat.Chat): boolean => {
  const is = (wanted: boolean | undefined, actual: boolean) => wanted === undefined || wanted === actual
  return (
    (self.account === undefined || chat.account === self.account) &&
    (self.channel === undefined || chat.address.startsWith(`${self.channel}/`)) &&
    is(self.unread, chat.unread > 0) &&
    (self.assignee === undefined || chat.assignee === self.assignee) &&
    (self.tag === undefined || chat.tags.includes(self.tag)) &&
    is(self.open, Chat.isOpen(chat)) &&
    is(self.archived, chat.archivedAt !== null) &&
    is(self.waiting, Chat.isWaiting(chat)) &&
    is(self.responded, chat.respondedAt !== null) &&
    is(self.booked, chat.bookedAt !== null) &&
    is(self.pinned, chat.pinnedAt !== null) &&
    (self.after === undefined || chat.lastAt >= self.after) &&
    (self.before === undefined || chat.lastAt < self.before)
  )
}
