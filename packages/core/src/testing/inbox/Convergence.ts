/**
 * Whether the order in which platforms tell things matters: campaigns send to everyone, and what happens to their messages
 * is told either in its order and once, or shuffled and three times. What both leave is to be the same: all rows but ids,
 * numbers per workspace, arrival times and places in the feed; of the feed the subjects with the types of their events,
 * without what a later status overtook.
 */
import { Effect, Schema } from "effect"
import type { Account } from "../../account/Account.ts"
import { Accounts } from "../../account/Accounts.ts"
import { AccountStore } from "../../account/AccountStore.ts"
import type { Campaign, CampaignSettings } from "../../campaign/Campaign.ts"
import { Campaigns } from "../../campaign/Campaigns.ts"
import { CampaignStore } from "../../campaign/CampaignStore.ts"
import { Lead } from "../../campaign/Lead.ts"
import type { Step } from "../../campaign/Step.ts"
import * as Address from "../../channel/Address.ts"
import { Chat } from "../../chat/Chat.ts"
import { ChatStore } from "../../chat/ChatStore.ts"
import { Inbox } from "../../chat/Inbox.ts"
import { Media } from "../../chat/Media.ts"
import { MediaRecordStore } from "../../chat/MediaRecordStore.ts"
import { Message } from "../../chat/Message.ts"
import { Contact } from "../../contact/Contact.ts"
import { Contacts } from "../../contact/Contacts.ts"
import { ContactStore } from "../../contact/ContactStore.ts"
import { type DomainEvent, system } from "../../event/DomainEvent.ts"
import { EventStore, type FeedEvent } from "../../event/EventStore.ts"
import { Driver } from "../../outbox/Driver.ts"
import { day, hour, type Instant } from "../../workspace/Instant.ts"
import { canonical } from "../../workspace/Json.ts"
import type { Page, PageRequest } from "../../workspace/Page.ts"
import { PacingTime } from "../../workspace/PacingTime.ts"
import { WorkspaceStore } from "../../workspace/WorkspaceStore.ts"
import * as Builders from "../Builders.ts"
import * as TestChannel from "../TestChannel.ts"
import * as Happenings from "./Happenings.ts"

const { start } = Builders

/** When all first touches are made, and from when on people answer. */
const answersFrom = start + 2 * day + hour

/** A channel whose ids of messages follow from what was sent to whom. */
export const channel = (): TestChannel.TestChannel =>
  TestChannel.make({
    capabilities: { polling: false },
    answer: ({ account: _account, text, to }) => ({ type: "accepted", externalId: `x-${to}-${text}` })
  })

export interface World {
  readonly workspace: ReturnType<Builders.Builders["workspace"]>
  readonly accounts: ReadonlyArray<Account>
  readonly campaigns: ReadonlyArray<Campaign>
  readonly happenings: ReadonlyArray<Happenings.Happening>
}

/** What a campaign of the world says, to whom and from which account. */
interface Plan {
  readonly account: number
  readonly follow: ReadonlyArray<"noReply" | "noReplyResponded">
  readonly stopOn: CampaignSettings["stopOn"]
  readonly isOf: (person: number) => boolean
  /** When it begins: nobody is touched by it who is in another's sequence. */
  readonly day: number
  /** Of the first touch. */
  readonly parts: number
}

const plans: ReadonlyArray<Plan> = [
  { account: 1, follow: [], stopOn: "contact", isOf: () => true, day: 0, parts: 1 },
  {
    account: 0,
    follow: ["noReply", "noReplyResponded", "noReply"],
    stopOn: "contact",
    isOf: (i) => i % 2 === 0,
    day: 1,
    parts: 1
  },
  { account: 0, follow: ["noReply"], stopOn: "chat", isOf: (i) => i % 4 === 1, day: 1, parts: 1 },
  {
    account: 1,
    follow: ["noReply", "noReply"],
    stopOn: "contact",
    isOf: (i) => i % 4 === 3,
    day: 1,
    parts: 3
  }
]

const partsOf = (campaign: number, { parts }: Plan): Step["parts"] => {
  const part = (text: string): Step["parts"][number] => ({ variants: [{ weight: 1, content: Builders.text(text) }] })
  const later = Array.from({ length: parts - 1 }, (_, i) => part(`hello ${campaign}, part ${i + 2}`))
  return [part(`hello ${campaign}`), ...later]
}

