/** What `EventStore` promises: an order that a reader can follow without missing anything. */
import { Deferred, Effect, Fiber } from "effect"
import { EventStore, type Position } from "../../event/EventStore.ts"
import { Transaction } from "../../workspace/Transaction.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { fails, LeaseClock, type StorageCase, storageCase } from "./StorageCase.ts"

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("events: a workspace reads its own, in the order they were written", function* () {
    const store = yield* EventStore
    const build = Builders.make("feed")
    const [mine, other] = [build.workspace().id, build.workspace().id]
    const events = [
      build.event(mine, "one", {
        cause: "msg_1",
        actor: { type: "member", id: "mem_1" },
        data: { n: 1, list: [null, "ü"] }
      }),
      build.event(other, "two"),
      build.event(mine, "three", { type: "lead.sent", data: { nested: { deep: true } } })
    ]
    Expect.equal(yield* store.read(mine, null, 10), [], "an empty feed")
    yield* store.append([])
    yield* store.append(events.slice(0, 2))
    yield* store.append(events.slice(2))
    const read = yield* store.read(mine, null, 10)
    Expect.equal(
      read.map(({ event }) => event),
      [events[0]!, events[2]!],
      "the feed"
    )
    const theirs = yield* store.read(other, null, 10)
    Expect.equal(
      theirs.map(({ event }) => event),
      [events[1]!],
      "the other feed"
    )
    Expect.ok(read[0]?.position !== read[1]?.position, "two events share a position")
  }),

  storageCase("events: reading on from a position gives the rest, once", function* () {
    const store = yield* EventStore
    const build = Builders.make("feed in pages")
    const workspace = build.workspace().id
    const subjects = Array.from({ length: 7 }, (_, index) => `subject ${index}`)
    const append = (all: ReadonlyArray<string>) => store.append(all.map((subject) => build.event(workspace, subject)))
    yield* append(subjects.slice(0, 5))
    const seen: Array<string> = []
    let after: Position | null = null
    for (let pages = 0; pages < 6; pages++) {
      if (pages === 2) yield* append(subjects.slice(5))
      const page: ReadonlyArray<{ readonly position: Position; readonly event: { readonly subject: string } }> =
        yield* store.read(workspace, after, 2)
      Expect.ok(page.length <= 2, "a page is longer than its limit")
      seen.push(...page.map(({ event }) => event.subject))
      after = page.at(-1)?.position ?? after
    }
    Expect.equal(seen, subjects, "everything once, in order")
  }),

  storageCase("events: a position that nobody gave out has expired", function* () {
    const store = yield* EventStore
    const build = Builders.make("expired")
    const workspace = build.workspace().id
    yield* store.append([build.event(workspace, "one")])
    const [first] = yield* store.read(workspace, null, 1)
    const position = Expect.present(first, "the event").position
    // Of this feed it is known; of another epoch it cannot be.
    Expect.equal(yield* store.read(workspace, position, 1), [], "after the last event")
    for (const foreign of ["", "nonsense", `x${position}`, `restored.0.1`]) {
      const error = yield* Effect.flip(store.read(workspace, foreign, 1))
      Expect.equal(error._tag, "CursorExpired", `the position "${foreign}"`)
    }
  }),

  storageCase("events: those of a transaction that failed are never seen", function* () {
    const store = yield* EventStore
    const { within } = yield* Transaction
    const build = Builders.make("feed rolled back")
    const workspace = build.workspace().id
    const gone = within(Effect.andThen(store.append([build.event(workspace, "gone")]), Effect.fail("later")))
    yield* fails(gone, "the transaction")
    yield* store.append([build.event(workspace, "kept")])
    const read = yield* store.read(workspace, null, 10)
    Expect.equal(
      read.map(({ event }) => event.subject),
      ["kept"],
      "the feed"
    )
  }),

  storageCase("events: a reader that keeps reading misses none of a transaction that commits late", function* () {
    const store = yield* EventStore
    const { within } = yield* Transaction
    const { moment } = yield* LeaseClock
    const build = Builders.make("late commit")
    const workspace = build.workspace().id
    const written = yield* Deferred.make<void>()
    const go = yield* Deferred.make<void>()
    const late = within(
      Effect.gen(function* () {
        yield* store.append([build.event(workspace, "late")])
        yield* Deferred.succeed(written, undefined)
        yield* Deferred.await(go)
      })
    )
    const holder = yield* Effect.forkChild(late)
    yield* Deferred.await(written)
    const quick = yield* Effect.forkChild(store.append([build.event(workspace, "quick")]))
    const seen: Array<string> = []
    let after: Position | null = null
    const read = Effect.gen(function* () {
      const page = yield* store.read(workspace, after, 10)
      seen.push(...page.map(({ event }) => event.subject))
      after = page.at(-1)?.position ?? after
    })
    const reader = yield* Effect.forkChild(Effect.andThen(moment, read))
    yield* moment
    yield* moment
    yield* Deferred.succeed(go, undefined)
    yield* Fiber.join(holder)
    yield* Fiber.join(quick)
    yield* Fiber.join(reader)
    yield* read
    yield* read
    Expect.equal(seen.toSorted(), ["late", "quick"], "what the reader saw")
    Expect.equal((yield* store.lag).hidden, 0, "events that wait when nothing is open")
  })
]
