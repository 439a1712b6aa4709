/**
 * The port of the ledger: claim, begin, settle and recover outbound messages, whatever made them. Verbs span workspaces.
 * Rules come in as pure functions over rows the verb has locked; what they answer is all that is written.
 */
import { Context, type Effect } from "effect"
import type { AccountState } from "../account/Account.ts"
import type { AccountGroupState } from "../account/AccountGroup.ts"
import type { ChannelName } from "../channel/Address.ts"
import type { Contact } from "../contact/Contact.ts"
import type { AddressHash, Suppression } from "../contact/Suppression.ts"
import type { Chat } from "../chat/Chat.ts"
import type { ChatOpening } from "../chat/ChatOpening.ts"
import type { ChatTouch } from "../chat/ChatStore.ts"
import type { Claimed, Message, Reservation } from "../chat/Message.ts"
import type { Notice } from "../chat/Notice.ts"
import type { DomainEvent } from "../event/DomainEvent.ts"
import type { DayUse } from "../workspace/Budget.ts"
import type { AccountGroupId, AccountId, ClaimId, MessageId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { WorkspaceState } from "../workspace/WorkspaceStore.ts"
import type { Claim, Lease, Recovered } from "./Claim.ts"
import type { Result, Settled } from "./Settling.ts"

/** A due queued message with everything that can forbid it, locked. */
export interface QueuedCandidate {
  readonly message: Message
  readonly account: AccountState
  readonly workspace: WorkspaceState
  /** Whether the campaign it is of does not run now; absent = it runs, or the message is of none. */
  readonly campaignPaused?: boolean | undefined
  /** The account's group, locked where it has a cap; absent or null = it is in none. */
  readonly group?: AccountGroupState | null | undefined
  readonly contact: Contact | null
  readonly chat: Chat | null
  /** The suppressions of its address that concern its account. */
  readonly suppressions: ReadonlyArray<Suppression>
}

/** What budgets hold after a decision. */
export interface BudgetWrites {
  readonly accounts: ReadonlyArray<{
    readonly id: AccountId
    readonly use: DayUse
    readonly lastTouchAt: Instant | null
  }>
  readonly workspaces: ReadonlyArray<{ readonly id: WorkspaceId; readonly use: DayUse }>
  /** Groups with a cap, whose rows were locked with the accounts; absent = none. */
  readonly groups?: ReadonlyArray<{ readonly id: AccountGroupId; readonly use: DayUse }> | undefined
}

export interface QueuedDecision extends BudgetWrites {
  /** To be sent: with the reservation just made (unchanged for later parts of a touch), and what its claim keeps of it. */
  readonly take: ReadonlyArray<
    { readonly id: MessageId; readonly reserved: Reservation | null } & Pick<Claimed, "despite">
  >
  /** To wait until then. */
  readonly defer: ReadonlyArray<{ readonly id: MessageId; readonly until: Instant; readonly reason: string }>
  /** Never to be sent. */
  readonly cancel: ReadonlyArray<{ readonly id: MessageId; readonly reason: string }>
  readonly events: ReadonlyArray<DomainEvent>
}

/** Everything that one settling transaction writes beside its campaign part. */
export interface SettleWrites {
  readonly settled: ReadonlyArray<Settled>
  readonly openings: ReadonlyArray<ChatOpening>
  readonly touches: ReadonlyArray<ChatTouch>
  readonly suppressions: ReadonlyArray<Suppression>
  readonly events: ReadonlyArray<DomainEvent>
}

/** Where the database lives, against where it lived when a worker last wrote. */
export type Guard = { readonly type: "same" } | { readonly type: "restored"; readonly detail: string }

/** On what a message goes out, which is asked once more right before that. */
export interface Terms {
  /** How many suppressions of its address its gates let it go in spite of; absent = none stood against it. */
  readonly despite?: number | undefined
  /** The channel that wants the person's consent as long as they did not write; absent = nobody's is wanted. */
  readonly consentFor?: ChannelName | undefined
}

/** Whether a message that may have been handed over already may be handed over once more. */
export type Repeat =
  /** All that begin asks for holds at this moment. */
  | "now"
  /** Not while everything, its workspace, its account or its campaign is stopped, or its account rests. */
  | "later"
  /**
   * Something stopped it while it was being sent, its address is suppressed, the consent it needs is no longer in force, or
   * it was begun too long ago.
   */
  | "never"
  /** Its person was erased: nothing is asked about it any more either. */
  | "erased"

/** A result with its message as it is now, and what the platform told of it beforehand. */
export interface HeldResult {
  readonly result: Result
  readonly message: Message
  readonly notices?: ReadonlyArray<Notice> | undefined
}

export class OutboxStore extends Context.Service<
  OutboxStore,
  {
    /** The database's own clock in epoch milliseconds. */
    readonly clock: Effect.Effect<Instant, StorageError>
    /** Whether this is the database that was last written to; records its place the first time. */
    readonly guard: Effect.Effect<Guard, StorageError>
    /** Accepts the place where the database lives now: after a restore, by a person who looked. */
    readonly acknowledge: Effect.Effect<void, StorageError>
    /** Due queued messages, oldest first; null when nothing is due. A deferred or cancelled one is not in the claim. */
    claimQueued(request: {
      readonly now: Instant
      readonly limit: number
      readonly lease: Lease
      readonly decide: (candidates: ReadonlyArray<QueuedCandidate>) => QueuedDecision
      /** By which people who were erased are known; absent or null = nobody can have been. */
      readonly addressHash?: AddressHash | null | undefined
    }): Effect.Effect<{ readonly claim: Claim | null; readonly cancelled: ReadonlyArray<Claimed> } | null, StorageError>
    /**
     * Marks messages `sending`, right before they are handed over: only those still queued under this claim, whose lease
     * holds, whose workspace, account and campaign may send at this moment (the account's rest is over at `now`, in pacing
     * time), whose address is suppressed exactly as often for their account as their terms say, and whose person consented
     * or wrote where these want that. Returns their ids, and those of messages that this claim began already: when an answer
     * was lost, the same begin is asked again, and what may not be sent any more is queued as before. So ask only for what
     * has not been handed over.
     */
    begin(
      claim: ClaimId,
      ids: ReadonlyArray<MessageId>,
      now: Instant,
      terms?: ReadonlyMap<MessageId, Terms>
    ): Effect.Effect<ReadonlyArray<MessageId>, StorageError>
    /**
     * Of messages that this claim is sending and another one may have handed over: whether they may be handed over once
     * more. Those missing in the answer are not this claim's, or its lease ran out. What went in spite of a suppression is
     * not repeated, so of their terms only the consent counts. Changes nothing.
     */
    mayRepeat(
      claim: ClaimId,
      ids: ReadonlyArray<MessageId>,
      now: Instant,
      terms?: ReadonlyMap<MessageId, Terms>
    ): Effect.Effect<ReadonlyMap<MessageId, Repeat>, StorageError>
    /**
     * Returns messages of the claim that were not begun: the rows of touches go (they are rendered anew), others are due
     * again. Gives back all budgets of the rows that go and of direct messages; a later part of a touch stays reserved. Tells
     * which ones it returned, as they were.
     */
    release(
      claim: ClaimId,
      ids: ReadonlyArray<MessageId>,
      now: Instant
    ): Effect.Effect<ReadonlyArray<Message>, StorageError>
    /**
     * Locks those of the results that this claim still holds as `sending`, lets `conclude` judge them and writes what it
     * answers: messages, chats (with `created` of those that it makes), suppressions, events and budgets given back. Results
     * that are not among `settled` were lost. Rows go as `Settling.isRemoved` and `dropsParts` say, and keep their
     * reservation as `keepsReservation` says unless they are cancelled; whatever else a row reserved is given back. Notices
     * that came before a message was known to the platform's id are given to `conclude` with it, and wait no more.
     */
    settle(
      claim: ClaimId,
      results: ReadonlyArray<Result>,
      conclude: (held: ReadonlyArray<HeldResult>) => SettleWrites
    ): Effect.Effect<SettleWrites, StorageError>
    /** The lease of the claim now ends so long from now; false when it is no longer ours. */
    renew(claim: ClaimId, durationMs: number): Effect.Effect<boolean, StorageError>
    /** How many claims there are: those whose lease holds, and those that ran out and nobody has taken over yet. */
    readonly claims: Effect.Effect<{ readonly held: number; readonly expired: number }, StorageError>
    /** Ends a claim that holds nothing more, which no other verb does; one that still holds messages stays. */
    finish(claim: ClaimId): Effect.Effect<void, StorageError>
    /**
     * Takes over the claim that expired first, if any: begun messages stay `sending` under `lease.claim`, others are
     * released. The claim is replaced, or only removed when it has no begun message.
     */
    recover(lease: Lease, now: Instant): Effect.Effect<Recovered | null, StorageError>
    /** The next instant at which a queued message is due. */
    readonly nextQueued: Effect.Effect<Instant | null, StorageError>
    /**
     * Adds queued messages, and their chats with `created` of those that it makes: messages whose id exists are left as they
     * are, and events about them are left out.
     */
    enqueue(
      messages: ReadonlyArray<Message>,
      openings: ReadonlyArray<ChatOpening>,
      events: ReadonlyArray<DomainEvent>
    ): Effect.Effect<ReadonlyArray<MessageId>, StorageError>
    /**
     * An operator changed accounts, their group or their workspace: what is put off of them for a reason that this may have
     * lifted (`QueuedGates.liftable`) is due at `now`, or when it was asked for if that is later. What another transaction
     * holds is passed by.
     */
    wake(accounts: ReadonlyArray<AccountId>, now: Instant): Effect.Effect<void, StorageError>
    /**
     * Cancels what is queued, unclaimed and not of a lead (its campaign decides about those), and gives back what it
     * reserved; false = not such a message, or it is too late.
     */
    cancel(
      workspace: WorkspaceId,
      id: MessageId,
      reason: string,
      events: ReadonlyArray<DomainEvent>
    ): Effect.Effect<boolean, StorageError>
  }
>()("@overture/core/OutboxStore") {}
