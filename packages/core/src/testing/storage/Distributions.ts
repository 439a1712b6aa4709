/** What `CampaignStore` promises of who gets which leads: ranges of the pool, what accounts hold, who joins and leaves. */
import { Effect } from "effect"
import { CampaignStore } from "../../campaign/CampaignStore.ts"
import type { DrawAccount } from "../../campaign/PacedAccount.ts"
import type { PoolRange, Take } from "../../campaign/Draw.ts"
import type { Lead } from "../../campaign/Lead.ts"
import type { Campaign } from "../../campaign/Campaign.ts"
import { ChatStore } from "../../chat/ChatStore.ts"
import { EventStore } from "../../event/EventStore.ts"
import type { AccountId, ContactId } from "../../workspace/Id.ts"
import { hour } from "../../workspace/Instant.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { changed, claimRules } from "./FakeRules.ts"
import { campaignOf, claim, drawAll, leadOf, lease, paceOf, people, scene, takeOf } from "./Scene.ts"
import { type StorageCase, storageCase } from "./StorageCase.ts"

const { channel, start } = Builders

const draw = (campaign: Pick<Campaign, "id">, takes: ReadonlyArray<Take>, now = start) =>
  Effect.flatMap(CampaignStore, (store) => store.draw(campaign.id, now, () => Effect.succeed(takes)))

/** The accounts as a draw at `now` sees them. */
const seen = (campaign: Pick<Campaign, "id">, now = start) =>
  Effect.gen(function* () {
    const found: Array<DrawAccount> = []
    yield* (yield* CampaignStore).draw(campaign.id, now, (_, accounts) =>
      Effect.sync(() => {
        found.push(...accounts)
        return []
      })
    )
    return new Map(found.map((one) => [one.account.id, one]))
  })

