import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { CampaignSettings } from "../../src/campaign/Campaign.ts"
import { Explanation } from "../../src/campaign/Explanation.ts"
import { Chats } from "../../src/chat/Chats.ts"
import { system } from "../../src/event/DomainEvent.ts"
import { Forecasts } from "../../src/forecast/Forecasts.ts"
import { Messages } from "../../src/outbox/Messages.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day, hour } from "../../src/workspace/Instant.ts"
import * as Scene from "./Scene.ts"

const { start } = Scene
const people = [{ id: "p0" }, { id: "p1" }]

/** One of ours writes to p0 by account a; campaigns write by account b. */
const scene = (channel: TestChannel.TestChannel) =>
  Effect.gen(function* () {
    const it = yield* Scene.make(channel)
    const [a, b] = [yield* it.account("a"), yield* it.account("b")]
    const campaign = (key: string, settings: Partial<CampaignSettings> = {}) =>
      it.campaign(key, [b], people, {
        pacing: { rangeMin: 24, rangeMax: 24, jitter: 0, catchUp: "skip", newShare: 1 },
        ...settings
      })
    const takeOver = Effect.gen(function* () {
      const to = { account: a.id, person: "p0" }
      const content = { type: "text" as const, text: "by hand" }
      const author = { type: "api" as const, id: null }
      return yield* (yield* Messages).send(it.workspace.id, { to, content, author, takeOver: true })
    })
    const written = () => channel.asked.flatMap(({ account, to }) => (account === b.id ? [to] : [])).toSorted()
    return { ...it, campaign, takeOver, written }
  })

describe("a takeover in the chat of another account", () => {
  it.effect("holds a first touch as long as it stands", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* scene(channel)
      const campaign = yield* it.campaign("c", { startAt: start + 2 * hour })
      yield* it.start(campaign.id)
      yield* it.run(start + hour)
      const { chat } = yield* it.takeOver
      yield* it.run(start + 9 * day)
      assert.deepStrictEqual(it.written(), ["p1"])
      const held = (yield* it.leads(campaign.id)).find(({ status }) => status === "assigned")!
      assert.strictEqual(held.touches[0]?.reason, "takenOver")
      yield* (yield* Chats).change(it.workspace.id, [chat], { type: "resume" }, system)
      yield* it.run(start + 11 * day)
      assert.deepStrictEqual(it.written(), ["p0", "p1"])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("holds leads that are enrolled later, unless the campaign listens to its own chats alone", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* scene(channel)
      yield* it.takeOver
      yield* it.run(start + hour)
      const campaign = yield* it.campaign("later")
      yield* it.start(campaign.id)
      const forecast = yield* (yield* Forecasts).of(it.workspace.id, campaign.id, { bounds: { days: 5 } })
      assert.strictEqual(forecast.touches.length, 1)
      yield* it.until(() => it.written().length > 0)
      const held = (yield* it.leads(campaign.id)).find(({ status }) => status !== "sent")!
      const { answer } = yield* (yield* Explanation).explain(it.workspace.id, held.id)
      assert.deepInclude(answer, { type: "waits", reason: "takenOver" })
      yield* it.run(start + 4 * day)
      assert.deepStrictEqual(it.written(), ["p1"])
      const narrow = yield* it.campaign("narrow", { stopOn: "chat" })
      yield* it.start(narrow.id)
      yield* it.run(start + 5 * day)
      assert.deepStrictEqual(it.written(), ["p0", "p1", "p1"])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})
