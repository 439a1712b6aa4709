/** Everything the memory storage holds: one table for each kind of record, and the keys under which rows are found. */
import type { AccountState } from "../account/Account.ts"
import type { AccountGroupState } from "../account/AccountGroup.ts"
import type { Campaign } from "../campaign/Campaign.ts"
import * as Lead from "../campaign/Lead.ts"
import type { Pace, PaceCounts } from "../campaign/Pace.ts"
import * as Address from "../channel/Address.ts"
import type { Chat } from "../chat/Chat.ts"
import type { Message } from "../chat/Message.ts"
import type { Contact, ContactList, ContactTouch } from "../contact/Contact.ts"
import type { ContactImport } from "../contact/ContactImport.ts"
import { type AddressHash, keysOf, stopping, type Suppression } from "../contact/Suppression.ts"
import type { DomainEvent } from "../event/DomainEvent.ts"
import type { Forecast } from "../stats/Forecast.ts"
import type * as Id from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
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
}

export interface MemberRow {
  readonly list: Id.ContactListId
  readonly contact: Id.ContactId
  readonly position: number
}

/** The lease of a claim. Which messages it holds is written in them. */
export interface ClaimRow {
  readonly id: Id.ClaimId
  readonly worker: string
  readonly until: Instant
}

export interface IdempotencyRow {
  readonly fingerprint: string
  readonly at: Instant
  readonly response: string | null
}

export const paceKey = (row: Pick<Pace, "campaign" | "account">): string => `${row.campaign}|${row.account}`
/** The key of a touch: all parts of one step of one lead. */
export const touchKey = (lead: Id.LeadId, step: Id.StepId | null): string => `${lead}|${step}`
/** The key of whatever is unique in a workspace. */
export const within = (workspace: Id.WorkspaceId, key: string): string => `${workspace}|${key}`
export const suppressionKey = (row: Pick<Suppression, "workspace" | "address" | "account">): string =>
  `${row.workspace}|${row.account ?? ""}|${row.address}`
export const externalKey = (chat: Id.ChatId, externalId: string): string => `${chat}|${externalId}`

/** Whether anything of the lead is open, claimed or to come. */
export const isActive = (lead: Lead.Lead): boolean => Lead.isOpen(lead) || lead.step !== null || lead.claim !== null

/** Whether the queue may claim the message once its `dueAt` has come. */
const isWaiting = (message: Message): boolean =>
  message.status === "queued" && message.claim === null && message.dueAt !== null

export const make = (log: UndoLog) => {
  const workspaces = new Table<Id.WorkspaceId, WorkspaceState>(log)
  const idempotency = new Table<string, IdempotencyRow>(log)
  const database = new Table<"database", { readonly stopped: boolean; readonly clock: PacingClock }>(log)
  /** The last number given, of each thing that is counted in a workspace. */
  const numbers = new Table<string, { readonly last: number }>(log)
  /** By position, from 1. */
  const events = new Table<number, DomainEvent>(log)
  const accounts = new Table<Id.AccountId, AccountState>(log)
  const groups = new Table<Id.AccountGroupId, AccountGroupState>(log)
  const pollCursors = new Table<Id.AccountId, { readonly cursor: string | null }>(log)
  const contacts = new Table<Id.ContactId, ContactRow>(log)
  const lists = new Table<Id.ContactListId, ContactList>(log)
  const members = new Table<string, MemberRow>(log)
  const imports = new Table<string, ContactImport>(log)
  const suppressions = new Table<string, Suppression>(log)
  const admitted = new Table<string, { readonly at: Instant }>(log)
  const chats = new Table<Id.ChatId, Chat>(log)
  const messages = new Table<Id.MessageId, Message>(log)
  const claims = new Table<Id.ClaimId, ClaimRow>(log)
  const campaigns = new Table<Id.CampaignId, CampaignRow>(log)
  const paces = new Table<string, Pace>(log)
  const leads = new Table<Id.LeadId, Lead.Lead>(log)
  const forecasts = new Table<Id.CampaignId, Forecast>(log)
  return {
    workspaces,
    idempotency,
    database,
    numbers,
    events,
    accounts,
    groups,
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
    suppressions,
    suppressionsByAddress: suppressions.index((row) => [within(row.workspace, row.address)]),
    admitted,
    chats,
    messages,
    messagesByClaim: messages.index((message) => (message.claim === null ? [] : [message.claim])),
    messagesByTouch: messages.index((message) => (message.lead === null ? [] : [touchKey(message.lead, message.step)])),
    messagesByChat: messages.index((message) => [message.chat]),
    messagesByExternalId: messages.index((message) =>
      message.externalId === null ? [] : [externalKey(message.chat, message.externalId)]
    ),
    /** Under "waiting": what the queue may claim. */
    queue: messages.index((message) => (isWaiting(message) ? ["waiting"] : [])),
    claims,
    campaigns,
    paces,
    pacesByCampaign: paces.index((pace) => [pace.campaign]),
    forecasts,
    leads,
    leadsByCampaign: leads.index((lead) => [lead.campaign]),
    leadsByContact: leads.index((lead) => [lead.contact]),
    /** Leads with something open or to come, under their campaign and under `activeKey`. */
    activeLeads: leads.index((lead) => (isActive(lead) ? [lead.campaign, activeKey(lead.campaign, lead.account)] : []))
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
