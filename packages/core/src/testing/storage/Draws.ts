/** What `CampaignStore` promises of drawing leads from the pool, and of reading them. */
import { Effect, Option } from "effect"
import { CampaignStore } from "../../campaign/CampaignStore.ts"
import type { DrawAccount } from "../../campaign/PacedAccount.ts"
import type { Contact } from "../../contact/Contact.ts"
import { ContactStore } from "../../contact/ContactStore.ts"
import { hour } from "../../workspace/Instant.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { changed } from "./FakeRules.ts"
import { campaignOf, claim, leadOf, paceOf, people, scene, takeOf } from "./Scene.ts"
import { expectPaged, fails, readAll, refuse, sorted, type StorageCase, storageCase } from "./StorageCase.ts"

const { channel, start } = Builders
const anyone = [{ reach: channel, wanted: null }]

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("campaigns: a draw takes from the pool by priority and position what an account reaches", function* () {
    const store = yield* CampaignStore
    const priorities = [0, 5, 0, 5, 0, 0]
    const place = yield* people("draw", { accounts: 2, leads: 6 })
    const options = {
      drawn: false,
      lead: (index: number) => ({ priority: priorities[index]!, reach: index === 4 ? `${channel}/page` : channel })
    }
    const { campaign, leads } = yield* campaignOf(place, options)
    const [a, b] = place.accounts.map(({ id }) => id)
    yield* claim(place, { want: () => 0, nextAt: () => start + hour })
    const seen: { accounts?: ReadonlyArray<DrawAccount>; pool?: ReadonlyArray<number> } = {}
    const drawn = yield* store.draw(campaign.id, start + 1, (of, accounts, pool) =>
      Effect.gen(function* () {
        Expect.equal(of.id, campaign.id, "the campaign")
        seen.accounts = accounts
        const ranges = [channel, `${channel}/page`, "elsewhere"].map((reach) => ({ reach, wanted: null }))
        seen.pool = [...(yield* pool(ranges, 4)), ...(yield* pool(ranges, 100))]
        return [takeOf(a!, 3), takeOf(b!, 9, [`${channel}/page`, "elsewhere"])]
      })
    )
    Expect.equal(seen.pool, [4, 1, 0, 5, 1, 0], "the pool, counted no further than asked")
    Expect.equal(sorted(seen.accounts?.map(({ account }) => account.id) ?? []), sorted([a!, b!]), "the accounts")
    Expect.equal(
      seen.accounts?.map(({ holding }) => holding),
      [0, 0],
      "what they hold"
    )
    Expect.equal(
      new Map(drawn.map((one) => [one.account, one.drawn])),
      new Map([
        [a!, 3],
        [b!, 1]
      ]),
      "drawn"
    )
    const held = yield* Effect.forEach(leads, ({ id }) => leadOf(place.workspace, id))
    Expect.equal(
      held.map(({ account }) => account),
      [a!, a!, null, a!, b!, null],
      "who has which lead"
    )
    Expect.equal(
      held.map(({ status }) => status === "assigned"),
      [true, true, false, true, true, false],
      "assigned"
    )
    Expect.equal((yield* paceOf(campaign, a)).nextAt, start + 1, "the alarm of the one that got some")
    const counts = yield* store.counts(campaign.id)
    Expect.equal([counts.pending, counts.assigned], [2, 4], "the counts")
    yield* store.changeLeads({ type: "ids", ids: [leads[0]!.id] }, start, (lead) =>
      changed({ ...lead, dueAt: start + hour })
    )
    yield* store.draw(campaign.id, start + 2, (_, accounts, pool) =>
      Effect.gen(function* () {
        Expect.equal(
          new Map(accounts.map(({ account, holding }) => [account.id, holding])),
          new Map([
            [a!, 3],
            [b!, 1]
          ]),
          "held"
        )
        Expect.equal(yield* pool(anyone, 100), [2], "the pool that is left")
        return []
      })
    )
  }),

  storageCase("campaigns: a draw that fails gives nothing away", function* () {
    const store = yield* CampaignStore
    const place = yield* people("draw fails", { leads: 2 })
    const { campaign } = yield* campaignOf(place, { drawn: false })
    yield* fails(
      store.draw(campaign.id, start, (_, __, pool) => Effect.map(pool(anyone, 9), refuse)),
      "a draw whose rule throws"
    )
    Expect.equal((yield* store.counts(campaign.id)).pending, 2, "the pool")
  }),

  storageCase("campaigns: two draws at the same time give no lead twice and count one pool", function* () {
    const store = yield* CampaignStore
    const place = yield* people("draw race", { accounts: 2, leads: 9 })
    const { campaign } = yield* campaignOf(place, { drawn: false })
    const pools: Array<number> = []
    const draws = place.accounts.map(({ id }) =>
      store.draw(campaign.id, start, (_, __, pool) =>
        Effect.map(pool(anyone, 100), ([count = 0]) => {
          pools.push(count)
          return [takeOf(id, 6)]
        })
      )
    )
    const drawn = (yield* Effect.all(draws, { concurrency: "unbounded" })).flat()
    Expect.equal(
      drawn.map((one) => one.drawn).toSorted((a, b) => a - b),
      [3, 6],
      "drawn by each"
    )
    Expect.equal(
      pools.toSorted((a, b) => a - b),
      [3, 9],
      "the pool that each saw"
    )
    const { assigned, pending } = yield* store.counts(campaign.id)
    Expect.equal([assigned, pending], [9, 0], "the counts")
  }),

  storageCase("campaigns: leads are read in pages, by status, only in their workspace", function* () {
    const store = yield* CampaignStore
    const place = yield* people("lead pages", { leads: 6 })
    const { campaign, leads } = yield* campaignOf(place, { drawn: false })
    const { build, contacts, workspace } = place
    const ids = leads.map(({ id }) => id as string)
    const read = (status?: "pending" | "assigned") => (page: Parameters<typeof store.list>[1]) =>
      store.leads(workspace.id, campaign.id, { status }, page)
    yield* expectPaged(read(), ids, "leads")
    yield* expectPaged(read("pending"), ids, "pending leads")
    Expect.equal((yield* read("assigned")({ count: true })).total, 0, "assigned leads")
    const newcomer = build.contact(workspace.id)
    yield* (yield* ContactStore).import(workspace.id, [newcomer], null)
    const late = build.lead(campaign, newcomer)
    const all = yield* readAll(read(), 2, store.enroll(campaign.id, [late], [], start))
    Expect.equal(
      all.map(({ id }) => id as string),
      [...ids, late.id],
      "leads that grow while they are read"
    )
    const other = build.workspace().id
    Expect.ok(Option.isNone(yield* store.getLead(other, leads[0]!.id)), "another workspace got a lead")
    Expect.ok(Option.isNone(yield* store.candidate(other, leads[0]!.id)), "another workspace got a candidate")
    Expect.equal((yield* store.leads(other, campaign.id, {}, {})).data, [], "another workspace's leads")
    Expect.equal(contacts.length, 6, "the people")
  }),

  storageCase("campaigns: the breakdown counts leads by status, reason and end, most frequent first", function* () {
    const store = yield* CampaignStore
    const { campaign, leads } = yield* scene("breakdown", { leads: 6 })
    const ids = leads.map(({ id }) => id)
    yield* store.changeLeads({ type: "ids", ids: ids.slice(0, 4) }, start, (lead) =>
      lead.id === ids[0]
        ? changed({ ...lead, status: "sent", step: null, ended: "replied" }, { counts: { sent: 1 } })
        : changed({ ...lead, status: "skipped", step: null, reason: "policy" }, { counts: { skipped: 1 } })
    )
    const rows = yield* store.breakdown(campaign.id)
    const told = rows.map(({ count, ended, reason, status }) => `${count} ${status} ${reason} ${ended}`)
    Expect.equal(told, ["3 skipped policy null", "2 assigned null null", "1 sent null replied"], "the breakdown")
  }),

  storageCase("campaigns: leads with a step to come are counted by the zones of their people", function* () {
    const store = yield* CampaignStore
    const { campaign, contacts, leads, workspace } = yield* scene("zones", { leads: 5 })
    const zone = (contact: Contact | undefined, timezone: string) =>
      Effect.flatMap(ContactStore, (people) =>
        people.modify(workspace.id, contact!.id, (before) => ({ contact: { ...before, timezone }, events: [] }))
      )
    for (const contact of contacts.slice(0, 3)) yield* zone(contact, "Asia/Tokyo")
    yield* zone(contacts[3], "Europe/Lisbon")
    yield* store.changeLeads({ type: "ids", ids: [leads[0]!.id] }, start, (lead) =>
      changed({ ...lead, status: "skipped", step: null, reason: "policy" }, { counts: { skipped: 1 } })
    )
    const zones = (yield* store.zones(campaign.id)).map(({ people, timezone }) => `${timezone} ${people}`)
    Expect.equal(zones.sort(), ["Asia/Tokyo 2", "Europe/Lisbon 1", "null 1"], "people by zone")
  }),

  storageCase("campaigns: done when no lead is open, claimed or has something to come", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("done", { leads: 1, steps: [1, 1] })
    const {
      campaign,
      leads: [lead],
      workspace
    } = place
    const finishable = Effect.map(store.finishable(10), (campaigns) => campaigns.map(({ id }) => id))
    const become = (change: Partial<typeof lead & object>) =>
      store.changeLeads({ type: "ids", ids: [lead!.id] }, start, (row) => changed({ ...row, ...change }))
    Expect.equal(yield* store.isDone(campaign.id), false, "with a lead assigned")
    const taken = yield* claim(place)
    Expect.equal(yield* store.isDone(campaign.id), false, "with a lead claimed")
    yield* become({ claim: null, status: "sent", step: campaign.settings.steps[1]!.id, dueAt: start + 99 * hour })
    Expect.equal(yield* store.isDone(campaign.id), false, "with a follow-up to come")
    yield* become({ step: null, dueAt: null, ended: "completed" })
    Expect.equal(yield* store.isDone(campaign.id), true, "with nothing to come")
    Expect.equal(yield* finishable, [], "finishable while a pace has an alarm")
    yield* claim(place, { now: start + hour, nextAt: () => null })
    Expect.equal(yield* finishable, [campaign.id], "finishable once none has")
    yield* store.modify(workspace.id, campaign.id, start, (row) => ({
      campaign: { ...row, status: "paused" },
      events: []
    }))
    Expect.equal(yield* finishable, [], "finishable while paused")
    Expect.equal(taken.leads, [lead!.id], "the lead that was claimed")
  })
]
