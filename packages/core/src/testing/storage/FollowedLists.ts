/** What a storage promises of lists that campaigns follow: whoever joined is enrolled once, wherever a process died. */
import { Effect, Logger } from "effect"
import type { Campaign } from "../../campaign/Campaign.ts"
import { CampaignStore, type GrownList } from "../../campaign/CampaignStore.ts"
import * as Distributor from "../../campaign/Distributor.ts"
import * as Enroller from "../../campaign/Enroller.ts"
import * as FollowedLists from "../../campaign/FollowedLists.ts"
import { ContactStore } from "../../contact/ContactStore.ts"
import type { ContactListId } from "../../workspace/Id.ts"
import { hour } from "../../workspace/Instant.ts"
import { Transaction } from "../../workspace/Transaction.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { people } from "./Scene.ts"
import { type StorageCase, storageCase } from "./StorageCase.ts"

const { start } = Builders

/** Lists of a workspace, campaigns that follow theirs or not, and who joins. */
const place = (seed: string) =>
  Effect.gen(function* () {
    const made = yield* people(seed, { leads: 0 })
    const { accounts, build, workspace } = made
    const store = yield* CampaignStore
    const contacts = yield* ContactStore
    const listOf = (name: string) =>
      contacts.createList({
        id: build.ids.next("lst"),
        workspace: workspace.id,
        name,
        status: "ready",
        createdAt: start
      })
    const campaignOf = (overrides: Partial<Campaign> = {}, followList = true) =>
      Effect.gen(function* () {
        const campaign = build.campaign(workspace.id, { settings: build.settings({ followList }), ...overrides })
        yield* store.create(
          campaign,
          accounts.map(({ id }) => id),
          []
        )
        return campaign
      })
    const join = (list: ContactListId, count: number) =>
      Effect.gen(function* () {
        const joining = Array.from({ length: count }, () => build.contact(workspace.id))
        yield* contacts.import(workspace.id, joining, list)
        return joining.map(({ id }) => id)
      })
    const grown = Effect.map(store.grownLists(null, 100), (all) =>
      all.map(({ campaign, enrolled, last, list }) => [campaign.id, list, enrolled, last])
    )
    const transaction = yield* Transaction
    const makeIds = Effect.succeed(build.ids)
    const distributor = Distributor.make(store, new Map(), transaction, makeIds)
    const enroller = Enroller.make(store, contacts, distributor, transaction, makeIds)
    return { ...made, store, contacts, enroller, listOf, campaignOf, join, grown }
  })

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("followed lists: those that grew, of campaigns that follow them and are not deleted", function* () {
    const { campaignOf, contacts, grown, join, listOf, store, workspace } = yield* place("grown lists")
    const [one, two] = [yield* listOf("one"), yield* listOf("two")]
    const campaign = yield* campaignOf()
    const other = yield* campaignOf({ status: "finished" })
    const deaf = yield* campaignOf({}, false)
    const gone = yield* campaignOf({ status: "deleted" })
    for (const { id } of [campaign, deaf, gone]) yield* store.noteEnrolled(id, one.id, 0)
    yield* store.noteEnrolled(other.id, two.id, 0)
    Expect.equal(yield* grown, [], "while nobody is on them")
    const [first] = yield* join(one.id, 3)
    Expect.equal(yield* grown, [[campaign.id, one.id, 0, 3]], "once somebody is")
    yield* store.noteEnrolled(campaign.id, one.id, 2)
    yield* store.noteEnrolled(campaign.id, one.id, 1)
    Expect.equal(yield* grown, [[campaign.id, one.id, 2, 3]], "behind those who are enrolled")
    yield* store.noteEnrolled(campaign.id, one.id, 3)
    yield* contacts.leaveList(workspace.id, one.id, first!)
    Expect.equal(yield* grown, [], "once all are, also where one leaves")
    yield* contacts.joinList(workspace.id, one.id, first!)
    Expect.equal(yield* grown, [[campaign.id, one.id, 3, 4]], "once one comes back")
    yield* contacts.gatherList(workspace.id, one.id, false)
    Expect.equal(yield* grown, [], "while it is gathered")
    yield* contacts.setListReady(workspace.id, one.id, [])
    yield* store.modify(workspace.id, deaf.id, start, (row) => ({
      campaign: { ...row, settings: { ...row.settings, followList: true }, version: row.version + 1 },
      events: []
    }))
    yield* join(two.id, 1)
    const all = [
      [campaign.id, one.id, 3, 4],
      [other.id, two.id, 0, 1],
      [deaf.id, one.id, 0, 4]
    ]
    const byKey = (a: ReadonlyArray<unknown>, b: ReadonlyArray<unknown>) =>
      `${String(a[0])}${String(a[1])}` < `${String(b[0])}${String(b[1])}` ? -1 : 1
    Expect.equal(yield* grown, all.toSorted(byKey), "of all, once another begins to follow")
    const paged: Array<unknown> = []
    for (let after: GrownList | null = null; ; ) {
      const page: ReadonlyArray<GrownList> = yield* store.grownLists(after, 1)
      const [only] = page
      if (only === undefined) break
      paged.push([only.campaign.id, only.list, only.enrolled, only.last])
      after = only
    }
    Expect.equal(paged, yield* grown, "page by page")
    Expect.equal((yield* store.grownLists(null, 1))[0]?.campaign.settings.followList, true, "the campaign with it")
    yield* contacts.deleteList(workspace.id, two.id)
    Expect.equal((yield* grown).length, 2, "without a list that was deleted")
    yield* store.modify(workspace.id, deaf.id, start, (row) => ({
      campaign: { ...row, status: "deleted" },
      events: []
    }))
    Expect.equal(yield* grown, [[campaign.id, one.id, 3, 4]], "without a campaign that was deleted")
  }),

  storageCase(
    "followed lists: everyone is enrolled once, wherever processes die, and several do it at once",
    function* () {
      const { campaignOf, contacts, enroller, grown, join, listOf, store, workspace } = yield* place("followed lists")
      const list = yield* listOf("growing")
      const campaign = yield* campaignOf()
      const early = yield* join(list.id, 2)
      yield* enroller.list(campaign, list.id, Effect.succeed(start))
      Expect.equal(yield* grown, [], "after the whole list was enrolled")
      let dies = true
      const dying = Effect.suspend(() => {
        dies = !dies
        return dies ? Effect.void : Effect.die("killed between enrolling and saying so")
      })
      const late = yield* join(list.id, 1_100)
      // Every process is a new one, and the first of each two dies.
      for (let round = 0; (yield* grown).length > 0; round++) {
        if (round > 20) Expect.fail("it does not come to an end")
        const processes = Array.from({ length: 2 }, () => FollowedLists.make(store, enroller, () => dying))
        yield* Effect.forEach(processes, ({ catchUp }) => catchUp(start + hour), { concurrency: "unbounded" }).pipe(
          Effect.provide(Logger.layer([]))
        )
      }
      const counts = yield* store.counts(campaign.id)
      Expect.equal([counts.pending, counts.total], [early.length + late.length, 1_102], "leads")
      const one = yield* store.leadsOf(workspace.id, late.at(-1)!)
      Expect.equal(
        one.map((lead) => [lead.campaign, lead.createdAt]),
        [[campaign.id, start + hour]],
        "the lead of the last to join"
      )
      Expect.equal(counts, yield* store.recount(campaign.id), "the counts against the leads")
      const follow = FollowedLists.make(store, enroller, () => Effect.void)
      Expect.equal(yield* follow.catchUp(start + hour), false, "once all are enrolled")
      yield* contacts.leaveList(workspace.id, list.id, early[0]!)
      Expect.equal(yield* follow.catchUp(start + hour), false, "when one leaves")
      Expect.equal((yield* store.counts(campaign.id)).total, 1_102, "leads after one left the list")
    }
  ),

  storageCase(
    "followed lists: whom the end of the campaign kept out is enrolled once there is a later one",
    function* () {
      const { build, campaignOf, contacts, enroller, grown, join, listOf, store, workspace } =
        yield* place("followed until")
      const follow = FollowedLists.make(store, enroller, () => Effect.void)
      const list = yield* listOf("until")
      const campaign = yield* campaignOf({ settings: build.settings({ followList: true, endAt: start }) })
      yield* store.noteEnrolled(campaign.id, list.id, 0)
      const [left] = yield* join(list.id, 1)
      Expect.equal(yield* follow.catchUp(start), false, "after its end")
      Expect.equal((yield* store.counts(campaign.id)).total, 0, "leads after its end")
      yield* store.modify(workspace.id, campaign.id, start, (row) => ({
        campaign: { ...row, settings: { ...row.settings, endAt: null }, version: row.version + 1 },
        events: []
      }))
      yield* contacts.leaveList(workspace.id, list.id, left!)
      Expect.equal(yield* follow.catchUp(start), true, "without an end")
      Expect.equal(yield* grown, [], "once a place at which nobody is any more was seen")
      Expect.equal((yield* store.counts(campaign.id)).total, 0, "leads of nobody")
    }
  )
]
