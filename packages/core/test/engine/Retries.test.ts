import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { idOf } from "../../src/chat/Chat.ts"
import { ChatStore } from "../../src/chat/ChatStore.ts"
import { CampaignStore } from "../../src/campaign/CampaignStore.ts"
import { Retries, type RetryChoice } from "../../src/campaign/Retries.ts"
import type { Outcome } from "../../src/channel/Outcome.ts"
import { Contacts } from "../../src/contact/Contacts.ts"
import { Suppressions } from "../../src/contact/Suppressions.ts"
import { system } from "../../src/event/DomainEvent.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day } from "../../src/workspace/Instant.ts"
import * as Scene from "./Scene.ts"

const { start } = Builders
const pacing = { rangeMin: 24, rangeMax: 24, jitter: 0, catchUp: "skip" as const, newShare: 0.25 }
const rejected: Outcome = { type: "contentRejected" }

/** A finished campaign over `count` people whose channel answered as `answer` says. */
const finished = (
  answer: (to: string, count: number, text: string) => Outcome | undefined,
  parts: readonly [number, ...Array<number>] = [1],
  count = 4
) => {
  const channel = TestChannel.make({ answer: (asked, times) => answer(asked.to, times, asked.text) })
  const make = Effect.gen(function* () {
    const it = yield* Scene.make(channel)
    const account = yield* it.account("a")
    const people = Array.from({ length: count }, (_, i) => ({ id: `p${i}` }))
    const campaign = yield* it.campaign("c", [account], people, { pacing }, parts)
    yield* it.start(campaign.id)
    yield* it.run(start + 9 * day)
    const retries = yield* Retries
    const byAddress = Effect.map(
      it.leads(campaign.id),
      (leads) => new Map(leads.map((lead) => [lead.address.split("/").at(-1) ?? lead.address, lead]))
    )
    return {
      it,
      account,
      campaign,
      retry: (choice: RetryChoice) => retries.retry(it.workspace.id, campaign.id, choice, system),
      leads: it.leads(campaign.id),
      byAddress,
      agree: Effect.map(it.counts(campaign.id), ([counted, recounted]) => {
        assert.deepStrictEqual(counted, recounted)
        return counted
      })
    }
  })
  return { channel, make }
}

const textsTo = (channel: TestChannel.TestChannel, to: string) =>
  channel.asked.filter((asked) => asked.to === to).map(({ text }) => text)

