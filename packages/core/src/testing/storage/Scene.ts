/** Where the cases of the outbox and of campaigns begin: a workspace with accounts, people and a running campaign. */
import { Effect, Option } from "effect"
import type { Account } from "../../account/Account.ts"
import { AccountStore } from "../../account/AccountStore.ts"
import type { Campaign } from "../../campaign/Campaign.ts"
import { CampaignStore } from "../../campaign/CampaignStore.ts"
import type { Take } from "../../campaign/Draw.ts"
import type { Lead } from "../../campaign/Lead.ts"
import type { Pace } from "../../campaign/Pace.ts"
import type { Outcome } from "../../channel/Outcome.ts"
import * as ChatOpening from "../../chat/ChatOpening.ts"
import type { Claimed, Message } from "../../chat/Message.ts"
import { ChatStore } from "../../chat/ChatStore.ts"
import type { Contact } from "../../contact/Contact.ts"
import { ContactStore } from "../../contact/ContactStore.ts"
import { system } from "../../event/DomainEvent.ts"
import type { Claim } from "../../outbox/Claim.ts"
import { OutboxStore } from "../../outbox/OutboxStore.ts"
import type { Result } from "../../outbox/Settling.ts"
import type { DayUse } from "../../workspace/Budget.ts"
import type { AccountId, ClaimId, LeadId, MessageId } from "../../workspace/Id.ts"
import type { Instant } from "../../workspace/Instant.ts"
import type { Workspace } from "../../workspace/Workspace.ts"
import { WorkspaceStore } from "../../workspace/WorkspaceStore.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { changed, type Choice, claimRules, type Look, queuedRule, type QueuedVerdict } from "./FakeRules.ts"

/** How long leases of the suite last: longer than any case, unless its lease clock advances. */
export const leaseMs = 60_000

export interface Scene {
  readonly build: Builders.Builders
  readonly workspace: Workspace
  readonly accounts: ReadonlyArray<Account>
  readonly contacts: ReadonlyArray<Contact>
  readonly campaign: Campaign
  readonly leads: ReadonlyArray<Lead>
}

export interface Options {
  readonly accounts?: number
  readonly leads?: number
  /** Steps of the campaign, with the parts of each; default one of one. */
  readonly steps?: ReadonlyArray<number>
  /** Whether the accounts have drawn the leads, each an equal share; default true. */
  readonly drawn?: boolean
  readonly account?: Partial<Account>
  readonly workspace?: Partial<Workspace>
  readonly lead?: (index: number) => Partial<Lead>
}

/** A workspace with accounts and people, and nothing to send. */
export const people = (seed: string, options: Options = {}) =>
  Effect.gen(function* () {
    const build = Builders.make(seed)
    const workspace = build.workspace(options.workspace)
    const workspaces = yield* WorkspaceStore
    yield* workspaces.create(workspace)
    const accounts = Array.from({ length: options.accounts ?? 1 }, () => build.account(workspace.id, options.account))
    const store = yield* AccountStore
    yield* Effect.forEach(accounts, (account) => store.connect(account, []))
    const contacts = Array.from({ length: options.leads ?? 3 }, () => build.contact(workspace.id))
    const known = yield* ContactStore
    yield* known.import(workspace.id, contacts, null)
    return { build, workspace, accounts, contacts }
  })

/** A campaign with paces and leads among people there already. */
export const campaignOf = (
  { accounts, build, contacts, workspace }: Omit<Scene, "campaign" | "leads">,
  options: Options = {}
) =>
  Effect.gen(function* () {
    const store = yield* CampaignStore
    const [first = 1, ...later] = options.steps ?? [1]
    const settings = build.settings({
      steps: [build.step({ parts: first }), ...later.map((parts) => build.step({ type: "noReply", parts }))]
    })
    const draft = build.campaign(workspace.id, { settings })
    yield* store.create(
      draft,
      accounts.map(({ id }) => id),
      []
    )
    const leads = contacts.map((contact, index) => build.lead(draft, contact, options.lead?.(index)))
    yield* store.enroll(draft.id, leads, [], Builders.start)
    if (options.drawn ?? true)
      yield* drawAll(
        draft,
        accounts.map(({ id }) => id),
        leads.length
      )
    const campaign = { ...draft, status: "running" as const, startedAt: Builders.start }
    yield* store.modify(workspace.id, draft.id, Builders.start, () => ({ campaign, events: [] }))
    return { campaign, leads }
  })

