/** What a member does with chats, one verb over one or many: what it makes of a chat, and what is told of it. Pure. */
import { Schema } from "effect"
import type { EventType } from "../event/DomainEvent.ts"
import { MemberId } from "../workspace/Id.ts"
import { Instant } from "../workspace/Instant.ts"
import * as Problem from "../workspace/Problem.ts"
import * as Chat from "./Chat.ts"

const Tag = Schema.NonEmptyString.check(Schema.isMaxLength(64))
const tags = Schema.Array(Tag).check(Schema.isMaxLength(50))

export const ChatChange = Schema.Union([
  Schema.Struct({ type: Schema.Literal("tag"), add: tags, remove: tags }),
  Schema.Struct({ type: Schema.Literal("pin"), pinned: Schema.Boolean }),
  Schema.Struct({ type: Schema.Literal("book"), booked: Schema.Boolean }),
  /** Null = to nobody. */
  Schema.Struct({ type: Schema.Literal("assign"), member: Schema.NullOr(MemberId) }),
  Schema.Struct({ type: Schema.Literal("archive"), archived: Schema.Boolean }),
  /**
   * `close` ends the session and the sequences that touched the person, and gives the chat back to automation; `reopen`
   * begins a session; `resume` gives it back alone; `delete` closes it, and hides it with all that was said so far.
   */
  Schema.Struct({ type: Schema.Literals(["close", "reopen", "resume", "delete"]) })
]).annotate({ identifier: "ChatChange" })
export type ChatChange = typeof ChatChange.Type

/** Up to where somebody read chats: to the end unless an instant is given, and for a member where one is. */
export const ChatReading = Schema.Struct({
  upTo: Schema.optional(Instant),
  member: Schema.optional(MemberId)
}).annotate({ identifier: "ChatReading" })
export type ChatReading = typeof ChatReading.Type

export class InvalidChatChange extends Schema.TaggedError<InvalidChatChange>()("InvalidChatChange", {
  field: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.field}: ${this.problem}`
  }
}

/** The change as given, or its first problem. */
export const check = Problem.checker(ChatChange, InvalidChatChange)

/** The same of how far chats were read. */
export const checkReading = Problem.checker(Schema.toType(ChatReading), InvalidChatChange)

export interface Changed {
  /** The very object where nothing changes. */
  readonly chat: Chat.Chat
  readonly event: { readonly type: EventType; readonly data: Readonly<Record<string, Schema.Json>> }
}

const told = (chat: Chat.Chat, type: EventType, data: Changed["event"]["data"] = {}): Changed => ({
  chat,
  event: { type, data: { account: chat.account, ...data } }
})

/** Whether it closes chats, also those that are closed already. */
export const closes = ({ type }: ChatChange): boolean => type === "close" || type === "delete"

/** The chat after a change; as it was where that says nothing new. */
export const apply = (chat: Chat.Chat, change: ChatChange, now: Instant): Changed => {
  switch (change.type) {
    case "tag": {
      const removed = new Set(change.remove)
      const after = [...new Set([...chat.tags, ...change.add])].filter((tag) => !removed.has(tag)).sort()
      const isSame = after.length === chat.tags.length && after.every((tag) => chat.tags.includes(tag))
      return told(isSame ? chat : { ...chat, tags: after }, "chat.changed", { tags: after })
    }
    case "pin": {
      const isSame = change.pinned === (chat.pinnedAt !== null)
      const { pinned } = change
      return told(isSame ? chat : { ...chat, pinnedAt: pinned ? now : null }, "chat.changed", { pinned })
    }
    case "book": {
      const isSame = change.booked === (chat.bookedAt !== null)
      if (change.booked) return told(isSame ? chat : Chat.booked(chat, now), "chat.booked")
      return told(isSame ? chat : { ...chat, bookedAt: null }, "chat.changed", { booked: false })
    }
    case "assign": {
      const { member } = change
      const data = { assignee: member, ...(chat.assignee !== null && { before: chat.assignee }) }
      return told(member === chat.assignee ? chat : { ...chat, assignee: member }, "chat.assigned", data)
    }
    case "archive": {
      const isSame = change.archived === (chat.archivedAt !== null)
      const { archived } = change
      return told(isSame ? chat : { ...chat, archivedAt: archived ? now : null }, "chat.changed", { archived })
    }
    case "close":
      return told(Chat.closed(chat, now), Chat.isOpen(chat) ? "chat.closed" : "chat.resumed")
    case "reopen":
      return told(Chat.reopened(chat, now), "chat.reopened")
    case "resume":
      return told(Chat.resumed(chat, now), "chat.resumed")
    case "delete":
      return told(Chat.deleted(chat, now), "chat.deleted")
  }
}
