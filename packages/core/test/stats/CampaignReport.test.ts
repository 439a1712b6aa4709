import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type { Account } from "../../src/account/Account.ts"
import { CampaignAccounts } from "../../src/campaign/CampaignAccounts.ts"
import type { StepType } from "../../src/campaign/Step.ts"
import { system } from "../../src/event/DomainEvent.ts"
import { endedCount, stoppedByReply } from "../../src/stats/CampaignReport.ts"
import { CampaignReports } from "../../src/stats/CampaignReports.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day, hour, type Instant } from "../../src/workspace/Instant.ts"
import * as Scene from "../engine/Scene.ts"

const { start } = Builders
const pacing = { rangeMin: 24, rangeMax: 24, jitter: 0, catchUp: "skip" as const, newShare: 0.25 }

const engine = (channel: TestChannel.TestChannel) =>
  CampaignReports.layer.pipe(Layer.provideMerge(Scene.engine(channel)))

const says = (channel: TestChannel.TestChannel, account: Account, externalId: string, at: Instant) =>
  channel.tell(account.id, at, {
    type: "messageReceived",
    dedupeKey: `in-${externalId}-${at}`,
    at,
    participant: { externalId, scope: "" },
    externalId: `in-${externalId}-${at}`,
    content: Builders.text("Hm")
  })

