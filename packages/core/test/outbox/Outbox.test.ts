import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import type { Outcome } from "../../src/channel/Outcome.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import * as Overture from "../../src/Overture.ts"
import { Outbox } from "../../src/outbox/Outbox.ts"
import { defaults } from "../../src/outbox/OutboxConfig.ts"
import { OutboxStore } from "../../src/outbox/OutboxStore.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { StorageError } from "../../src/workspace/StorageError.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"
import { asked, engine, lostWorker, queued, statuses } from "./Queue.ts"

const { start } = Builders

describe("a worker lost with a claim", () => {
  it.effect("what it had not begun is sent by another, what it had begun never again", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { rows } = yield* queued(5)
      yield* lostWorker(2)
      const outbox = yield* Outbox
      assert.strictEqual((yield* outbox.tick).sent, 0)
      yield* TestClock.adjust(defaults.leaseMs + 1)
      yield* outbox.tick
      yield* outbox.tick
      assert.strictEqual(channel.asked.length, 3)
      assert.deepStrictEqual(statuses(yield* rows), [
        "failed: outcomeUnknown",
        "failed: outcomeUnknown",
        "sent",
        "sent",
        "sent"
      ])
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("with keys the same message goes again under the same key", () => {
    const channel = TestChannel.make({ capabilities: { idempotencyKeys: true } })
    return Effect.gen(function* () {
      const { messages, rows } = yield* queued(3)
      yield* lostWorker(3)
      yield* TestClock.adjust(defaults.leaseMs + 1)
      yield* (yield* Outbox).tick
      assert.deepStrictEqual(channel.asked.map(({ key }) => key).sort(), messages.map(({ id }) => id as string).sort())
      assert.deepStrictEqual(statuses(yield* rows), ["sent", "sent", "sent"])
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("with look-up it asks first, and sends only what surely did not go out", () => {
    const answers: Array<Outcome> = [
      { type: "accepted", externalId: "later" },
      { type: "accepted", externalId: "found" },
      { type: "transient" },
      { type: "outcomeUnknown" }
    ]
    const channel = TestChannel.make({
      capabilities: { lookup: { afterMs: 1_000 } },
      lookup: () => answers.pop() ?? { type: "outcomeUnknown" }
    })
    return Effect.gen(function* () {
      const { rows } = yield* queued(3)
      yield* lostWorker(3)
      yield* TestClock.adjust(defaults.leaseMs + 1)
      yield* (yield* Outbox).tick
      assert.strictEqual(channel.asked.length, 1)
      assert.deepStrictEqual(statuses(yield* rows), ["sending", "sent", "sent"])
      yield* TestClock.adjust(10 * defaults.leaseMs)
      yield* (yield* Outbox).tick
      assert.strictEqual(channel.asked.length, 1)
      assert.deepStrictEqual(statuses(yield* rows), ["sent", "sent", "sent"])
    }).pipe(Effect.provide(engine(channel)))
  })
})

describe("a channel", () => {
  it.effect("that does not answer in time leaves the outcome unknown", () => {
    const channel = TestChannel.make({ answer: () => Effect.never })
    return Effect.gen(function* () {
      const { rows } = yield* queued(2)
      const ticking = yield* Effect.forkChild((yield* Outbox).tick)
      yield* asked(channel, 2)
      yield* TestClock.adjust(defaults.sendTimeoutMs + 1)
      yield* Fiber.join(ticking)
      assert.deepStrictEqual(statuses(yield* rows), ["failed: outcomeUnknown", "failed: outcomeUnknown"])
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("that dies leaves the outcome unknown, and no secret in the row", () => {
    const channel = TestChannel.make({ answer: () => Effect.die(new Error("token=hunter2")) })
    return Effect.gen(function* () {
      const { rows } = yield* queued(1)
      yield* (yield* Outbox).tick
      const [row] = yield* rows
      assert.strictEqual(row?.reason, "outcomeUnknown")
      assert.notInclude(JSON.stringify(row), "hunter2")
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("that is slow with one message holds up no other", () => {
    const channel = TestChannel.make({
      answer: (_asked, _n) =>
        channel.asked.length === 1
          ? Effect.delay(Effect.succeed<Outcome>({ type: "accepted", externalId: "slow" }), 30_000)
          : undefined
    })
    return Effect.gen(function* () {
      const { rows } = yield* queued(50)
      const ticking = yield* Effect.forkChild((yield* Outbox).tick)
      yield* asked(channel, 50)
      yield* TestClock.adjust(1_000)
      assert.strictEqual((yield* rows).filter(({ status }) => status === "sent").length, 49)
      yield* TestClock.adjust(30_000)
      yield* Fiber.join(ticking)
      assert.strictEqual((yield* rows).filter(({ status }) => status === "sent").length, 50)
    }).pipe(Effect.provide(engine(channel, { sendConcurrency: 4 })))
  })

  it.effect("that limits the rate rests the account, and nothing is lost or counted as a try", () => {
    const channel = TestChannel.make({
      answer: (_asked, count) =>
        count === 1 ? { type: "rateLimited", scope: "account", retryAfterMs: 60_000 } : undefined
    })
    return Effect.gen(function* () {
      const { rows } = yield* queued(3)
      const outbox = yield* Outbox
      yield* outbox.tick
      assert.deepStrictEqual(statuses(yield* rows), [
        "queued: rateLimited",
        "queued: rateLimited",
        "queued: rateLimited"
      ])
      yield* outbox.tick
      assert.strictEqual(channel.asked.length, 3)
      yield* TestClock.adjust(61_000)
      yield* outbox.tick
      assert.deepStrictEqual(
        (yield* rows).map(({ attempts, status }) => [status, attempts]),
        [
          ["sent", 1],
          ["sent", 1],
          ["sent", 1]
        ]
      )
    }).pipe(Effect.provide(engine(channel)))
  })
})

describe("what stops sending", () => {
  it.effect("the switch over everything: nothing of anyone begins", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { rows } = yield* queued(2)
      const workspaces = yield* WorkspaceStore
      yield* workspaces.stop(true)
      assert.deepStrictEqual(yield* (yield* Outbox).tick, { worked: false, nextDue: start, sent: 0, settled: 0 })
      assert.deepStrictEqual(statuses(yield* rows), ["queued", "queued"])
      yield* workspaces.stop(false)
      assert.strictEqual((yield* (yield* Outbox).tick).sent, 2)
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("an opted-out address is not written to by the API, and the message says why", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { messages, rows, workspace } = yield* queued(2, { author: { type: "api", id: null } })
      yield* (yield* ContactStore).suppress(
        [{ workspace: workspace.id, address: messages[0]!.address, account: null, reason: "optedOut", at: start }],
        []
      )
      yield* (yield* Outbox).tick
      assert.deepStrictEqual(statuses(yield* rows), ["cancelled: suppressed", "sent"])
    }).pipe(Effect.provide(engine(channel)))
  })
})

describe("a database that is away", () => {
  it.effect("for ten minutes after a send loses no outcome", () => {
    const channel = TestChannel.make()
    const back = start + 10 * 60_000
    const away = Layer.provideMerge(
      Layer.effect(
        OutboxStore,
        Effect.gen(function* () {
          const store = yield* OutboxStore
          const clock = yield* Clock.Clock
          const refuse = (operation: string) =>
            Effect.suspend(() =>
              clock.currentTimeMillisUnsafe() < back && channel.asked.length > 0
                ? Effect.fail(new StorageError({ operation, retryable: true, cause: new Error("it is away") }))
                : Effect.void
            )
          return OutboxStore.of({
            ...store,
            settle: (...given) => Effect.andThen(refuse("settle"), store.settle(...given)),
            renew: (...given) => Effect.andThen(refuse("renew"), store.renew(...given))
          })
        })
      ),
      MemoryStorage.layer
    )
    return Effect.gen(function* () {
      const { rows } = yield* queued(3)
      const tick = yield* Effect.forkChild((yield* Outbox).tick)
      yield* asked(channel, 3)
      for (let waited = 0; waited < 11; waited++) yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* Effect.map(Fiber.join(tick), ({ sent }) => sent), 3)
      assert.strictEqual(channel.asked.length, 3)
      assert.deepStrictEqual(statuses(yield* rows), ["sent", "sent", "sent"])
    }).pipe(Effect.provide(Overture.layer({ storage: away, channels: [channel] })))
  })
})
