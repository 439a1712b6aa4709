import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { AccountStore } from "../../src/account/AccountStore.ts"
import type { Capabilities } from "../../src/channel/Capability.ts"
import type { Outcome } from "../../src/channel/Outcome.ts"
import { ChatStore } from "../../src/chat/ChatStore.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import * as Memory from "../../src/memory/Memory.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import { askableMs, askAgainMs } from "../../src/outbox/Claim.ts"
import { Outbox } from "../../src/outbox/Outbox.ts"
import { defaults } from "../../src/outbox/OutboxConfig.ts"
import * as Overture from "../../src/Overture.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { hour, minute, second } from "../../src/workspace/Instant.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import { asked, engine, queued, statuses } from "./Queue.ts"

const cut: Outcome = { type: "outcomeUnknown", detail: "the connection was cut" }

const byLooking: Partial<Capabilities> = { lookup: { afterMs: second } }
const byKey: Partial<Capabilities> = { idempotencyKeys: true }

/** A channel whose connection is cut at the first `times` sends to a person; what a look-up finds, and how often it is asked. */
const cutting = (times: number, capabilities: Partial<Capabilities>, finds: (key: string) => Outcome = () => cut) => {
  let lookups = 0
  const channel = TestChannel.make({
    capabilities,
    answer: (_, count) => (count <= times ? cut : undefined),
    lookup: (key) => {
      lookups += 1
      return finds(key)
    }
  })
  return { channel, lookups: () => lookups }
}

const accepted = (key: string): Outcome => ({ type: "accepted", externalId: key })

const missing = (): Outcome => ({ type: "transient" })

/** Rounds of a process, for so long. */
const run = Effect.fnUntraced(function* (forMs: number, stepMs = 5 * second) {
  const { tick } = yield* Outbox
  for (let passed = 0; passed < forMs; passed += stepMs) {
    const ticking = yield* Effect.forkChild(tick)
    yield* TestClock.adjust(stepMs)
    yield* Fiber.join(ticking)
  }
})

type Place = Effect.Success<ReturnType<typeof queued>>

const told = ({ workspace }: Place) =>
  Effect.map(
    Effect.flatMap(EventStore, ({ read }) => read(workspace.id, null, 1_000)),
    (events) => events.flatMap(({ event: { type } }) => (type.startsWith("message.") ? [type] : []))
  )