/** What an account takes of leads of these reaches that want no account. */
export const takeOf = (
  account: AccountId,
  take: number,
  reaches: ReadonlyArray<string> = [Builders.channel]
): Take => ({
  account,
  take,
  from: reaches.map((reach) => ({ reach, wanted: null, most: take }))
})

/** Draws the pool of a campaign, the same number of leads for each account. */
export const drawAll = (campaign: Pick<Campaign, "id">, accounts: ReadonlyArray<AccountId>, leads: number) =>
  Effect.flatMap(CampaignStore, (store) =>
    store.draw(campaign.id, Builders.start, () =>
      Effect.succeed(accounts.map((account) => takeOf(account, Math.ceil(leads / accounts.length))))
    )
  )

/** People and a running campaign whose leads are drawn. */
export const scene = (seed: string, options: Options = {}) =>
  Effect.gen(function* () {
    const place = yield* people(seed, options)
    return { ...place, ...(yield* campaignOf(place, options)) } satisfies Scene
  })

/** A lease under a new claim id. */
export const lease = (build: Builders.Builders) => ({
  claim: build.ids.next("clm"),
  worker: "suite",
  durationMs: leaseMs
})

export interface ClaimOptions extends Choice {
  readonly now?: Instant
  readonly limit?: number
}

export interface Taken {
  readonly id: ClaimId
  /** Null when no alarm had rung. */
  readonly planned: ReadonlyArray<string> | null
  readonly claim: Claim | null
  readonly messages: ReadonlyArray<Message>
  /** Leads in the order in which their touches were taken. */
  readonly leads: ReadonlyArray<LeadId>
  readonly looks: ReadonlyArray<Look>
}

/** Claims from campaigns by the suite's fake rules. */
export const claim = ({ build }: Pick<Scene, "build">, options: ClaimOptions = {}) =>
  Effect.gen(function* () {
    const store = yield* CampaignStore
    const made = lease(build)
    const now = options.now ?? Builders.start
    const rules = claimRules(build.ids, made.claim, now, options)
    const answer = yield* store.claim({ now, limit: options.limit ?? 100, lease: made, rules })
    const messages = answer?.claim?.messages.map(({ message }) => message) ?? []
    const taken: Taken = {
      id: made.claim,
      planned: answer?.planned.map(({ due }) => `${due.pace.campaign}|${due.pace.account}`) ?? null,
      claim: answer?.claim ?? null,
      messages,
      leads: messages.flatMap(({ lead }) => lead ?? []),
      looks: rules.looks
    }
    return taken
  })

/** Claims from the queue by the suite's fake rule; null when nothing is due. */
export const claimQueued = (
  { build }: Pick<Scene, "build">,
  options: {
    readonly now?: Instant
    readonly limit?: number
    readonly day?: string
    readonly verdict?: Parameters<typeof queuedRule>[0]
  } = {}
) =>
  Effect.gen(function* () {
    const outbox = yield* OutboxStore
    const made = lease(build)
    const answer = yield* outbox.claimQueued({
      now: options.now ?? Builders.start,
      limit: options.limit ?? 100,
      lease: made,
      decide: queuedRule(options.verdict ?? ((): QueuedVerdict => "take"), options.day)
    })
    return answer === null ? null : { ...answer, id: made.claim, claimed: answer.claim?.messages ?? [] }
  })

/** A result of each message. */
export const resultsOf = (
  messages: ReadonlyArray<Claimed>,
  outcome: (index: number) => Outcome = (index) => ({ type: "accepted", externalId: `external ${index}` }),
  at: Instant = Builders.start
): ReadonlyArray<Result> => messages.map((claimed, index) => ({ claimed, outcome: outcome(index), at }))

