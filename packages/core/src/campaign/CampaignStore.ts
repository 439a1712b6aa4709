/**
 * The port for campaigns, their leads and paces. As in the outbox, rules come in as pure functions over locked rows, and
 * what they answer is all that is written.
 */
import { Context, type Effect, type Option } from "effect"
import type { Account, AccountState } from "../account/Account.ts"
import type { AccountGroupState } from "../account/AccountGroup.ts"
import type { Chat } from "../chat/Chat.ts"
import type { HeldLeads } from "../chat/InboundReaction.ts"
import type { Message } from "../chat/Message.ts"
import type { Contact, ContactTouch } from "../contact/Contact.ts"
import type { AddressHash, Suppression } from "../contact/Suppression.ts"
import type { DomainEvent } from "../event/DomainEvent.ts"
import type { Claim, Lease } from "../outbox/Claim.ts"
import type { BudgetWrites } from "../outbox/OutboxStore.ts"
import type { AccountId, CampaignId, ContactId, ContactListId, LeadId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Page, PageRequest } from "../workspace/Page.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { WorkspaceState } from "../workspace/WorkspaceStore.ts"
import type { Campaign } from "./Campaign.ts"
import type { Telling } from "./CampaignStanding.ts"
import type { PoolRange, Take } from "./Draw.ts"
import type { Lead, LeadFilter, LeadStatus } from "./Lead.ts"
import type { LeadChange, LeadSelector } from "./LeadChange.ts"
import type { OpenSequence } from "./OpenSequence.ts"
import type { Pace, Watch } from "./Pace.ts"
import type { DrawAccount, PacedAccount } from "./PacedAccount.ts"
import type { PooledLead } from "./Routing.ts"

/** A pace whose alarm rang, with its locked account and the campaign. */
export interface DuePace {
  readonly pace: Pace
  readonly account: AccountState
  readonly campaign: Campaign
  readonly workspace: WorkspaceState
  /**
   * The account's group. Locked with the account where it has a cap, as a workspace is, and a pace whose capped group
   * another claim holds is left out as well; null = the account is in none.
   */
  readonly group: AccountGroupState | null
}

/** What a due pace wants to do now. */
export interface PaceWant {
  readonly due: DuePace
  /** Ready leads wanted of each kind (first touches, follow-ups), 0–20. 0 = only the pace is written. */
  readonly want: number
}

/** A ready lead with everything that can forbid or shape its touch, locked with its contact. */
export interface LeadCandidate {
  readonly lead: Lead
  readonly contact: Contact
  readonly touches: ReadonlyArray<ContactTouch>
  /** The keys of the contact's addresses at which a message found nobody (`ContactStore.noteUnreachable`); absent = none. */
  readonly unreachable?: ReadonlyArray<string> | undefined
  /** What suppresses any of the contact's addresses, each under the address that it stops (`Suppression.stopping`). */
  readonly suppressions: ReadonlyArray<Suppression>
  /**
   * The open sequences of the contact that the lead may have to wait for (`OpenSequence.mayWait`: for others nothing is
   * read), once the contact's row is locked. Every touch is written to that row under its lock, so none begins unseen. One that ends
   * meanwhile puts the lead off for nothing, at most until it is looked at again.
   */
  readonly sequences: ReadonlyArray<OpenSequence>
  readonly chat: Chat | null
  /** The chats with an address of the contact, of any account, that a person took over; none for leads that do not heed them. */
  readonly takenOver: ReadonlyArray<Chat>
  /** The rows that the present step has from an earlier try. */
  readonly messages: ReadonlyArray<Message>
}

/** What the leads of a pace that got none are waiting for. */
export interface Dryness {
  /** The earliest dueAt of its leads that no claim holds and nothing stops, null when none has one. */
  readonly nextDueAt: Instant | null
  /**
   * Whether it has leads that are ready but held by someone else for now, or whose touch is under way: claimed, in status
   * `sending`, or with a later step and no dueAt (between two parts).
   */
  readonly held: boolean
}

export interface LeadDecision extends BudgetWrites {
  readonly touches: ReadonlyArray<{
    /** As it is to be written: with its claim. */
    readonly lead: Lead
    readonly messages: ReadonlyArray<Message>
    readonly contactTouches: ReadonlyArray<ContactTouch>
  }>
  /**
   * Skipped and deferred ones, as they are to be written. Queued rows that the step has from an earlier try are cancelled
   * where it will not be tried again (skipped, or another step comes next), with the reason of its touch, else of the
   * lead; those of a deferred lead wait with it.
   */
  readonly leads: ReadonlyArray<Lead>
  readonly paces: ReadonlyArray<Pace>
  readonly events: ReadonlyArray<DomainEvent>
}

