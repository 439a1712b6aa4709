import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { idOf } from "../../src/chat/Chat.ts"
import { Chats } from "../../src/chat/Chats.ts"
import { system } from "../../src/event/DomainEvent.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day, hour, type Instant } from "../../src/workspace/Instant.ts"
import * as Scene from "./Scene.ts"

const { start } = Scene
const pacing = { rangeMin: 24, rangeMax: 24, jitter: 0, catchUp: "skip" as const, newShare: 0.25 }

/** An account whose owner wrote to p by hand at `at`, which the platform tells at `told`. */
const scene = (channel: TestChannel.TestChannel) =>
  Effect.gen(function* () {
    const it = yield* Scene.make(channel)
    const account = yield* it.account("a")
    const chats = yield* Chats
    const chat = idOf(account.id, `${channel.name}//p`)
    return {
      ...it,
      account,
      wrote: (at: Instant, told: Instant) => Scene.byHand(channel, account, at, told),
      change: (type: "close" | "resume") => chats.change(it.workspace.id, [chat], { type }, system)
    }
  })

describe("what was written by hand before the chat was given back, and is told after it", () => {
  it.effect("ends the sequences that it followed, as it would have done in time", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* scene(channel)
      const campaign = yield* it.campaign("c", [it.account], [{ id: "p" }], { pacing }, [1, 1])
      yield* it.start(campaign.id)
      yield* it.run(start + 10 * hour)
      yield* it.change("close")
      it.wrote(start + 5 * hour, start + 11 * hour)
      yield* it.run(start + 9 * day)
      const [lead] = yield* it.leads(campaign.id)
      assert.deepStrictEqual([lead?.ended, channel.asked.length], ["takenOver", 1])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("neither puts off who was not touched yet, nor ends what was touched since", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* scene(channel)
      it.wrote(start + hour, start + hour)
      yield* it.run(start + 3 * hour)
      yield* it.change("resume")
      const startAt = start + 6 * hour
      const campaign = yield* it.campaign("c", [it.account], [{ id: "p" }], { pacing, startAt }, [1, 1])
      yield* it.start(campaign.id)
      it.wrote(start + 1, start + 4 * hour)
      yield* it.run(start + 8 * hour)
      const [touched] = yield* it.leads(campaign.id)
      assert.deepStrictEqual([touched?.status, touched?.touches.length], ["sent", 1])
      it.wrote(start + 2 * hour, start + 9 * hour)
      yield* it.run(start + 9 * day)
      const [lead] = yield* it.leads(campaign.id)
      assert.deepStrictEqual([lead?.ended, channel.asked.length], ["completed", 2])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})
