/** What `AccountStore` promises. */
import { Effect, Option } from "effect"
import { AccountStore } from "../../account/AccountStore.ts"
import { EventStore } from "../../event/EventStore.ts"
import { Transaction } from "../../workspace/Transaction.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { expectPaged, fails, readAll, refuse, type StorageCase, storageCase } from "./StorageCase.ts"
import { two } from "./TwoWorkspaces.ts"

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("accounts: connecting the same one again returns it", function* () {
    const store = yield* AccountStore
    const events = yield* EventStore
    const { build, mine, other } = yield* two("connect")
    const account = build.account(mine.id, {
      attention: ["challenge", "restricted"],
      timezone: "Europe/Paris",
      restingUntil: Builders.start,
      metadata: { team: "a" },
      limits: { warmUp: { ramp: { type: "incremental", increment: 5, max: 50 }, day: 3, date: Builders.startDate } },
      externalRef: "host-1",
      dailyCap: 5
    })
    const event = () => build.event(mine.id, account.id, { type: "account.changed" })
    Expect.equal(yield* store.connect(account, [event()]), { account, created: true }, "the first connect")
    const copy = build.account(mine.id, { externalId: account.externalId, name: "changed" })
    Expect.equal(yield* store.connect(copy, [event()]), { account, created: false }, "the second connect")
    const theirs = build.account(other.id, { externalId: account.externalId })
    Expect.equal((yield* store.connect(theirs, [])).created, true, "the same account in another workspace")
    const elsewhere = build.account(mine.id, { externalId: account.externalId, channel: "elsewhere" })
    Expect.equal((yield* store.connect(elsewhere, [])).created, true, "the same id on another channel")
    Expect.equal((yield* events.read(mine.id, null, 10)).length, 1, "events of what was created")
  }),

  storageCase("accounts: another workspace's account is not found", function* () {
    const store = yield* AccountStore
    const { build, mine, other } = yield* two("account tenancy")
    const account = build.account(mine.id, { externalRef: "ref" })
    yield* store.connect(account, [])
    Expect.equal(Option.getOrNull(yield* store.get(mine.id, account.id)), account, "by id")
    Expect.equal(Option.getOrNull(yield* store.byExternalRef(mine.id, "ref")), account, "by externalRef")
    Expect.ok(Option.isNone(yield* store.get(other.id, account.id)), "another workspace got it by id")
    Expect.ok(Option.isNone(yield* store.byExternalRef(other.id, "ref")), "another workspace got it by externalRef")
    Expect.ok(Option.isNone(yield* store.byExternalRef(mine.id, "none")), "an unknown externalRef was found")
    Expect.equal((yield* store.list(other.id, {})).data, [], "the other's list")
    const others = [build.account(mine.id), build.account(other.id), build.account(mine.id)] as const
    yield* Effect.forEach(others, (one) => store.connect(one, []))
    const asked = [others[2], others[1], account].map(({ id }) => id)
    Expect.equal(yield* store.among(mine.id, asked), [account, others[2]], "those of some that are the workspace's")
    Expect.equal(yield* store.among(mine.id, []), [], "those of none")
  }),

  storageCase("accounts: the list is whole in pages", function* () {
    const store = yield* AccountStore
    const { build, mine } = yield* two("account pages")
    const accounts = Array.from({ length: 5 }, () => build.account(mine.id))
    yield* Effect.forEach(accounts, (account) => store.connect(account, []))
    yield* expectPaged(
      (page) => store.list(mine.id, page),
      accounts.map(({ id }) => id),
      "accounts"
    )
    const late = build.account(mine.id)
    const all = yield* readAll((page) => store.list(mine.id, page), 2, store.connect(late, []))
    Expect.equal(
      all.map(({ id }) => id),
      [...accounts, late].map(({ id }) => id),
      "a list that grows while it is read"
    )
  }),

  storageCase("accounts: modify changes each row with its events, and passes by unknown ids", function* () {
    const store = yield* AccountStore
    const events = yield* EventStore
    const { build, mine, other } = yield* two("modify accounts")
    const accounts = [build.account(mine.id), build.account(mine.id), build.account(other.id)]
    yield* Effect.forEach(accounts, (account) => store.connect(account, []))
    const [first, second, third] = accounts.map(({ id }) => id)
    const order: Array<string> = []
    const changed = yield* store.modify([third!, build.ids.next("acc"), second!, first!], (account) => {
      order.push(account.id)
      return account.id === second
        ? { account, events: [] }
        : {
            account: { ...account, enabled: false, failuresInRow: 4, attention: ["unauthorized"] },
            events: [build.event(account.workspace, account.id)]
          }
    })
    Expect.equal(order, order.toSorted(), "the order in which rows are locked")
    const byId = new Map(changed.map((account) => [account.id as string, account]))
    Expect.equal(byId.get(first!)?.enabled, false, "what modify answers")
    Expect.ok(byId.size <= 3, "an unknown account came back")
    const stored = yield* Effect.forEach(accounts, ({ id, workspace }) => store.get(workspace, id))
    const enabled = stored.map((found) => Option.map(found, (account) => account.enabled)).map(Option.getOrNull)
    Expect.equal(enabled, [false, true, false], "what is stored")
    Expect.equal(
      (yield* events.read(mine.id, null, 10)).map(({ event }) => event.subject),
      [first as string],
      "events"
    )
    Expect.equal(
      (yield* events.read(other.id, null, 10)).map(({ event }) => event.subject),
      [third as string],
      "events"
    )
  }),

  storageCase("accounts: a rule that throws leaves nothing of any account", function* () {
    const store = yield* AccountStore
    const events = yield* EventStore
    const { build, mine } = yield* two("modify throws")
    const accounts = [build.account(mine.id), build.account(mine.id)]
    yield* Effect.forEach(accounts, (account) => store.connect(account, []))
    const change = store.modify(
      accounts.map(({ id }) => id),
      (account) =>
        account.id === accounts[1]!.id
          ? refuse()
          : { account: { ...account, name: "changed" }, events: [build.event(mine.id, account.id)] }
    )
    yield* fails(change, "a modify whose rule throws")
    Expect.equal((yield* store.list(mine.id, {})).data, accounts, "the accounts")
    Expect.equal(yield* events.read(mine.id, null, 10), [], "the events")
  }),

  storageCase("accounts: those that a platform names, of every workspace", function* () {
    const store = yield* AccountStore
    const { build, mine, other } = yield* two("named by a platform")
    const a = build.account(mine.id, { externalId: "page-1" })
    const shared = build.account(other.id, { externalId: "page-1" })
    const b = build.account(mine.id, { externalId: "page-2" })
    const elsewhere = build.account(mine.id, { externalId: "page-1", channel: "elsewhere" })
    yield* Effect.forEach([a, shared, b, elsewhere], (account) => store.connect(account, []))
    Expect.equal(
      yield* store.byExternalId(Builders.channel, ["page-1", "nobody"]),
      [a, shared].sort((one, two) => (one.id < two.id ? -1 : 1)),
      "of one name"
    )
    Expect.equal((yield* store.byExternalId(Builders.channel, ["page-2", "page-1"])).length, 3, "of two names")
    Expect.equal(yield* store.byExternalId(Builders.channel, []), [], "of no name")
  }),

  storageCase("accounts: polled ones come with their cursors, of every workspace", function* () {
    const store = yield* AccountStore
    const { build, mine, other } = yield* two("polled")
    const a = build.account(mine.id)
    const b = build.account(other.id)
    const c = build.account(mine.id, { channel: "elsewhere" })
    yield* Effect.forEach([a, b, c], (account) => store.connect(account, []))
    yield* store.setPollCursor(a.id, "cursor 1")
    yield* store.setPollCursor(b.id, "cursor 2")
    yield* store.setPollCursor(b.id, null)
    const polled = yield* store.polled([Builders.channel])
    const cursors = polled.map(({ account, cursor }) => [account.id, cursor] as const)
    Expect.equal(
      new Map(cursors),
      new Map([
        [a.id, "cursor 1"],
        [b.id, null]
      ]),
      "the polled accounts"
    )
    Expect.equal((yield* store.polled([Builders.channel, "elsewhere"])).length, 3, "those of two channels")
    Expect.equal(yield* store.polled([]), [], "those of no channel")
  }),

  storageCase("accounts: polled are those that are on and that the platform lets in", function* () {
    const store = yield* AccountStore
    const { build, mine } = yield* two("heard")
    const heard = [
      build.account(mine.id),
      build.account(mine.id, { attention: ["restricted"] }),
      build.account(mine.id, { restingUntil: Builders.start + 1 })
    ]
    const others = [
      build.account(mine.id, { enabled: false }),
      build.account(mine.id, { banned: true }),
      build.account(mine.id, { attention: ["restricted", "unauthorized"] }),
      build.account(mine.id, { attention: ["challenge"] }),
      build.account(mine.id, { attention: ["misconfigured"] })
    ]
    yield* Effect.forEach([...others, ...heard], (account) => store.connect(account, []))
    const polled = yield* store.polled([Builders.channel])
    Expect.equal(
      polled.map(({ account }) => account),
      [...heard].sort((a, b) => (a.id < b.id ? -1 : 1)),
      "the polled accounts"
    )
  }),

  storageCase("accounts: two connects at the same time make one account", function* () {
    const store = yield* AccountStore
    const { build, mine } = yield* two("connect race")
    const [one, two_] = [build.account(mine.id, { externalId: "same" }), build.account(mine.id, { externalId: "same" })]
    const both = yield* Effect.all([store.connect(one, []), store.connect(two_, [])], { concurrency: "unbounded" })
    Expect.equal(both.filter(({ created }) => created).length, 1, "accounts created")
    Expect.equal(both[0].account.id, both[1].account.id, "the account that both got")
    Expect.equal((yield* store.list(mine.id, {})).data.length, 1, "accounts stored")
  }),

  storageCase("accounts: what a failed transaction changed is as before", function* () {
    const store = yield* AccountStore
    const { within } = yield* Transaction
    const { build, mine } = yield* two("account rollback")
    const account = build.account(mine.id)
    yield* store.connect(account, [])
    const body = Effect.gen(function* () {
      yield* store.connect(build.account(mine.id), [])
      yield* store.modify([account.id], (row) => ({ account: { ...row, banned: true }, events: [] }))
      yield* store.setPollCursor(account.id, "lost")
      return yield* Effect.fail("later")
    })
    yield* fails(within(body), "the transaction")
    Expect.equal((yield* store.list(mine.id, {})).data, [account], "the accounts")
    Expect.equal(yield* store.polled([Builders.channel]), [{ account, cursor: null }], "the cursor")
  })
]
