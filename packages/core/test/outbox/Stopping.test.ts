import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer, Option } from "effect"
import { TestClock } from "effect/testing"
import * as LeadStopping from "../../src/campaign/LeadStopping.ts"
import type { Outcome } from "../../src/channel/Outcome.ts"
import * as Chat from "../../src/chat/Chat.ts"
import { ChatStore } from "../../src/chat/ChatStore.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import { tombstone } from "../../src/contact/Suppression.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import * as Overture from "../../src/Overture.ts"
import { Driver } from "../../src/outbox/Driver.ts"
import { OutboxStore } from "../../src/outbox/OutboxStore.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"
import { asked, queued } from "./Queue.ts"

const { start } = Builders

const slow = () =>
  TestChannel.make({
    answer: ({ key }) => Effect.delay(Effect.succeed<Outcome>({ type: "accepted", externalId: key }), 1_000)
  })

/** A database whose clock is right, whatever the one of the process says. */
const storage = Layer.provideMerge(
  Layer.effect(
    OutboxStore,
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      return OutboxStore.of({ ...(yield* OutboxStore), clock: clock.currentTimeMillis })
    })
  ),
  MemoryStorage.layer
)

const engine = (channel: TestChannel.TestChannel) =>
  Overture.layer({ storage, channels: [channel], outbox: { sendConcurrency: 2 } })

describe("a process without the secret of those who were erased", () => {
  it.effect("sends nothing from the moment that somebody is, until it is started with it", () => {
    const channel = TestChannel.make()
    const hash = (address: string) => `hashed ${address}`
    return Effect.gen(function* () {
      const { rows } = yield* queued(3)
      const [first] = yield* rows
      const driver = yield* Driver
      yield* (yield* ContactStore).suppress(
        [
          {
            workspace: first!.workspace,
            address: tombstone(hash, "sandbox//gone"),
            account: null,
            reason: "erased",
            at: start
          }
        ],
        []
      )
      yield* TestClock.adjust("2 seconds")
      const error = yield* Effect.flip(driver.step)
      assert.strictEqual(error._tag, "ErasedUnrecognised")
      assert.strictEqual(channel.asked.length, 0)
    }).pipe(Effect.provide(Overture.layer({ storage, channels: [channel] })))
  })
})