/** Campaigns over the same people, from two accounts, once everyone has the first message of each. */
export const world = Effect.fnUntraced(function* (told: TestChannel.TestChannel, seed: string, people: number) {
  const build = Builders.make(seed)
  const workspace = build.workspace()
  yield* (yield* WorkspaceStore).create(workspace)
  const { connect } = yield* Accounts
  const campaigns = yield* Campaigns
  const contacts = yield* Contacts
  const accounts: Array<Account> = []
  for (const externalId of ["a0", "a1"]) {
    const asked = { workspace: workspace.id, channel: told.name, externalId, externalRef: externalId, minGapMs: 0 }
    accounts.push((yield* connect(asked, system)).account)
  }
  const made: Array<Campaign> = []
  for (const [i, plan] of plans.entries()) {
    yield* runUntil(start + plan.day * day)
    const account = accounts[plan.account]!
    const list = yield* contacts.listNamed(workspace.id, `list ${i}`)
    const rows = Array.from({ length: people }, (_, person) => person).filter(plan.isOf)
    yield* contacts.importRows(
      workspace.id,
      list.id,
      rows.map((person) => ({ line: person + 2, externalId: `p${person}`, tags: [], attributes: {} })),
      { channel: told.name, accounts: [account] }
    )
    const first: Step = {
      ...build.step(),
      parts: partsOf(i, plan)
    }
    const { campaign } = yield* campaigns.create(
      {
        workspace: workspace.id,
        name: `campaign ${i}`,
        externalRef: `c${i}`,
        metadata: {},
        accounts: [account.id],
        settings: build.settings({
          steps: [first, ...plan.follow.map((type, n) => build.step({ type, sendAfterDays: n + 3 }))],
          pacing: { rangeMin: people, rangeMax: people, jitter: 0, catchUp: "skip", newShare: 0.25 },
          frequency: null,
          stopOn: plan.stopOn
        })
      },
      system
    )
    yield* campaigns.enrollList(workspace.id, campaign.id, list.id)
    yield* campaigns.start(workspace.id, campaign.id, system)
    made.push(campaign)
  }
  yield* runUntil(answersFrom)
  const sent = told.asked.map(
    ({ account, key, text, to }): Happenings.Sent => ({
      account: accounts.findIndex(({ id }) => id === account),
      person: to,
      externalId: `x-${to}-${text}`,
      text,
      key
    })
  )
  const strangers = Array.from({ length: Math.ceil(people / 10) }, (_, i) => ({
    account: i % 2,
    person: `stranger${i}`
  }))
  const happenings = Happenings.drawn(seed, sent, strangers, answersFrom)
  return { workspace, accounts, campaigns: made, happenings } satisfies World
})

const runUntil = Effect.fnUntraced(function* (until: Instant) {
  const driver = yield* Driver
  const time = yield* PacingTime
  while (true) {
    const { nextDue, worked } = yield* driver.step
    if (worked) continue
    if (nextDue === null || nextDue >= until) return yield* time.waitUntil(until, 0)
    yield* time.waitUntil(nextDue, 0)
  }
})

/** Has all of it told once it happened, in batches of at most `size` for each account; the clock moves on meanwhile. */
export const tell = Effect.fnUntraced(function* (
  { accounts }: World,
  happenings: ReadonlyArray<Happenings.Happening>,
  size: number,
  stepMs: number
) {
  const inbox = yield* Inbox
  const time = yield* PacingTime
  let handled = 0
  let now = happenings.reduce((latest, { event: { at } }) => Math.max(latest, at), yield* time.now)
  yield* time.waitUntil(now, 0)
  for (let from = 0; from < happenings.length; from += size) {
    const batch = happenings.slice(from, from + size)
    for (const [account, own] of Map.groupBy(batch, (one) => one.account)) {
      const received = yield* inbox.receive(
        accounts[account]!,
        own.map(({ event }) => event)
      )
      handled += received.handled
    }
    now += stepMs
    yield* time.waitUntil(now, 0)
  }
  return handled
})

