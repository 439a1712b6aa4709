/** Everything the memory storage holds: one table for each kind of record, and the keys under which rows are found. */
import type { AccountState } from "../account/Account.ts"
import type { AccountGroupState } from "../account/AccountGroup.ts"
import type { AccountLogEntry } from "../account/AccountLog.ts"
import type { AccountSecrets } from "../account/AccountSecretStore.ts"
import type { TallyRow } from "../account/AccountTally.ts"
import type { TallyPlace } from "../account/AccountTallyStore.ts"
import type { ProfileImage, ProfileState } from "../account/Profile.ts"
import type { Campaign } from "../campaign/Campaign.ts"
import * as Lead from "../campaign/Lead.ts"
import type { Pace, PaceCounts } from "../campaign/Pace.ts"
import * as Address from "../channel/Address.ts"
import type { Chat } from "../chat/Chat.ts"
import type { Media } from "../chat/Media.ts"
import type { Message } from "../chat/Message.ts"
import type { EarlyNotice } from "../chat/Notice.ts"
import type { PrivateReply } from "../chat/PrivateReplyStore.ts"
import type { Template } from "../chat/Template.ts"
import type { Contact, ContactList, ContactTouch } from "../contact/Contact.ts"
import type { ContactImport } from "../contact/ContactImport.ts"
import { type AddressHash, keysOf, stopping, type Suppression } from "../contact/Suppression.ts"
import type { WishState } from "../contact/Wish.ts"
import type { DomainEvent } from "../event/DomainEvent.ts"
import type { DeliveryRow, EndpointState } from "../event/WebhookStore.ts"
import type { Job } from "../job/Job.ts"
import type { Forecast } from "../stats/Forecast.ts"
import type * as Id from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Member } from "../workspace/Member.ts"
import type { PacingClock, WorkspaceState } from "../workspace/WorkspaceStore.ts"
import { Table, type UndoLog } from "./Table.ts"

/** A campaign with the counts of its leads that ended without an account. */
export interface CampaignRow {
  readonly campaign: Campaign
  readonly counts: PaceCounts
}

export interface ContactRow {
  readonly contact: Contact
  readonly touches: ReadonlyArray<ContactTouch>
  /** Absent = none. */
  readonly unreachable?: ReadonlyArray<string> | undefined
}

export interface MemberRow {
  readonly list: Id.ContactListId
  readonly contact: Id.ContactId
  readonly position: number
}

/** A list of which a campaign has everyone up to a place. */
export interface EnrolledRow {
  readonly campaign: Id.CampaignId
  readonly list: Id.ContactListId
  readonly upTo: number
}

/** The lease of a claim. Which messages it holds is written in them. */
export interface ClaimRow {
  readonly id: Id.ClaimId
  readonly worker: string
  readonly until: Instant
}

/** An endpoint, and the lease of the process that delivers to it. */
export interface WebhookRow {
  readonly state: EndpointState
  /** Counts changes by members. */
  readonly version: number
  readonly erasures: number
  readonly claim: Id.ClaimId | null
  readonly until: Instant
  readonly claimedAt: Instant
}

export interface JobRow {
  readonly job: Job
  readonly claim: Id.ClaimId | null
  /** When it may be claimed, or its lease runs out; null once it is over. */
  readonly until: Instant | null
}

/** A file of jobs, and since when there is one. */
export interface JobFileRow {
  readonly workspace: Id.WorkspaceId
  readonly file: Id.MediaId
  readonly at: Instant
}

/** A member, and when it was their turn to be given a chat. */
export interface TeamRow {
  readonly member: Member
  readonly last: number
}

/** How far a member has read a chat. */
export interface ReadRow {
  readonly workspace: Id.WorkspaceId
  readonly member: Id.MemberId
  readonly chat: Id.ChatId
  readonly at: Instant
}

export interface IdempotencyRow {
  readonly fingerprint: string
  readonly at: Instant
  readonly response: string | null
}

export const paceKey = (row: Pick<Pace, "campaign" | "account">): string => `${row.campaign}|${row.account}`
/** The key of a touch: all parts of one step of one lead. */
const touchKey = (lead: Id.LeadId, step: Id.StepId | null): string => `${lead}|${step}`
/** The key of whatever is unique in a workspace. */
export const within = (workspace: Id.WorkspaceId, key: string): string => `${workspace}|${key}`
export const suppressionKey = (row: Pick<Suppression, "workspace" | "address" | "account">): string =>
  `${row.workspace}|${row.account ?? ""}|${row.address}`
