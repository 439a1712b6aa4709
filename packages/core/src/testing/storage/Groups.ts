/** What `AccountGroupStore` promises, and how claims, the queue and whatever goes back pay from a group's cap. */
import { Effect, Option } from "effect"
import type { Account } from "../../account/Account.ts"
import { AccountGroupStore } from "../../account/AccountGroupStore.ts"
import { AccountStore } from "../../account/AccountStore.ts"
import { CampaignStore } from "../../campaign/CampaignStore.ts"
import type { PacedAccount } from "../../campaign/PacedAccount.ts"
import { OutboxStore } from "../../outbox/OutboxStore.ts"
import * as Budget from "../../workspace/Budget.ts"
import type { AccountGroupId, LeadId } from "../../workspace/Id.ts"
import type { Workspace } from "../../workspace/Workspace.ts"
import { WorkspaceStore } from "../../workspace/WorkspaceStore.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { changed, concluding } from "./FakeRules.ts"
import {
  beginAll,
  campaignOf,
  claim,
  claimQueued,
  idsOf,
  lease,
  leaseMs,
  openChats,
  type Options,
  people,
  queue,
  resultsOf,
  type Scene,
  scene
} from "./Scene.ts"
import { expectPaged, fails, LeaseClock, refuse, type StorageCase, storageCase } from "./StorageCase.ts"
import { two } from "./TwoWorkspaces.ts"

const { start, startDate } = Builders

/** Puts accounts into a group, or out of theirs. */
const assign = (accounts: ReadonlyArray<Account>, group: AccountGroupId | null) =>
  Effect.flatMap(AccountStore, (store) =>
    store.modify(
      accounts.map(({ id }) => id),
      (account) => ({ account: { ...account, group }, events: [] })
    )
  )

/** A group of all accounts of a place. */
const groupOf = ({ accounts, build, workspace }: Pick<Scene, "accounts" | "build" | "workspace">, dailyCap = 100) =>
  Effect.gen(function* () {
    const group = build.accountGroup(workspace.id, { dailyCap, timezone: "Asia/Kolkata" })
    yield* (yield* AccountGroupStore).create(group)
    yield* assign(accounts, group.id)
    return group
  })

/** A running campaign whose accounts are in one group. */
const grouped = (seed: string, options: Options, dailyCap?: number) =>
  Effect.gen(function* () {
    const place = yield* scene(seed, options)
    return { ...place, group: yield* groupOf(place, dailyCap) }
  })

/** What the group of a lead's account has used; null where it is in none. */
const useOf = (workspace: Workspace, lead: LeadId) =>
  Effect.gen(function* () {
    const store = yield* CampaignStore
    const found = Option.getOrNull(yield* store.candidate(workspace.id, lead))
    return Expect.present(found?.due, "the pace of a lead").group?.use ?? null
  })

