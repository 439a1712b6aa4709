/** The port for chats and their messages. Outbound messages are written by the outbox; here they are read and proven. */
import { Context, type Effect, type Option } from "effect"
import type { AccountId, ChatId, ContactId, MessageId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Page, PageRequest } from "../workspace/Page.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Chat } from "./Chat.ts"
import type { Message } from "./Message.ts"

/** A chat that must exist, by what identifies it. */
export interface ChatOpening {
  readonly id: ChatId
  readonly workspace: WorkspaceId
  readonly account: AccountId
  readonly address: string
  readonly contact: ContactId | null
  readonly name: string
  readonly at: Instant
}

/** What a message does to its chat's row; the latest one wins the preview. */
export interface ChatTouch {
  readonly chat: ChatId
  readonly at: Instant
  readonly text: string
  readonly direction: Chat["lastDirection"]
  /** Added to the unread count. */
  readonly unread: number
}

export class ChatStore extends Context.Service<
  ChatStore,
  {
    /**
     * Remembers (account, dedupeKey) and returns the indexes of those not seen before. Joins the caller's transaction, so
     * an event whose handling fails is new again.
     */
    admit(
      keys: ReadonlyArray<{ readonly account: AccountId; readonly dedupeKey: string; readonly at: Instant }>
    ): Effect.Effect<ReadonlyArray<number>, StorageError>
    /**
     * Makes the chats that are missing, with the next numbers of their workspace, and locks and returns one for each
     * opening, as `Chat.opened` has it.
     */
    open(openings: ReadonlyArray<ChatOpening>): Effect.Effect<ReadonlyArray<Chat>, StorageError>
    touch(touches: ReadonlyArray<ChatTouch>): Effect.Effect<void, StorageError>
    /** Marks chats as written to by hand, or gives them back to automation (`at` null). */
    setTakenOver(chats: ReadonlyArray<ChatId>, at: Instant | null): Effect.Effect<void, StorageError>
    /** Adds messages that did not go through the outbox; one that exists by (chat, externalId) is left as it is. Returns the new ones' ids. */
    record(messages: ReadonlyArray<Message>): Effect.Effect<ReadonlyArray<MessageId>, StorageError>
    /** Locks the messages found by id, or by (chat, externalId), applies the rule and writes what it changed. */
    advance(
      refs: ReadonlyArray<{ readonly id: MessageId } | { readonly chat: ChatId; readonly externalId: string }>,
      change: (message: Message, index: number) => Message
    ): Effect.Effect<
      ReadonlyArray<{ readonly index: number; readonly before: Message; readonly after: Message }>,
      StorageError
    >
    /** Those of the chats that exist, and all messages in them, also in one that was never opened; both by id. */
    held(
      workspace: WorkspaceId,
      chats: ReadonlyArray<ChatId>
    ): Effect.Effect<{ readonly chats: ReadonlyArray<Chat>; readonly messages: ReadonlyArray<Message> }, StorageError>
    /**
     * Locks all messages in these chats and then the chats, applies `Message.erase` and `Chat.erase`, and gives back what
     * the messages no longer reserve. Returns the messages' ids.
     */
    erase(workspace: WorkspaceId, chats: ReadonlyArray<ChatId>): Effect.Effect<ReadonlyArray<MessageId>, StorageError>
    /** Outbound messages of a chat that are being sent, or of which nobody knows whether they were; oldest first. */
    unproven(chat: ChatId): Effect.Effect<ReadonlyArray<Message>, StorageError>
    get(workspace: WorkspaceId, id: ChatId): Effect.Effect<Option.Option<Chat>, StorageError>
    /** Most recent first. */
    list(workspace: WorkspaceId, page: PageRequest): Effect.Effect<Page<Chat>, StorageError>
    /** Oldest first. */
    messages(workspace: WorkspaceId, chat: ChatId, page: PageRequest): Effect.Effect<Page<Message>, StorageError>
  }
>()("@overture/core/ChatStore") {}