const all = <A, E, R>(read: (page: PageRequest) => Effect.Effect<Page<A>, E, R>) =>
  Effect.gen(function* () {
    const rows: Array<A> = []
    let cursor: string | undefined
    do {
      const page: Page<A> = yield* read({ limit: 100, ...(cursor !== undefined && { cursor }) })
      rows.push(...page.data)
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    return rows
  })

const feed = (workspace: World["workspace"]["id"]) =>
  Effect.gen(function* () {
    const store = yield* EventStore
    const events: Array<FeedEvent> = []
    while (true) {
      const more = yield* store.read(workspace, events.at(-1)?.position ?? null, 1_000)
      if (more.length === 0) return events.map(({ event }) => event)
      events.push(...more)
    }
  })

const isStatus = (type: string): boolean => /^message\.(sent|delivered|read|failed)$/.test(type)

/** Of the events about one subject those that a later one does not overtake; `ended` is how a lead stands at last. */
const standing = (events: ReadonlyArray<DomainEvent>, ended: string | null | undefined): ReadonlySet<string> => {
  const types = new Set<string>()
  const reactions = new Map<string, string>()
  let status: string | null = null
  let wish: string | null = null
  for (const { data, type } of events) {
    if (isStatus(type)) status = type
    else if (type === "contact.opted_out" || type === "contact.opted_in") wish = type
    // Takes back an end that was told, which another order never told.
    else if (type === "lead.resumed") continue
    else if (type.startsWith("reaction.")) reactions.set(JSON.stringify([data["emoji"], data["direction"]]), type)
    else if (type === "lead.ended" ? data["ended"] === ended : type !== "lead.deferred" || ended === null)
      types.add(type)
  }
  if (status !== null) types.add(status)
  if (wish !== null) types.add(wish)
  for (const type of reactions.values()) types.add(type)
  return types
}

const idPattern = /\b[a-z]{3}_[0-9a-f]{32}\b/g

/** Every row as a text that names things by what they are, in an order of its own; and what the feed tells. */
export const left = Effect.fnUntraced(function* ({ accounts, campaigns, workspace }: World) {
  const [chatStore, contactStore, campaignStore] = [yield* ChatStore, yield* ContactStore, yield* CampaignStore]
  const contacts = yield* all((page) => contactStore.list(workspace.id, page))
  const chats = yield* all((page) => chatStore.list(workspace.id, page))
  const held = yield* chatStore.held(
    workspace.id,
    chats.map(({ id }) => id)
  )
  const leads = (yield* Effect.forEach(campaigns, ({ id }) =>
    all((page) => campaignStore.leads(workspace.id, id, {}, page))
  )).flat()
  const media = yield* all(
    (
      (store) => (page: PageRequest) =>
        store.list(workspace.id, page)
    )(yield* MediaRecordStore)
  )
  const suppressions = yield* all((page) => contactStore.allSuppressions(workspace.id, page))
  const wishes = yield* contactStore.wishes(
    workspace.id,
    contacts.flatMap(({ addresses }) => addresses.map(Address.key))
  )
  const kept = yield* (yield* AccountStore).list(workspace.id, { limit: 100 })

  const names = new Map<string, string>([[workspace.id, "workspace"]])
  for (const { externalId, id } of accounts) names.set(id, `account ${externalId}`)
  for (const { externalRef, id, settings } of campaigns) {
    names.set(id, `campaign ${externalRef}`)
    for (const [i, step] of settings.steps.entries()) names.set(step.id, `step ${externalRef}/${i}`)
  }
  for (const { addresses, id } of contacts) names.set(id, `contact ${addresses.map((one) => one.externalId).join()}`)
  for (const { account, address, id } of chats) names.set(id, `chat ${names.get(account)}/${address}`)
  for (const { campaign, contact, id } of leads) names.set(id, `lead ${names.get(campaign)}/${names.get(contact)}`)
  for (const { chat, details, externalId, id, step } of held.messages) {
    names.set(id, `message ${names.get(chat)}/${externalId ?? names.get(step ?? "") ?? ""}`)
    for (const [i, file] of (details?.attachments ?? []).entries()) names.set(file.id, `file ${names.get(id)}/${i}`)
  }
  const named = (text: string): string => text.replaceAll(idPattern, (id) => names.get(id) ?? id.slice(0, 3))
  const rows = <A>(
    schema: Schema.Codec<A, unknown>,
    found: ReadonlyArray<A>,
    without: ReadonlyArray<keyof A & string>
  ) => {
    const encode = Schema.encodeSync(Schema.toCodecJson(schema))
    return found.map((one) => {
      const row = { ...(encode(one) as Record<string, unknown>) }
      for (const field of ["id", ...without]) delete row[field]
      return named(canonical(row))
    })
  }
  const endedOf = new Map<string, string | null>(leads.map(({ ended, id }) => [id, ended]))
  const told = Array.from(
    Map.groupBy(yield* feed(workspace.id), ({ subject }) => subject),
    ([subject, events]) => Array.from(standing(events, endedOf.get(subject)), (type) => `${named(subject)} ${type}`)
  )
  return {
    contacts: rows(Contact, contacts, ["createdAt"]).sort(),
    chats: rows(Chat, chats, ["number", "createdAt", "openedAt"]).sort(),
    messages: rows(Message, held.messages, ["begunAt"]).sort(),
    notices: held.notices.map(({ toldAt: _at, ...notice }) => named(JSON.stringify(notice))).sort(),
    leads: rows(Lead, leads, []).sort(),
    media: rows(Media, media, ["createdAt", "dueAt"]).sort(),
    suppressions: suppressions.map((row) => named(JSON.stringify(row))).sort(),
    wishes: wishes.map((row) => named(JSON.stringify(row))).sort(),
    accounts: kept.data.map((row) => named(JSON.stringify(row))).sort(),
    counts: yield* Effect.forEach(campaigns, ({ id }) => campaignStore.counts(id)),
    recounts: yield* Effect.forEach(campaigns, ({ id }) => campaignStore.recount(id)),
    feed: told.flat().sort()
  }
})

export type Left = Effect.Success<ReturnType<typeof left>>