export const enrolledKey = (row: Pick<EnrolledRow, "campaign" | "list">): string => `${row.campaign}|${row.list}`
export const readKey = (member: Id.MemberId, chat: Id.ChatId): string => `${member}|${chat}`
export const externalKey = (chat: Id.ChatId, externalId: string): string => `${chat}|${externalId}`

/** Whether the queue may claim the message once its `dueAt` has come. */
const isWaiting = (message: Message): boolean =>
  message.status === "queued" && message.claim === null && message.dueAt !== null

export const make = (log: UndoLog) => {
  const workspaces = new Table<Id.WorkspaceId, WorkspaceState>(log)
  const idempotency = new Table<string, IdempotencyRow>(log)
  const database = new Table<"database", { readonly stopped: boolean; readonly clock: PacingClock }>(log)
  /** The last number given, of each thing that is counted in a workspace. */
  const numbers = new Table<string, { readonly last: number }>(log)
  /** By position, from 1; those of all workspaces together. */
  const events = new Table<number, DomainEvent>(log)
  const accounts = new Table<Id.AccountId, AccountState>(log)
  const groups = new Table<Id.AccountGroupId, AccountGroupState>(log)
  const accountSecrets = new Table<Id.AccountId, AccountSecrets>(log)
  const accountLog = new Table<Id.AccountLogEntryId, AccountLogEntry>(log)
  const profiles = new Table<Id.AccountId, ProfileState>(log)
  const profileImages = new Table<Id.ProfileImageId, ProfileImage>(log)
  const tallyPlaces = new Table<Id.WorkspaceId, TallyPlace>(log)
  const tallies = new Table<string, { readonly workspace: Id.WorkspaceId; readonly row: TallyRow }>(log)
  const pollCursors = new Table<Id.AccountId, { readonly cursor: string | null }>(log)
  const contacts = new Table<Id.ContactId, ContactRow>(log)
  const lists = new Table<Id.ContactListId, ContactList>(log)
  const members = new Table<string, MemberRow>(log)
  const imports = new Table<string, ContactImport>(log)
  const importChanges = new Table<string, ReadonlyArray<Id.ContactId>>(log)
  const suppressions = new Table<string, Suppression>(log)
  const wishes = new Table<string, WishState>(log)
  const admitted = new Table<string, { readonly at: Instant }>(log)
  const chats = new Table<Id.ChatId, Chat>(log)
  const messages = new Table<Id.MessageId, Message>(log)
  const notices = new Table<string, EarlyNotice>(log)
  const team = new Table<Id.MemberId, TeamRow>(log)
  const reads = new Table<string, ReadRow>(log)
  const templates = new Table<Id.TemplateId, Template>(log)
  const privateReplies = new Table<string, PrivateReply>(log)
  const media = new Table<Id.MediaId, Media>(log)
  const claims = new Table<Id.ClaimId, ClaimRow>(log)
  const campaigns = new Table<Id.CampaignId, CampaignRow>(log)
  const enrolledLists = new Table<string, EnrolledRow>(log)
  const paces = new Table<string, Pace>(log)
  const leads = new Table<Id.LeadId, Lead.Lead>(log)
  const webhooks = new Table<Id.WebhookEndpointId, WebhookRow>(log)
  const deliveries = new Table<Id.DeliveryId, DeliveryRow>(log)
  const forecasts = new Table<Id.CampaignId, Forecast>(log)
  const jobs = new Table<Id.JobId, JobRow>(log)
  const jobFiles = new Table<string, JobFileRow>(log)
  return {
    workspaces,
    idempotency,
    database,
    numbers,
    events,
    accounts,
    groups,
    accountSecrets,
    accountLog,
    accountLogByAccount: accountLog.index((row) => [row.account]),
    profiles,
    profileImages,
    tallyPlaces,
    tallies,
    pollCursors,
    contacts,
    contactsByAddress: contacts.index(({ contact }) =>
      contact.addresses.map((address) => within(contact.workspace, Address.key(address)))
    ),
    contactsByRef: contacts.index(({ contact }) =>
      contact.externalRef === null ? [] : [within(contact.workspace, contact.externalRef)]
    ),
    lists,
    members,
    membersByList: members.index((member) => [member.list]),
    imports,
    importChanges,
    suppressions,
    suppressionsByAddress: suppressions.index((row) => [within(row.workspace, row.address)]),
    wishes,
    admitted,
    chats,
    /** By address, those that a person took over. */
    chatsTakenOver: chats.index(({ address, takenOverAt, workspace }) =>
      takenOverAt === null ? [] : [within(workspace, address)]
    ),
    messages,
    notices,
    noticesByChat: notices.index(({ chat }) => [chat]),
    noticesByRef: notices.index(({ chat, externalId }) => [externalKey(chat, externalId)]),
    messagesByClaim: messages.index((message) => (message.claim === null ? [] : [message.claim])),
    messagesByTouch: messages.index((message) => (message.lead === null ? [] : [touchKey(message.lead, message.step)])),
    messagesByChat: messages.index((message) => [message.chat]),
    messagesByExternalId: messages.index((message) =>
      message.externalId === null ? [] : [externalKey(message.chat, message.externalId)]
    ),
    /** Under "waiting": what the queue may claim. */
    queue: messages.index((message) => (isWaiting(message) ? ["waiting"] : [])),
    media,
    mediaByChat: media.index((row) => (row.chat === null ? [] : [row.chat])),
    team,
    reads,
    templates,
    privateReplies,
    claims,
    campaigns,
    /** By campaign and list, as `enrolledKey` has it. */
    enrolledLists,
    paces,
    pacesByCampaign: paces.index((pace) => [pace.campaign]),
    forecasts,
    webhooks,
    deliveries,
    deliveriesByEndpoint: deliveries.index(({ delivery }) => [delivery.endpoint]),
    jobs,
    jobFiles,
    jobsByWorkspace: jobs.index(({ job }) => [job.workspace]),
    jobsByKey: jobs.index(({ job }) => (job.key === null ? [] : [within(job.workspace, job.key)])),
    leads,
    leadsByCampaign: leads.index((lead) => [lead.campaign]),
    leadsByContact: leads.index((lead) => [lead.contact]),
    /** Leads with something open or to come, under their campaign and under `activeKey`. */
    activeLeads: leads.index((lead) =>
      Lead.isActive(lead) ? [lead.campaign, activeKey(lead.campaign, lead.account)] : []
    )
  }
}

