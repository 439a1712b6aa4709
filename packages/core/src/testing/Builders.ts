/**
 * Valid records to start a test from: every field has a plain value and any of them can be overridden. Ids come from a
 * seeded generator, so the same calls in the same order make the same records on every machine.
 *
 * @example
 * const build = Builders.make("a reply ends the sequence")
 * const workspace = build.workspace()
 * const account = build.account(workspace.id, { dailyCap: 10 })
 */
import type { Account } from "../account/Account.ts"
import type { AccountGroup } from "../account/AccountGroup.ts"
import type { Campaign, CampaignSettings } from "../campaign/Campaign.ts"
import { type Lead, untouched } from "../campaign/Lead.ts"
import type { Step } from "../campaign/Step.ts"
import * as Address from "../channel/Address.ts"
import type { Content } from "../channel/Content.ts"
import * as Chat from "../chat/Chat.ts"
import * as ChatOpening from "../chat/ChatOpening.ts"
import { type Message, single, untried } from "../chat/Message.ts"
import type { Contact, ContactList } from "../contact/Contact.ts"
import type { DomainEvent } from "../event/DomainEvent.ts"
import { system } from "../event/DomainEvent.ts"
import type { IdGenerator, WorkspaceId } from "../workspace/Id.ts"
import { generator } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import * as Seed from "../workspace/Seed.ts"
import type { Workspace } from "../workspace/Workspace.ts"

/** 2026-03-09T10:00:00Z, a Monday: when every record was made unless it says otherwise. */
export const start: Instant = 1_773_050_400_000

/** The date of `start` in UTC, the zone of every record. */
export const startDate = "2026-03-09"

/** The channel of every account and address. */
export const channel: Address.ChannelName = "sandbox"

/** Ids that are the same for the same seed. */
export const ids = (seed: string): IdGenerator => generator(start, Seed.random(seed))

/** A text of one part. */
export const text = (words: string): Content => ({ type: "text", text: words })

/** The address of a contact that a builder made: what its leads and chats hold. */
export const addressOf = (contact: Pick<Contact, "addresses">): string => {
  const [first] = contact.addresses
  return first === undefined ? "" : Address.key(first)
}

/** Makes records. Each is valid by itself; what refers to another takes it, or its id, as an argument. */
export interface Builders {
  readonly ids: IdGenerator
  workspace(overrides?: Partial<Workspace>): Workspace
  account(workspace: WorkspaceId, overrides?: Partial<Account>): Account
  /** A group without cap. */
  accountGroup(workspace: WorkspaceId, overrides?: Partial<AccountGroup>): AccountGroup
  /** A contact with one address on `channel`. */
  contact(workspace: WorkspaceId, overrides?: Partial<Contact>): Contact
  contactList(workspace: WorkspaceId, overrides?: Partial<ContactList>): Omit<ContactList, "number">
  /** A step of `parts` texts: step 0, or with `type` a follow-up one day later. */
  step(overrides?: Partial<Omit<Step, "parts">> & { readonly parts?: number }): Step
  /** One step of one part, at all hours of every day in UTC. */
  settings(overrides?: Partial<CampaignSettings>): CampaignSettings
  /** A draft. */
  campaign(workspace: WorkspaceId, overrides?: Partial<Campaign>): Campaign
  /** A lead of the pool, next in turn. */
  lead(campaign: Campaign, contact: Contact, overrides?: Partial<Lead>): Lead
  /** A queued message of a member, due at once. */
  message(account: Account, contact: Contact, overrides?: Partial<Message>): Message
  /** What opens the chat of an account with a contact. */
  opening(
    account: Account,
    contact: Contact,
    overrides?: Partial<Omit<ChatOpening.ChatOpening, "created">>
  ): ChatOpening.ChatOpening
  event(workspace: WorkspaceId, subject: string, overrides?: Partial<DomainEvent>): DomainEvent
}

