import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Account } from "../../src/account/Account.ts"
import type { CampaignSettings } from "../../src/campaign/Campaign.ts"
import type { StepType } from "../../src/campaign/Step.ts"
import { idOf } from "../../src/chat/Chat.ts"
import { ChatStore } from "../../src/chat/ChatStore.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import { OutboxStore } from "../../src/outbox/OutboxStore.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day, hour, type Instant } from "../../src/workspace/Instant.ts"
import * as Scene from "./Scene.ts"

const { start } = Builders
const pacing = { rangeMin: 24, rangeMax: 24, jitter: 0, catchUp: "skip" as const, newShare: 0.25 }

type Follow = Exclude<typeof StepType.Type, "first">

/** One person in a campaign whose follow-ups are of these types, a day after each other. */
const scene = (
  channel: TestChannel.TestChannel,
  follow: ReadonlyArray<readonly [Follow, days: number]>,
  settings: Partial<CampaignSettings> = {},
  parts = 1
) =>
  Effect.gen(function* () {
    const it = yield* Scene.make(channel)
    const account = yield* it.account("a")
    const steps: CampaignSettings["steps"] = [
      it.build.step(),
      ...follow.map(([type, sendAfterDays]) => it.build.step({ type, sendAfterDays, parts }))
    ]
    const campaign = yield* it.campaign("c", [account], [{ id: "p" }], { pacing, steps, ...settings })
    yield* it.start(campaign.id)
    return { it, account, campaign, steps, lead: Effect.map(it.leads(campaign.id), ([lead]) => lead!) }
  })

/** What the platform tells us of a person, once it polls at `at`. */
const says = (channel: TestChannel.TestChannel, account: Account, at: Instant, externalId = "p") =>
  channel.tell(account.id, at, {
    type: "messageReceived",
    dedupeKey: `in-${at}`,
    at,
    participant: { externalId, scope: "" },
    externalId: `in-${at}`,
    content: Builders.text("Hm")
  })

