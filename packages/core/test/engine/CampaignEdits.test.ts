import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer, Option } from "effect"
import { Accounts } from "../../src/account/Accounts.ts"
import type { CampaignSettings } from "../../src/campaign/Campaign.ts"
import { CampaignEdits } from "../../src/campaign/CampaignEdits.ts"
import { CampaignStore } from "../../src/campaign/CampaignStore.ts"
import type { Step } from "../../src/campaign/Step.ts"
import { system } from "../../src/event/DomainEvent.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day, hour } from "../../src/workspace/Instant.ts"
import * as Scene from "./Scene.ts"

const { start } = Builders
const pacing = { rangeMin: 24, rangeMax: 24, jitter: 0, catchUp: "skip" as const, newShare: 0.25 }
const people = (count: number) => Array.from({ length: count }, (_, i) => ({ id: `p${i}` }))

/** A campaign of one account whose steps say `first`, `later` … */
const scene = (channel: TestChannel.TestChannel, texts: ReadonlyArray<string>, count = 4) =>
  Effect.gen(function* () {
    const it = yield* Scene.make(channel)
    const account = yield* it.account("a")
    const step = (text: string, overrides: Partial<Step> = {}): Step => ({
      ...it.build.step({ type: "noReply" }),
      parts: [{ variants: [{ weight: 1, content: Builders.text(text) }] }],
      ...overrides
    })
    const [first, ...later] = texts
    const steps: CampaignSettings["steps"] = [
      step(first ?? "first", { type: "first", sendAfterDays: 0 }),
      ...later.map((text) => step(text))
    ]
    const campaign = yield* it.campaign("c", [account], people(count), { pacing, steps })
    const edits = yield* CampaignEdits
    return {
      ...it,
      it,
      account,
      campaign,
      step,
      steps,
      edit: (settings: Partial<CampaignSettings>) => edits.edit(it.workspace.id, campaign.id, { settings }, system),
      join: (id: typeof account.id) => edits.edit(it.workspace.id, campaign.id, { accounts: [id] }, system)
    }
  })

const run = <A>(
  channel: TestChannel.TestChannel,
  body: Effect.Effect<A, unknown, Layer.Success<ReturnType<typeof Scene.engine>>>
) => Effect.provide(body, Scene.engine(channel))

/** What each person was told, in order. */
const told = (channel: TestChannel.TestChannel) => {
  const texts = new Map<string, Array<string>>()
  for (const { text, to } of channel.asked) texts.set(to, [...(texts.get(to) ?? []), text])
  return [...texts.values()]
}