/** Builders with ids of their own; two of different seeds do not collide. */
export const make = (seed: string): Builders => {
  const next = ids(seed)
  const tag = Seed.digest(seed).slice(0, 6)
  const counters: Record<string, number> = {}
  const count = (kind: string) => (counters[kind] = (counters[kind] ?? 0) + 1)

  const step: Builders["step"] = ({ parts = 1, ...overrides } = {}) => {
    const number = count("step")
    const part = (index: number) => ({
      variants: [{ weight: 1, content: text(`step ${number}, part ${index}`) }] as const
    })
    return {
      id: next.next("stp"),
      type: "first",
      sendAfterDays: overrides.type === undefined || overrides.type === "first" ? 0 : 1,
      parts: [part(0), ...Array.from({ length: parts - 1 }, (_, index) => part(index + 1))],
      ...overrides
    }
  }

  const settings: Builders["settings"] = (overrides) => ({
    steps: [step()],
    pacing: { rangeMin: 10, rangeMax: 10, jitter: 0, catchUp: "skip", newShare: 0.25 },
    sendWindow: {},
    timezone: "UTC",
    rampUp: { type: "disabled" },
    distribution: { strategy: "capacity" },
    onMissing: "skip",
    partDelay: { minSeconds: 3, maxSeconds: 8 },
    onAccountLost: "end",
    stopOn: "contact",
    startAt: null,
    endAt: null,
    evergreen: false,
    ...overrides
  })

  return {
    ids: next,
    step,
    settings,
    workspace: (overrides) => ({
      id: next.next("wsp"),
      name: `Workspace ${count("workspace")}`,
      timezone: "UTC",
      paused: false,
      dailyCap: null,
      optOutScope: "contact",
      createdAt: start,
      metadata: {},
      ...overrides
    }),
    account: (workspace, overrides) => {
      const number = count("account")
      return {
        id: next.next("acc"),
        workspace,
        channel,
        externalId: `${tag}-account-${number}`,
        name: `Account ${number}`,
        group: null,
        enabled: true,
        banned: false,
        attention: [],
        restingUntil: null,
        restedMs: 0,
        failuresInRow: 0,
        dailyCap: null,
        minGapMs: 0,
        timezone: null,
        externalRef: null,
        metadata: {},
        createdAt: start,
        ...overrides
      }
    },
    accountGroup: (workspace, overrides) => ({
      id: next.next("agr"),
      workspace,
      name: `Group ${count("group")}`,
      dailyCap: null,
      timezone: null,
      metadata: {},
      createdAt: start,
      ...overrides
    }),
    contact: (workspace, overrides) => {
      const number = count("contact")
      return {
        id: next.next("con"),
        workspace,
        name: `Contact ${number}`,
        first: "Contact",
        last: String(number),
        addresses: [{ channel, scope: "", externalId: `${tag}-person-${number}` }],
        tags: [],
        attributes: {},
        timezone: null,
        consents: [],
        externalRef: null,
        metadata: {},
        createdAt: start,
        ...overrides
      }
    },
    contactList: (workspace, overrides) => ({
      id: next.next("lst"),
      workspace,
      name: `List ${count("list")}`,
      status: "gathering",
      createdAt: start,
      ...overrides
    }),
    campaign: (workspace, overrides) => ({
      id: next.next("cmp"),
      workspace,
      name: `Campaign ${count("campaign")}`,
      status: "draft",
      version: 1,
      settings: overrides?.settings ?? settings(),
      pauseReason: null,
      breaker: { since: 0, failures: [] },
      externalRef: null,
      metadata: {},
      createdAt: start,
      startedAt: null,
      ...overrides
    }),
    lead: (campaign, contact, overrides) => ({
      ...untouched,
      id: next.next("led"),
      workspace: campaign.workspace,
      campaign: campaign.id,
      contact: contact.id,
      reach: channel,
      wanted: null,
      address: addressOf(contact),
      status: "pending",
      reason: null,
      step: campaign.settings.steps[0].id,
      position: count(campaign.id),
      createdAt: start,
      ...overrides
    }),
    message: (account, contact, overrides) => ({
      ...untried,
      ...single,
      id: next.next("msg"),
      workspace: account.workspace,
      account: account.id,
      chat: Chat.idOf(account.id, addressOf(contact)),
      contact: contact.id,
      address: addressOf(contact),
      direction: "outbound",
      author: { type: "member", id: "mem_1" },
      content: text(`message ${count("message")}`),
      status: "queued",
      dueAt: start,
      createdAt: start,
      ...overrides
    }),
    opening: (account, contact, overrides) => {
      const place = {
        id: Chat.idOf(account.id, addressOf(contact)),
        workspace: account.workspace,
        account: account.id,
        address: addressOf(contact),
        contact: contact.id,
        name: contact.name,
        at: start,
        ...overrides
      }
      return ChatOpening.make(next, place, system)
    },
    event: (workspace, subject, overrides) => ({
      id: next.next("evt"),
      workspace,
      type: "campaign.changed",
      at: start,
      subject,
      actor: system,
      cause: null,
      data: {},
      ...overrides
    })
  }
}
