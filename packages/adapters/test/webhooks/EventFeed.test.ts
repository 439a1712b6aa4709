/** The feed followed live, by streams and by deliveries, while writers commit out of order. */
import type { DomainEvent } from "@overture/core/event/DomainEvent"
import { EventFeed } from "@overture/core/event/EventFeed"
import { EventStore } from "@overture/core/event/EventStore"
import { WebhookDeliveries } from "@overture/core/event/WebhookDeliveries"
import { Webhooks } from "@overture/core/event/Webhooks"
import * as Builders from "@overture/core/testing/Builders"
import { Transaction } from "@overture/core/workspace/Transaction"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Fiber, Layer, Stream } from "effect"
import * as EventSqlStore from "../../src/storage/EventSqlStore.ts"
import { Database } from "../../src/storage/Database.ts"
import * as PostgresStorage from "../../src/storage/PostgresStorage.ts"
import * as SqliteStorage from "../../src/storage/SqliteStorage.ts"
import { freshDatabase } from "../storage/TestPostgres.ts"
import { engine } from "./engine.ts"
import * as Receiver from "./Receiver.ts"

const scene = (seed: string) =>
  Effect.gen(function* () {
    const build = Builders.make(seed)
    const workspace = build.workspace()
    yield* (yield* WorkspaceStore).create(workspace)
    const store = yield* EventStore
    const append = (...subjects: ReadonlyArray<string>) =>
      store.append(subjects.map((subject) => build.event(workspace.id, subject)))
    return { append, build, store, workspace: workspace.id }
  })

describe("a stream of the feed", () => {
  it.live("goes on where it was left, with what happens then, and only what was asked for", () =>
    Effect.gen(function* () {
      const feed = yield* EventFeed
      const { append, build, store, workspace } = yield* scene("stream")
      yield* append("one", "two", "three")
      const [first] = yield* store.read(workspace, null, 1)
      const seen = yield* Effect.forkChild(
        feed.stream(workspace, { after: first!.position, events: ["message.*", "lead.sent"] }).pipe(
          Stream.map(({ event }) => event.subject),
          Stream.take(4),
          Stream.runCollect
        )
      )
      yield* Effect.yieldNow
      yield* store.append([build.event(workspace, "other", { type: "chat.closed" })])
      yield* store.append([build.event(workspace, "four", { type: "lead.sent" })])
      yield* store.append([build.event(workspace, "five", { type: "message.read" })])
      yield* store.append([build.event(workspace, "six", { type: "message.sent" })])
      yield* store.append([build.event(workspace, "seven", { type: "message.sent" })])
      const types = (yield* store.read(workspace, first!.position, 2)).map(({ event }) => event.type)
      const expected = types.every((type) => type.startsWith("message.")) ? ["two", "three", "four", "five"] : null
      const found = yield* Fiber.join(seen)
      if (expected === null) assert.deepStrictEqual(found, ["four", "five", "six", "seven"])
      else assert.deepStrictEqual(found, expected)
      const expired = yield* Effect.flip(Stream.runDrain(feed.stream(workspace, { after: "gone" })))
      assert.strictEqual(expired._tag, "CursorExpired")
    }).pipe(Effect.provide(EventFeed.layer.pipe(Layer.provideMerge(SqliteStorage.layer({ path: ":memory:" })))))
  )
})

