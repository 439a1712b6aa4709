/**
 * What areas above chats do when a person writes, books or wants no more, or a member closes their chat: they register it here, and whoever hears of it
 * runs it in the transaction in which it is kept, one call of each per batch.
 */
import { Context, Effect } from "effect"
import type { ChatId, ContactId, LeadId, MessageId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Message } from "./Message.ts"

/** A contact, the chat in which something happened, and when it did by the platform's time. */
export interface Correspondent {
  readonly contact: ContactId
  readonly chat: ChatId
  readonly at: Instant
}

/** They wrote (text or button, not a reaction) or booked an appointment. */
interface Talk extends Correspondent {
  readonly type: "replied" | "booked"
}

/** A member closed the chat, by our clock. */
interface Closed extends Correspondent {
  readonly type: "closed"
}

/** Someone of ours wrote to them by hand. */
interface TakenOver extends Correspondent {
  readonly type: "takenOver"
  /** It is told late, and the chat was given back to automation since. */
  readonly isOver?: boolean
}

/** They want no more messages; without a chat where someone else says it for them. */
interface OptedOut extends Omit<Correspondent, "chat"> {
  readonly type: "optedOut"
  readonly chat: ChatId | null
}

export type News = Talk | Closed | TakenOver | OptedOut

/** What a reaction locked. */
export interface HeldLeads {
  /** All leads of the contacts, and those that were named. */
  readonly leads: ReadonlyArray<LeadId>
  /** To be locked with the batch's own. */
  readonly messages: ReadonlyArray<MessageId>
}

/** Told late, twice or in any order, the same things must leave the same. */
export interface InboundReaction {
  /** Locks what the others will change, of these contacts and of these leads, before anyone locks messages and chats. */
  hold?(
    workspace: WorkspaceId,
    contacts: ReadonlyArray<ContactId>,
    leads: ReadonlyArray<LeadId>
  ): Effect.Effect<HeldLeads, StorageError>
  /**
   * Locks what the others will count these leads by, once messages and chats are locked: they are called one after the
   * other, and each counts in an order of its own.
   */
  holdCounts?(leads: ReadonlyArray<LeadId>): Effect.Effect<void, StorageError>
  /** What these contacts did, or someone of ours towards them, in no order. */
  heard(workspace: WorkspaceId, news: ReadonlyArray<News>, now: Instant): Effect.Effect<void, StorageError>
  /** Messages whose outcome was unknown turned out to be sent, that were sent and failed after all, or did not fail after all. */
  proven(messages: ReadonlyArray<Message & { readonly lead: LeadId }>, now: Instant): Effect.Effect<void, StorageError>
}

const nothing: HeldLeads = { leads: [], messages: [] }

/** All of these as one, called one after the other; nobody is called about nothing. */
export const together = (reactions: ReadonlyArray<InboundReaction>): Required<InboundReaction> => {
  const each = (of: number, call: (reaction: InboundReaction) => Effect.Effect<void, StorageError> | undefined) =>
    of === 0 ? Effect.void : Effect.forEach(reactions, (one) => call(one) ?? Effect.void, { discard: true })
  return {
    hold: (workspace, contacts, leads) =>
      contacts.length + leads.length === 0
        ? Effect.succeed(nothing)
        : Effect.map(
            Effect.forEach(reactions, ({ hold }) => hold?.(workspace, contacts, leads) ?? Effect.succeed(nothing)),
            (held) => ({
              leads: held.flatMap((one) => one.leads),
              messages: held.flatMap((one) => one.messages)
            })
          ),
    holdCounts: (leads) => each(leads.length, ({ holdCounts }) => holdCounts?.(leads)),
    heard: (workspace, news, now) => each(news.length, ({ heard }) => heard(workspace, news, now)),
    proven: (messages, now) => each(messages.length, ({ proven }) => proven(messages, now))
  }
}

export class InboundReactions extends Context.Service<InboundReactions, ReadonlyArray<InboundReaction>>()(
  "@overture/core/InboundReactions"
) {}
