import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { idOf } from "../../src/chat/Chat.ts"
import { Chats } from "../../src/chat/Chats.ts"
import { Members } from "../../src/chat/Members.ts"
import { system } from "../../src/event/DomainEvent.ts"
import { Messages } from "../../src/outbox/Messages.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day, hour } from "../../src/workspace/Instant.ts"
import * as Scene from "../engine/Scene.ts"

const { start } = Builders

/** A person in a campaign of two steps, the first of which went out. */
const touched = (channel: TestChannel.TestChannel) =>
  Effect.gen(function* () {
    const it = yield* Scene.make(channel)
    const account = yield* it.account("a")
    const campaign = yield* it.campaign("c", [account], [{ id: "p" }], {}, [1, 1])
    yield* it.start(campaign.id)
    yield* it.run(start + day)
    assert.strictEqual(channel.asked.length, 1)
    const [lead] = yield* it.leads(campaign.id)
    const { member } = yield* (yield* Members).add(it.workspace.id, { name: "Ann" }, system)
    const ended = Effect.map(it.leads(campaign.id), ([now]) => [now!.status, now!.ended])
    return { it, chat: idOf(account.id, lead!.address), by: { type: "member", id: member.id } as const, ended }
  })

describe("what members do in a chat reaches the sequences of its person", () => {
  it.effect("a message by hand ends them as taken over", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { by, chat, ended, it } = yield* touched(channel)
      yield* (yield* Messages).send(it.workspace.id, { to: { chat }, content: Builders.text("Hello"), author: by })
      assert.deepStrictEqual(yield* ended, ["sent", "takenOver"])
      yield* it.run(start + 9 * day)
      assert.deepStrictEqual(
        channel.asked.map(({ text }) => text === "Hello"),
        [false, true]
      )
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("an API message does not, unless it is to", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { chat, ended, it } = yield* touched(channel)
      const draft = { to: { chat }, content: Builders.text("Hello"), author: { type: "api", id: "key" } } as const
      yield* (yield* Messages).send(it.workspace.id, draft)
      assert.deepStrictEqual(yield* ended, ["sent", null])
      yield* (yield* Messages).send(it.workspace.id, { ...draft, takeOver: true })
      assert.deepStrictEqual(yield* ended, ["sent", "takenOver"])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("a booking ends them as booked, once", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { by, chat, ended, it } = yield* touched(channel)
      const chats = yield* Chats
      yield* chats.change(it.workspace.id, [chat], { type: "book", booked: true }, by)
      yield* chats.change(it.workspace.id, [chat], { type: "book", booked: true }, by)
      assert.deepStrictEqual(yield* ended, ["sent", "booked"])
      const { bookedAt } = (yield* chats.get(it.workspace.id, chat)).chat
      assert.isAtLeast(bookedAt ?? 0, start + hour)
      yield* it.run(start + 9 * day)
      assert.strictEqual(channel.asked.length, 1)
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})