describe("an edit of a campaign that runs", () => {
  it.effect("is carried on for leads that go on with its new step, where the process that made it ended", () => {
    const channel = TestChannel.make()
    return run(
      channel,
      Effect.gen(function* () {
        const { campaign, counts, it, start: begin, status, step, workspace } = yield* scene(channel, ["one"], 6)
        yield* begin(campaign.id)
        yield* it.run(start + 3 * day)
        const store = yield* CampaignStore
        // What is committed of an edit before the first of its leads goes on.
        yield* store.modify(workspace.id, campaign.id, start + 3 * day, (current) => ({
          campaign: {
            ...current,
            version: current.version + 1,
            settings: { ...current.settings, steps: [current.settings.steps[0], step("two", { sendAfterDays: 5 })] },
            resumeAfter: ""
          },
          events: []
        }))
        const { chore } = yield* CampaignEdits
        assert.strictEqual((yield* chore.round(0)).worked, true)
        assert.strictEqual((yield* chore.round(0)).worked, false)
        assert.strictEqual(yield* status(campaign.id), "running")
        yield* it.run(start + 20 * day)
        assert.deepStrictEqual(
          told(channel),
          Array.from({ length: 6 }, () => ["one", "two"])
        )
        const [counted, recounted] = yield* counts(campaign.id)
        assert.deepStrictEqual(counted, recounted)
      })
    )
  })

  it.effect("lets a finished campaign run again with a new follow-up, once for each lead", () => {
    const channel = TestChannel.make()
    return run(
      channel,
      Effect.gen(function* () {
        const { campaign, counts, edit, it, start: begin, status, step, steps } = yield* scene(channel, ["one"])
        yield* begin(campaign.id)
        yield* it.run(start + 3 * day)
        assert.strictEqual(yield* status(campaign.id), "finished")
        const later = step("two", { sendAfterDays: 5 })
        const edited = yield* edit({ steps: [steps[0], later] })
        assert.deepStrictEqual([edited.resumed, edited.changed, edited.campaign.version], [4, ["steps"], 2])
        assert.strictEqual(yield* status(campaign.id), "running")
        yield* it.run(start + 20 * day)
        assert.deepStrictEqual(
          told(channel),
          Array.from({ length: 4 }, () => ["one", "two"])
        )
        const at = (yield* it.sent).slice(4).map((one) => one.at)
        assert.isTrue(at.every((one) => one >= start + 5 * day))
        assert.strictEqual(yield* status(campaign.id), "finished")
        const [counted, recounted] = yield* counts(campaign.id)
        assert.deepStrictEqual(counted, recounted)
        assert.deepStrictEqual((yield* edit({ steps: [steps[0], later] })).changed, [])
      })
    )
  })

  it.effect("is followed by a touch that was claimed before it and settles after it", () => {
    let edit: Effect.Effect<void> = Effect.void
    const channel = TestChannel.make({
      answer: ({ key }) =>
        Effect.as(
          Effect.suspend(() => edit),
          { type: "accepted", externalId: key }
        )
    })
    return run(
      channel,
      Effect.gen(function* () {
        const { campaign, it, start: begin, step, steps, ...scened } = yield* scene(channel, ["one"], 1)
        const later = step("two")
        edit = Effect.orDie(Effect.asVoid(scened.edit({ steps: [steps[0], later] })))
        yield* begin(campaign.id)
        yield* it.run(start + 20 * day)
        assert.deepStrictEqual(told(channel), [["one", "two"]])
      })
    )
  })

  it.effect("sends leads that wait for a step it takes away to the next one, in that one's time", () => {
    const channel = TestChannel.make()
    return run(
      channel,
      Effect.gen(function* () {
        const { campaign, edit, it, leads, start: begin, step, steps } = yield* scene(channel, ["one", "two"])
        yield* begin(campaign.id)
        yield* it.run(start + 12 * hour)
        const third = step("three", { sendAfterDays: 4 })
        yield* edit({ steps: [steps[0], third] })
        yield* it.run(start + 20 * day)
        assert.deepStrictEqual(
          told(channel),
          Array.from({ length: 4 }, () => ["one", "three"])
        )
        const at = (yield* it.sent).slice(4).map((one) => one.at)
        assert.isTrue(at.every((one) => one >= start + 4 * day))
        assert.isTrue((yield* leads(campaign.id)).every(({ ended }) => ended === "completed"))
      })
    )
  })

  it.effect("ends leads that wait for the last step where it takes that away", () => {
    const channel = TestChannel.make()
    return run(
      channel,
      Effect.gen(function* () {
        const { campaign, edit, it, leads, start: begin, status, steps } = yield* scene(channel, ["one", "two"])
        yield* begin(campaign.id)
        yield* it.run(start + 12 * hour)
        yield* edit({ steps: [steps[0]] })
        yield* it.run(start + 20 * day)
        assert.deepStrictEqual(
          told(channel),
          Array.from({ length: 4 }, () => ["one"])
        )
        assert.isTrue((yield* leads(campaign.id)).every(({ ended }) => ended === "completed"))
        assert.strictEqual(yield* status(campaign.id), "finished")
      })
    )
  })

  it.effect("says the new words from then on, and no step twice in another order", () => {
    const channel = TestChannel.make()
    return run(
      channel,
      Effect.gen(function* () {
        const { campaign, edit, it, start: begin, steps } = yield* scene(channel, ["one", "two", "three"])
        yield* begin(campaign.id)
        yield* it.run(start + 30 * hour)
        const before = told(channel)
          .flat()
          .filter((text) => text === "two").length
        assert.strictEqual(before, 4)
        const [first, second, third] = steps
        const reworded: Step = {
          ...third!,
          parts: [{ variants: [{ weight: 1, content: Builders.text("THREE") }] }]
        }
        yield* edit({ steps: [first, reworded, second!] })
        yield* it.run(start + 20 * day)
        assert.deepStrictEqual(
          told(channel),
          Array.from({ length: 4 }, () => ["one", "two", "THREE"])
        )
      })
    )
  })

  it.effect("lays the rest of the day anew, and lets a new account send", () => {
    const channel = TestChannel.make()
    return run(
      channel,
      Effect.gen(function* () {
        const { account, campaign, edit, it, join, start: begin } = yield* scene(channel, ["one"], 60)
        yield* begin(campaign.id)
        yield* it.run(start + 2 * hour)
        const slow = (yield* it.sent).length
        yield* edit({ pacing: { ...pacing, rangeMin: 48, rangeMax: 48 } })
        yield* it.run(start + 4 * hour)
        const fast = (yield* it.sent).length - slow
        assert.isAtLeast(fast, 2 * slow - 1)
        const other = yield* it.account("b")
        const { joined } = yield* join(other.id)
        assert.deepStrictEqual(joined, [other.id])
        assert.deepStrictEqual((yield* join(other.id)).joined, [])
        yield* it.run(start + 5 * day)
        const by = (yield* it.sent).map((one) => one.account)
        assert.isTrue(by.includes(other.id) && by.includes(account.id))
        assert.strictEqual(by.length, 60)
      })
    )
  })

  it.effect("refuses what a campaign cannot take, by field, and changes nothing", () => {
    const channel = TestChannel.make()
    return run(
      channel,
      Effect.gen(function* () {
        const { campaign, edit, it, step, steps } = yield* scene(channel, ["one", "two"])
        const refused = (settings: Partial<CampaignSettings>) =>
          Effect.map(Effect.flip(edit(settings)), (error) =>
            error._tag === "CampaignChangeRefused" ? error.problems.map(({ field }) => field) : [error._tag]
          )
        assert.deepStrictEqual(yield* refused({ steps: [step("x", { type: "first", sendAfterDays: 0 })] }), [
          "steps[0].id"
        ])
        assert.deepStrictEqual(yield* refused({ steps: [steps[0], step("x", { sendAfterDays: 0 })] }), [
          "steps[1].sendAfterDays"
        ])
        assert.deepStrictEqual(yield* refused({ steps: [steps[0], steps[1]!, steps[1]!] }), ["steps[2].id"])
        assert.deepStrictEqual(yield* refused({ steps: [steps[0], step("{% if %}")] }), [
          "steps[1].parts[0].variants[0]"
        ])
        assert.deepStrictEqual(yield* refused({ pacing: { ...pacing, rangeMin: 9, rangeMax: 3 } }), ["pacing.rangeMax"])
        assert.deepStrictEqual(yield* refused({ startAt: start + day, endAt: start }), ["endAt"])
        assert.deepStrictEqual(yield* refused({ steps: [steps[0], step("x", { sendAfterDays: 1e9 })] }), [
          "steps[1].sendAfterDays"
        ])
        assert.deepStrictEqual(yield* refused({ partDelay: { minSeconds: -1, maxSeconds: 1e12 } }), [
          "partDelay.minSeconds",
          "partDelay.maxSeconds"
        ])
        assert.deepStrictEqual(yield* refused({ timezone: "Europe/Berln" }), ["timezone"])
        assert.deepStrictEqual(yield* refused({ sendWindow: { timezone: "Asia/Tokyo" } }), ["sendWindow.timezone"])
        assert.deepStrictEqual(
          yield* refused({ sendWindow: { windows: [{ start: "09:00", end: "09:00" }] } }).pipe(
            Effect.map((fields) => fields.map((field) => field.split(/[.[]/)[0]))
          ),
          ["sendWindow"]
        )
        const stored = Option.getOrThrow(yield* (yield* CampaignStore).get(it.workspace.id, campaign.id))
        assert.deepStrictEqual(stored, campaign)
      })
    )
  })
})

describe("an account that an operator changes", () => {
  it.effect("is seen by its campaigns at once", () => {
    const channel = TestChannel.make()
    return run(
      channel,
      Effect.gen(function* () {
        const { account, campaign, it, start: begin } = yield* scene(channel, ["one"], 40)
        const accounts = yield* Accounts
        yield* begin(campaign.id)
        yield* it.run(start + 2 * hour)
        yield* accounts.change(it.workspace.id, account.id, { enabled: false }, system)
        yield* it.run(start + 4 * hour)
        const before = (yield* it.sent).length
        assert.isTrue((yield* it.leads(campaign.id)).every(({ status }) => status === "pending" || status === "sent"))
        yield* accounts.change(it.workspace.id, account.id, { enabled: true }, system)
        yield* it.run(start + 8 * hour)
        assert.isAbove((yield* it.sent).length, before)
      })
    )
  })
})

describe("a copy of a campaign", () => {
  it.effect("has its settings and accounts, steps of its own, and nobody in it", () => {
    const channel = TestChannel.make()
    return run(
      channel,
      Effect.gen(function* () {
        const { campaign, it, start: begin } = yield* scene(channel, ["one", "two"])
        yield* begin(campaign.id)
        yield* it.run(start + 20 * day)
        const edits = yield* CampaignEdits
        const copy = yield* edits.duplicate(it.workspace.id, campaign.id, { externalRef: "d" }, system)
        const store = yield* CampaignStore
        assert.deepStrictEqual([copy.status, copy.version, copy.startedAt], ["draft", 1, null])
        assert.deepStrictEqual(
          copy.settings.steps.map(({ parts }) => parts),
          campaign.settings.steps.map(({ parts }) => parts)
        )
        const ids = [...copy.settings.steps, ...campaign.settings.steps].map(({ id }) => id)
        assert.strictEqual(new Set(ids).size, 4)
        assert.strictEqual((yield* store.counts(copy.id)).total, 0)
        assert.strictEqual((yield* store.paces(copy.id)).length, 1)
        const again = yield* Effect.flip(edits.duplicate(it.workspace.id, campaign.id, { externalRef: "d" }, system))
        assert.strictEqual(again._tag, "CampaignChangeRefused")
      })
    )
  })
})