const holders = (workspace: Parameters<typeof leadOf>[0], leads: ReadonlyArray<Lead>) =>
  Effect.map(
    Effect.forEach(leads, ({ id }) => leadOf(workspace, id)),
    (all) => all.map(({ account }) => account)
  )

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("distribution: a draw takes only from the ranges it names, each up to its most", function* () {
    const store = yield* CampaignStore
    const place = yield* people("ranges", { accounts: 2, leads: 8 })
    const [a, b] = place.accounts.map(({ id }) => id)
    const wishes = [null, a!, b!, null, a!, null, b!, null]
    const { campaign, leads } = yield* campaignOf(place, {
      drawn: false,
      lead: (index) => ({ wanted: wishes[index]!, priority: index === 7 ? 1 : 0 })
    })
    const anyone = { reach: channel, wanted: null }
    const ofA = { reach: channel, wanted: a! }
    const ofB = { reach: channel, wanted: b! }
    const sizes: Array<ReadonlyArray<number>> = []
    yield* store.draw(campaign.id, start, (_, __, pool) =>
      Effect.gen(function* () {
        sizes.push(yield* pool([ofB, anyone, ofA], 3), yield* pool([], 3))
        return []
      })
    )
    Expect.equal(sizes, [[2, 3, 2], []], "the sizes, in the order of the ranges, no further than asked")
    const drawn = yield* draw(campaign, [
      {
        account: a!,
        take: 4,
        from: [
          { ...ofA, most: 9 },
          { ...anyone, most: 2 }
        ]
      },
      {
        account: b!,
        take: 2,
        from: [
          { ...ofB, most: 1 },
          { ...anyone, most: 9 }
        ]
      }
    ])
    Expect.equal(
      new Map(drawn.map((one) => [one.account, one.drawn])),
      new Map([
        [a!, 4],
        [b!, 2]
      ]),
      "drawn"
    )
    // The one of the higher priority first; then by position, while the range gives any.
    Expect.equal(yield* holders(place.workspace, leads), [a!, a!, b!, b!, a!, null, null, a!], "who has which lead")
    Expect.equal((yield* leadOf(place.workspace, leads[1]!.id)).wanted, a!, "the wish that was kept")
  }),

  storageCase("distribution: a draw sees what is put off and what each account was ever given", function* () {
    const place = yield* scene("given", { accounts: 2, leads: 8, steps: [1, 1] })
    const { accounts, campaign, leads } = place
    const store = yield* CampaignStore
    const [a, b] = accounts.map(({ id }) => id)
    const own = (yield* holders(place.workspace, leads)).flatMap((account, i) => (account === a ? [leads[i]!] : []))
    const become = (lead: Lead, change: Partial<Lead>, counts = {}) =>
      store.changeLeads({ type: "ids", ids: [lead.id] }, start, (row) => changed({ ...row, ...change }, { counts }))
    const later = campaign.settings.steps[1]!.id
    yield* become(own[0]!, { dueAt: start + hour })
    yield* become(own[1]!, { status: "sent", step: later, dueAt: start + hour }, { sent: 1 })
    yield* become(own[2]!, { status: "sending", step: later })
    const at = yield* seen(campaign, start)
    Expect.equal(
      [a, b].map((id) => [at.get(id!)?.holding, at.get(id!)?.deferred, at.get(id!)?.given]),
      [
        [2, 1, 4],
        [4, 0, 4]
      ],
      "held, put off and given"
    )
    const then = yield* seen(campaign, start + hour)
    Expect.equal([then.get(a!)?.holding, then.get(a!)?.deferred], [2, 0], "once it is due")
    yield* claim(place, { want: ({ pace }) => (pace.account === b ? 3 : 0) })
    const held = yield* seen(campaign, start)
    Expect.equal([held.get(b!)?.holding, held.get(b!)?.given], [1, 4], "with three in a claim")
    yield* store.changeLeads(
      { type: "campaign", campaign: campaign.id, account: b!, statuses: ["assigned"], limit: 9 },
      start,
      (row) => changed({ ...row, status: "pending", account: null })
    )
    Expect.equal((yield* seen(campaign)).get(b!)?.given, 3, "with one given back")
  }),

  storageCase("distribution: two draws at once give no lead twice and leave none behind", function* () {
    const place = yield* people("draws at once", { accounts: 3, leads: 30 })
    const ids = place.accounts.map(({ id }) => id)
    const { campaign, leads } = yield* campaignOf(place, {
      drawn: false,
      lead: (index) => ({ wanted: index % 4 === 0 ? ids[index % 3]! : null })
    })
    const round = ids.map((account) => ({
      account,
      take: 3,
      from: [null, account].map((wanted) => ({ reach: channel, wanted, most: 2 }))
    }))
    const drawn = yield* Effect.all(
      Array.from({ length: 8 }, () => draw(campaign, round)),
      { concurrency: "unbounded" }
    )
    const total = drawn.flat().reduce((sum, one) => sum + one.drawn, 0)
    const rows = yield* Effect.forEach(leads, ({ id }) => leadOf(place.workspace, id))
    Expect.equal(rows.filter(({ status }) => status === "assigned").length, total, "assigned, as often as drawn")
    Expect.ok(
      rows.every(({ account, wanted }) => account === null || wanted === null || wanted === account),
      "an account has a lead that wants another"
    )
    const at = yield* seen(campaign)
    Expect.equal(
      ids.reduce((sum, id) => sum + (at.get(id)?.given ?? 0), 0),
      total,
      "given"
    )
    const counts = yield* (yield* CampaignStore).counts(campaign.id)
    Expect.equal([counts.pending + counts.assigned, counts.total], [30, 30], "the counts")
  }),

  storageCase("distribution: pooled shows leads of the pool by contact, with their chats", function* () {
    const store = yield* CampaignStore
    const place = yield* people("pooled", { accounts: 2, leads: 5 })
    const { build, contacts } = place
    const [a, b] = place.accounts
    const { campaign, leads } = yield* campaignOf(place, { drawn: false })
    yield* draw(campaign, [takeOf(a!.id, 1)])
    yield* (yield* ChatStore).open([
      build.opening(a!, contacts[2]!, { at: start }),
      build.opening(b!, contacts[2]!, { at: start + 1 }),
      build.opening(b!, contacts[3]!)
    ])
    const inPool = contacts
      .slice(1)
      .map(({ id }) => id)
      .toSorted()
    const read = (after: ContactId | null, limit: number) =>
      Effect.map(store.pooled(campaign.id, { after, limit }, [a!.id, b!.id]), (rows) =>
        rows.map(({ contact, lead }) => {
          Expect.equal(lead.contact, contact.id, "the contact of the lead")
          return contact.id
        })
      )
    const first = yield* read(null, 3)
    const rest = yield* read(first.at(-1)!, 3)
    Expect.equal([...first, ...rest], inPool, "the pool, page by page")
    Expect.equal(yield* read(rest.at(-1)!, 3), [], "after the last")
    const chatty = yield* store.pooled(campaign.id, { contacts: [contacts[0]!.id, contacts[2]!.id, contacts[3]!.id] }, [
      a!.id,
      b!.id
    ])
    Expect.equal(
      new Map(chatty.map(({ chats, lead }) => [lead.id, chats.map((chat) => chat.account).toSorted()])),
      new Map([
        [leads[2]!.id, [a!.id, b!.id].toSorted()],
        [leads[3]!.id, [b!.id]]
      ]),
      "the chats of some contacts, without the one that was drawn"
    )
    const held = yield* store.pooled(
      campaign.id,
      { contacts: contacts.slice(0, 2).map(({ id }) => id), held: true },
      []
    )
    Expect.equal(
      new Map(held.map(({ lead }) => [lead.id, lead.account])),
      new Map([
        [leads[0]!.id, a!.id],
        [leads[1]!.id, null]
      ]),
      "of some contacts, with the one that was drawn"
    )
    yield* claim(place)
    const claimed = yield* store.pooled(campaign.id, { contacts: [contacts[0]!.id], held: true }, [])
    Expect.equal(claimed, [], "of one whose lead is claimed")
    const [quiet] = yield* store.pooled(campaign.id, { contacts: [contacts[2]!.id] }, [])
    Expect.equal(quiet?.chats, [], "chats of no account")
    Expect.equal(yield* store.pooled(campaign.id, { contacts: [] }, [a!.id]), [], "of no contact")
  }),

  storageCase("distribution: pooled shows leads of some ranges of the pool, no more than asked for", function* () {
    const store = yield* CampaignStore
    const place = yield* people("pooled ranges", { accounts: 2, leads: 6 })
    const [a, b] = place.accounts.map(({ id }) => id)
    const { campaign, leads } = yield* campaignOf(place, {
      drawn: false,
      lead: (index) => ({ wanted: index < 2 ? a! : index < 4 ? b! : null, reach: index === 5 ? "elsewhere" : channel })
    })
    const read = (ranges: ReadonlyArray<PoolRange>, limit: number) =>
      Effect.map(store.pooled(campaign.id, { ranges, limit }, []), (rows) => rows.map(({ lead }) => lead.id).toSorted())
    const idsOf = (...places: ReadonlyArray<number>) => places.map((n) => leads[n]!.id).toSorted()
    const ofA = { reach: channel, wanted: a! }
    Expect.equal(yield* read([ofA, { reach: "elsewhere", wanted: null }], 9), idsOf(0, 1, 5), "two ranges")
    Expect.equal((yield* read([ofA], 1)).length, 1, "one of them")
    Expect.equal(yield* read([{ reach: "nowhere", wanted: null }], 9), [], "an empty range")
    yield* draw(campaign, [{ account: a!, take: 2, from: [{ ...ofA, most: 2 }] }])
    Expect.equal(yield* read([ofA], 9), [], "once they were drawn")
  }),

  storageCase("distribution: accounts leave but for the last, and come back with their pace", function* () {
    const store = yield* CampaignStore
    const events = yield* EventStore
    const place = yield* scene("leaving", { accounts: 2, leads: 4 })
    const { build, campaign, workspace } = place
    const [a, b] = place.accounts.map(({ id }) => id)
    const told = () => [build.event(workspace.id, campaign.id)]
    const leave = (account: AccountId, of = workspace.id) => store.leave(of, campaign.id, account, start + 1, told())
    const before = yield* paceOf(campaign, a)
    Expect.equal(yield* leave(a!, build.workspace().id), "absent", "from another workspace")
    Expect.equal(yield* leave(build.ids.next("acc")), "absent", "an account that is not in it")
    Expect.equal(yield* leave(a!), "left", "the first")
    Expect.equal(yield* leave(a!), "absent", "the first again")
    Expect.equal(yield* leave(b!), "last", "the last")
    const left = yield* paceOf(campaign, a)
    Expect.equal(left, { ...before, leftAt: start + 1, nextAt: start + 1 }, "the pace of who left")
    Expect.equal((yield* seen(campaign)).get(a!)?.holding, 2, "what it still holds")
    Expect.equal((yield* events.read(workspace.id, null, 9)).length, 1, "events")
    Expect.equal(yield* store.addAccounts(workspace.id, campaign.id, [a!, b!], start + 2), [a!], "who came back")
    Expect.equal(yield* paceOf(campaign, a), { ...left, leftAt: null, nextAt: start + 2 }, "its pace")
  }),

  storageCase("distribution: follow-ups and what is under way of an account", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("under way", { accounts: 2, leads: 6, steps: [1, 1] })
    const { campaign, leads, workspace } = place
    const [a, b] = place.accounts.map(({ id }) => id)
    const owners = yield* holders(workspace, leads)
    const own = leads.filter((_, i) => owners[i] === a)
    const later = campaign.settings.steps[1]!.id
    const become = (lead: Lead, change: Partial<Lead>) =>
      store.changeLeads({ type: "ids", ids: [lead.id] }, start, (row) => changed({ ...row, ...change }))
    Expect.equal(yield* store.isUnderWay(campaign.id, a!), false, "with leads that wait")
    yield* become(own[0]!, { status: "sent", step: later, dueAt: start + 2 * hour })
    yield* become(own[1]!, { status: "partial", step: later, dueAt: start + hour })
    const ids = yield* store.followUpsOf(campaign.id, a!, 9)
    Expect.equal(ids, [own[1]!.id, own[0]!.id], "follow-ups, the next first")
    Expect.equal((yield* store.followUpsOf(campaign.id, a!, 1)).length, 1, "no more than asked for")
    Expect.equal(yield* store.followUpsOf(campaign.id, b!, 9), [], "of another account")
    Expect.equal(yield* store.isUnderWay(campaign.id, a!), false, "with follow-ups that wait")
    yield* become(own[2]!, { status: "sending", dueAt: null })
    Expect.equal(yield* store.isUnderWay(campaign.id, a!), true, "between two parts")
    yield* claim(place, { want: ({ pace }) => (pace.account === b ? 1 : 0) })
    Expect.equal(yield* store.isUnderWay(campaign.id, b!), true, "in a claim")
  }),

  storageCase("claims: load runs once over the locked candidates, and not without any", function* () {
    const store = yield* CampaignStore
    const place = yield* people("load", { accounts: 2, leads: 4 })
    const { campaign } = yield* campaignOf(place, { drawn: false })
    const loads: Array<number> = []
    const run = (now: number) => {
      const made = lease(place.build)
      const rules = claimRules(place.build.ids, made.claim, now, { want: () => 9 })
      const load = (all: ReadonlyArray<unknown>) => Effect.sync(() => void loads.push(all.length))
      return store.claim({ now, limit: 9, lease: made, rules: { ...rules, load } })
    }
    yield* run(start)
    Expect.equal(loads, [], "without candidates")
    yield* drawAll(
      campaign,
      place.accounts.map(({ id }) => id),
      4
    )
    yield* run(start + 2 * hour)
    Expect.equal(loads, [4], "with the candidates of both accounts")
  })
]