/** Begins messages of a claim; all of them must be allowed to. */
export const beginAll = (claim: ClaimId, messages: ReadonlyArray<Pick<Message, "id">>) =>
  Effect.gen(function* () {
    const outbox = yield* OutboxStore
    const ids = messages.map(({ id }) => id)
    const begun = yield* outbox.begin(claim, ids, Builders.start)
    Expect.equal(begun.toSorted(), ids.toSorted(), "the messages begun")
  })

/** The message as it is stored; null when there is no such row. */
export const stored = (message: Pick<Message, "id" | "workspace" | "chat">) =>
  Effect.flatMap(ChatStore, (store) =>
    Effect.map(
      store.messages(message.workspace, message.chat, { limit: 500 }),
      ({ data }) => data.find(({ id }) => id === message.id) ?? null
    )
  )

/** Status and reason of messages as they are stored; null for a row that is gone. */
export const statusOf = (messages: ReadonlyArray<Pick<Message, "id" | "workspace" | "chat">>) =>
  Effect.forEach(messages, (message) =>
    Effect.map(stored(message), (row) =>
      row === null ? null : row.reason === null ? row.status : `${row.status}: ${row.reason}`
    )
  )

/** Opens the chats of messages, so that what the outbox stores can be read. */
export const openChats = (messages: ReadonlyArray<Message>) =>
  Effect.flatMap(ChatStore, (store) =>
    store.open(
      messages.map(({ account, address, chat, contact, workspace }) => {
        const place = { id: chat, workspace, account, address, contact, name: "", at: Builders.start }
        return ChatOpening.make(Builders.ids(chat), place, system)
      })
    )
  )

/** Frees leads whose messages were returned, as the engine does in the same transaction. */
export const freeLeads = (leads: ReadonlyArray<LeadId>) =>
  Effect.flatMap(CampaignStore, (store) =>
    store.changeLeads({ type: "ids", ids: leads }, Builders.start, (lead) => changed({ ...lead, claim: null }))
  )

/** The only pace of a campaign, or that of an account. */
export const paceOf = (campaign: Pick<Campaign, "id">, account?: AccountId) =>
  Effect.gen(function* () {
    const store = yield* CampaignStore
    const paces = yield* store.paces(campaign.id)
    const found = paces.find(({ pace }) => account === undefined || pace.account === account)
    return Expect.present(found?.pace, "the pace") satisfies Pace
  })

/** What the budgets of a lead's account and workspace hold. */
export const usesOf = (workspace: Workspace, lead: LeadId) =>
  Effect.gen(function* () {
    const store = yield* CampaignStore
    const found = Option.getOrNull(yield* store.candidate(workspace.id, lead))
    const due = Expect.present(found?.due, "the pace of a lead")
    const uses: { readonly account: DayUse; readonly workspace: DayUse; readonly pace: number } = {
      account: due.account.use,
      workspace: due.workspace.use,
      pace: due.pace.used
    }
    return uses
  })

/** A lead as it is stored. */
export const leadOf = (workspace: Workspace, id: LeadId) =>
  Effect.gen(function* () {
    const store = yield* CampaignStore
    return Expect.present(Option.getOrNull(yield* store.getLead(workspace.id, id)), "the lead")
  })

/** Queued messages of one account to each contact. */
export const queue = (
  { accounts, build, contacts }: Pick<Scene, "accounts" | "build" | "contacts">,
  overrides: (index: number) => Partial<Message> = () => ({})
) =>
  Effect.gen(function* () {
    const outbox = yield* OutboxStore
    const [account] = accounts
    const messages = contacts.map((contact, index) => build.message(account!, contact, overrides(index)))
    yield* outbox.enqueue(
      messages,
      contacts.map((contact) => build.opening(account!, contact)),
      []
    )
    return messages
  })

/** Ids of messages. */
export const idsOf = (messages: ReadonlyArray<Pick<Message, "id">>): ReadonlyArray<MessageId> =>
  messages.map(({ id }) => id)