export interface ClaimRules {
  /** From the paces that rang to what they want. A pace left out is left as it is. */
  readonly plan: (due: ReadonlyArray<DuePace>) => ReadonlyArray<PaceWant>
  /**
   * Runs once before `decide` with all candidates, in the claim's transaction and after they were locked: what the gates
   * of a host load. Not called without candidates; absent = nothing to load.
   */
  readonly load?: ((candidates: ReadonlyArray<LeadCandidate>) => Effect.Effect<void>) | undefined
  /** From candidates to everything that is written. Called once, also when every `want` is 0. */
  readonly decide: (
    wants: ReadonlyArray<{
      readonly want: PaceWant
      /** Step 0, in this order: those with a dueAt that has come, by it; the others by priority and position. */
      readonly first: ReadonlyArray<LeadCandidate>
      /** Later steps that are due, by dueAt. */
      readonly followUps: ReadonlyArray<LeadCandidate>
      /** Only where both are empty and something was wanted. */
      readonly dryness: Dryness | null
    }>
  ) => LeadDecision
}

/** How the leads of a campaign stand; the statuses add up to total. */
export type LeadCounts = Record<LeadStatus, number> & { readonly total: number; readonly replied: number }

/** A list that a campaign follows, with members who are not enrolled. */
export interface GrownList {
  readonly campaign: Campaign
  readonly list: ContactListId
  /** The place up to which they are, and the last one that was given. */
  readonly enrolled: number
  readonly last: number
}

/** What became of an account that was to leave a campaign. */
export type Leaving = "left" | "absent" | "last"