describe("a retry", () => {
  it.effect("leaves alone whoever is gone, and the campaign ends", () => {
    const { channel, make } = finished((to) => (to === "p1" ? rejected : undefined))
    return Effect.gen(function* () {
      const { byAddress, campaign, it, retry } = yield* make
      const gone = (yield* byAddress).get("p1")!
      yield* (yield* Contacts).remove(it.workspace.id, gone.contact, system)
      const why = [{ lead: gone.id, why: "nothingToRetry" as const }]
      assert.deepStrictEqual(yield* retry({ type: "leads", leads: [gone.id] }), { leads: [], left: why })
      assert.deepStrictEqual(yield* retry({ type: "reasons", reasons: ["contentRejected"] }), { leads: [], left: [] })
      yield* it.run(start + 20 * day)
      assert.deepStrictEqual([channel.asked.length, yield* it.status(campaign.id)], [4, "finished"])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("by reason sends what failed again, once, and leaves the others alone", () => {
    const { channel, make } = finished((to, times) => (to === "p1" && times === 1 ? rejected : undefined))
    return Effect.gen(function* () {
      const { agree, campaign, it, leads, retry } = yield* make
      assert.deepStrictEqual([(yield* agree).failed, (yield* agree).sent], [1, 3])
      assert.deepStrictEqual(yield* retry({ type: "reasons", reasons: ["unreachable"] }), { leads: [], left: [] })
      const { leads: retried } = yield* retry({ type: "reasons", reasons: ["contentRejected"] })
      assert.strictEqual(retried.length, 1)
      assert.strictEqual(yield* it.status(campaign.id), "running")
      assert.deepStrictEqual([(yield* agree).failed, (yield* agree).assigned], [0, 1])
      yield* it.run(start + 12 * day)
      assert.strictEqual(channel.asked.length, 5)
      assert.deepStrictEqual([(yield* agree).failed, (yield* agree).sent], [0, 4])
      assert.isTrue((yield* leads).every(({ touches }) => touches.length === 1 && touches[0]!.status === "sent"))
      assert.strictEqual(yield* it.status(campaign.id), "finished")
      assert.deepStrictEqual(new Set(channel.asked.map(({ key }) => key)).size, 5)
      const again = yield* retry({ type: "leads", leads: retried })
      assert.deepStrictEqual(again, { leads: [], left: [{ lead: retried[0]!, why: "nothingToRetry" }] })
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("goes on at the first missing part", () => {
    const { channel, make } = finished((to, times) => (to === "p1" && times === 2 ? rejected : undefined), [3])
    return Effect.gen(function* () {
      const { agree, byAddress, it, retry } = yield* make
      assert.strictEqual((yield* agree).partial, 1)
      const before = textsTo(channel, "p1")
      assert.strictEqual(before.length, 2)
      const { leads } = yield* retry({ type: "reasons", reasons: ["contentRejected"] })
      assert.strictEqual(leads.length, 1)
      yield* it.run(start + 12 * day)
      const [one, two] = before
      const after = textsTo(channel, "p1").slice(2)
      assert.strictEqual(after.length, 2)
      assert.strictEqual(after[0], two)
      assert.notInclude(after, one)
      assert.deepStrictEqual([(yield* agree).partial, (yield* agree).sent], [0, 4])
      const lead = [...(yield* byAddress).values()].find(({ id }) => id === leads[0])
      assert.deepStrictEqual([lead?.status, lead?.ended], ["sent", "completed"])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("of a follow-up that failed lets the sequence go on", () => {
    const { channel, make } = finished((to, times) => (to === "p1" && times === 2 ? rejected : undefined), [1, 1, 1])
    return Effect.gen(function* () {
      const { agree, it, leads, retry } = yield* make
      assert.strictEqual((yield* leads).filter(({ ended }) => ended === "failed").length, 1)
      assert.strictEqual((yield* retry({ type: "reasons", reasons: ["contentRejected"] })).leads.length, 1)
      yield* it.run(start + 20 * day)
      assert.strictEqual(textsTo(channel, "p1").length, 4)
      assert.isTrue((yield* leads).every(({ ended, touches }) => ended === "completed" && touches.length === 3))
      assert.strictEqual((yield* agree).sent, 4)
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("never sends what may have gone out, but where a person says of that lead that it did not", () => {
    const { channel, make } = finished((to, times) =>
      to === "p1" && times === 1 ? { type: "outcomeUnknown" } : undefined
    )
    return Effect.gen(function* () {
      const { agree, it, leads, retry } = yield* make
      const unknown = (yield* leads).find(({ reason }) => reason === "outcomeUnknown")!
      assert.deepStrictEqual(yield* retry({ type: "reasons", reasons: ["outcomeUnknown"] }), {
        leads: [],
        left: [{ lead: unknown.id, why: "outcomeUnknown" }]
      })
      assert.deepStrictEqual((yield* retry({ type: "leads", leads: [unknown.id] })).left, [
        { lead: unknown.id, why: "outcomeUnknown" }
      ])
      yield* it.run(start + 12 * day)
      assert.strictEqual(channel.asked.length, 4)
      const { leads: retried } = yield* retry({ type: "leads", leads: [unknown.id], includeUnknown: true })
      assert.deepStrictEqual(retried, [unknown.id])
      yield* it.run(start + 15 * day)
      assert.strictEqual(channel.asked.length, 5)
      assert.deepStrictEqual([(yield* agree).failed, (yield* agree).sent], [0, 4])
      const keys = channel.asked.filter(({ to }) => to === "p1").map(({ key }) => key)
      assert.strictEqual(new Set(keys).size, 2)
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("does not send again what proves to have gone out while it waits", () => {
    const { channel, make } = finished((to, times) =>
      to === "p1" && times === 1 ? { type: "outcomeUnknown" } : undefined
    )
    return Effect.gen(function* () {
      const { account, agree, it, leads, retry } = yield* make
      const unknown = (yield* leads).find(({ reason }) => reason === "outcomeUnknown")!
      yield* retry({ type: "leads", leads: [unknown.id], includeUnknown: true })
      const chats = yield* ChatStore
      const chat = idOf(account.id, unknown.address)
      const { data } = yield* chats.messages(it.workspace.id, chat, { limit: 9 })
      yield* chats.advance([{ id: data[0]!.id }], (message) => ({ ...message, status: "sent", sentAt: start + day }))
      yield* it.run(start + 15 * day)
      assert.strictEqual(textsTo(channel, "p1").length, 1)
      assert.strictEqual((yield* agree).sent, 4)
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("of skipped people goes through every gate again", () => {
    const { channel, make } = finished(() => undefined, [1], 0)
    return Effect.gen(function* () {
      const { account, it } = yield* make
      const suppressions = yield* Suppressions
      const people = [{ id: "q0" }, { id: "q1" }]
      const campaign = yield* it.campaign("d", [account], people, { pacing })
      const addresses = people.map(({ id }) => ({ channel: channel.name, scope: "", externalId: id }))
      yield* suppressions.add(it.workspace.id, addresses, system)
      yield* it.start(campaign.id)
      yield* it.run(start + 12 * day)
      assert.strictEqual(channel.asked.length, 0)
      const retries = yield* Retries
      const choice: RetryChoice = { type: "reasons", reasons: ["suppressed"] }
      assert.strictEqual((yield* retries.retry(it.workspace.id, campaign.id, choice, system)).leads.length, 2)
      yield* it.run(start + 13 * day)
      assert.strictEqual(channel.asked.length, 0)
      const [counted, recounted] = yield* it.counts(campaign.id)
      assert.deepStrictEqual(counted, recounted)
      assert.strictEqual(counted.skipped, 2)
      const stored = Option.getOrThrow(yield* (yield* CampaignStore).get(it.workspace.id, campaign.id))
      assert.strictEqual(stored.status, "finished")
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})
