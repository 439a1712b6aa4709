import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { CampaignSettings } from "../../src/campaign/Campaign.ts"
import { CampaignAccounts } from "../../src/campaign/CampaignAccounts.ts"
import { Explanation } from "../../src/campaign/Explanation.ts"
import { Previews, type TestSend } from "../../src/campaign/Previews.ts"
import { ChatStore } from "../../src/chat/ChatStore.ts"
import { Suppressions } from "../../src/contact/Suppressions.ts"
import { system } from "../../src/event/DomainEvent.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import type { AccountId } from "../../src/workspace/Id.ts"
import { day } from "../../src/workspace/Instant.ts"
import * as Scene from "./Scene.ts"

const { start } = Builders

const scene = (channel: TestChannel.TestChannel, settings: Partial<CampaignSettings> = {}) =>
  Effect.gen(function* () {
    const it = yield* Scene.make(channel)
    const account = yield* it.account("a")
    const part = (...texts: readonly [string, ...Array<string>]) => ({
      variants: [
        { weight: 1, content: Builders.text(texts[0]) },
        ...texts.slice(1).map((text) => ({ weight: 1, content: Builders.text(text) }))
      ] as const
    })
    const steps: CampaignSettings["steps"] = [
      { ...it.build.step(), parts: [part("Hi {{ name }}", "Hello {{ name }}"), part("{{ order }} is ready")] },
      { ...it.build.step({ type: "noReply" }), parts: [part(`{{ name }}${"x".repeat(88)}`)] }
    ]
    const people = [{ id: "p0" }, { id: "p1" }, { id: "p2" }]
    const campaign = yield* it.campaign("c", [account], people, { steps, ...settings })
    const previews = yield* Previews
    return {
      it,
      account,
      campaign,
      preview: previews.preview(it.workspace.id, campaign.id, 2),
      send: (test: Partial<TestSend> = {}) =>
        previews.testSend(it.workspace.id, { campaign: campaign.id, account: account.id, to: "us", ...test }, system)
    }
  })

