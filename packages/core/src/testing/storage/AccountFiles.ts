/** What the stores beside an account's row promise: its sealed secrets, its error log, and what it did by day. */
import { Effect, Option } from "effect"
import { type AccountLogEntry, kept, sameWithinMs } from "../../account/AccountLog.ts"
import { AccountLogStore } from "../../account/AccountLogStore.ts"
import { AccountSecretStore } from "../../account/AccountSecretStore.ts"
import { none, type TallyRow } from "../../account/AccountTally.ts"
import { AccountTallyStore, type TallyPlace } from "../../account/AccountTallyStore.ts"
import type { AccountId, WorkspaceId } from "../../workspace/Id.ts"
import { Transaction } from "../../workspace/Transaction.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { fails, type StorageCase, storageCase } from "./StorageCase.ts"

const { start } = Builders

const ids = (seed: string) => {
  const build = Builders.make(seed)
  const [workspace, other] = [build.workspace().id, build.workspace().id]
  return { build, workspace, other, account: build.account(workspace).id, second: build.account(workspace).id }
}

const entries = (build: Builders.Builders, workspace: WorkspaceId, account: AccountId) => {
  const entry = (at: number, title: string, overrides: Partial<AccountLogEntry> = {}): AccountLogEntry => ({
    id: build.ids.next("log"),
    workspace,
    account,
    at,
    level: "warning",
    title,
    description: "words of the platform",
    code: null,
    address: null,
    ...overrides
  })
  return entry
}

const titles = (rows: ReadonlyArray<AccountLogEntry>) => rows.map(({ title }) => title)

