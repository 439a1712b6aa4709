/** What the storage suite cannot see from outside: how the memory storage takes things back, and that it scales enough. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Option } from "effect"
import { CampaignStore } from "../../src/campaign/CampaignStore.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import { Table, UndoLog } from "../../src/memory/Table.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import { AccountStore } from "../../src/account/AccountStore.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as FakeRules from "../../src/testing/storage/FakeRules.ts"
import { takeOf } from "../../src/testing/storage/Scene.ts"
import { Transaction } from "../../src/workspace/Transaction.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"

const { start } = Builders

/** A workspace, and what adds something to every index that a rollback must empty again. */
const prepare = Effect.gen(function* () {
  const build = Builders.make("memory")
  const workspace = build.workspace()
  yield* (yield* WorkspaceStore).create(workspace)
  const events = yield* EventStore
  const contacts = yield* ContactStore
  const contact = build.contact(workspace.id)
  const write = Effect.gen(function* () {
    yield* contacts.import(workspace.id, [contact], null)
    yield* events.append([build.event(workspace.id, contact.id)])
  })
  const found = Effect.gen(function* () {
    const byAddress = yield* contacts.byAddress(workspace.id, Builders.addressOf(contact))
    const feed = yield* events.read(workspace.id, null, 10)
    return { isThere: Option.isSome(byAddress), events: feed.length }
  })
  return { write, found, transaction: yield* Transaction }
})

const nothing = { isThere: false, events: 0 }
const everything = { isThere: true, events: 1 }

describe("transactions of the memory storage", () => {
  const ends: ReadonlyArray<readonly [string, Effect.Effect<never, string>]> = [
    ["a failure", Effect.fail("no")],
    ["a defect", Effect.die(new Error("no"))],
    ["an interruption", Effect.interrupt]
  ]
  for (const [name, end] of ends) {
    it.effect(`${name} takes everything back, also from the indexes`, () =>
      Effect.gen(function* () {
        const { found, transaction, write } = yield* prepare
        const exit = yield* Effect.exit(transaction.within(Effect.andThen(transaction.within(write), end)))
        assert.isTrue(Exit.isFailure(exit))
        assert.deepStrictEqual(yield* found, nothing)
        yield* transaction.within(write)
        assert.deepStrictEqual(yield* found, everything)
      }).pipe(Effect.provide(MemoryStorage.layer))
    )
  }

  it.effect("nobody outside sees what is not committed", () =>
    Effect.gen(function* () {
      const { found, transaction, write } = yield* prepare
      const written = yield* Deferred.make<void>()
      const mayEnd = yield* Deferred.make<void>()
      const writer = yield* Effect.forkChild(
        transaction.within(
          Effect.gen(function* () {
            yield* write
            assert.deepStrictEqual(yield* found, everything)
            yield* Deferred.succeed(written, undefined)
            yield* Deferred.await(mayEnd)
            return yield* Effect.fail("no")
          })
        )
      )
      yield* Deferred.await(written)
      const reader = yield* Effect.forkChild(found)
      yield* Deferred.succeed(mayEnd, undefined)
      assert.isTrue(Exit.isFailure(yield* Fiber.await(writer)))
      assert.deepStrictEqual(yield* Fiber.join(reader), nothing)
    }).pipe(Effect.provide(MemoryStorage.layer))
  )

  it.effect("a fiber that outlives its transaction opens its own", () =>
    Effect.gen(function* () {
      const { found, transaction, write } = yield* prepare
      const mayWrite = yield* Deferred.make<void>()
      const late = yield* transaction.within(
        Effect.forkDetach(
          Effect.andThen(Deferred.await(mayWrite), transaction.within(Effect.andThen(write, Effect.fail("no"))))
        )
      )
      yield* Deferred.succeed(mayWrite, undefined)
      assert.isTrue(Exit.isFailure(yield* Fiber.await(late)))
      assert.deepStrictEqual(yield* found, nothing)
    }).pipe(Effect.provide(MemoryStorage.layer))
  )

  it.effect("a verb that dies takes the transaction with it, though that goes on", () =>
    Effect.gen(function* () {
      const { found, transaction, write } = yield* prepare
      const workspaces = yield* WorkspaceStore
      const build = Builders.make("half")
      const workspace = build.workspace()
      const accounts = [build.account(workspace.id), build.account(workspace.id)]
      yield* workspaces.create(workspace)
      const store = yield* AccountStore
      yield* Effect.forEach(accounts, (account) => store.connect(account, []))
      const outer = transaction.within(
        Effect.gen(function* () {
          yield* write
          let calls = 0
          const half = store.modify(
            accounts.map(({ id }) => id),
            (account) => {
              if (++calls === 2) throw new Error("the second one")
              return { account: { ...account, name: "changed" }, events: [] }
            }
          )
          assert.isTrue(Exit.isFailure(yield* Effect.exit(half)))
        })
      )
      assert.strictEqual((yield* Effect.flip(outer))._tag, "StorageError")
      assert.deepStrictEqual(yield* found, nothing)
      const names = (yield* store.list(workspace.id, {})).data.map(({ name }) => name)
      assert.deepStrictEqual(names, ["Account 1", "Account 2"])
    }).pipe(Effect.provide(MemoryStorage.layer))
  )

  it.effect("two storages share neither state nor transactions", () =>
    Effect.gen(function* () {
      const other = yield* Layer.build(Layer.fresh(MemoryStorage.layer))
      const here = yield* prepare
      const there = yield* Effect.provide(prepare, other)
      yield* Effect.exit(here.transaction.within(Effect.andThen(there.write, Effect.fail("no"))))
      assert.deepStrictEqual(yield* there.found, everything)
      assert.deepStrictEqual(yield* here.found, nothing)
    }).pipe(Effect.provide(MemoryStorage.layer))
  )
})