describe("a report", () => {
  it.effect.each([
    ["that end with a reply", ["noReply", "noReply"], 2],
    ["that go on after the talk", ["noReply", "noReplyResponded"], 2],
    ["with nothing that a reply stops", ["noReplyResponded"], 0]
  ] as ReadonlyArray<readonly [string, ReadonlyArray<typeof StepType.Type>, number]>)(
    "counts whose follow-ups a reply took, of sequences %s",
    ([, follow, stopped]) => {
      const channel = TestChannel.make()
      return Effect.gen(function* () {
        const scene = yield* Scene.make(channel)
        const account = yield* scene.account("a")
        const steps = [
          scene.build.step(),
          ...follow.map((type) => scene.build.step({ type, sendAfterDays: 2 }))
        ] as const
        const people = ["p0", "p1", "p2"].map((id) => ({ id }))
        const campaign = yield* scene.campaign("c", [account], people, { pacing, steps })
        yield* scene.start(campaign.id)
        for (const id of ["p0", "p2"]) says(channel, account, id, start + 26 * hour)
        yield* scene.run(start + 20 * day)
        const report = yield* (yield* CampaignReports).of(scene.workspace.id, campaign.id)
        assert.deepStrictEqual([report.counts.sent, report.counts.replied, stoppedByReply(report)], [3, 2, stopped])
      }).pipe(Effect.provide(engine(channel)))
    }
  )

  it.effect("counts a message that proves to have gone out as sent, not as failed", () => {
    const channel = TestChannel.make({ answer: () => ({ type: "outcomeUnknown" }) })
    return Effect.gen(function* () {
      const scene = yield* Scene.make(channel)
      const account = yield* scene.account("a")
      const campaign = yield* scene.campaign("c", [account], [{ id: "p0" }, { id: "p1" }], { pacing })
      yield* scene.start(campaign.id)
      yield* scene.run(start + 20 * hour)
      const activity = Effect.map(
        Effect.flatMap(CampaignReports, (reports) => reports.of(scene.workspace.id, campaign.id)),
        (report) => ({ sent: report.counts.sent, ...report.activity! })
      )
      const before = yield* activity
      assert.deepStrictEqual([before.sent, before.accounts.get(account.id)?.failed, before.firstSentAt], [0, 2, null])
      assert.deepStrictEqual(before.days, [
        { date: before.days[0]!.date, first: 0, followUps: 0, failed: 2, replies: 0 }
      ])
      const lost = channel.asked.find(({ to }) => to === "p0")
      channel.tell(account.id, start + 21 * hour, {
        type: "messageEchoed",
        dedupeKey: "echo",
        at: start + hour,
        participant: { externalId: "p0", scope: "" },
        externalId: "x0",
        key: lost!.key,
        content: Builders.text("Hello")
      })
      yield* scene.run(start + 2 * day)
      const after = yield* activity
      assert.strictEqual(after.sent, 1)
      assert.deepStrictEqual(after.days, [{ ...before.days[0]!, first: 1, failed: 1 }])
      assert.deepInclude(after.accounts.get(account.id), { messages: 1, failed: 1 })
      assert.deepStrictEqual(
        after.accountDays.map(({ failed, messages }) => [messages, failed]),
        [[1, 1]]
      )
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("counts a person who answers again and again once, on the day of the first answer", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* Scene.make(channel)
      const account = yield* scene.account("a")
      const steps = [
        scene.build.step(),
        scene.build.step({ type: "noReply", sendAfterDays: 2 }),
        scene.build.step({ type: "noReplyResponded", sendAfterDays: 9 })
      ] as const
      const campaign = yield* scene.campaign("c", [account], [{ id: "p0" }, { id: "p1" }], { pacing, steps })
      yield* scene.start(campaign.id)
      for (const hours of [26, 27, 50, 75]) says(channel, account, "p0", start + hours * hour)
      yield* scene.run(start + 30 * day)
      const { activity, counts } = yield* (yield* CampaignReports).of(scene.workspace.id, campaign.id)
      const replies = (days: ReadonlyArray<{ readonly date: string; readonly replies: number }>) =>
        days.flatMap(({ date, replies }) => (replies > 0 ? [[date, replies]] : []))
      const first = new Date(start + 26 * hour).toISOString().slice(0, 10)
      assert.strictEqual(counts.replied, 1)
      assert.deepStrictEqual(
        [replies(activity!.days), replies(activity!.accountDays), activity!.stoppedByReply],
        [[[first, 1]], [[first, 1]], 1]
      )
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("counts whose sequence ended with the account that left, as leaving says", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* Scene.make(channel)
      const a = yield* scene.account("a")
      const b = yield* scene.account("b")
      const people = Array.from({ length: 96 }, (_, i) => ({ id: `p${i}` }))
      const campaign = yield* scene.campaign("c", [a, b], people, { pacing }, [1, 1])
      yield* scene.start(campaign.id)
      yield* scene.run(start + 12 * hour)
      const left = yield* (yield* CampaignAccounts).leave(scene.workspace.id, campaign.id, a.id, system)
      const touched = channel.asked.filter(({ account }) => account === a.id).length
      assert.isAbove(touched, 0)
      assert.deepStrictEqual([left.ended, left.reassigned, left.unreachable], [touched, 0, 0])
      assert.isAbove(left.returned, 0)
      yield* scene.run(start + 40 * day)
      const report = yield* (yield* CampaignReports).of(scene.workspace.id, campaign.id)
      assert.deepStrictEqual([report.counts.sent, endedCount(report, "accountRemoved")], [96, touched])
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("says which cap is below the quota of an account's day, and how a warm-up grows", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* Scene.make(channel)
      const capped = yield* scene.account("a", { dailyCap: 4 })
      const warming = yield* scene.account("b", { warmUp: { type: "incremental", increment: 3, max: 9 } })
      const free = yield* scene.account("c")
      const people = Array.from({ length: 90 }, (_, i) => ({ id: `p${i}` }))
      const campaign = yield* scene.campaign("c", [capped, warming, free], people, {
        pacing: { ...pacing, rangeMin: 8, rangeMax: 8 }
      })
      yield* scene.start(campaign.id)
      yield* scene.run(start + 60 * day)
      const { activity } = yield* (yield* CampaignReports).of(scene.workspace.id, campaign.id)
      const of = (account: Account, count: number) =>
        activity!.accountDays
          .filter((one) => one.account === account.id)
          .slice(0, count)
          .map(({ cap, messages, quota }) => [messages, quota, cap?.by ?? null, cap?.limit ?? null])
      assert.deepStrictEqual(of(capped, 2), [
        [4, 8, "accountCap", 4],
        [4, 8, "accountCap", 4]
      ])
      assert.deepStrictEqual(of(warming, 3), [
        [3, 8, "warmUp", 3],
        [6, 8, "warmUp", 6],
        [8, 8, null, null]
      ])
      // The campaign began in the middle of its first day.
      assert.deepStrictEqual(of(free, 2).at(-1), [8, 8, null, null])
    }).pipe(Effect.provide(engine(channel)))
  })
})
