import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Effect, Exit, Fiber, Layer, Redacted, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Accounts } from "../../src/account/Accounts.ts"
import { AccountStore } from "../../src/account/AccountStore.ts"
import type { Channel } from "../../src/channel/Channel.ts"
import type { Outcome } from "../../src/channel/Outcome.ts"
import { ChatStore } from "../../src/chat/ChatStore.ts"
import { Suppressions } from "../../src/contact/Suppressions.ts"
import * as Address from "../../src/channel/Address.ts"
import { system } from "../../src/event/DomainEvent.ts"
import * as Memory from "../../src/memory/Memory.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import { Outbox } from "../../src/outbox/Outbox.ts"
import { defaults } from "../../src/outbox/OutboxConfig.ts"
import { OutboxStore } from "../../src/outbox/OutboxStore.ts"
import * as Overture from "../../src/Overture.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import * as TestVault from "../../src/testing/TestVault.ts"
import { day, minute, second } from "../../src/workspace/Instant.ts"
import { StorageError } from "../../src/workspace/StorageError.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"
import { asked, engine, lostWorker, queued, statuses } from "./Queue.ts"

const { leaseMs } = defaults

/** A message of the API whose worker was lost while it was being sent. */
const lost = Effect.gen(function* () {
  const place = yield* queued(1, { author: { type: "api", id: null } })
  yield* lostWorker(1)
  return { ...place, message: place.messages[0]! }
})

type Lost = Effect.Success<typeof lost>

interface Stop {
  readonly name: string
  readonly apply: (place: Lost) => Effect.Effect<unknown, unknown, Overture.Services>
  /** What takes it back; null = nothing does. */
  readonly undo: Stop["apply"] | null
  /** What becomes of the message where the platform surely does not have it, and where nobody knows. */
  readonly known: string
  readonly unknown: string
}

const stops: ReadonlyArray<Stop> = [
  {
    name: "the person answered",
    apply: ({ message }) =>
      Effect.flatMap(ChatStore, ({ advance }) => advance([{ id: message.id }], (row) => ({ ...row, stop: "replied" }))),
    undo: null,
    known: "failed: replied",
    unknown: "failed: outcomeUnknown"
  },
  {
    name: "their address was suppressed",
    apply: ({ message, workspace }) =>
      Effect.flatMap(Suppressions, ({ add }) => add(workspace.id, [Address.parse(message.address)], system)),
    undo: null,
    known: "cancelled: suppressed",
    unknown: "failed: outcomeUnknown"
  },
  {
    name: "everything was paused",
    apply: () => Effect.flatMap(WorkspaceStore, ({ stop }) => stop(true)),
    undo: () => Effect.flatMap(WorkspaceStore, ({ stop }) => stop(false)),
    known: "sent",
    unknown: "sent"
  },
  {
    name: "its account was disabled",
    apply: ({ account }) =>
      Effect.flatMap(AccountStore, ({ modify }) =>
        modify([account.id], (row) => ({ account: { ...row, enabled: false }, events: [] }))
      ),
    undo: ({ account }) =>
      Effect.flatMap(AccountStore, ({ modify }) =>
        modify([account.id], (row) => ({ account: { ...row, enabled: true }, events: [] }))
      ),
    known: "sent",
    unknown: "sent"
  }
]

/** Sends what is due, minute by minute. */
const run = (minutes: number) =>
  Effect.gen(function* () {
    const { tick } = yield* Outbox
    for (let i = 0; i < minutes; i++) {
      for (let rounds = 0; rounds < 20; rounds++) {
        const ticking = yield* Effect.forkChild(tick)
        yield* TestClock.adjust(minute / 20)
        yield* Fiber.join(ticking)
      }
    }
  })

