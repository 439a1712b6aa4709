/** What a storage shows of who can send for campaigns, and that of changes at the same time each is told once. */
import { Effect } from "effect"
import * as Account from "../../account/Account.ts"
import { AccountStore } from "../../account/AccountStore.ts"
import * as CampaignStanding from "../../campaign/CampaignStanding.ts"
import { CampaignStore } from "../../campaign/CampaignStore.ts"
import { EventStore } from "../../event/EventStore.ts"
import type { AccountId } from "../../workspace/Id.ts"
import { Transaction } from "../../workspace/Transaction.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { campaignOf, people, scene } from "./Scene.ts"
import { type StorageCase, storageCase } from "./StorageCase.ts"

const { start } = Builders

/** A running campaign of some accounts, with what switches one of them and tells of it as the engine does. */
const place = (seed: string, accounts: number) =>
  Effect.gen(function* () {
    const made = yield* scene(seed, { accounts, leads: 0 })
    const { build, workspace } = made
    const store = yield* CampaignStore
    const rows = yield* AccountStore
    const events = yield* EventStore
    const { within } = yield* Transaction
    const turn = (id: AccountId, enabled: boolean) =>
      within(
        Effect.gen(function* () {
          const turned = yield* rows.modify([id], (row) => ({ account: { ...row, enabled }, events: [] }))
          const telling = CampaignStanding.turned(turned, build.ids, start)
          yield* store.tellStanding(workspace.id, { accounts: [id] }, telling)
        })
      )
    const told = Effect.map(events.read(workspace.id, null, 500), (all) =>
      all.flatMap(({ event }) =>
        event.type === "campaign.inactive" || event.type === "campaign.active" ? [[event.type, event.subject]] : []
      )
    )
    return { ...made, store, turn, told }
  })

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("standings: the accounts that are in campaigns, without those that left", function* () {
    const store = yield* CampaignStore
    const { accounts, campaign, workspace, ...rest } = yield* scene("members", { accounts: 3, leads: 0 })
    const other = yield* campaignOf({ accounts: accounts.slice(1, 2), workspace, ...rest }, { drawn: false })
    yield* store.leave(workspace.id, campaign.id, accounts[0]!.id, start, [])
    const members = yield* store.membersOf(workspace.id, [campaign.id, other.campaign.id, rest.build.ids.next("cmp")])
    const idsOf = (id: typeof campaign.id) => members.get(id)?.map((one) => one.id)
    Expect.equal(
      idsOf(campaign.id),
      accounts
        .slice(1)
        .map(({ id }) => id)
        .toSorted(),
      "those who stayed, by id"
    )
    Expect.equal(members.get(other.campaign.id), accounts.slice(1, 2), "those of another campaign, whole")
    Expect.equal(members.size, 2, "campaigns there are")
    const stranger = yield* people("members elsewhere")
    Expect.equal((yield* store.membersOf(stranger.workspace.id, [campaign.id])).size, 0, "from another workspace")
  }),

  storageCase("standings: the rule is shown running campaigns alone, with who is in them now", function* () {
    const store = yield* CampaignStore
    const { accounts, build, campaign, workspace, ...rest } = yield* scene("tell standing", { accounts: 2, leads: 0 })
    const [first, second] = accounts
    const all = { accounts, build, workspace, ...rest }
    const alone = yield* campaignOf({ ...all, accounts: [first!] }, { drawn: false })
    const paused = yield* campaignOf(all, { drawn: false })
    yield* store.modify(workspace.id, paused.campaign.id, start, (row) => ({
      campaign: { ...row, status: "paused" },
      events: []
    }))
    yield* store.leave(workspace.id, campaign.id, second!.id, start, [])
    const shown = (of: Parameters<typeof store.tellStanding>[1], asking = workspace.id) =>
      Effect.gen(function* () {
        const seen: Array<readonly [string, number, number]> = []
        yield* store.tellStanding(asking, of, (one, members, former) => {
          seen.push([one.id, members.length, former.length])
          return []
        })
        return seen.toSorted(([a], [b]) => (a < b ? -1 : 1))
      })
    const both = [campaign.id, alone.campaign.id].toSorted().map((id) => [id, 1, id === campaign.id ? 1 : 0] as const)
    Expect.equal(yield* shown({ accounts: [first!.id] }), both, "those of an account")
    Expect.equal(yield* shown({ accounts: [second!.id] }), [], "of one that left and is in a paused one")
    Expect.equal(yield* shown({ campaign: alone.campaign.id }), [[alone.campaign.id, 1, 0]], "the one named")
    Expect.equal(yield* shown({ campaign: paused.campaign.id }), [], "a paused one")
    Expect.equal(yield* shown({ campaign: campaign.id }, build.workspace().id), [], "from another workspace")
    Expect.equal(yield* shown({ accounts: [] }), [], "of nobody")
  }),

  storageCase("standings: of accounts that fail at the same moment the last one is told, once", function* () {
    const { accounts, campaign, told, turn } = yield* place("standing race", 4)
    const expected: Array<Array<string>> = []
    for (let round = 0; round < 5; round++) {
      for (const enabled of [false, true]) {
        yield* Effect.forEach(accounts, ({ id }) => turn(id, enabled), { concurrency: "unbounded", discard: true })
        expected.push([enabled ? "campaign.active" : "campaign.inactive", campaign.id])
      }
    }
    Expect.equal(yield* told, expected, "what is told")
  }),

  storageCase("standings: of a start and the last account that fails at the same moment one tells", function* () {
    const { accounts, build, campaign, store, told, turn, workspace } = yield* place("standing start", 1)
    const { within } = yield* Transaction
    const become = (status: "running" | "paused") =>
      store.modify(workspace.id, campaign.id, start, (row) => ({ campaign: { ...row, status }, events: [] }))
    const begin = within(
      Effect.andThen(
        become("running"),
        store.tellStanding(workspace.id, { campaign: campaign.id }, CampaignStanding.begun(build.ids, start))
      )
    )
    const [account] = accounts
    for (let round = 1; round <= 5; round++) {
      yield* become("paused")
      yield* turn(account!.id, true)
      yield* Effect.all([begin, turn(account!.id, false)], { concurrency: "unbounded" })
      Expect.equal((yield* told).length, round, "times that it was told")
    }
    Expect.ok(
      !Account.isAble((yield* store.membersOf(workspace.id, [campaign.id])).get(campaign.id)![0]!),
      "the account can send"
    )
  })
]