const row = (account: AccountId, date: string, counts: Partial<TallyRow>): TallyRow => ({
  ...none,
  account,
  date,
  ...counts
})

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("account secrets: the latest are read whole", function* () {
    const store = yield* AccountSecretStore
    const { account, second, workspace } = ids("account secrets")
    Expect.ok(Option.isNone(yield* store.get(account)), "secrets of an account that has none")
    const first = { account, workspace, version: 1, credentials: "v1.a.n.one", egress: "v1.a.n.way" }
    yield* store.put(first)
    yield* store.put({ ...first, account: second })
    Expect.equal(Option.getOrNull(yield* store.get(account)), first, "what was put")
    yield* store.put({ ...first, version: 2, credentials: null })
    const after = Option.getOrNull(yield* store.get(account))
    Expect.equal(after, { ...first, version: 2, credentials: null }, "what was put later")
    Expect.equal(Option.getOrNull(yield* store.get(second))?.version, 1, "those of another account")
  }),

  storageCase(
    "account secrets: what another key sealed is found in turn, and replaced only where it is still there",
    function* () {
      const store = yield* AccountSecretStore
      const { build, workspace } = ids("rotation")
      const accounts = Array.from({ length: 5 }, () => build.account(workspace).id).toSorted()
      const texts = [
        ["v1.new.n.a", null],
        ["v1.old.n.b", null],
        [null, "v1.old.n.c"],
        [null, null],
        ["v1.new2.n.d", "v1.new.n.e"]
      ] as const
      for (const [i, [credentials, egress]] of texts.entries()) {
        yield* store.put({ account: accounts[i]!, workspace, version: 1, credentials, egress })
      }
      const found = (after: AccountId | null, limit: number) =>
        Effect.map(store.sealedOtherwise("v1.new.", after, limit), (rows) => rows.map(({ account }) => account))
      Expect.equal(yield* found(null, 10), [accounts[1], accounts[2], accounts[4]] as Array<AccountId>, "of other keys")
      Expect.equal(yield* found(null, 2), [accounts[1], accounts[2]] as Array<AccountId>, "at most two")
      Expect.equal(yield* found(accounts[1]!, 2), [accounts[2], accounts[4]] as Array<AccountId>, "after the first")
      const from = { credentials: "v1.old.n.b", egress: null }
      const to = { credentials: "v1.new.n.b", egress: null }
      Expect.equal(yield* store.replace(accounts[1]!, { ...from, egress: "v1.x.n.x" }, to), false, "what changed since")
      Expect.equal(yield* store.replace(accounts[1]!, from, to), true, "what is as it was")
      Expect.equal(yield* store.replace(accounts[1]!, from, to), false, "what was replaced before")
      const after = Option.getOrNull(yield* store.get(accounts[1]!))
      Expect.equal([after?.credentials, after?.version], ["v1.new.n.b", 1], "the text, and the version that stays")
      Expect.equal(yield* found(null, 10), [accounts[2], accounts[4]] as Array<AccountId>, "what is left")
    }
  ),

  storageCase("account log: the same within a minute is one entry", function* () {
    const store = yield* AccountLogStore
    const { account, build, other, second, workspace } = ids("account log")
    const entry = entries(build, workspace, account)
    yield* store.append([entry(start, "a"), entry(start, "b", { code: "190", level: "error", address: "sandbox::x" })])
    yield* store.append([
      entry(start + sameWithinMs - 1, "a"),
      entry(start + sameWithinMs - 1, "a", { description: "other words" }),
      entry(start + sameWithinMs, "b"),
      entry(start + 1, "a", { account: second })
    ])
    yield* store.append([])
    const latest = yield* store.latest(workspace, account)
    Expect.equal(titles(latest), ["b", "a", "b", "a"], "latest first")
    const [, , first] = latest
    Expect.equal([first?.code, first?.level, first?.address], ["190", "error", "sandbox::x"], "a whole entry")
    Expect.equal(titles(yield* store.latest(workspace, second)), ["a"], "those of another account")
    Expect.equal(yield* store.latest(other, account), [], "those of another workspace")
  }),

  storageCase("account log: the latest fifty stay, and a person's entries go with them", function* () {
    const store = yield* AccountLogStore
    const { account, build, other, second, workspace } = ids("account log trim")
    const entry = entries(build, workspace, account)
    const all = Array.from({ length: kept + 7 }, (_, i) => entry(start + i, `n${i}`))
    yield* store.append(all)
    yield* store.append([entry(start, "alone", { account: second })])
    const newest = titles(all).toReversed().slice(0, kept)
    Expect.equal(titles(yield* store.latest(workspace, account)), newest, "before it is cut")
    Expect.equal(yield* store.trim(4), 4, "at most four go")
    Expect.equal(yield* store.trim(100), 3, "the others go")
    Expect.equal(yield* store.trim(100), 0, "nothing is left to go")
    Expect.equal(titles(yield* store.latest(workspace, account)), newest, "after it is cut")
    Expect.equal(titles(yield* store.latest(workspace, second)), ["alone"], "a short log")
    const about = (address: string, home = workspace) =>
      entry(start + 99, `about ${address}`, { account: second, address, workspace: home })
    yield* store.append([about("sandbox::x"), about("sandbox::y"), about("sandbox::x", other)])
    Expect.equal(
      titles(yield* store.about(workspace, ["sandbox::x", "sandbox::z"])),
      ["about sandbox::x"],
      "about them"
    )
    yield* store.forget(workspace, ["sandbox::x"])
    Expect.equal(yield* store.about(workspace, ["sandbox::x"]), [], "after they are forgotten")
    Expect.equal((yield* store.about(other, ["sandbox::x"])).length, 1, "in another workspace")
    Expect.equal((yield* store.about(workspace, ["sandbox::y"])).length, 1, "about somebody else")
  }),

  storageCase("account log: entries are found by what they say, too", function* () {
    const store = yield* AccountLogStore
    const { account, build, other, workspace } = ids("account log words")
    const entry = entries(build, workspace, account)
    const said = (title: string, more: Parameters<typeof entry>[2]) => entry(start + 1, title, more)
    yield* store.append([
      said("theirs", { description: "no more to +49 157 5550199 today" }),
      said("by code", { description: "x", code: "to:+49 157 5550199" }),
      said("another's", { description: "no more to +49 157 5550198" }),
      said("elsewhere", { description: "to +49 157 5550199", workspace: other })
    ])
    const texts = ["+49 157 5550199", "nobody_%"]
    const told = Effect.map(store.about(workspace, [], texts), (found) => titles(found).toSorted())
    Expect.equal(yield* told, ["by code", "theirs"], "what tells of them")
    Expect.equal(yield* store.about(workspace, [], []), [], "of nobody")
    yield* store.forget(workspace, [], texts)
    Expect.equal(yield* told, [], "once they are forgotten")
    Expect.equal(titles(yield* store.latest(workspace, account)), ["another's"], "what stays")
    Expect.equal((yield* store.about(other, [], texts)).length, 1, "in another workspace")
  }),

  storageCase("account log: what a failed transaction noted is not there", function* () {
    const store = yield* AccountLogStore
    const { within } = yield* Transaction
    const { account, build, workspace } = ids("account log rollback")
    const entry = entries(build, workspace, account)
    yield* fails(within(Effect.andThen(store.append([entry(start, "lost")]), Effect.fail("later"))), "the transaction")
    yield* store.append([entry(start + 1, "lost")])
    Expect.equal((yield* store.latest(workspace, account)).length, 1, "entries")
  }),

  storageCase("account days: rows add up, and each part of the feed counts once", function* () {
    const store = yield* AccountTallyStore
    const { account, build, other, second, workspace } = ids("account days")
    const place = (position: string): TallyPlace => ({ position, event: build.ids.next("evt") })
    Expect.equal(yield* store.place(workspace), null, "before anything is counted")
    const [one, two] = [place("e.1"), place("e.2")]
    const rows = [
      row(account, "2026-03-01", { sent: 5, failed: 1 }),
      row(account, "2026-03-09", { sent: 2, delivered: 2, read: 1, replies: 1 }),
      row(second, "2026-03-09", { sent: 9 })
    ]
    Expect.equal(yield* store.add(workspace, null, one, rows), true, "the first part")
    Expect.equal(yield* store.add(workspace, null, one, rows), false, "the first part again")
    Expect.equal(yield* store.place(workspace), one, "the place")
    const more = [row(account, "2026-03-09", { sent: -1, failed: 1 })]
    const both = yield* Effect.all([store.add(workspace, one, two, more), store.add(workspace, one, two, more)], {
      concurrency: "unbounded"
    })
    Expect.equal(both.filter(Boolean).length, 1, "who counted, of two at the same time")
    Expect.equal(yield* store.add(other, null, { ...two, event: null }, []), true, "the feed of another workspace")
    Expect.equal((yield* store.place(other))?.event ?? "none", "none", "where nothing counted")
    const totals = yield* store.totals(workspace, account, "2026-03-02")
    Expect.equal(totals.allTime, { sent: 6, delivered: 2, read: 1, failed: 2, replies: 1 }, "all time")
    Expect.equal(totals.recent, { sent: 1, delivered: 2, read: 1, failed: 1, replies: 1 }, "recently")
    Expect.equal(
      yield* store.days(workspace, account, "2026-03-02"),
      [row(account, "2026-03-09", { sent: 1, delivered: 2, read: 1, failed: 1, replies: 1 })],
      "the days"
    )
    Expect.equal((yield* store.totals(other, account, "2026-03-02")).allTime, none, "in another workspace")
  })
]