describe("a message of a lost worker", () => {
  for (const { apply, known, name, undo, unknown } of stops) {
    it.effect(`that surely was not sent is not sent again once ${name}`, () => {
      const channel = TestChannel.make({
        capabilities: { lookup: { afterMs: leaseMs + minute } },
        lookup: () => ({ type: "transient" })
      })
      return Effect.gen(function* () {
        const place = yield* lost
        yield* TestClock.adjust(leaseMs + second)
        const ticking = yield* Effect.forkChild((yield* Outbox).tick)
        yield* TestClock.adjust(20 * second)
        yield* apply(place)
        yield* TestClock.adjust(2 * minute)
        yield* Fiber.join(ticking)
        yield* run(3)
        assert.strictEqual(channel.asked.length, 0)
        yield* undo?.(place) ?? Effect.void
        yield* run(30)
        assert.deepStrictEqual(statuses(yield* place.rows), [known])
        assert.strictEqual(channel.asked.length, known === "sent" ? 1 : 0)
      }).pipe(Effect.provide(engine(channel)))
    })

    it.effect(`that may have been sent is not sent again under its key once ${name}`, () => {
      const channel = TestChannel.make({
        capabilities: { idempotencyKeys: true },
        answer: ({ text }) =>
          text === "the place is taken"
            ? Effect.delay(Effect.succeed<Outcome>({ type: "accepted", externalId: "first" }), 30 * second)
            : undefined
      })
      return Effect.gen(function* () {
        const place = yield* lost
        const other = place.build.contact(place.workspace.id)
        const blocker = place.build.message(place.account, other, { content: Builders.text("the place is taken") })
        yield* TestClock.adjust(leaseMs - second)
        yield* (yield* OutboxStore).enqueue([blocker], [place.build.opening(place.account, other)], [])
        const ticks = [yield* Effect.forkChild((yield* Outbox).tick)]
        yield* asked(channel, 1)
        yield* TestClock.adjust(3 * second)
        ticks.push(yield* Effect.forkChild((yield* Outbox).tick))
        yield* TestClock.adjust(second)
        yield* apply(place)
        yield* TestClock.adjust(30 * second)
        yield* Effect.forEach(ticks, Fiber.join)
        yield* run(3)
        assert.strictEqual(channel.asked.length, 1)
        yield* undo?.(place) ?? Effect.void
        yield* run(10)
        assert.deepStrictEqual(statuses(yield* place.rows), [unknown])
        const again = channel.asked.slice(1).map(({ key }) => key)
        assert.deepStrictEqual(again, unknown === "sent" ? [place.message.id as string] : [])
      }).pipe(Effect.provide(engine(channel, { sendConcurrency: 1 })))
    })
  }

  const troubles: ReadonlyArray<Outcome> = [
    { type: "transient" },
    { type: "rateLimited", scope: "account", retryAfterMs: second },
    { type: "unauthorized" }
  ]
  for (const trouble of troubles) {
    it.effect(`keeps its key where its repeat is ${trouble.type}: its first try may have arrived`, () => {
      const channel = TestChannel.make({
        capabilities: { idempotencyKeys: true },
        answer: (_, count) => (count === 1 ? trouble : undefined)
      })
      return Effect.gen(function* () {
        const { message, rows } = yield* lost
        yield* TestClock.adjust(leaseMs + second)
        yield* run(10)
        assert.deepStrictEqual(
          channel.asked.map(({ key }) => key),
          [message.id, message.id] as ReadonlyArray<string>
        )
        assert.deepStrictEqual(statuses(yield* rows), ["sent"])
      }).pipe(Effect.provide(engine(channel)))
    })
  }

  for (const trouble of troubles.filter(({ type }) => type !== "transient")) {
    it.effect(`is looked up again where its look-up is ${trouble.type}: that says nothing of the message`, () => {
      let lookups = 0
      const channel = TestChannel.make({
        capabilities: { lookup: { afterMs: second } },
        lookup: () => ((lookups += 1) === 1 ? trouble : { type: "accepted", externalId: "there" })
      })
      return Effect.gen(function* () {
        const { rows } = yield* lost
        yield* TestClock.adjust(leaseMs + second)
        yield* run(10)
        assert.deepStrictEqual([channel.asked.length, lookups], [0, 2])
        assert.deepStrictEqual(statuses(yield* rows), ["sent"])
      }).pipe(Effect.provide(engine(channel)))
    })

    it.effect(`is unknown in the end where all its look-ups are ${trouble.type}`, () => {
      const channel = TestChannel.make({ capabilities: { lookup: { afterMs: second } }, lookup: () => trouble })
      return Effect.gen(function* () {
        const { rows } = yield* lost
        yield* TestClock.adjust(leaseMs + second)
        yield* run(120)
        assert.strictEqual(channel.asked.length, 0)
        assert.deepStrictEqual(statuses(yield* rows), ["failed: outcomeUnknown"])
      }).pipe(Effect.provide(engine(channel)))
    })
  }

  for (const trouble of troubles) {
    it.effect(`is repeated ever more rarely while its repeats are ${trouble.type}`, () => {
      const channel = TestChannel.make({ capabilities: { idempotencyKeys: true }, answer: () => trouble })
      return Effect.gen(function* () {
        const { message, rows } = yield* lost
        yield* TestClock.adjust(leaseMs + second)
        yield* run(180)
        assert.deepStrictEqual(statuses(yield* rows), ["sending"])
        assert.isAtLeast(channel.asked.length, 4)
        assert.isAtMost(channel.asked.length, 8)
        assert.deepStrictEqual([...new Set(channel.asked.map(({ key }) => key))], [message.id as string])
      }).pipe(Effect.provide(engine(channel)))
    })
  }

  it.effect("is no longer repeated once its key is too old for the platform to know", () => {
    const channel = TestChannel.make({ capabilities: { idempotencyKeys: true } })
    return Effect.gen(function* () {
      const { rows } = yield* lost
      yield* TestClock.adjust(day)
      yield* run(1)
      assert.strictEqual(channel.asked.length, 0)
      assert.deepStrictEqual(statuses(yield* rows), ["failed: outcomeUnknown"])
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("is left to others by a process that is to stop, which waits for no look-up", () => {
    const channel = TestChannel.make({
      capabilities: { lookup: { afterMs: 60 * minute } },
      lookup: () => ({ type: "transient" })
    })
    return Effect.gen(function* () {
      yield* lost
      yield* TestClock.adjust(leaseMs + second)
      const outbox = yield* Outbox
      const ticking = yield* Effect.forkChild(outbox.tick)
      yield* TestClock.adjust(10 * second)
      const draining = yield* Effect.forkChild(outbox.drain)
      yield* TestClock.adjust(2 * second)
      yield* Fiber.join(draining)
      yield* Fiber.join(ticking)
      assert.strictEqual(channel.asked.length, 0)
      yield* TestClock.adjust(leaseMs)
      const later = yield* Effect.forkChild(outbox.tick)
      yield* TestClock.adjust(60 * minute)
      assert.strictEqual((yield* Fiber.join(later)).sent, 1)
    }).pipe(Effect.provide(engine(channel)))
  })
})

/** A process on the shared storage that cannot reach it to renew its claims. */
const cutOff = (shared: Context.Context<MemoryStorage.StoragePorts>) => {
  const store = Context.get(shared, OutboxStore)
  const away = new StorageError({ operation: "renew", retryable: true, cause: new Error("it is away") })
  return Layer.succeedContext(
    Context.add(shared, OutboxStore, OutboxStore.of({ ...store, renew: () => Effect.fail(away) }))
  )
}

/** Two processes over one memory, of which the first cannot renew its claims. */
const two = Effect.fnUntraced(function* (options: Omit<Overture.Options, "storage">) {
  const shared = MemoryStorage.of(yield* Memory.make)
  const cut = yield* Layer.build(Overture.layer({ ...options, storage: cutOff(shared) }))
  const whole = yield* Layer.build(Overture.layer({ ...options, storage: Layer.succeedContext(shared) }))
  return [cut, whole] as const
})

describe("a process that lost its claim without knowing", () => {
  it.effect("sends nothing again that another one sends again", () => {
    const channel = TestChannel.make({
      capabilities: { lookup: { afterMs: 4 * leaseMs } },
      lookup: () => ({ type: "transient" })
    })
    return Effect.gen(function* () {
      const [cut, whole] = yield* two({ channels: [channel] })
      const { rows } = yield* Effect.provideContext(lost, whole)
      yield* TestClock.adjust(leaseMs + second)
      const first = yield* Effect.forkChild(Context.get(cut, Outbox).tick)
      yield* TestClock.adjust(leaseMs + second)
      const other = yield* Effect.forkChild(Context.get(whole, Outbox).tick)
      yield* TestClock.adjust(4 * leaseMs)
      yield* Fiber.join(other)
      yield* Fiber.interrupt(first)
      assert.strictEqual(channel.asked.length, 1)
      assert.deepStrictEqual(statuses(yield* rows), ["sent"])
    }).pipe(Effect.scoped)
  })

  it.effect("has its place again once it leaves what nobody knows to others", () => {
    let sends = 0
    const channel = TestChannel.make({
      answer: () =>
        ++sends === 1
          ? Effect.delay(Effect.succeed<Outcome>({ type: "outcomeUnknown" }), leaseMs + 10 * second)
          : undefined
    })
    return Effect.gen(function* () {
      const [cut] = yield* two({ channels: [channel], outbox: { sendConcurrency: 1, sendTimeoutMs: day } })
      const { rows } = yield* Effect.provideContext(queued(2), cut)
      const { pump } = Context.get(cut, Outbox)
      for (let passed = 0; passed < 3 * leaseMs; passed += 5 * second) {
        yield* pump
        yield* TestClock.adjust(5 * second)
      }
      assert.sameMembers(statuses(yield* Effect.provideContext(rows, cut)), ["failed: outcomeUnknown", "sent"])
    }).pipe(Effect.scoped)
  })

  it.effect("leaves a look-up as much time after its own try of what surely had not gone out", () => {
    const afterMs = 5 * minute
    const tried: Array<number> = []
    const looked: Array<number> = []
    const channel = TestChannel.make({
      capabilities: { lookup: { afterMs } },
      lookup: () => {
        looked.push(tried.length)
        return { type: "transient" }
      },
      answer: (_, count) =>
        Effect.flatMap(Clock.currentTimeMillis, (at) => {
          tried.push(at)
          return count === 1 ? Effect.never : Effect.succeed<Outcome>({ type: "accepted", externalId: "x" })
        })
    })
    return Effect.gen(function* () {
      const shared = MemoryStorage.of(yield* Memory.make)
      const process = Layer.build(
        Overture.layer({ channels: [channel], storage: Layer.succeedContext(shared), outbox: { sendTimeoutMs: day } })
      )
      const dead = yield* Scope.make()
      const first = Context.get(yield* Scope.provide(process, dead), Outbox)
      const other = Context.get(yield* process, Outbox)
      const { rows } = yield* Effect.provideContext(lost, shared)
      yield* TestClock.adjust(leaseMs + second)
      const trying = yield* Effect.forkChild(first.tick)
      yield* TestClock.adjust(afterMs)
      assert.strictEqual(tried.length, 1)
      yield* TestClock.adjust(minute)
      yield* Effect.forkChild(Fiber.interrupt(trying))
      yield* Effect.forkChild(Scope.close(dead, Exit.void))
      for (let passed = 0; passed < 10; passed++) {
        yield* TestClock.adjust(minute)
        const ticking = yield* Effect.forkChild(other.tick)
        yield* TestClock.adjust(second)
        yield* Effect.timeoutOption(Fiber.join(ticking), 0)
      }
      assert.deepStrictEqual(statuses(yield* rows), ["sent"])
      assert.deepStrictEqual(looked, [0, 1])
      assert.isAtLeast(tried[1]! - tried[0]!, afterMs)
    }).pipe(Effect.scoped)
  })

  it.effect("leaves a look-up that time also where another channel of the claim is asked again earlier", () => {
    const afterMs = 10 * minute
    let triedAt = Infinity
    const looked: Array<number> = []
    const slow = TestChannel.make({
      name: "slow",
      capabilities: { lookup: { afterMs } },
      lookup: () => ({ type: "transient" }),
      answer: (_, count) =>
        count === 1
          ? Effect.delay(Effect.succeed<Outcome>({ type: "outcomeUnknown" }), leaseMs + 10 * second)
          : undefined
    })
    const timed = (channel: TestChannel.TestChannel): Channel => ({
      ...channel,
      send: (sender, outbound) =>
        Effect.andThen(
          Effect.map(Clock.currentTimeMillis, (at) => (triedAt = Math.min(triedAt, at))),
          channel.send(sender, outbound)
        ),
      lookup: (sender, sent) =>
        Effect.andThen(
          Effect.map(Clock.currentTimeMillis, (at) => void looked.push(at)),
          channel.lookup(sender, sent)
        )
    })
    const quick = TestChannel.make({
      capabilities: { lookup: { afterMs: second } },
      lookup: () => ({ type: "outcomeUnknown" })
    })
    return Effect.gen(function* () {
      const shared = MemoryStorage.of(yield* Memory.make)
      const store = Context.get(shared, OutboxStore)
      const away = new StorageError({ operation: "renew", retryable: true, cause: new Error("it is away") })
      const isAway = Effect.map(Clock.currentTimeMillis, (at) => at > triedAt && at < triedAt + leaseMs + 5 * second)
      const renew: typeof store.renew = (claim, ms) =>
        Effect.flatMap(isAway, (now) => (now ? Effect.fail(away) : store.renew(claim, ms)))
      const storage = Layer.succeedContext(Context.add(shared, OutboxStore, OutboxStore.of({ ...store, renew })))
      const engine = yield* Layer.build(
        Overture.layer({ channels: [timed(slow), quick], storage, outbox: { sendTimeoutMs: day } })
      )
      const { tick } = Context.get(engine, Outbox)
      yield* Effect.gen(function* () {
        const { build, workspace } = yield* queued(1)
        const account = build.account(workspace.id, { channel: "slow" })
        const contact = build.contact(workspace.id)
        yield* (yield* AccountStore).connect(account, [])
        yield* (yield* OutboxStore).enqueue([build.message(account, contact)], [build.opening(account, contact)], [])
        yield* lostWorker(2)
      }).pipe(Effect.provideContext(shared))
      yield* TestClock.adjust(leaseMs + second)
      for (let passed = 0; passed < 40; passed++) {
        const ticking = yield* Effect.forkChild(tick)
        yield* TestClock.adjust(minute)
        yield* Effect.timeoutOption(Fiber.join(ticking), 0)
      }
      assert.isAtLeast(looked.length, 2)
      assert.isAtLeast(looked[1]! - triedAt, afterMs)
    }).pipe(Effect.scoped)
  })

  const found: Outcome = { type: "accepted", externalId: "there" }
  const ways = [
    { name: "looked up", capabilities: { lookup: { afterMs: second } }, lookup: () => found, becomes: "sent", asks: 1 },
    { name: "repeated under its key", capabilities: { idempotencyKeys: true }, becomes: "sent", asks: 2 },
    { name: "unknown where neither can be", capabilities: {}, becomes: "failed: outcomeUnknown", asks: 1 }
  ]
  for (const { asks, becomes, name, ...platform } of ways) {
    it.effect(`leaves what it could not tell after that to be found out: ${name}`, () => {
      const leaseMs = 20 * second
      const channel = TestChannel.make({
        ...platform,
        answer: (_, count) =>
          count === 1 ? Effect.delay(Effect.succeed<Outcome>({ type: "outcomeUnknown" }), 25 * second) : undefined
      })
      return Effect.gen(function* () {
        const [cut, whole] = yield* two({ channels: [channel], outbox: { leaseMs } })
        const { rows } = yield* Effect.provideContext(queued(1), whole)
        const first = yield* Effect.forkChild(Context.get(cut, Outbox).tick)
        yield* asked(channel, 1)
        yield* TestClock.adjust(26 * second)
        yield* Fiber.join(first)
        assert.deepStrictEqual(statuses(yield* rows), ["sending"])
        const other = yield* Effect.forkChild(Context.get(whole, Outbox).tick)
        yield* TestClock.adjust(minute)
        yield* Fiber.join(other)
        assert.deepStrictEqual(statuses(yield* rows), [becomes])
        assert.strictEqual(channel.asked.length, asks)
        assert.strictEqual(new Set(channel.asked.map(({ key }) => key)).size, 1)
      }).pipe(Effect.scoped)
    })
  }

  it.effect("hands over nothing that it had begun long before", () => {
    const channel = TestChannel.make({
      capabilities: { lookup: { afterMs: second } },
      lookup: () => ({ type: "transient" })
    })
    const vault = TestVault.make()
    let openings = 0
    const slow = {
      ...vault,
      open: (sealed: string, context: string) =>
        Effect.delay(vault.open(sealed, context), (openings += 1) === 1 ? 25 * second : 0)
    }
    return Effect.gen(function* () {
      const [cut, whole] = yield* two({ channels: [channel], vault: slow, outbox: { leaseMs: 20 * second } })
      const { build, rows, workspace } = yield* Effect.provideContext(queued(0), whole)
      assert.deepStrictEqual(yield* rows, [])
      const { account } = yield* Context.get(whole, Accounts).connect(
        { workspace: workspace.id, channel: "sandbox", externalId: "a", credentials: Redacted.make("token-123456") },
        system
      )
      const contact = build.contact(workspace.id)
      yield* Context.get(whole, OutboxStore).enqueue(
        [build.message(account, contact)],
        [build.opening(account, contact)],
        []
      )
      const first = yield* Effect.forkChild(Context.get(cut, Outbox).tick)
      yield* TestClock.adjust(21 * second)
      const other = yield* Effect.forkChild(Context.get(whole, Outbox).tick)
      yield* TestClock.adjust(2 * second)
      yield* Fiber.join(other)
      yield* TestClock.adjust(2 * leaseMs)
      yield* Fiber.join(first)
      assert.strictEqual(channel.asked.length, 1)
    }).pipe(Effect.scoped)
  })
})