describe("what a channel cannot tell of", () => {
  it.effect("is looked up later, and nothing is said of it until then", () => {
    const { channel, lookups } = cutting(1, byLooking, accepted)
    return Effect.gen(function* () {
      const place = yield* queued(3)
      yield* run(5 * second)
      assert.deepStrictEqual(statuses(yield* place.rows), ["sending", "sending", "sending"])
      assert.deepStrictEqual(yield* told(place), [])
      yield* run(minute)
      assert.deepStrictEqual(statuses(yield* place.rows), ["sent", "sent", "sent"])
      assert.deepStrictEqual([channel.asked.length, lookups()], [3, 3])
      assert.deepStrictEqual(yield* told(place), ["message.sent", "message.sent", "message.sent"])
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("goes out under its key once a look-up says that it surely did not", () => {
    const { channel } = cutting(1, byLooking, missing)
    return Effect.gen(function* () {
      const { messages, rows } = yield* queued(1)
      yield* run(2 * minute)
      assert.deepStrictEqual(statuses(yield* rows), ["sent"])
      const key: string = messages[0]!.id
      assert.deepStrictEqual(
        channel.asked.map((one) => one.key),
        [key, key]
      )
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("is sent again unchanged under the same key", () => {
    const { channel } = cutting(2, byKey)
    return Effect.gen(function* () {
      const { messages, rows } = yield* queued(1)
      yield* run(10 * minute)
      assert.deepStrictEqual(statuses(yield* rows), ["sent"])
      const key: string = messages[0]!.id
      assert.deepStrictEqual(
        channel.asked.map((one) => one.key),
        [key, key, key]
      )
      assert.strictEqual(new Set(channel.asked.map(({ text }) => text)).size, 1)
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("is unknown at once where nothing can be found out", () => {
    const { channel } = cutting(1, {})
    return Effect.gen(function* () {
      const { rows } = yield* queued(1)
      yield* (yield* Outbox).tick
      assert.deepStrictEqual(statuses(yield* rows), ["failed: outcomeUnknown"])
      yield* run(2 * hour, minute)
      assert.strictEqual(channel.asked.length, 1)
    }).pipe(Effect.provide(engine(channel)))
  })

  for (const [name, capabilities] of Object.entries({ byLooking, byKey })) {
    it.effect(`is unknown in the end where the channel never tells, asked a handful of times: ${name}`, () => {
      const { channel, lookups } = cutting(Infinity, capabilities)
      return Effect.gen(function* () {
        const place = yield* queued(2)
        yield* run(50 * minute, 30 * second)
        assert.deepStrictEqual(statuses(yield* place.rows), ["sending", "sending"])
        yield* run(hour, 30 * second)
        assert.deepStrictEqual(statuses(yield* place.rows), ["failed: outcomeUnknown", "failed: outcomeUnknown"])
        const asks = lookups() + channel.asked.length
        yield* run(3 * hour, minute)
        assert.strictEqual(lookups() + channel.asked.length, asks)
        assert.isAtLeast(asks, 2 * 3)
        assert.isAtMost(asks, 2 * 7)
        assert.deepStrictEqual(yield* told(place), ["message.failed", "message.failed"])
      }).pipe(Effect.provide(engine(channel)))
    })
  }

  it.effect("is found out about where the channel did not answer in time", () => {
    const channel = TestChannel.make({ capabilities: byLooking, answer: () => Effect.never, lookup: accepted })
    return Effect.gen(function* () {
      const { rows } = yield* queued(1)
      const ticking = yield* Effect.forkChild((yield* Outbox).tick)
      yield* asked(channel, 1)
      yield* TestClock.adjust(defaults.sendTimeoutMs + 1)
      yield* Fiber.join(ticking)
      yield* run(2 * minute)
      assert.deepStrictEqual(statuses(yield* rows), ["sent"])
      assert.strictEqual(channel.asked.length, 1)
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("is not looked up before the answer is final, counted from when it was handed over", () => {
    const afterMs = 10 * minute
    const { channel, lookups } = cutting(1, { lookup: { afterMs } }, accepted)
    return Effect.gen(function* () {
      const { rows } = yield* queued(1)
      yield* run(afterMs)
      assert.deepStrictEqual([statuses(yield* rows), lookups()], [["sending"], 0])
      yield* run(2 * minute)
      assert.deepStrictEqual([statuses(yield* rows), lookups()], [["sent"], 1])
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("leaves a look-up as much time after the next try of what surely had not gone out", () => {
    const afterMs = 10 * minute
    const tries: Array<number> = []
    const { channel } = cutting(2, { lookup: { afterMs } }, () => {
      tries.push(channel.asked.length)
      return missing()
    })
    return Effect.gen(function* () {
      const { rows } = yield* queued(1)
      yield* run(12 * minute)
      assert.deepStrictEqual(tries, [1])
      assert.strictEqual(channel.asked.length, 2)
      yield* run(30 * minute)
      assert.deepStrictEqual(tries, [1])
      yield* run(15 * minute)
      assert.deepStrictEqual(tries, [1, 2])
      assert.deepStrictEqual(statuses(yield* rows), ["sent"])
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("is sent without being asked for where the platform told of it meanwhile", () => {
    const { channel, lookups } = cutting(1, { ...byLooking, ...byKey }, missing)
    return Effect.gen(function* () {
      const { messages, rows } = yield* queued(1)
      yield* run(5 * second)
      const { advance } = yield* ChatStore
      yield* advance([{ id: messages[0]!.id }], (row) => ({ ...row, sentAt: Builders.start + 1, externalId: "echoed" }))
      yield* run(2 * minute)
      const [row] = yield* rows
      assert.deepStrictEqual([row?.status, row?.externalId, row?.sentAt], ["sent", "echoed", Builders.start + 1])
      assert.deepStrictEqual([channel.asked.length, lookups()], [1, 0])
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("is not sent again under its key once something stopped it", () => {
    const { channel } = cutting(1, byKey)
    return Effect.gen(function* () {
      const { messages, rows } = yield* queued(1)
      yield* run(5 * second)
      const { advance } = yield* ChatStore
      yield* advance([{ id: messages[0]!.id }], (row) => ({ ...row, stop: "replied" }))
      yield* run(5 * minute)
      assert.deepStrictEqual(statuses(yield* rows), ["failed: outcomeUnknown"])
      assert.strictEqual(channel.asked.length, 1)
    }).pipe(Effect.provide(engine(channel)))
  })

  const enabled = ({ account }: Place, isEnabled: boolean) =>
    Effect.flatMap(AccountStore, ({ modify }) =>
      modify([account.id], (row) => ({ account: { ...row, enabled: isEnabled }, events: [] }))
    )

  it.effect("is looked up, and sent again by no account that is disabled meanwhile", () => {
    const { channel } = cutting(1, byLooking, accepted)
    return Effect.gen(function* () {
      const place = yield* queued(1)
      yield* run(5 * second)
      yield* enabled(place, false)
      yield* run(2 * minute)
      assert.deepStrictEqual(statuses(yield* place.rows), ["sent"])
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("waits with its key for an account that is disabled meanwhile", () => {
    const { channel } = cutting(1, byKey)
    return Effect.gen(function* () {
      const place = yield* queued(1)
      yield* run(5 * second)
      yield* enabled(place, false)
      yield* run(10 * minute)
      assert.strictEqual(channel.asked.length, 1)
      yield* enabled(place, true)
      yield* run(2 * minute)
      assert.deepStrictEqual(statuses(yield* place.rows), ["sent"])
      assert.strictEqual(new Set(channel.asked.map(({ key }) => key)).size, 1)
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("holds up neither the rest of its claim nor who ends in good order, and one of the others asks", () => {
    const looked: Array<string> = []
    const channel = TestChannel.make({
      capabilities: byLooking,
      answer: ({ to }) => (to.endsWith("1") ? cut : undefined),
      lookup: (key) => {
        looked.push(key)
        return accepted(key)
      }
    })
    return Effect.gen(function* () {
      const shared = MemoryStorage.of(yield* Memory.make)
      const process = Layer.build(
        Overture.layer({ channels: [channel], storage: Layer.succeedContext(shared), outbox: { sendConcurrency: 1 } })
      )
      const first = Context.get(yield* process, Outbox)
      const others = [Context.get(yield* process, Outbox), Context.get(yield* process, Outbox)]
      const { rows } = yield* Effect.provideContext(queued(12), shared)
      yield* first.tick
      yield* first.drain
      const before = statuses(yield* rows)
      assert.includeMembers(before, ["sending", "sent"])
      assert.isTrue(before.every((status) => status === "sending" || status === "sent"))
      for (let passed = 0; passed < 24; passed++) {
        const ticks = yield* Effect.forEach(others, ({ tick }) => Effect.forkChild(tick))
        yield* TestClock.adjust(5 * second)
        yield* Effect.forEach(ticks, Fiber.join)
      }
      assert.isTrue((yield* rows).every(({ status }) => status === "sent"))
      assert.strictEqual(channel.asked.length, 12)
      assert.strictEqual(looked.length, before.filter((status) => status === "sending").length)
      assert.strictEqual(new Set(looked).size, looked.length)
    }).pipe(Effect.scoped)
  })

  it.effect("is unknown at once in a rehearsal, which waits for nothing", () => {
    const { channel } = cutting(1, byKey)
    const time = PacingTime.layerVirtual(Builders.start)
    return Effect.gen(function* () {
      const { rows } = yield* queued(1)
      yield* (yield* Outbox).tick
      assert.deepStrictEqual(statuses(yield* rows), ["failed: outcomeUnknown"])
    }).pipe(Effect.provide(Overture.layer({ storage: MemoryStorage.layer, channels: [channel], time })))
  })
})

describe("when a channel is asked again", () => {
  it("is ever more rarely, and for an hour", () => {
    const leastMs = defaults.leaseMs * 0.6
    const ages: Array<number> = [0]
    for (let rest = askAgainMs(0, leastMs); rest !== null; rest = askAgainMs(ages.at(-1)!, leastMs)) {
      ages.push(ages.at(-1)! + rest)
      assert.isBelow(ages.length, 20)
    }
    assert.deepStrictEqual(
      ages.map((age) => age / minute),
      [0, 0.6, 2.4, 9.6, 38.4, 60]
    )
  })

  it("is never before the least rest is over", () => {
    assert.strictEqual(askAgainMs(askableMs - 1, minute), minute)
    assert.isNull(askAgainMs(askableMs, minute))
  })
})