export class CampaignStore extends Context.Service<
  CampaignStore,
  {
    /** Adds a campaign with a paused pace for each account; false when its id or externalRef exists. */
    create(
      campaign: Campaign,
      accounts: ReadonlyArray<AccountId>,
      events: ReadonlyArray<DomainEvent>
    ): Effect.Effect<boolean, StorageError>
    get(workspace: WorkspaceId, id: CampaignId): Effect.Effect<Option.Option<Campaign>, StorageError>
    byExternalRef(workspace: WorkspaceId, ref: string): Effect.Effect<Option.Option<Campaign>, StorageError>
    byName(workspace: WorkspaceId, name: string): Effect.Effect<ReadonlyArray<Campaign>, StorageError>
    list(workspace: WorkspaceId, page: PageRequest): Effect.Effect<Page<Campaign>, StorageError>
    /** Those that have a lead of one of these contacts; in id order, without locks. */
    ofContacts(
      workspace: WorkspaceId,
      contacts: ReadonlyArray<ContactId>
    ): Effect.Effect<ReadonlyArray<Campaign>, StorageError>
    /**
     * Gives it more accounts, each with a paused pace; its paces ring where it runs. One that left is in it again, with the
     * pace it had. Returns those that were not in it.
     */
    addAccounts(
      workspace: WorkspaceId,
      id: CampaignId,
      accounts: ReadonlyArray<AccountId>,
      now: Instant
    ): Effect.Effect<ReadonlyArray<AccountId>, StorageError>
    /**
     * Locks the campaign, applies the rule and writes it. Where status or version changed, the alarms of its paces are set
     * in the same transaction: `now` for a running campaign, none for another. The same object = unchanged: nothing is
     * written, no event either.
     * None when there is no such campaign.
     */
    modify(
      workspace: WorkspaceId,
      id: CampaignId,
      now: Instant,
      change: (campaign: Campaign) => { readonly campaign: Campaign; readonly events: ReadonlyArray<DomainEvent> }
    ): Effect.Effect<Option.Option<Campaign>, StorageError>
    /**
     * Asked last in a transaction that changed whether someone can send for campaigns: waits for all others of the workspace
     * that asked, so that of two such changes at once the second sees the first. Then the rule is shown campaigns that run,
     * those that one of these accounts is in or the one named, each with the accounts that are in it and those that left,
     * by id, and what it answers is told.
     */
    tellStanding(
      workspace: WorkspaceId,
      of: { readonly accounts: ReadonlyArray<AccountId> } | { readonly campaign: CampaignId },
      telling: Telling
    ): Effect.Effect<void, StorageError>
    /** The accounts that are in these campaigns of the workspace, by id; without those that left. */
    membersOf(
      workspace: WorkspaceId,
      campaigns: ReadonlyArray<CampaignId>
    ): Effect.Effect<ReadonlyMap<CampaignId, ReadonlyArray<Account>>, StorageError>
    /** The accounts that are in it or were, by id. */
    paces(campaign: CampaignId): Effect.Effect<ReadonlyArray<PacedAccount>, StorageError>
    /** Its paces as a claim would see them now, by account; without locks. */
    duePaces(campaign: CampaignId): Effect.Effect<ReadonlyArray<DuePace>, StorageError>
    /**
     * Adds leads; a contact that the campaign has already, or who was erased since they were read, is left out, with the
     * events whose subject is that lead. Rings its paces when some are new. Returns those that are new, in no order.
     */
    enroll(
      campaign: CampaignId,
      leads: ReadonlyArray<Lead>,
      events: ReadonlyArray<DomainEvent>,
      now: Instant
    ): Effect.Effect<ReadonlyArray<LeadId>, StorageError>
    /**
     * Gives leads of the pool to accounts in one transaction that only one caller at a time has per campaign. `decide`
     * is shown the accounts that are in the campaign or were, asks how many leads ranges of the pool have, no further than
     * to `atMost` each, and says who takes how many from which ranges: one account after the other, each the first in
     * order of priority and position. Paces that got some ring at `now`.
     */
    draw(
      campaign: CampaignId,
      now: Instant,
      decide: (
        campaign: Campaign,
        accounts: ReadonlyArray<DrawAccount>,
        pool: (ranges: ReadonlyArray<PoolRange>, atMost: number) => Effect.Effect<ReadonlyArray<number>, StorageError>
      ) => Effect.Effect<ReadonlyArray<Take>, StorageError>
    ): Effect.Effect<ReadonlyArray<{ readonly account: AccountId; readonly drawn: number }>, StorageError>
    /**
     * Leads of the pool with what decides their routes, by contact: those of some contacts, with `held` also those that an
     * account has assigned and no claim holds; at most `limit` after one (null = from the first); or at most `limit` of some
     * ranges. Chats are those of `accounts`. Without locks.
     */
    pooled(
      campaign: CampaignId,
      of:
        | { readonly contacts: ReadonlyArray<ContactId>; readonly held?: boolean | undefined }
        | { readonly after: ContactId | null; readonly limit: number }
        | { readonly ranges: ReadonlyArray<PoolRange>; readonly limit: number },
      accounts: ReadonlyArray<AccountId>
    ): Effect.Effect<ReadonlyArray<PooledLead>, StorageError>
    /**
     * Marks the pace of an account as left at `now` and lets it ring, and writes the events; its leads stay as they are.
     * The last account of a campaign cannot leave. `addAccounts` brings it back, with what its pace remembers.
     */
    leave(
      workspace: WorkspaceId,
      id: CampaignId,
      account: AccountId,
      now: Instant,
      events: ReadonlyArray<DomainEvent>
    ): Effect.Effect<Leaving, StorageError>
    /** Unclaimed leads of an account that wait for a later step, the next ones first; at most `limit`. */
    followUpsOf(
      campaign: CampaignId,
      account: AccountId,
      limit: number
    ): Effect.Effect<ReadonlyArray<LeadId>, StorageError>
    /** Whether a claim holds a lead of the account, or a touch of it is between two parts. */
    isUnderWay(campaign: CampaignId, account: AccountId): Effect.Effect<boolean, StorageError>
    /**
     * The campaign source of claims; null when no alarm has rung. `planned` counts the paces that were looked at. A contact
     * is a candidate once in a claim. A touch's row may replace one of the same (lead, step, part) only while that is queued
     * and unclaimed, or where it was cancelled; anything else is a defect.
     */
    claim(request: {
      readonly now: Instant
      readonly limit: number
      readonly lease: Lease
      readonly rules: ClaimRules
      /** By which people who were erased are known; absent or null = nobody can have been. */
      readonly addressHash?: AddressHash | null | undefined
    }): Effect.Effect<{ readonly claim: Claim | null; readonly planned: ReadonlyArray<PaceWant> } | null, StorageError>
    /**
     * Locks leads in id order with the messages of their present touch, applies the rule, writes what it answers. Returns
     * the leads it wrote; those for which the rule said null are left out. Sets no alarm. The rule is told the version
     * that the settings of the lead's campaign have now.
     */
    changeLeads(
      selector: LeadSelector,
      now: Instant,
      change: (lead: Lead, messages: ReadonlyArray<Message>, version: number) => LeadChange | null
    ): Effect.Effect<ReadonlyArray<Lead>, StorageError>
    /**
     * Locks all leads of these contacts, and these leads, in id order. Names the messages that a change of them locks: those
     * of their present touches, and of these leads those of every touch in parts; none where rows are not locked by themselves.
     */
    hold(
      workspace: WorkspaceId,
      contacts: ReadonlyArray<ContactId>,
      leads: ReadonlyArray<LeadId>
    ): Effect.Effect<HeldLeads, StorageError>
    /** Locks the rows by which these leads are counted: campaigns, then paces. */
    holdCounts(leads: ReadonlyArray<LeadId>): Effect.Effect<void, StorageError>
    getLead(workspace: WorkspaceId, id: LeadId): Effect.Effect<Option.Option<Lead>, StorageError>
    /** In id order. The filter takes a status as `counts` does: claimed, or sending once a message of it is. */
    leads(
      workspace: WorkspaceId,
      campaign: CampaignId,
      filter: LeadFilter,
      page: PageRequest
    ): Effect.Effect<Page<Lead>, StorageError>
    /** All leads of a contact, by id. */
    leadsOf(workspace: WorkspaceId, contact: ContactId): Effect.Effect<ReadonlyArray<Lead>, StorageError>
    /** Applies `Lead.erase` to all leads of a contact. */
    eraseLeads(workspace: WorkspaceId, contact: ContactId): Effect.Effect<void, StorageError>
    /** A lead as a claim would see it now, without locks; its pace is null where no account has it. */
    candidate(
      workspace: WorkspaceId,
      id: LeadId,
      addressHash?: AddressHash | null
    ): Effect.Effect<Option.Option<{ readonly candidate: LeadCandidate; readonly due: DuePace | null }>, StorageError>
    /** From the counters. */
    counts(campaign: CampaignId): Effect.Effect<LeadCounts, StorageError>
    /** From the leads themselves: what `doctor` compares the counters with. */
    recount(campaign: CampaignId): Effect.Effect<LeadCounts, StorageError>
    /** How many leads have each status and reason, and how many ended how: counted from the leads, most frequent first. */
    breakdown(campaign: CampaignId): Effect.Effect<
      ReadonlyArray<{
        readonly status: LeadStatus
        readonly reason: string | null
        readonly ended: string | null
        readonly count: number
      }>,
      StorageError
    >
    /** How many of its leads with a step to come are of contacts of each zone; null = of those whose zone is unknown. */
    zones(
      campaign: CampaignId
    ): Effect.Effect<ReadonlyArray<{ readonly timezone: string | null; readonly people: number }>, StorageError>
    /** Whether it has no lead that is open, claimed or has something to come. */
    isDone(campaign: CampaignId): Effect.Effect<boolean, StorageError>
    /** Running campaigns none of whose paces has an alarm and that are done (`isDone`), of all workspaces; at most `limit`. */
    finishable(limit: number): Effect.Effect<ReadonlyArray<Campaign>, StorageError>
    /** Remembers that everyone on a list up to this place (`ListMember.position`) is enrolled; never less than before. */
    noteEnrolled(campaign: CampaignId, list: ContactListId, upTo: number): Effect.Effect<void, StorageError>
    /**
     * Lists that are ready and have grown since `noteEnrolled`, of campaigns of all workspaces that follow theirs
     * (`followList`) and are not deleted; by campaign and list, behind `after`, at most `limit`.
     */
    grownLists(
      after: (Pick<GrownList, "list"> & { readonly campaign: Pick<Campaign, "id"> }) | null,
      limit: number
    ): Effect.Effect<ReadonlyArray<GrownList>, StorageError>
    /** Campaigns of all workspaces, but for deleted ones, with leads that may go on (`Campaign.resumeAfter`); at most `limit`. */
    resuming(limit: number): Effect.Effect<ReadonlyArray<Campaign>, StorageError>
    /** The earliest alarm. */
    readonly nextAlarm: Effect.Effect<Instant | null, StorageError>
    /** What was to be done for paces is done: those that still ring at the alarm of their watch sleep. */
    sleep(watches: ReadonlyArray<Watch>): Effect.Effect<void, StorageError>
    /** Rings the paces of these accounts at `now`, where their campaign runs. */
    ring(accounts: ReadonlyArray<AccountId>, now: Instant): Effect.Effect<void, StorageError>
  }
>()("@overture/core/CampaignStore") {}
