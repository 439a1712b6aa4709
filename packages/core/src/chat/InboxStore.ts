/**
 * The port for what an inbox shows: chats and messages by what they are, threads, and how far each member has read. A list
 * with filters looks at a bounded number of rows, so a page may hold fewer than were asked for, even none, and still have
 * a cursor; what no index leads to costs no more for that. A page at an offset is whole, and looks at as many as that takes.
 */
import { Context, type Effect, type Option } from "effect"
import type { AccountId, ChatId, MemberId, MessageId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Page, PageRequest } from "../workspace/Page.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Chat } from "./Chat.ts"
import type { ChatFilter } from "./ChatFilter.ts"
import type { Message } from "./Message.ts"
import type { MessageFilter } from "./MessageFilter.ts"

/** How many chats, and of messages, one page of a list with filters looks at. */
export const chatsLookedAt = 20_000
export const messagesLookedAt = 20_000
/** How many messages that no campaign sent a search of texts looks through, the newest of the workspace first. */
export const textsLookedAt = 20_000
/** How many chats a list can find by what was said in them: those with the newest of such messages. */
export const chatsByText = 1_000

/** A chat of a thread; what was said until `after` is left out (null = nothing is). */
export interface ThreadPart {
  readonly chat: ChatId
  readonly after: Instant | null
}

export interface UnreadCount {
  /** Chats with unread messages. */
  readonly chats: number
  readonly messages: number
}

export class InboxStore extends Context.Service<
  InboxStore,
  {
    /** Most recent first, without those that are deleted. `count` counts all that match, however many are looked at. */
    chats(workspace: WorkspaceId, filter: ChatFilter, page: PageRequest): Effect.Effect<Page<Chat>, StorageError>
    /** Those of the chats that the workspace has, deleted ones too, by id. */
    find(workspace: WorkspaceId, chats: ReadonlyArray<ChatId>): Effect.Effect<ReadonlyArray<Chat>, StorageError>
    /** Of chats that are not deleted: all, or those of a member. */
    unread(workspace: WorkspaceId, assignee: MemberId | null): Effect.Effect<UnreadCount, StorageError>
    /** How many open chats each member has; who has none is left out. */
    loads(
      workspace: WorkspaceId
    ): Effect.Effect<ReadonlyArray<{ readonly member: MemberId; readonly load: number }>, StorageError>
    /** The messages of several chats as one thread, by when they were made and then by id. */
    thread(
      workspace: WorkspaceId,
      parts: ReadonlyArray<ThreadPart>,
      order: "oldest" | "newest",
      page: PageRequest
    ): Effect.Effect<Page<Message>, StorageError>
    message(workspace: WorkspaceId, id: MessageId): Effect.Effect<Option.Option<Message>, StorageError>
    /** Newest first, by when they came to us; those of deleted chats too. `count` is not answered. */
    messages(
      workspace: WorkspaceId,
      filter: MessageFilter,
      page: Pick<PageRequest, "limit" | "cursor">
    ): Effect.Effect<Page<Message>, StorageError>
    /**
     * At most `limit` messages that the platform knows by that id, by id. Looks into every chat of the account, or of the
     * workspace where none is given: half a second for a million chats.
     */
    byExternalId(
      workspace: WorkspaceId,
      externalId: string,
      account: AccountId | null,
      limit: number
    ): Effect.Effect<ReadonlyArray<Message>, StorageError>
    /** How many messages of the person each chat has after an instant; in the order asked. */
    unreadAfter(
      workspace: WorkspaceId,
      parts: ReadonlyArray<ThreadPart>
    ): Effect.Effect<ReadonlyArray<number>, StorageError>
    /** Moves a member's positions on, never back. */
    markRead(
      workspace: WorkspaceId,
      member: MemberId,
      positions: ReadonlyArray<{ readonly chat: ChatId; readonly at: Instant }>
    ): Effect.Effect<void, StorageError>
    /** How far a member has read each chat, in the order asked; null = never. */
    readBy(
      workspace: WorkspaceId,
      member: MemberId,
      chats: ReadonlyArray<ChatId>
    ): Effect.Effect<ReadonlyArray<Instant | null>, StorageError>
  }
>()("@overture/core/InboxStore") {}