describe("a writer held open while readers follow, on PostgreSQL", () => {
  it.live("nothing is passed by, neither by the stream nor by a delivery", () =>
    Effect.flatMap(Effect.promise(freshDatabase), (url) =>
      Effect.scoped(
        Effect.gen(function* () {
          const feed = yield* EventFeed
          const { within } = yield* Transaction
          const { append, build, store, workspace } = yield* scene("held open")
          const receiver = yield* Receiver.start(Receiver.good)
          yield* (yield* Webhooks).create(workspace, { url: receiver.url })
          const { chores } = yield* WebhookDeliveries
          yield* Effect.forkScoped(
            Effect.forever(
              Effect.gen(function* () {
                const { worked } = yield* chores[0]!.round(yield* Clock.currentTimeMillis)
                if (!worked) yield* Effect.sleep(10)
              })
            )
          )
          const streamed: Array<string> = []
          yield* Effect.forkScoped(
            Stream.runForEach(feed.stream(workspace, { after: null }), ({ event }) =>
              Effect.sync(() => void streamed.push(event.subject))
            )
          )
          // Writers that begin one after the other and commit in another order, among many that commit at once.
          const late = yield* Effect.forEach([0, 1, 2], (i) =>
            Effect.gen(function* () {
              const written = yield* Deferred.make<void>()
              const go = yield* Deferred.make<void>()
              const fiber = yield* Effect.forkScoped(
                within(
                  Effect.gen(function* () {
                    yield* store.append([build.event(workspace, `late ${i}`)])
                    // What is read afterwards has waited for what was written.
                    yield* store.read(workspace, null, 1)
                    yield* Deferred.succeed(written, undefined)
                    yield* Deferred.await(go)
                    yield* store.append([build.event(workspace, `later ${i}`)])
                  })
                )
              )
              yield* Deferred.await(written)
              yield* append(`between ${i}`)
              return { fiber, go }
            })
          )
          yield* append("quick 0", "quick 1")
          const visible = yield* store.scan(workspace, { after: null, limit: 9, types: null, until: null })
          assert.deepStrictEqual([visible.events, streamed], [[], []])
          const lag = yield* store.lag
          assert.strictEqual(lag.hidden, 5)
          assert.isAbove(lag.heldMs, 0)
          for (const i of [2, 0, 1]) {
            yield* Deferred.succeed(late[i]!.go, undefined)
            yield* Fiber.join(late[i]!.fiber)
            yield* append(`after ${i}`)
          }
          const isWhole = () => receiver.got.length >= 14 && streamed.length >= 14
          for (let waited = 0; !isWhole() && waited < 60_000; waited += 20) yield* Effect.sleep(20)
          const expected = (yield* store.read(workspace, null, 100)).map(({ event }) => event.subject)
          assert.strictEqual(expected.length, 14)
          assert.deepStrictEqual(streamed, expected)
          const told = receiver.got.map(({ body }) => (JSON.parse(body) as DomainEvent).subject)
          assert.deepStrictEqual(told.toSorted(), expected.toSorted())
        })
      ).pipe(
        Effect.provide(EventFeed.layer.pipe(Layer.provideMerge(engine(PostgresStorage.layer({ url, connections: 8 })))))
      )
    )
  )

  it.live("after a restore endpoints go on, and miss nothing", () =>
    Effect.flatMap(Effect.promise(freshDatabase), (url) =>
      Effect.scoped(
        Effect.gen(function* () {
          const { append, store, workspace } = yield* scene("restored")
          const { within } = yield* Transaction
          const { build } = yield* scene("restored by another")
          const receiver = yield* Receiver.start(Receiver.good)
          yield* (yield* Webhooks).create(workspace, { url: receiver.url })
          const { chores } = yield* WebhookDeliveries
          const drain = Effect.gen(function* () {
            for (;;) {
              const { worked } = yield* chores[0]!.round(yield* Clock.currentTimeMillis)
              if (!worked && (yield* store.lag).hidden === 0) return
              if (!worked) yield* Effect.sleep(20)
            }
          })
          // By number "late" is before "early", by transaction it is not.
          const written = yield* Deferred.make<void>()
          const go = yield* Deferred.make<void>()
          const late = yield* Effect.forkScoped(
            within(
              Effect.gen(function* () {
                yield* append("early")
                yield* store.read(workspace, null, 1)
                yield* Deferred.succeed(written, undefined)
                yield* Deferred.await(go)
              })
            )
          )
          yield* Deferred.await(written)
          yield* append("late")
          yield* Deferred.succeed(go, undefined)
          yield* Fiber.join(late)
          yield* drain
          yield* append("last")
          yield* EventSqlStore.reopenFeed(yield* Database)
          yield* store.append([build.event(workspace, "after")])
          yield* drain
          const told = new Set(receiver.got.map(({ body }) => (JSON.parse(body) as DomainEvent).subject))
          assert.deepStrictEqual([...told].toSorted(), ["after", "early", "last", "late"])
        })
      ).pipe(Effect.provide(engine(PostgresStorage.layer({ url, connections: 4 }))))
    )
  )
})