describe("a driver", () => {
  it.effect("that is stopped settles what it is sending and gives the rest back", () => {
    const channel = slow()
    return Effect.gen(function* () {
      const { rows } = yield* queued(5)
      const running = yield* Effect.forkChild((yield* Driver).runUntil(Effect.succeed(false)))
      yield* asked(channel, 2)
      const stopping = yield* Effect.forkChild(Fiber.interrupt(running))
      yield* TestClock.adjust(1_000)
      yield* Fiber.join(stopping)
      const after = yield* rows
      assert.deepStrictEqual(after.map(({ status }) => status).sort(), ["queued", "queued", "queued", "sent", "sent"])
      assert.isTrue(after.every(({ claim, dueAt, status }) => status === "sent" || (claim === null && dueAt !== null)))
      assert.strictEqual(channel.asked.length, 2)
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("whose wall clock jumps begins nothing more and settles by the last time that was right", () => {
    const channel = slow()
    return Effect.gen(function* () {
      const clock = yield* Clock.Clock
      let offset = 0
      const jumping: Clock.Clock = {
        ...clock,
        currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + offset,
        currentTimeMillis: Effect.sync(() => clock.currentTimeMillisUnsafe() + offset)
      }
      const { rows } = yield* queued(5)
      const sending = Effect.flatMap(Driver, (driver) => driver.runUntil(Effect.succeed(false)))
      const running = yield* Effect.forkChild(Effect.provideService(sending, Clock.Clock, jumping))
      yield* asked(channel, 2)
      offset = 3_600_000
      yield* TestClock.adjust(1_000)
      const settled = (yield* rows).filter(({ status }) => status === "sent")
      assert.strictEqual(settled.length, 2)
      assert.strictEqual(channel.asked.length, 2)
      for (const { sentAt } of settled) assert.isAtMost(sentAt ?? Infinity, start + 1_000)
      yield* Fiber.interrupt(running)
    }).pipe(Effect.provide(engine(channel)))
  })
})

describe("a driver that ran before", () => {
  it.effect("runs again, and sends what came since", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { rows } = yield* queued(1)
      const [first] = yield* rows
      const { runUntil } = yield* Driver
      const until = (count: number) =>
        Effect.gen(function* () {
          const running = yield* Effect.forkChild(runUntil(Effect.sync(() => channel.asked.length >= count)))
          yield* TestClock.adjust("5 seconds")
          yield* Fiber.join(running)
        })
      yield* until(1)
      const again = { ...first!, id: Builders.ids("again").next("msg"), status: "queued", dueAt: start } as const
      yield* (yield* OutboxStore).enqueue([again], [], [])
      yield* until(2)
      assert.strictEqual(channel.asked.length, 2)
    }).pipe(Effect.provide(engine(channel)))
  })
})

describe("a driver while everything is stopped", () => {
  it.effect("asks now and then, not all the time, for what is due", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      yield* queued(1)
      const workspaces = yield* WorkspaceStore
      yield* workspaces.stop(true)
      const { runUntil } = yield* Driver
      let rounds = 0
      const running = yield* Effect.forkChild(
        runUntil(
          Effect.sync(() => {
            rounds += 1
            return channel.asked.length > 0 || rounds > 1_000
          })
        )
      )
      yield* TestClock.adjust("10 seconds")
      assert.isAtMost(rounds, 300)
      yield* workspaces.stop(false)
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(running)
      assert.strictEqual(channel.asked.length, 1)
    }).pipe(Effect.provide(engine(channel)))
  })
})

describe("a driver with a wrong clock", () => {
  it.effect("hears nothing before the clock is right again", () => {
    const channel = slow()
    return Effect.gen(function* () {
      const chats = yield* ChatStore
      const { account, workspace } = yield* queued(1)
      const participant = { scope: "", externalId: "ann" }
      const content = Builders.text("hello")
      channel.tell(account.id, start, {
        type: "messageReceived",
        dedupeKey: "1",
        externalId: "1",
        at: start,
        participant,
        content
      })
      const heard = Effect.map(chats.get(workspace.id, Chat.idOf(account.id, "sandbox//ann")), Option.isSome)
      const { step } = yield* Driver
      const real = yield* Clock.Clock
      const now = start + 3_600_000
      const wrong = { ...real, currentTimeMillis: Effect.succeed(now), currentTimeMillisUnsafe: () => now }
      const refused = yield* Effect.flip(Effect.provideService(step, Clock.Clock, wrong))
      assert.strictEqual(refused._tag, "ClockSkewed")
      assert.isFalse(yield* heard)
      yield* step
      assert.isTrue(yield* heard)
    }).pipe(Effect.provide(engine(channel)))
  })
})

describe("an opt-out between two parts", () => {
  it("tells that the touch was partial, and that the lead ended", () => {
    const build = Builders.make("parts")
    const workspace = build.workspace()
    const contact = build.contact(workspace.id)
    const account = build.account(workspace.id)
    const campaign = build.campaign(workspace.id, { settings: build.settings({ steps: [build.step({ parts: 2 })] }) })
    const lead = build.lead(campaign, contact, { status: "sending", account: account.id })
    const part = (index: number, status: "sent" | "queued") =>
      build.message(account, contact, { lead: lead.id, step: lead.step, part: index, parts: 2, status })
    const stopped = LeadStopping.stop(lead, [part(0, "sent"), part(1, "queued")], "optedOut", start, null)
    assert.deepStrictEqual(
      stopped?.facts.map(({ type }) => type),
      ["lead.partial", "lead.ended"]
    )
    assert.strictEqual(stopped?.facts[0]?.data["step"], lead.step)
    assert.strictEqual(stopped?.cancel.length, 1)
  })
})