export type State = ReturnType<typeof make>

/** Where `activeLeads` has the active leads of an account in a campaign; null = those without account. */
export const activeKey = (campaign: Id.CampaignId, account: Id.AccountId | null): string =>
  `${campaign}|${account ?? ""}`

/** The next number of a kind in a workspace, from 1. */
export const nextNumber = (state: State, workspace: Id.WorkspaceId, kind: "chat" | "list"): number => {
  const key = within(workspace, kind)
  const next = (state.numbers.get(key)?.last ?? 0) + 1
  state.numbers.set(key, { last: next })
  return next
}

/** The rows of a touch, first part first. */
export const touchMessages = (state: State, lead: Id.LeadId, step: Id.StepId | null): ReadonlyArray<Message> =>
  [...state.messagesByTouch.get(touchKey(lead, step)).values()].sort((a, b) => a.part - b.part)

/** The group of an account; null where it is in none. */
export const groupOf = (state: State, { account }: AccountState): AccountGroupState | null =>
  account.group === null ? null : (state.groups.get(account.group) ?? null)

/** What suppresses these addresses, also under their hash: for everyone, and for `account` where one is given. */
export const suppressionsOf = (
  state: State,
  workspace: Id.WorkspaceId,
  addresses: ReadonlyArray<string>,
  account: Id.AccountId | null,
  hash: AddressHash | null
): ReadonlyArray<Suppression> =>
  addresses
    .flatMap((address) =>
      keysOf(hash, address).flatMap((key) =>
        Array.from(state.suppressionsByAddress.get(within(workspace, key)).values(), (row) => stopping(row, address))
      )
    )
    .filter((row) => row.account === null || row.account === account)
