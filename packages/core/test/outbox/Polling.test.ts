/** What polled channels tell is heard beside the sending: a channel, or one account of it, that fails holds up nobody. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Latch, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Accounts } from "../../src/account/Accounts.ts"
import type { Account } from "../../src/account/Account.ts"
import type * as Channel from "../../src/channel/Channel.ts"
import { Inbox } from "../../src/chat/Inbox.ts"
import type { InboundHook } from "../../src/chat/InboundHook.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import { system } from "../../src/event/DomainEvent.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import { Driver } from "../../src/outbox/Driver.ts"
import { Poller } from "../../src/outbox/Poller.ts"
import { OutboxStore } from "../../src/outbox/OutboxStore.ts"
import * as Overture from "../../src/Overture.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"

type Poll = Channel.Channel["poll"]

/** A channel of which some accounts are polled otherwise. */
const channelWith = (poll: (account: string, usual: ReturnType<Poll>) => ReturnType<Poll> | null, name = "sandbox") => {
  const channel = TestChannel.make({ name })
  const plain = channel.poll
  let asked = 0
  const own: Poll = (sender, cursor, now) => {
    asked += 1
    const usual = plain(sender, cursor, now)
    return poll(sender.externalId, usual) ?? usual
  }
  return Object.assign(channel, { poll: own, polls: () => asked })
}

const place = Effect.gen(function* () {
  yield* TestClock.setTime(Builders.start)
  const build = Builders.make("polling")
  const workspace = build.workspace()
  yield* (yield* WorkspaceStore).create(workspace)
  const accounts = yield* Accounts
  const connect = (externalId: string, channel = "sandbox") =>
    Effect.map(
      accounts.connect({ workspace: workspace.id, channel, externalId, minGapMs: 0 }, system),
      (made) => made.account
    )
  /** A message of the API, due at once. */
  const queue = (account: Account) =>
    Effect.gen(function* () {
      const contact = build.contact(workspace.id)
      yield* (yield* ContactStore).import(workspace.id, [contact], null)
      const message = { ...build.message(account, contact), author: { type: "api", id: null } as const }
      yield* (yield* OutboxStore).enqueue([message], [build.opening(account, contact)], [])
    })
  const heard = Effect.map(
    Effect.flatMap(EventStore, (feed) => feed.read(workspace.id, null, 1_000)),
    (events) => events.filter(({ event }) => event.type === "message.received").length
  )
  /** A person writes to an account. */
  const says = (channel: TestChannel.TestChannel, { id }: Account) =>
    channel.tell(id, 0, {
      type: "messageReceived",
      dedupeKey: `told ${id}`,
      at: Builders.start,
      participant: { externalId: "ann", scope: "", name: "Ann" },
      externalId: `in ${id}`,
      content: Builders.text("hello")
    })
  return { workspace, accounts, connect, queue, heard, says }
})

const running = Effect.flatMap(Driver, (driver) => Effect.forkChild(driver.run))

const engine = (...channels: ReadonlyArray<Channel.Channel>) =>
  Overture.layer({ storage: MemoryStorage.layer, channels })

describe("a poll", () => {
  for (const [what, answer] of [
    ["dies", () => Effect.die(new Error("the platform's client broke"))],
    [
      "throws",
      () => {
        throw new Error("the platform's client broke")
      }
    ],
    ["hangs", () => Effect.never]
  ] as const) {
    it.effect(`that ${what} keeps neither messages nor other accounts from their turn, and is asked again`, () => {
      let isBroken = true
      const channel = channelWith((account, usual) => (account === "bad" && isBroken ? answer() : usual))
      return Effect.gen(function* () {
        const { connect, heard, queue, says } = yield* place
        const [bad, good] = [yield* connect("bad"), yield* connect("good")]
        yield* queue(good)
        yield* queue(bad)
        says(channel, good)
        says(channel, bad)
        const fiber = yield* running
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual(channel.asked.length, 2)
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* heard, 1)
        isBroken = false
        yield* TestClock.adjust("2 minutes")
        assert.strictEqual(yield* heard, 2)
        assert.isUndefined(fiber.pollUnsafe())
        yield* Fiber.interrupt(fiber)
      }).pipe(Effect.provide(engine(channel)))
    })
  }

  it.effect("of one channel waits for none of another", () => {
    const [slow, quick] = [channelWith(() => Effect.never, "slow"), channelWith(() => null, "quick")]
    return Effect.gen(function* () {
      const { connect, heard, says } = yield* place
      for (let i = 0; i < 20; i++) yield* connect(`s${i}`, "slow")
      says(quick, yield* connect("a", "quick"))
      const fiber = yield* running
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* heard, 1)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(engine(slow, quick)))
  })

  it.effect("whose events cannot be taken concerns its account alone, and they are told again", () => {
    const channel = channelWith(() => null)
    let refused = 0
    const inbox = Layer.effect(
      Inbox,
      Effect.map(Inbox, (usual) =>
        Inbox.of({
          ...usual,
          receive: (account, events) =>
            account.externalId === "bad" && events.length > 0 && (refused += 1) < 3
              ? Effect.die(new Error("an event that nobody understands"))
              : usual.receive(account, events)
        })
      )
    )
    return Effect.gen(function* () {
      const { connect, heard, says } = yield* place
      const [bad, good] = [yield* connect("bad"), yield* connect("good")]
      says(channel, bad)
      says(channel, good)
      const fiber = yield* Driver.pipe(
        Effect.flatMap((driver) => Effect.forkChild(driver.run)),
        Effect.provide(Layer.fresh(Driver.layer).pipe(Layer.provide(Layer.fresh(Poller.layer)), Layer.provide(inbox)))
      )
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* heard, 1)
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(yield* heard, 2)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("locks nothing while hooks judge what it tells", () => {
    const channel = channelWith(() => null)
    const isWriting = Latch.makeUnsafe(false)
    const hasWritten = Latch.makeUnsafe(false)
    const optOut: InboundHook = {
      name: "waits for another",
      judge: (_account, all) =>
        isWriting.open.pipe(Effect.andThen(hasWritten.await), Effect.as(all.map(() => ({ optOut: true }))))
    }
    return Effect.gen(function* () {
      const { connect, says, workspace } = yield* place
      says(channel, yield* connect("a"))
      const fiber = yield* running
      const write = Effect.flatMap(WorkspaceStore, ({ create }) => create(Builders.make("other").workspace()))
      yield* Effect.forkChild(isWriting.await.pipe(Effect.andThen(write), Effect.andThen(hasWritten.open)))
      yield* TestClock.adjust("5 seconds")
      const events = yield* (yield* EventStore).read(workspace.id, null, 1_000)
      assert.include(
        events.map(({ event }) => event.type),
        "contact.opted_out"
      )
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(Overture.layer({ storage: MemoryStorage.layer, channels: [channel], inbound: [optOut] })))
  })

  it.effect("is for accounts that are on and that the platform lets in", () => {
    const channel = channelWith(() => null)
    return Effect.gen(function* () {
      const { accounts, connect, heard, says, workspace } = yield* place
      const off = yield* connect("off")
      says(channel, off)
      yield* accounts.change(workspace.id, off.id, { enabled: false }, system)
      yield* accounts.change(workspace.id, (yield* connect("banned")).id, { banned: true }, system)
      yield* accounts.change(workspace.id, (yield* connect("out")).id, { attention: ["unauthorized"] }, system)
      const fiber = yield* running
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(channel.polls(), 0)
      yield* accounts.change(workspace.id, off.id, { enabled: true, attention: ["restricted"] }, system)
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(yield* heard, 1)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(engine(channel)))
  })
})
