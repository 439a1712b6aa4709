/**
 * Where a random sequence of verbs takes place: what it knows beforehand, the choices it draws from its seed, and how
 * values are told so that two storages can be compared. What a storage may choose freely (numbers of chats, its own clock)
 * is left out.
 */
import { Effect, Option } from "effect"
import type { Account } from "../../account/Account.ts"
import type { AccountGroup } from "../../account/AccountGroup.ts"
import { AccountGroupStore } from "../../account/AccountGroupStore.ts"
import { AccountStore } from "../../account/AccountStore.ts"
import type { Campaign } from "../../campaign/Campaign.ts"
import { CampaignStore } from "../../campaign/CampaignStore.ts"
import { ChatStore } from "../../chat/ChatStore.ts"
import type { Claimed } from "../../chat/Message.ts"
import type { Contact, ContactList } from "../../contact/Contact.ts"
import { ContactStore } from "../../contact/ContactStore.ts"
import type { AddressHash } from "../../contact/Suppression.ts"
import { EventStore } from "../../event/EventStore.ts"
import { OutboxStore } from "../../outbox/OutboxStore.ts"
import type { ClaimId } from "../../workspace/Id.ts"
import { hour } from "../../workspace/Instant.ts"
import type { LocalDate } from "../../workspace/LocalDate.ts"
import * as Dates from "../../workspace/LocalDate.ts"
import * as Seed from "../../workspace/Seed.ts"
import { Transaction } from "../../workspace/Transaction.ts"
import type { Workspace } from "../../workspace/Workspace.ts"
import { WorkspaceStore } from "../../workspace/WorkspaceStore.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { LeaseClock, readAll, type StoragePorts } from "./StorageCase.ts"

/** A claim as its worker remembers it, in the order it was made. */
export interface Held {
  readonly id: ClaimId
  readonly messages: ReadonlyArray<Claimed>
}

export interface World {
  readonly build: Builders.Builders
  readonly random: () => number
  readonly workspace: Workspace
  readonly accounts: ReadonlyArray<Account>
  readonly groups: ReadonlyArray<AccountGroup>
  readonly campaigns: ReadonlyArray<Campaign>
  readonly list: ContactList
  readonly contacts: Array<Contact>
  /** Claims that were made, also those that were settled or lost meanwhile. */
  readonly claims: Array<Held>
  /** Leases made so far; each lasts a little longer than the one before, so that none run out at the same time. */
  leases: number
  now: number
}

/** By which people of the world would be known once they were erased. */
export const addressHash: AddressHash = (address) => Seed.digest(`secret|${address}`)

/** Every port at once. */
export const ports = Effect.all({
  workspaces: WorkspaceStore,
  events: EventStore,
  accounts: AccountStore,
  groups: AccountGroupStore,
  contacts: ContactStore,
  chats: ChatStore,
  outbox: OutboxStore,
  campaigns: CampaignStore,
  transaction: Transaction,
  clock: LeaseClock
})

export type Ports = Effect.Success<typeof ports>

/** A number below `count`. */
export const below = (world: World, count: number): number => Math.floor(world.random() * count)

/** One of them. */
export const pick = <A>(world: World, all: ReadonlyArray<A>): A =>
  all[below(world, all.length)] ?? Expect.fail("nothing to pick from")

/** Some of them, in their order. */
export const some = <A>(world: World, all: ReadonlyArray<A>): ReadonlyArray<A> => all.filter(() => world.random() < 0.5)

/** A number below `count` that depends on a text alone, for rules that see rows in an order of the storage. */
export const chance = (text: string, count: number): number => Math.floor(Seed.random(text)() * count)

/** The date of budgets at the world's time: a new one every while, so that some things are given back too late. */
export const dayOf = (world: World): LocalDate =>
  Dates.addDays(Builders.startDate, Math.floor((world.now - Builders.start) / (3 * hour)))

export const nextLease = (world: World) => {
  world.leases += 1
  return { claim: world.build.ids.next("clm"), worker: "model", durationMs: 100_000 + world.leases * 1_000 }
}