describe("a preview", () => {
  it.effect("shows every step and variant with what it lacks, and sends, reserves and writes nothing", () => {
    const channel = TestChannel.make({ capabilities: { text: { maxLength: 60, unit: "characters" } } })
    return Effect.gen(function* () {
      const { campaign, it, preview } = yield* scene(channel)
      const feed = yield* EventStore
      const before = (yield* feed.read(it.workspace.id, null, 999)).length
      const { missing, people, unsayable } = yield* preview
      assert.deepStrictEqual(missing, [{ variable: "order", people: 2 }])
      assert.deepStrictEqual([people.length, unsayable], [2, 2])
      const [first] = people
      const [hello, order] = first!.steps[0]!.parts
      assert.deepStrictEqual(
        hello!.map(({ content }) => content),
        [Builders.text(`Hi ${first!.name}`), Builders.text(`Hello ${first!.name}`)]
      )
      assert.strictEqual(hello!.filter(({ chosen }) => chosen).length, 1)
      assert.deepStrictEqual([order![0]!.content, order![0]!.missing], [null, ["order"]])
      assert.include(first!.steps[1]!.parts[0]![0]!.problem ?? "", "90")
      assert.deepStrictEqual([channel.asked.length, (yield* feed.read(it.workspace.id, null, 999)).length], [0, before])
      assert.isTrue((yield* it.leads(campaign.id)).every(({ status }) => status === "pending"))
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("shows the variant that is sent, and blanks where they are allowed", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { campaign, it, preview } = yield* scene(channel, { onMissing: "blank" })
      const { people } = yield* preview
      const own = new Map(
        people.map((one) => [
          one.contact,
          one.steps[0]!.parts.map((variants) => variants.find(({ chosen }) => chosen)!.content)
        ])
      )
      yield* it.start(campaign.id)
      yield* it.run(start + day - 1)
      const leads = yield* it.leads(campaign.id)
      const addressOf = (id: string) => leads.find(({ contact }) => contact === id)!.address
      for (const [contact, contents] of own) {
        const to = addressOf(contact)
        const texts = channel.asked.filter((asked) => to.endsWith(asked.to)).map(({ text }) => text)
        assert.deepStrictEqual(
          texts.slice(0, 2),
          contents.map((content) => (content?.type === "text" ? content.text : ""))
        )
      }
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})

describe("how many people are asked for", () => {
  it.effect("is a whole number within its bounds, or refused by its name", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { campaign, it } = yield* scene(channel)
      const { preview } = yield* Previews
      const { dryRun } = yield* Explanation
      const expected = (most: string) => `limit: expected a whole number from 1 to ${most}`
      for (const limit of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 10_001]) {
        const shown = yield* Effect.flip(preview(it.workspace.id, campaign.id, limit))
        const judged = yield* Effect.flip(dryRun(it.workspace.id, campaign.id, limit))
        assert.deepStrictEqual([shown._tag, judged._tag], ["InvalidListRequest", "InvalidListRequest"])
        assert.include(shown.message, expected("1000"))
        assert.include(judged.message, expected("10000"))
      }
      assert.strictEqual((yield* preview(it.workspace.id, campaign.id, 1_000)).people.length, 3)
      assert.strictEqual((yield* dryRun(it.workspace.id, campaign.id, 10_000)).leads, 3)
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})

describe("a test send", () => {
  it.effect("goes to the address at once, marked, and counts for no campaign", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { account, campaign, it, send } = yield* scene(channel, { onMissing: "blank" })
      const ids = yield* send()
      assert.strictEqual(ids.length, 2)
      yield* it.run(start + 60_000)
      assert.deepStrictEqual(
        channel.asked.map(({ account: from, text, to }) => [from, to, text]),
        [
          [account.id, "us", channel.asked[0]!.text],
          [account.id, "us", " is ready"]
        ]
      )
      const chats = yield* ChatStore
      const [chat] = (yield* chats.list(it.workspace.id, {})).data
      const { data } = yield* chats.messages(it.workspace.id, chat!.id, { limit: 9 })
      assert.isTrue(data.every(({ metadata }) => "test" in metadata))
      const [counted] = yield* it.counts(campaign.id)
      assert.deepStrictEqual([counted.pending, counted.sent, counted.total], [3, 0, 3])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("shows another step as one person would see it", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { campaign, it, send } = yield* scene(channel)
      const [lead] = yield* it.leads(campaign.id)
      const refused = yield* Effect.flip(send({ as: lead!.contact }))
      assert.deepStrictEqual(refused._tag === "TestSendRefused" ? refused.reason : refused._tag, "missingVariable")
      yield* send({ as: lead!.contact, step: campaign.settings.steps[1]!.id })
      yield* it.run(start + 60_000)
      assert.deepStrictEqual(
        channel.asked.map(({ text }) => text),
        [`p0${"x".repeat(88)}`]
      )
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("goes only from accounts of the campaign, not from one that left", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { account, campaign, it, send } = yield* scene(channel, { onMissing: "blank" })
      const stranger = yield* it.account("stranger")
      const refused = (from: AccountId) =>
        Effect.map(Effect.flip(send({ account: from })), (error) =>
          error._tag === "TestSendRefused" ? error.reason : error._tag
        )
      assert.strictEqual(yield* refused(stranger.id), "accountNotInCampaign")
      const members = yield* CampaignAccounts
      yield* members.join(it.workspace.id, campaign.id, stranger.id, system)
      yield* members.leave(it.workspace.id, campaign.id, account.id, system)
      assert.strictEqual(yield* refused(account.id), "accountNotInCampaign")
      yield* send({ account: stranger.id })
      yield* it.run(start + 60_000)
      assert.deepStrictEqual(new Set(channel.asked.map((asked) => asked.account)), new Set([stranger.id]))
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("goes to nobody who is suppressed, or whom the channel's policy protects", () => {
    const reasonOf = (policy: TestChannel.Options["policy"], suppressed = false) => {
      const channel = TestChannel.make({ policy: policy ?? {} })
      return Effect.gen(function* () {
        const { it, send } = yield* scene(channel)
        if (suppressed) {
          const address = { channel: channel.name, scope: "", externalId: "us" }
          yield* (yield* Suppressions).add(it.workspace.id, [address], system)
        }
        const error = yield* Effect.flip(send())
        yield* it.run(start + 60_000)
        assert.strictEqual(channel.asked.length, 0)
        return error._tag === "TestSendRefused" ? error.reason : error._tag
      }).pipe(Effect.provide(Scene.engine(channel)))
    }
    return Effect.gen(function* () {
      assert.strictEqual(yield* reasonOf({}, true), "suppressed")
      assert.strictEqual(yield* reasonOf({ personWritesFirst: true }), "policy")
      assert.strictEqual(yield* reasonOf({ automationAllowed: false }), "policy")
      assert.strictEqual(yield* reasonOf({ optInRequired: true }), "noConsent")
      assert.strictEqual(yield* reasonOf({ replyWindow: { automatedMs: day, humanMs: null } }), "replyWindowClosed")
    })
  })
})

describe("a channel's own limit", () => {
  it.effect("holds for each account and day", () => {
    const channel = TestChannel.make({ policy: { dailyLimit: 3 } })
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const accounts = [yield* it.account("a"), yield* it.account("b")] as const
      const people = Array.from({ length: 30 }, (_, i) => ({ id: `q${i}` }))
      const pacing = { rangeMin: 24, rangeMax: 24, jitter: 0, catchUp: "skip" as const, newShare: 0.25 }
      const campaign = yield* it.campaign("d", accounts, people, { pacing })
      yield* it.start(campaign.id)
      yield* it.run(start + 4 * day)
      const days = new Map<string, number>()
      for (const { account, at } of yield* it.sent) {
        const key = `${account} ${Math.floor(at / day)}`
        days.set(key, (days.get(key) ?? 0) + 1)
      }
      assert.deepStrictEqual(new Set(days.values()), new Set([3]))
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})