describe("a follow-up after a conversation", () => {
  it.effect("goes its days after the last message, where that is ours, and passes over those for the silent", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { account, it, lead, steps } = yield* scene(channel, [
        ["noReply", 1],
        ["noReplyResponded", 3]
      ])
      yield* it.run(start + 10 * hour)
      const replyAt = start + 10 * hour
      says(channel, account, replyAt)
      yield* it.run(replyAt + hour)
      const waiting = yield* lead
      assert.deepStrictEqual([waiting.ended, waiting.step, waiting.dueAt], [null, steps[2]!.id, replyAt + 3 * day])
      assert.deepStrictEqual(
        waiting.touches.map(({ reason, status }) => [status, reason]),
        [
          ["sent", null],
          ["skipped", "replied"]
        ]
      )
      // Our answer through the API moves it again.
      const answeredAt = start + 40 * hour
      yield* it.run(answeredAt)
      const message = it.build.message(account, it.build.contact(it.workspace.id), {
        contact: waiting.contact,
        address: waiting.address,
        chat: idOf(account.id, waiting.address),
        author: { type: "api", id: null },
        dueAt: answeredAt
      })
      yield* (yield* OutboxStore).enqueue([message], [], [])
      yield* it.run(answeredAt + hour)
      assert.strictEqual((yield* lead).dueAt, answeredAt + 3 * day)
      yield* it.run(start + 20 * day)
      const sent = yield* it.sent
      assert.strictEqual(sent.length, 3)
      assert.isAtLeast(sent[2]!.at, answeredAt + 3 * day)
      const over = yield* lead
      assert.deepStrictEqual([over.ended, over.status], ["completed", "sent"])
      const [counted, recounted] = yield* it.counts(over.campaign)
      assert.deepStrictEqual([counted, counted.replied], [recounted, 1])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("is passed over while the last message is theirs, and the next counts from its day", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { account, it, lead } = yield* scene(channel, [
        ["noReplyResponded", 2],
        ["noReplyResponded", 2]
      ])
      says(channel, account, start + 10 * hour)
      yield* it.run(start + 20 * day)
      const over = yield* lead
      assert.deepStrictEqual([channel.asked.length, over.ended], [1, "completed"])
      assert.deepStrictEqual(
        over.touches.map(({ reason, status }) => [status, reason]),
        [
          ["sent", null],
          ["skipped", "replied"],
          ["skipped", "replied"]
        ]
      )
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("goes also to those who never wrote", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { it, lead } = yield* scene(channel, [
        ["noReplyResponded", 1],
        ["noReply", 1]
      ])
      yield* it.run(start + 20 * day)
      assert.deepStrictEqual([channel.asked.length, (yield* lead).ended], [3, "completed"])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})

describe("a reply", () => {
  for (const stopOn of ["contact", "chat"] as const) {
    const goesOn = stopOn === "chat"
    it.effect(
      `in another chat of the person ${goesOn ? "is nothing to" : "stops"} a campaign that listens to the ${stopOn}`,
      () => {
        const channel = TestChannel.make()
        return Effect.gen(function* () {
          const follow = [
            ["noReply", 2],
            ["noReply", 2]
          ] as const
          const { account, it, lead } = yield* scene(channel, follow, { stopOn })
          const other = yield* it.account("b")
          yield* it.run(start + 40 * hour)
          assert.strictEqual(channel.asked.length, 1)
          says(channel, other, start + 40 * hour)
          yield* it.run(start + 3 * day)
          assert.strictEqual((yield* lead).ended, goesOn ? null : "replied")
          assert.strictEqual(channel.asked.length, goesOn ? 2 : 1)
          says(channel, account, start + 3 * day)
          yield* it.run(start + 20 * day)
          assert.deepStrictEqual([(yield* lead).ended, channel.asked.length], ["replied", goesOn ? 2 : 1])
        }).pipe(Effect.provide(Scene.engine(channel)))
      }
    )
  }

  it.effect("between two parts of a follow-up leaves the touch in part", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const partDelay = { minSeconds: 7_200, maxSeconds: 7_200 }
      const { account, it, lead } = yield* scene(channel, [["noReply", 1]], { partDelay }, 2)
      yield* it.run(start + 26 * hour)
      const halfway = channel.asked.length
      assert.strictEqual(halfway, 2)
      says(channel, account, start + 26 * hour)
      yield* it.run(start + 20 * day)
      const over = yield* lead
      assert.strictEqual(channel.asked.length, halfway)
      assert.deepStrictEqual(
        over.touches.map(({ reason, status }) => [status, reason]),
        [
          ["sent", null],
          ["partial", "replied"]
        ]
      )
      assert.deepStrictEqual([over.status, over.ended], ["sent", "replied"])
      const [counted, recounted] = yield* it.counts(over.campaign)
      assert.deepStrictEqual(counted, recounted)
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})

describe("a takeover from another device", () => {
  it.effect("puts off leads whose first touch is open until the chat is given back, and ends sequences", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { account, campaign, it } = yield* scene(channel, [["noReply", 5]])
      yield* it.run(start + 10 * hour)
      const late = yield* it.campaign("late", [account], [{ id: "p" }], { pacing, startAt: start + 60 * hour })
      yield* it.start(late.id)
      Scene.byHand(channel, account, start + 30 * hour)
      yield* it.run(start + 6 * day)
      const [touched] = yield* it.leads(campaign.id)
      const [open] = yield* it.leads(late.id)
      assert.deepStrictEqual([touched?.ended, channel.asked.length], ["takenOver", 1])
      assert.deepStrictEqual([open?.status, open?.ended], ["assigned", null])
      assert.strictEqual(open?.touches[0]?.reason, "takenOver")
      const chats = yield* ChatStore
      const chat = idOf(account.id, open!.address)
      const { data } = yield* chats.messages(it.workspace.id, chat, { limit: 9 })
      assert.deepStrictEqual(
        data.map(({ author }) => author.type),
        ["campaign", "device"]
      )
      yield* chats.setTakenOver([chat], null)
      yield* it.run(start + 9 * day)
      assert.strictEqual(channel.asked.length, 2)
      assert.strictEqual((yield* it.leads(late.id))[0]?.status, "sent")
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("is none where the echo is of what we sent", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { account, it, lead } = yield* scene(channel, [["noReply", 1]])
      yield* it.run(start + 10 * hour)
      const [first] = channel.asked
      channel.tell(account.id, start + 10 * hour, {
        type: "messageEchoed",
        dedupeKey: "own",
        at: start + 10 * hour,
        participant: { externalId: "p", scope: "" },
        externalId: `x-${first!.key}`,
        content: Builders.text("ours")
      })
      yield* it.run(start + 20 * day)
      assert.deepStrictEqual([channel.asked.length, (yield* lead).ended], [2, "completed"])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})

describe("an account of the platform that two workspaces share", () => {
  it.effect("leaves each its own messages: an echo that names one of the other's changes neither", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { account, it, lead } = yield* scene(channel, [])
      yield* it.run(start + 10 * hour)
      const [ours] = yield* it.sent
      const before = yield* lead
      const beside = yield* Scene.make(channel, "beside")
      const other = yield* beside.account("a")
      assert.strictEqual(other.externalId, account.externalId)
      channel.tell(other.id, start + 10 * hour, {
        type: "messageEchoed",
        dedupeKey: "theirs",
        at: start + 10 * hour,
        participant: { externalId: "p", scope: "" },
        externalId: "elsewhere",
        key: channel.asked[0]!.key,
        content: Builders.text("ours")
      })
      yield* it.run(start + 11 * hour)
      assert.deepStrictEqual(yield* it.sent, [ours])
      assert.deepStrictEqual(yield* lead, before)
      const told = yield* (yield* EventStore).read(beside.workspace.id, null, 100)
      assert.notInclude(
        told.map(({ event }) => event.type),
        "message.sent"
      )
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})

describe("a campaign that is paused between two parts", () => {
  it.effect("holds the rest until it runs again, and asks nobody meanwhile", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const partDelay = { minSeconds: 3_600, maxSeconds: 3_600 }
      const campaign = yield* it.campaign("c", [yield* it.account("a")], [{ id: "p" }], { pacing, partDelay }, [2])
      yield* it.start(campaign.id)
      yield* it.run(start + 1.5 * hour)
      yield* it.pause(campaign.id)
      yield* it.run(start + 5 * hour)
      assert.strictEqual(channel.asked.length, 1)
      yield* it.start(campaign.id)
      yield* it.run(start + 6 * hour)
      assert.strictEqual(channel.asked.length, 2)
      assert.strictEqual((yield* it.leads(campaign.id))[0]?.status, "sent")
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})
