import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { CampaignEdits } from "../../src/campaign/CampaignEdits.ts"
import { CampaignStore } from "../../src/campaign/CampaignStore.ts"
import { idOf } from "../../src/chat/Chat.ts"
import { Chats } from "../../src/chat/Chats.ts"
import { Members } from "../../src/chat/Members.ts"
import { system } from "../../src/event/DomainEvent.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import { Bulks } from "../../src/job/Bulks.ts"
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
    return {
      it,
      campaign,
      chat: idOf(account.id, lead!.address),
      by: { type: "member", id: member.id } as const,
      ended
    }
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

  it.effect("closing their chat ends them as closed, and reopening it brings nothing back", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { by, campaign, chat, ended, it } = yield* touched(channel)
      const chats = yield* Chats
      yield* chats.change(it.workspace.id, [chat], { type: "close" }, by)
      assert.deepStrictEqual(yield* ended, ["sent", "closed"])
      yield* it.run(start + day + hour)
      yield* chats.change(it.workspace.id, [chat], { type: "reopen" }, by)
      assert.deepStrictEqual(yield* ended, ["sent", "closed"])
      yield* chats.change(it.workspace.id, [chat], { type: "book", booked: true }, by)
      assert.deepStrictEqual(yield* ended, ["sent", "closed"])
      yield* it.run(start + 9 * day)
      assert.strictEqual(channel.asked.length, 1)
      const [told] = yield* (yield* CampaignStore).breakdown(campaign.id)
      assert.strictEqual(told?.ended, "closed")
      const events = yield* (yield* EventStore).read(it.workspace.id, null, 1_000)
      const ends = events.flatMap(({ event }) =>
        event.type === "lead.ended" ? [[event.data["ended"], event.actor.type]] : []
      )
      assert.deepStrictEqual(ends, [["closed", "system"]])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("a chat that was deleted is there for nobody: closing it ends nothing that began since", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { by, chat, ended, it } = yield* touched(channel)
      const chats = yield* Chats
      yield* chats.change(it.workspace.id, [chat], { type: "delete" }, by)
      assert.deepStrictEqual(yield* ended, ["sent", "closed"])
      const other = yield* it.campaign("since", [yield* it.account("b")], [{ id: "p" }], {}, [1, 1])
      yield* it.start(other.id)
      yield* it.run(start + 2 * day)
      for (const change of [{ type: "close" }, { type: "book", booked: true }, { type: "delete" }] as const) {
        assert.deepStrictEqual(yield* chats.change(it.workspace.id, [chat], change, by), [])
      }
      const [lead] = yield* it.leads(other.id)
      assert.deepStrictEqual([lead!.status, lead!.ended], ["sent", null])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("closing leaves none of a sequence, not even what may follow a conversation", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const account = yield* it.account("a")
      const steps = [it.build.step(), it.build.step({ type: "noReplyResponded", sendAfterDays: 3 })] as const
      const campaign = yield* it.campaign("c", [account], [{ id: "p" }], { steps })
      yield* it.start(campaign.id)
      yield* it.run(start + day)
      const [lead] = yield* it.leads(campaign.id)
      const chat = idOf(account.id, lead!.address)
      yield* (yield* Messages).send(it.workspace.id, {
        to: { chat },
        content: Builders.text("By hand"),
        author: { type: "api", id: null },
        takeOver: true
      })
      assert.strictEqual((yield* it.leads(campaign.id))[0]?.ended, null)
      yield* (yield* Bulks).run((yield* Chats).bulk, {
        workspace: it.workspace.id,
        ids: [chat],
        with: { type: "delete" },
        actor: system
      })
      assert.strictEqual((yield* it.leads(campaign.id))[0]?.ended, "closed")
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect(
    "closing one chat of a person is nothing to campaigns that heed their own alone, nor to first touches",
    () => {
      const channel = TestChannel.make()
      return Effect.gen(function* () {
        const it = yield* Scene.make(channel)
        const [a, b] = [yield* it.account("a"), yield* it.account("b")]
        const wide = yield* it.campaign("wide", [b], [{ id: "p" }], {}, [1, 1])
        const narrow = yield* it.campaign("narrow", [b], [{ id: "q" }], { stopOn: "chat" }, [1, 1])
        const later = yield* it.campaign("later", [b], [{ id: "r" }], { startAt: start + 2 * day }, [1, 1])
        for (const { id } of [wide, narrow, later]) yield* it.start(id)
        yield* it.run(start + day)
        const chats = yield* Chats
        const opened = yield* Effect.forEach(["p", "q", "r"], (person) =>
          Effect.map(chats.open(it.workspace.id, { account: a.id, person }, system), ({ chat }) => chat.id)
        )
        yield* chats.change(it.workspace.id, opened, { type: "close" }, system)
        const ends = yield* Effect.forEach([wide, narrow, later], ({ id }) =>
          Effect.map(it.leads(id), ([lead]) => [lead!.status, lead!.ended])
        )
        assert.deepStrictEqual(ends, [
          ["sent", "closed"],
          ["sent", null],
          ["assigned", null]
        ])
        yield* it.run(start + 9 * day)
        assert.deepStrictEqual(channel.asked.map(({ to }) => to).toSorted(), ["p", "q", "q", "r", "r"])
      }).pipe(Effect.provide(Scene.engine(channel)))
    }
  )

  it.effect("closing again ends what touched the person since, and gives the chat back where it was taken over", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { by, chat, it } = yield* touched(channel)
      const chats = yield* Chats
      const close = chats.change(it.workspace.id, [chat], { type: "close" }, by)
      yield* close
      const other = yield* it.campaign("other", [yield* it.account("b")], [{ id: "p" }], {}, [1, 1])
      yield* it.start(other.id)
      yield* it.until(() => channel.asked.length === 2)
      const ended = Effect.map(it.leads(other.id), ([lead]) => lead!.ended)
      assert.strictEqual(yield* ended, null)
      yield* close
      assert.strictEqual(yield* ended, "closed")
      yield* (yield* Messages).send(it.workspace.id, { to: { chat }, content: Builders.text("Hello"), author: by })
      const taken = Effect.map(chats.get(it.workspace.id, chat), (view) => view.chat.takenOverAt !== null)
      assert.isTrue(yield* taken)
      yield* close
      assert.isFalse(yield* taken)
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("a step that is added later is not for whom it was closed", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const account = yield* it.account("a")
      const campaign = yield* it.campaign("c", [account], [{ id: "p" }, { id: "q" }])
      yield* it.start(campaign.id)
      yield* it.run(start + 2 * day)
      const closed = (yield* it.leads(campaign.id))[0]!
      const chat = idOf(account.id, closed.address)
      yield* (yield* Chats).change(it.workspace.id, [chat], { type: "close" }, system)
      const { steps } = campaign.settings
      const edited = yield* (yield* CampaignEdits).edit(
        it.workspace.id,
        campaign.id,
        { settings: { steps: [...steps, it.build.step({ type: "noReply" })] } },
        system
      )
      assert.strictEqual(edited.resumed, 1)
      yield* it.run(start + 9 * day)
      assert.strictEqual(channel.asked.length, 3)
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})