describe("tables", () => {
  it("an index follows its rows, and rollback brings both back", () => {
    const log = new UndoLog()
    const table = new Table<string, { readonly group: string }>(log)
    const groups = table.index((row) => [row.group])
    table.set("a", { group: "x" })
    log.commit()
    table.set("a", { group: "y" })
    table.set("b", { group: "x" })
    const { mark } = log
    table.delete("a")
    assert.deepStrictEqual([...groups.get("y").keys()], [])
    log.rollback(mark)
    assert.deepStrictEqual([...groups.get("y").keys()], ["a"])
    log.rollback(0)
    assert.deepStrictEqual([...groups.get("x").keys()], ["a"])
    assert.deepStrictEqual([...groups.get("y").keys()], [])
    assert.strictEqual(table.size, 1)
  })
})

it.effect("a claim over 10,000 leads stays a matter of milliseconds", () =>
  Effect.gen(function* () {
    const build = Builders.make("many")
    const workspace = build.workspace()
    yield* (yield* WorkspaceStore).create(workspace)
    const account = build.account(workspace.id)
    yield* (yield* AccountStore).connect(account, [])
    const contacts = Array.from({ length: 10_000 }, () => build.contact(workspace.id))
    yield* (yield* ContactStore).import(workspace.id, contacts, null)
    const store = yield* CampaignStore
    const campaign = build.campaign(workspace.id)
    yield* store.create(campaign, [account.id], [])
    yield* store.modify(workspace.id, campaign.id, start, (draft) => ({
      campaign: { ...draft, status: "running" },
      events: []
    }))
    yield* store.enroll(
      campaign.id,
      contacts.map((contact) => build.lead(campaign, contact)),
      [],
      start
    )
    yield* store.draw(campaign.id, start, () => Effect.succeed([takeOf(account.id, 10_000)]))
    const claim = Effect.suspend(() => {
      const id = build.ids.next("clm")
      const rules = FakeRules.claimRules(build.ids, id, start, { want: () => 20, nextAt: () => start })
      return store.claim({ now: start, limit: 500, lease: { claim: id, worker: "test", durationMs: 60_000 }, rules })
    })
    yield* claim
    const before = performance.now()
    for (let i = 0; i < 10; i++) assert.strictEqual((yield* claim)?.claim?.messages.length, 20)
    const each = (performance.now() - before) / 10
    assert.isBelow(each, 50)
    assert.strictEqual((yield* store.counts(campaign.id)).claimed, 220)
  }).pipe(Effect.provide(MemoryStorage.layer))
)