const used = (count: number) => ({ day: startDate, used: count })

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("groups: a campaign's paces and its draws show the caps of group and workspace", function* () {
    const { accounts, campaign, group, workspace } = yield* grouped("shown caps", { accounts: 2, leads: 1 }, 5)
    const store = yield* CampaignStore
    const shown = Effect.gen(function* () {
      const caps = (of: ReadonlyArray<PacedAccount>) =>
        new Map(of.map(({ account, groupCap, workspaceCap }) => [account.id, [groupCap, workspaceCap]]))
      const drawn: Array<PacedAccount> = []
      yield* store.draw(campaign.id, start, (_, all) => Effect.sync(() => void drawn.push(...all)).pipe(Effect.as([])))
      const paces = caps(yield* store.paces(campaign.id))
      Expect.equal(caps(drawn), paces, "those of a draw")
      return accounts.map(({ id }) => paces.get(id))
    })
    Expect.equal(
      yield* shown,
      [
        [5, null],
        [5, null]
      ],
      "of a group"
    )
    yield* assign([accounts[1]!], null)
    yield* (yield* AccountGroupStore).modify(workspace.id, group.id, (before) => ({ ...before, dailyCap: 7 }))
    yield* (yield* WorkspaceStore).modify(workspace.id, (before) => ({ ...before, dailyCap: 9 }))
    Expect.equal(
      yield* shown,
      [
        [7, 9],
        [null, 9]
      ],
      "of the workspace, and of a group that one left"
    )
  }),

  storageCase("groups: created once, found in their workspace, whole in pages", function* () {
    const store = yield* AccountGroupStore
    const { build, mine, other } = yield* two("groups")
    const groups = Array.from({ length: 5 }, (_, index) =>
      build.accountGroup(mine.id, {
        dailyCap: index === 0 ? null : index,
        timezone: index === 1 ? null : "Europe/Paris",
        metadata: { note: ["ä", null] }
      })
    )
    const created = yield* Effect.forEach(groups, (group) => store.create(group))
    Expect.ok(created.every(Boolean), "a new group was not created")
    const [first] = groups
    Expect.equal(yield* store.create({ ...first!, name: "again" }), false, "a second create")
    Expect.equal(Option.getOrNull(yield* store.get(mine.id, first!.id)), first!, "by id")
    Expect.ok(Option.isNone(yield* store.get(other.id, first!.id)), "another workspace got it")
    yield* expectPaged(
      (page) => store.list(mine.id, page),
      groups.map(({ id }) => id),
      "groups"
    )
    Expect.equal((yield* store.list(other.id, {})).data, [], "the other's list")
  }),

  storageCase("groups: modify writes what the rule says, or nothing where it throws; what is used stays", function* () {
    const store = yield* AccountGroupStore
    const place = yield* grouped("modify group", { leads: 2 })
    const { build, group, leads, workspace } = place
    yield* claim(place)
    const after = { ...group, name: "renamed", dailyCap: null, timezone: null, metadata: { a: 1 } }
    const rule = () => ({ ...after, workspace: build.workspace().id, createdAt: start + 1 })
    Expect.equal(Option.getOrNull(yield* store.modify(workspace.id, group.id, rule)), after, "the answer")
    Expect.equal(Option.getOrNull(yield* store.get(workspace.id, group.id)), after, "what is stored")
    Expect.equal(yield* useOf(workspace, leads[0]!.id), used(1), "what is used")
    yield* fails(store.modify(workspace.id, group.id, refuse), "a modify whose rule throws")
    Expect.ok(
      Option.isNone(yield* store.modify(build.workspace().id, group.id, refuse)),
      "another workspace changed it"
    )
    Expect.ok(Option.isNone(yield* store.modify(workspace.id, build.ids.next("agr"), refuse)), "an unknown one changed")
  }),

  storageCase("groups: one claim pays for all accounts of a group, which it is shown", function* () {
    const place = yield* grouped("pays", { accounts: 3, leads: 6, steps: [2] })
    const { accounts, group, workspace } = place
    yield* assign([accounts[2]!], null)
    const taken = yield* claim(place, { want: () => 1 })
    const shown = new Map(taken.looks.map(({ due }) => [due.pace.account, due.group] as const))
    Expect.equal(
      accounts.map(({ id }) => shown.get(id)),
      [{ group, use: Budget.none }, { group, use: Budget.none }, null],
      "the groups in sight"
    )
    const account = (id: LeadId) => taken.messages.find(({ lead }) => lead === id)!.account
    const inside = taken.leads.filter((id) => account(id) !== accounts[2]!.id)
    const outside = taken.leads.find((id) => account(id) === accounts[2]!.id)
    Expect.equal(yield* useOf(workspace, inside[0]!), used(4), "what two accounts took")
    Expect.equal(yield* useOf(workspace, outside!), null, "the group of an account without one")
    for (const { account: id, reserved } of taken.messages) {
      const own = id === accounts[2]!.id ? null : { id: group.id, day: startDate }
      Expect.equal(reserved?.group ?? null, own, "what a message reserves")
    }
  }),

  storageCase("groups: what does not go out goes back to the group it was taken from, on its day", function* () {
    const store = yield* CampaignStore
    const outbox = yield* OutboxStore
    const clock = yield* LeaseClock
    const place = yield* grouped("back", { leads: 6, steps: [2] })
    const { accounts, build, group, leads, workspace } = place
    const use = useOf(workspace, leads[0]!.id)
    const next = () => claim(place, { nextAt: () => start })
    const freed = (ids: ReadonlyArray<LeadId>) =>
      store.changeLeads({ type: "ids", ids }, start, (lead) => changed({ ...lead, claim: null, dueAt: start + 9 }))

    const released = yield* next()
    Expect.equal(yield* use, used(2), "a claimed touch")
    yield* outbox.release(released.id, idsOf(released.messages), start)
    yield* freed(released.leads)
    Expect.equal(yield* use, used(0), "once it was released")

    const refused = yield* next()
    yield* openChats(refused.messages)
    yield* beginAll(refused.id, refused.messages)
    yield* outbox.settle(
      refused.id,
      resultsOf(refused.claim!.messages, () => ({ type: "unauthorized" })),
      concluding()
    )
    yield* freed(refused.leads)
    Expect.equal(yield* use, used(0), "once the account was refused")

    const stopped = yield* next()
    yield* store.changeLeads({ type: "ids", ids: stopped.leads }, start, (lead, messages) =>
      changed(
        { ...lead, claim: null, status: "skipped", reason: "cancelled", step: null },
        { cancel: messages.map(({ id }) => ({ id, reason: "optedOut" })), counts: { skipped: 1 } }
      )
    )
    Expect.equal(yield* use, used(0), "once it was cancelled")

    const lost = yield* next()
    yield* clock.advance(leaseMs + 1_000)
    const other = build.accountGroup(workspace.id, { dailyCap: 9 })
    yield* (yield* AccountGroupStore).create(other)
    yield* assign(accounts, other.id)
    // Claims of which nothing is left run out as well.
    for (let count = 0; count < 9; count++) yield* outbox.recover(lease(build), start)
    yield* freed(lost.leads)
    Expect.equal(yield* use, Budget.none, "the group to which the account went meanwhile")
    yield* assign(accounts, group.id)
    Expect.equal(yield* use, used(0), "the one it came from, once its worker was lost")

    const monday = yield* next()
    yield* claim(place, { day: "2026-03-10", nextAt: () => start })
    yield* outbox.release(monday.id, idsOf(monday.messages), start)
    Expect.equal(yield* use, { day: "2026-03-10", used: 2 }, "another day, after one of the day before went back")
  }),

  storageCase("groups: queued messages pay as touches do", function* () {
    const outbox = yield* OutboxStore
    const place = yield* people("queue group", { accounts: 2, leads: 3 })
    const group = yield* groupOf(place)
    const messages = yield* queue(place, (index) => ({ dueAt: start + index }))
    const seen: Array<unknown> = []
    const look = (now: number, limit = 100) =>
      claimQueued(place, {
        now,
        limit,
        verdict: ({ group: shown }) => {
          seen.push(shown?.use.used)
          return "take"
        }
      })
    const first = yield* look(start, 1)
    Expect.equal(first?.claimed[0]?.message.reserved?.group, { id: group.id, day: startDate }, "what one reserves")
    const second = yield* look(start + 1, 1)
    yield* outbox.release(first!.id, [messages[0]!.id], start + 5)
    yield* beginAll(
      second!.id,
      second!.claimed.map(({ message }) => message)
    )
    yield* outbox.settle(
      second!.id,
      resultsOf(second!.claimed, () => ({ type: "unreachable" })),
      concluding()
    )
    yield* look(start + 5)
    Expect.equal(seen, [0, 1, 0, 0], "what the group had used at each look")
  }),

  storageCase("groups: claims at the same time never pass the cap", function* () {
    const cap = 5
    const place = yield* grouped("cap race", { accounts: 6, leads: 24 }, cap)
    const second = yield* campaignOf(place)
    yield* queue(place, () => ({ author: { type: "api", id: null } }))
    const touch = () =>
      claim(place, {
        limit: 1,
        want: ({ group }) => Budget.left(group!.use, startDate, cap),
        nextAt: () => start
      })
    const answer = () =>
      claimQueued(place, {
        limit: 1,
        verdict: ({ group }) =>
          Budget.left(group!.use, startDate, cap) > 0 ? "take" : { deferTo: Builders.start + 60_000 }
      })
    let taken = 0
    // A claim that another passes by takes nothing; once the cap is reached a few more try.
    for (let round = 0; round < 4 || (taken < cap && round < 20); round++) {
      const [touches, answers] = yield* Effect.all(
        [
          Effect.all([touch(), touch(), touch(), touch()], { concurrency: "unbounded" }),
          Effect.all([answer(), answer()], { concurrency: "unbounded" })
        ],
        { concurrency: "unbounded" }
      )
      taken += touches.flatMap(({ messages }) => messages).length
      taken += answers.flatMap((one) => one?.claimed ?? []).length
      const use = yield* useOf(place.workspace, second.leads[0]!.id)
      Expect.equal(use?.used, taken, "what the group has used")
    }
    Expect.equal(taken, cap, "what went out of the group")
  })
]
