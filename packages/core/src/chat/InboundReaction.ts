/**
 * What areas above chats do when a person writes or wants no more: they register it here, and the inbox runs it in the
 * transaction of the event, one call per batch.
 */
import { Context, type Effect } from "effect"
import type { ChatId, ContactId, LeadId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Message } from "./Message.ts"

/** A contact and the chat in which something was written. */
export interface Correspondent {
  readonly contact: ContactId
  readonly chat: ChatId
}

export interface InboundReaction {
  /** These contacts wrote (text or button, not a reaction). */
  replied(workspace: WorkspaceId, who: ReadonlyArray<Correspondent>, now: Instant): Effect.Effect<void, StorageError>
  /** These contacts want no more messages. */
  optedOut(workspace: WorkspaceId, contacts: ReadonlyArray<ContactId>, now: Instant): Effect.Effect<void, StorageError>
  /** Someone of ours wrote to these by hand. */
  takenOver(workspace: WorkspaceId, who: ReadonlyArray<Correspondent>, now: Instant): Effect.Effect<void, StorageError>
  /** Messages whose outcome was unknown turned out to be sent, or that were sent and failed after all. */
  proven(messages: ReadonlyArray<Message & { readonly lead: LeadId }>, now: Instant): Effect.Effect<void, StorageError>
}

export class InboundReactions extends Context.Service<InboundReactions, ReadonlyArray<InboundReaction>>()(
  "@overture/core/InboundReactions"
) {}
