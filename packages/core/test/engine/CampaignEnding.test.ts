import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Accounts } from "../../src/account/Accounts.ts"
import * as CampaignEnding from "../../src/campaign/CampaignEnding.ts"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import { CampaignStore } from "../../src/campaign/CampaignStore.ts"
import { Explanation } from "../../src/campaign/Explanation.ts"
import { Contacts } from "../../src/contact/Contacts.ts"
import { system } from "../../src/event/DomainEvent.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { Ids } from "../../src/workspace/Id.ts"
import { day, hour } from "../../src/workspace/Instant.ts"
import { Transaction } from "../../src/workspace/Transaction.ts"
import * as Scene from "./Scene.ts"

const { start } = Builders
const pacing = { rangeMin: 24, rangeMax: 24, jitter: 0, catchUp: "skip" as const, newShare: 0.25 }
const people = (count: number) => Array.from({ length: count }, (_, i) => ({ id: `p${i}` }))
const endAt = start + 30 * hour

describe("a campaign at its endAt", () => {
  it.effect("skips who is open, ends sequences, and is finished; explain says so", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const campaign = yield* it.campaign("c", [yield* it.account("a")], people(60), { pacing, endAt }, [1, 1])
      yield* it.start(campaign.id)
      yield* it.run(endAt - 1)
      const before = yield* it.sent
      assert.isTrue(before.every(({ at }) => at < endAt))
      yield* it.run(endAt)
      const explanation = yield* Explanation
      const expected = new Map<string, string>()
      for (const lead of yield* it.leads(campaign.id)) {
        if (lead.step === null) continue
        const { answer } = yield* explanation.explain(it.workspace.id, lead.id)
        expected.set(lead.id, answer.type)
        assert.strictEqual("reason" in answer ? answer.reason : null, "cancelled")
      }
      yield* it.run(endAt + day)
      assert.strictEqual((yield* it.sent).length, before.length)
      assert.strictEqual(yield* it.status(campaign.id), "finished")
      for (const lead of yield* it.leads(campaign.id)) {
        const told = expected.get(lead.id)
        if (told === undefined) continue
        assert.strictEqual(lead.ended, "cancelled")
        assert.strictEqual(lead.step, null)
        assert.deepStrictEqual(
          told === "skipped" ? [lead.status, lead.reason] : [lead.status],
          told === "skipped" ? ["skipped", "cancelled"] : ["sent"]
        )
      }
      assert.isTrue([...expected.values()].includes("skipped") && [...expected.values()].includes("over"))
      const [counted, recounted] = yield* it.counts(campaign.id)
      assert.deepStrictEqual(counted, recounted)
      const events = (yield* (yield* EventStore).read(it.workspace.id, null, 10_000)).map(({ event }) => event)
      const finished = events.find(({ type }) => type === "campaign.finished")
      assert.deepStrictEqual([finished?.at, finished?.data["reason"]], [endAt, "endAt"])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("ends though its only account cannot send, and though it is evergreen", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const account = yield* it.account("a")
      const campaign = yield* it.campaign("c", [account], people(6), { pacing, endAt, evergreen: true })
      yield* (yield* Accounts).change(it.workspace.id, account.id, { enabled: false }, system)
      yield* it.start(campaign.id)
      yield* it.run(endAt + hour)
      assert.strictEqual(yield* it.status(campaign.id), "finished")
      assert.strictEqual((yield* it.counts(campaign.id))[0].skipped, 6)
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("lets a touch that is between two parts go out in part", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      // The first slot of the day is at half past: the second part would go an hour later.
      const partDelay = { minSeconds: 3_600, maxSeconds: 3_600 }
      const settings = { pacing: { ...pacing, rangeMin: 48, rangeMax: 48 }, partDelay, endAt: start + hour }
      const campaign = yield* it.campaign("c", [yield* it.account("a")], people(1), settings, [2])
      yield* it.start(campaign.id)
      yield* it.run(start + day)
      const [lead] = yield* it.leads(campaign.id)
      assert.deepStrictEqual([lead?.status, lead?.ended, channel.asked.length], ["partial", "cancelled", 1])
      const [counted, recounted] = yield* it.counts(campaign.id)
      assert.deepStrictEqual(counted, recounted)
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})

describe("an evergreen campaign", () => {
  it.effect("is never finished by itself, and sends to those who join later", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const account = yield* it.account("a")
      const campaign = yield* it.campaign("c", [account], people(3), { pacing, evergreen: true })
      yield* it.start(campaign.id)
      yield* it.run(start + 5 * day)
      assert.deepStrictEqual([yield* it.status(campaign.id), channel.asked.length], ["running", 3])
      const contacts = yield* Contacts
      const list = yield* contacts.listNamed(it.workspace.id, "c")
      const row = { line: 9, externalId: "late", name: "late", tags: [], attributes: {} }
      yield* contacts.importRows(it.workspace.id, list.id, [row], { channel: channel.name, accounts: [account] })
      const { enrolled } = yield* (yield* Campaigns).enrollList(it.workspace.id, campaign.id, list.id)
      assert.strictEqual(enrolled, 1)
      yield* it.run(start + 8 * day)
      assert.deepStrictEqual([yield* it.status(campaign.id), channel.asked.length], ["running", 4])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})

describe("a campaign that had nothing left to do", () => {
  it.effect("goes on where people were enrolled before it was finished", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const campaign = yield* it.campaign("c", [yield* it.account("a")], people(1))
      yield* it.start(campaign.id)
      const store = yield* CampaignStore
      const view = yield* (yield* Campaigns).get(it.workspace.id, campaign.id)
      const seen = { ...store, finishable: () => Effect.succeed([view.campaign]) }
      const { finish } = CampaignEnding.make(seen, yield* Transaction, (yield* Ids).generator)
      yield* finish(start)
      assert.strictEqual(yield* it.status(campaign.id), "running")
      yield* it.run(start + day)
      yield* finish(start + day)
      assert.strictEqual(yield* it.status(campaign.id), "finished")
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})