/** The world at its beginning. */
export const begin = (seed: string) =>
  Effect.gen(function* () {
    const { accounts, campaigns, contacts, groups, workspaces } = yield* ports
    const build = Builders.make(seed)
    const workspace = build.workspace({ dailyCap: 500 })
    yield* workspaces.create(workspace)
    const shared = [build.accountGroup(workspace.id, { dailyCap: 60 }), build.accountGroup(workspace.id)]
    yield* Effect.forEach(shared, (group) => groups.create(group))
    const senders = Array.from({ length: 3 }, (_, index) =>
      build.account(workspace.id, {
        dailyCap: index === 0 ? null : 50,
        group: index === 1 ? null : shared[0]!.id
      })
    )
    yield* Effect.forEach(senders, (account) => accounts.connect(account, []))
    const people = Array.from({ length: 12 }, () => build.contact(workspace.id))
    const list = yield* contacts.createList(build.contactList(workspace.id))
    yield* contacts.import(workspace.id, people, list.id)
    const made = [
      [1, 1],
      [3, 1, 2]
    ].map((parts) => {
      const steps = parts.map((count, index) => build.step({ parts: count, type: index === 0 ? "first" : "noReply" }))
      return build.campaign(workspace.id, { settings: build.settings({ steps: [steps[0]!, ...steps.slice(1)] }) })
    })
    // Each account sends for one campaign alone but the last, which sends for both.
    for (const [index, campaign] of made.entries()) {
      yield* campaigns.create(campaign, [senders[index]!.id, senders[2]!.id], [])
      const leads = people.map((contact) => build.lead(campaign, contact, { priority: chance(contact.id, 2) }))
      yield* campaigns.enroll(campaign.id, leads, [], Builders.start)
      yield* campaigns.modify(workspace.id, campaign.id, Builders.start, (row) => ({
        campaign: { ...row, status: "running", startedAt: Builders.start },
        events: []
      }))
    }
    const world: World = {
      build,
      random: Seed.random(`${seed}|verbs`),
      workspace,
      accounts: senders,
      groups: shared,
      campaigns: made,
      list,
      contacts: [...people],
      claims: [],
      leases: 0,
      now: Builders.start
    }
    return world
  })

// Ids of claims depend on which of several expired first; the database's clock and chat numbers are its own.
const free = new Set(["begunAt", "claim", "number"])

/** A value without what a storage may choose. */
export const told = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(told)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key, free.has(key) && field !== null ? "set" : told(field)])
  )
}

const byId = (rows: ReadonlyArray<{ readonly id: string }>) => rows.toSorted((a, b) => (a.id < b.id ? -1 : 1))

/** Everything that the ports show of the world. */
export const snapshot = (world: World): Effect.Effect<unknown, unknown, StoragePorts> =>
  Effect.gen(function* () {
    const { accounts, campaigns, chats, contacts, events, groups, outbox, workspaces } = yield* ports
    const { id } = world.workspace
    const known = yield* readAll((page) => contacts.list(id, page), 7)
    const open = yield* readAll((page) => chats.list(id, page), 5)
    const addresses = known.flatMap((contact) => Builders.addressOf(contact))
    const suppressed = (yield* contacts.suppressions(id, addresses)).map(
      (row) => `${row.address} ${row.account} ${row.reason}`
    )
    return told({
      workspace: yield* workspaces.get(id),
      stopped: yield* workspaces.stopped,
      clock: yield* workspaces.pacingClock,
      accounts: yield* readAll((page) => accounts.list(id, page), 2),
      groups: yield* readAll((page) => groups.list(id, page), 1),
      polled: byId(
        (yield* accounts.polled([Builders.channel])).map(({ account, cursor }) => ({ id: account.id, cursor }))
      ),
      contacts: known,
      list: yield* contacts.getList(id, world.list.id),
      members: (yield* contacts.members(id, world.list.id, 0, 500)).map(({ contact }) => contact.id),
      suppressions: suppressed.toSorted(),
      chats: byId(open),
      messages: yield* Effect.forEach(byId(open), (chat) =>
        readAll((page) => chats.messages(id, chat.id as (typeof open)[number]["id"], page), 3)
      ),
      campaigns: yield* Effect.forEach(world.campaigns, (campaign) =>
        Effect.gen(function* () {
          const leads = yield* readAll((page) => campaigns.leads(id, campaign.id, {}, page), 10)
          const paces = (yield* campaigns.paces(campaign.id)).map(({ pace }) => ({ id: pace.account, pace }))
          return {
            campaign: yield* campaigns.get(id, campaign.id),
            paces: byId(paces),
            leads,
            candidates: yield* Effect.forEach(leads, (lead) =>
              Effect.map(campaigns.candidate(id, lead.id, addressHash), (found) => {
                const { candidate, due } = Option.getOrThrow(found)
                return {
                  touches: candidate.touches,
                  sequences: candidate.sequences,
                  takenOver: candidate.takenOver.map(({ id }) => id).toSorted(),
                  suppressions: candidate.suppressions.map(({ account, reason }) => `${account} ${reason}`).toSorted(),
                  rows: candidate.messages,
                  account: due?.account,
                  group: due?.group,
                  workspace: due?.workspace
                }
              })
            ),
            counts: yield* campaigns.counts(campaign.id),
            recount: yield* campaigns.recount(campaign.id),
            isDone: yield* campaigns.isDone(campaign.id)
          }
        })
      ),
      events: (yield* events.read(id, null, 10_000)).map(({ event }) => `${event.type} ${event.subject}`),
      nextAlarm: yield* campaigns.nextAlarm,
      nextQueued: yield* outbox.nextQueued,
      finishable: byId(yield* campaigns.finishable(10))
    })
  })
