/** The port for chats and their messages. Outbound messages are written by the outbox; here they are read and proven. */
import { Context, type Effect, type Option } from "effect"
import type { AccountId, ChatId, ContactId, MessageId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Page, PageRequest } from "../workspace/Page.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { DomainEvent } from "../event/DomainEvent.ts"
import type { Chat } from "./Chat.ts"
import type { ChatOpening } from "./ChatOpening.ts"
import type { Message } from "./Message.ts"
import type { EarlyNotice } from "./Notice.ts"

/** What `open` locked. */
export interface Opened {
  /** One for each opening, in their order. */
  readonly chats: ReadonlyArray<Chat>
  /** Those of them that were made. */
  readonly made: ReadonlySet<ChatId>
  /** Those of the other chats that exist. */
  readonly others: ReadonlyArray<Chat>
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

/** A message by the platform's id, which means something in its chat. */
export interface ExternalRef {
  readonly chat: ChatId
  readonly externalId: string
}

/** A message by our id or the platform's. */
export type MessageRef = { readonly id: MessageId } | ExternalRef

export class ChatStore extends Context.Service<
  ChatStore,
  {
    /**
     * Waits until nobody else who asked for one of these chats of the account is in a transaction, and makes others wait for
     * this one. Before all locks: who tells of the same chats does it one after the other.
     */
    awaitTurn(account: AccountId, chats: ReadonlyArray<ChatId>): Effect.Effect<void, StorageError>
    /**
     * Remembers (account, dedupeKey) and returns the indexes of those not seen before. Joins the caller's transaction, so
     * an event whose handling fails is new again.
     */
    admit(
      keys: ReadonlyArray<{ readonly account: AccountId; readonly dedupeKey: string; readonly at: Instant }>
    ): Effect.Effect<ReadonlyArray<number>, StorageError>
    /** Forgets at most `limit` admitted events of a workspace from before `before`: one of them that comes again is new. */
    purgeAdmitted(workspace: WorkspaceId, before: Instant, limit: number): Effect.Effect<number, StorageError>
    /**
     * Makes the chats that are missing, with the next numbers of their workspace and their `created` events, and locks and
     * returns one for each opening, as `Chat.opened` has it. With them it locks those of `others` that exist.
     */
    open(openings: ReadonlyArray<ChatOpening>, others?: ReadonlyArray<ChatId>): Effect.Effect<Opened, StorageError>
    touch(touches: ReadonlyArray<ChatTouch>): Effect.Effect<void, StorageError>
    /**
     * Locks those of the chats that the workspace has, in id order, applies the rule to each and writes what it changed
     * with its events; the very object it was given means unchanged, and nothing of it is written. All but id, workspace,
     * number, account and address may change. Returns them in id order.
     */
    modify(
      workspace: WorkspaceId,
      ids: ReadonlyArray<ChatId>,
      change: (chat: Chat) => { readonly chat: Chat; readonly events: ReadonlyArray<DomainEvent> }
    ): Effect.Effect<ReadonlyArray<{ readonly before: Chat; readonly after: Chat }>, StorageError>
    /**
     * Writes chats that `open` locked in this transaction, as rules changed them since: all but id, workspace, number, account
     * and address may differ.
     */
    rewrite(chats: ReadonlyArray<Chat>): Effect.Effect<void, StorageError>
    /** Marks chats as written to by hand, or gives them back to automation (`at` null). */
    setTakenOver(chats: ReadonlyArray<ChatId>, at: Instant | null): Effect.Effect<void, StorageError>
    /** Adds messages that did not go through the outbox; one that exists by (chat, externalId) is left as it is. Returns the new ones' ids. */
    record(messages: ReadonlyArray<Message>): Effect.Effect<ReadonlyArray<MessageId>, StorageError>
    /** Locks the messages found by id, or by (chat, externalId), applies the rule and writes what it changed. */
    advance(
      refs: ReadonlyArray<MessageRef>,
      change: (message: Message, index: number) => Message
    ): Effect.Effect<
      ReadonlyArray<{ readonly index: number; readonly before: Message; readonly after: Message }>,
      StorageError
    >
    /** The messages as they are now, in the order of the references and null for those the workspace has not; without locks. */
    find(
      workspace: WorkspaceId,
      refs: ReadonlyArray<MessageRef>
    ): Effect.Effect<ReadonlyArray<Message | null>, StorageError>
    /** Locks what is being sent in these chats, so that nobody settles it before this transaction ends. */
    holdSending(chats: ReadonlyArray<ChatId>): Effect.Effect<void, StorageError>
    /** The messages of these chats whose `createdAt` is that instant. */
    createdAt(
      places: ReadonlyArray<{ readonly chat: ChatId; readonly at: Instant }>
    ): Effect.Effect<ReadonlyArray<Message>, StorageError>
    /** Keeps notices until their message comes; one that is kept already, by (chat, externalId, key), is kept once. */
    keepNotices(notices: ReadonlyArray<EarlyNotice>): Effect.Effect<void, StorageError>
    /** Gives out the notices that wait for these messages, and keeps them no more; by key. */
    takeNotices(refs: ReadonlyArray<ExternalRef>): Effect.Effect<ReadonlyArray<EarlyNotice>, StorageError>
    /** Removes at most `limit` notices of a workspace that were told before `before`, and whose message never came. */
    purgeNotices(workspace: WorkspaceId, before: Instant, limit: number): Effect.Effect<number, StorageError>
    /** Those of the chats that exist, and all messages in them, also in one that was never opened; both by id. And what waits for a message there. */
    held(
      workspace: WorkspaceId,
      chats: ReadonlyArray<ChatId>
    ): Effect.Effect<
      {
        readonly chats: ReadonlyArray<Chat>
        readonly messages: ReadonlyArray<Message>
        readonly notices: ReadonlyArray<EarlyNotice>
      },
      StorageError
    >
    /** Messages to anyone that show what a contact would read (`Message.shows`); by id. Reads all that no campaign sent. */
    showing(workspace: WorkspaceId, contact: ContactId): Effect.Effect<ReadonlyArray<Message>, StorageError>
    /**
     * Locks all messages in these chats and those named beside them, and then the chats; applies `Message.erase`, and
     * `Chat.erase` to the chats themselves, and gives back what the messages no longer reserve. Notices that wait there go;
     * another chat no longer shows a message that was named. Returns the messages' ids.
     */
    erase(
      workspace: WorkspaceId,
      chats: ReadonlyArray<ChatId>,
      alone?: ReadonlyArray<MessageId>
    ): Effect.Effect<ReadonlyArray<MessageId>, StorageError>
    /** Outbound messages of these chats that are being sent, or of which nobody knows whether they were; oldest first. */
    unproven(chats: ReadonlyArray<ChatId>): Effect.Effect<ReadonlyArray<Message>, StorageError>
    get(workspace: WorkspaceId, id: ChatId): Effect.Effect<Option.Option<Chat>, StorageError>
    /** Most recent first. */
    list(workspace: WorkspaceId, page: PageRequest): Effect.Effect<Page<Chat>, StorageError>
    /** Oldest first. */
    messages(workspace: WorkspaceId, chat: ChatId, page: PageRequest): Effect.Effect<Page<Message>, StorageError>
  }
>()("@overture/core/ChatStore") {}
