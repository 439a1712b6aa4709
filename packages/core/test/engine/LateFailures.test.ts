import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Account } from "../../src/account/Account.ts"
import type { ChannelEvent } from "../../src/channel/ChannelEvent.ts"
import { Inbox } from "../../src/chat/Inbox.ts"
import { Retries } from "../../src/campaign/Retries.ts"
import type { Outcome } from "../../src/channel/Outcome.ts"
import { system } from "../../src/event/DomainEvent.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day, hour, type Instant, minute } from "../../src/workspace/Instant.ts"
import * as Seed from "../../src/workspace/Seed.ts"
import * as Scene from "./Scene.ts"

const { start } = Builders
const pacing = { rangeMin: 24, rangeMax: 24, jitter: 0, catchUp: "skip" as const, newShare: 0.25 }

/** One person in a campaign whose touches have so many parts, two days after each other. */
const scene = (channel: TestChannel.TestChannel, parts: readonly [number, ...Array<number>]) =>
  Effect.gen(function* () {
    const it = yield* Scene.make(channel)
    const account = yield* it.account("a")
    const [first, ...later] = parts
    const steps = [
      it.build.step({ parts: first }),
      ...later.map((count) => it.build.step({ type: "noReply", sendAfterDays: 2, parts: count }))
    ] as const
    const campaign = yield* it.campaign("c", [account], [{ id: "p" }], { pacing, steps })
    yield* it.start(campaign.id)
    return {
      it,
      account,
      campaign,
      lead: Effect.map(it.leads(campaign.id), ([lead]) => lead!),
      agree: Effect.map(it.counts(campaign.id), ([counted, recounted]) => {
        assert.deepStrictEqual(counted, recounted)
        return counted
      })
    }
  })

let told = 0
const event = (type: "messageFailed" | "messageDelivered", externalId: string, at: Instant): ChannelEvent => ({
  type,
  dedupeKey: `${type}-${(told += 1)}`,
  at,
  participant: { externalId: "p", scope: "" },
  externalId
})

const tell = (account: Account, ...events: ReadonlyArray<ChannelEvent>) =>
  Effect.flatMap(Inbox, (inbox) => inbox.receive(account, events))

/** Named by what was sent, so that two runs have the same ids. */
const channel = (answer: (count: number) => Outcome | undefined = () => undefined) =>
  TestChannel.make({
    capabilities: { polling: false },
    answer: (_asked, count) => answer(count) ?? { type: "accepted", externalId: `x-${count}` }
  })

interface Happening {
  readonly type: "messageFailed" | "messageDelivered"
  readonly message: number
  readonly at: Instant
}

const shuffled = <A>(all: ReadonlyArray<A>, draw: () => number): ReadonlyArray<A> =>
  all
    .map((one) => [draw(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one)

describe("late failures and receipts of several touches", () => {
  const touches = [2, 1, 3] as const
  const sent = 6
  const from = start + 6 * day

  /** Some messages fail, some of these and some others are delivered. */
  const drawn = (seed: string): ReadonlyArray<Happening> => {
    const draw = Seed.random(seed)
    return Array.from({ length: sent }, (_, i) => i + 1).flatMap((message): ReadonlyArray<Happening> => {
      const at = () => from + Math.floor(draw() * 4) * minute
      const failures = Array.from({ length: Math.floor(draw() * 2.5) }, () => ({
        type: "messageFailed" as const,
        message,
        at: at()
      }))
      return draw() < 0.4 ? [...failures, { type: "messageDelivered", message, at: at() }] : failures
    })
  }

  const left = (happenings: ReadonlyArray<Happening>, size: number) => {
    const platform = channel()
    return Effect.gen(function* () {
      const { account, agree, it, lead } = yield* scene(platform, [...touches, 1])
      yield* it.run(from)
      assert.strictEqual(platform.asked.length, sent)
      for (let i = 0; i < happenings.length; i += size) {
        const batch = happenings.slice(i, i + size)
        yield* tell(account, ...batch.map(({ at, message, type }) => event(type, `x-${message}`, at)))
      }
      const { dueAt, ended, firstSentAt, lastSentAt, reason, status, step, told, touches: made } = yield* lead
      const counts = yield* agree
      yield* it.run(start + 20 * day)
      return {
        lead: { status, reason, ended, step, dueAt, firstSentAt, lastSentAt, told, touches: made },
        counts,
        sent: platform.asked.length
      }
    }).pipe(Effect.provide(Scene.engine(platform)))
  }

  for (const seed of Array.from({ length: 40 }, (_, i) => `late ${i}`)) {
    it.effect(`leave the same in any order (${seed})`, () =>
      Effect.gen(function* () {
        const happenings = drawn(seed)
        const ordered = yield* left(
          happenings.toSorted((a, b) => a.at - b.at),
          1
        )
        const draw = Seed.random(`${seed}|order`)
        for (const size of [1, 3]) {
          assert.deepStrictEqual(yield* left(shuffled([...happenings, ...happenings], draw), size), ordered)
        }
        // What stands at last is what is known of the messages, whatever was told in between.
        const failed = touches.map((parts, i) => {
          const before = touches.slice(0, i).reduce((sum, count) => sum + count, 0)
          const own = happenings.filter(({ message }) => message > before && message <= before + parts)
          const isDelivered = (message: number) =>
            own.some((one) => one.message === message && one.type === "messageDelivered")
          return own.some(({ message, type }) => type === "messageFailed" && !isDelivered(message))
        })
        assert.deepStrictEqual(
          ordered.lead.touches.map(({ status }) => status === "failed"),
          failed
        )
        assert.strictEqual(ordered.lead.ended, failed.includes(true) ? "failed" : null)
        assert.strictEqual(ordered.sent, failed.includes(true) ? sent : sent + 1)
      })
    )
  }
})

describe("a late failure", () => {
  it.effect("told while a follow-up is between two parts lets that finish, and ends what comes after", () => {
    const platform = channel()
    return Effect.gen(function* () {
      const it = yield* Scene.make(platform)
      const account = yield* it.account("a")
      const steps = [
        it.build.step(),
        it.build.step({ type: "noReply", sendAfterDays: 1, parts: 2 }),
        it.build.step({ type: "noReply", sendAfterDays: 1 })
      ] as const
      const partDelay = { minSeconds: 7_200, maxSeconds: 7_200 }
      const campaign = yield* it.campaign("c", [account], [{ id: "p" }], { pacing, steps, partDelay })
      yield* it.start(campaign.id)
      yield* it.run(start + 26 * hour)
      assert.strictEqual(platform.asked.length, 2)
      yield* tell(account, event("messageFailed", "x-1", start + 25 * hour))
      yield* it.run(start + 20 * day)
      assert.strictEqual(platform.asked.length, 3)
      const [lead] = yield* it.leads(campaign.id)
      assert.deepStrictEqual([lead!.ended, ...lead!.touches.map(({ status }) => status)], ["failed", "failed", "sent"])
    }).pipe(Effect.provide(Scene.engine(platform)))
  })

  it.effect("of a part that is told before its touch is over makes that one failed", () => {
    const platform = channel()
    return Effect.gen(function* () {
      const it = yield* Scene.make(platform)
      const account = yield* it.account("a")
      const partDelay = { minSeconds: 7_200, maxSeconds: 7_200 }
      const campaign = yield* it.campaign("c", [account], [{ id: "p" }], { pacing, partDelay }, [2, 1])
      yield* it.start(campaign.id)
      yield* it.run(start + 2 * hour)
      assert.strictEqual(platform.asked.length, 1)
      yield* tell(account, event("messageFailed", "x-1", start + 2 * hour))
      yield* it.run(start + 20 * day)
      assert.strictEqual(platform.asked.length, 2)
      const [lead] = yield* it.leads(campaign.id)
      assert.deepStrictEqual([lead!.status, lead!.reason, lead!.ended], ["failed", "failedLate", "failed"])
      const [counted, recounted] = yield* it.counts(campaign.id)
      assert.deepStrictEqual([counted, counted.failed], [recounted, 1])
    }).pipe(Effect.provide(Scene.engine(platform)))
  })

  it.effect("that proves wrong once its campaign is finished makes that run again", () => {
    const platform = channel()
    return Effect.gen(function* () {
      const { account, campaign, it, lead } = yield* scene(platform, [1, 1])
      yield* it.run(start + 10 * hour)
      yield* tell(account, event("messageFailed", "x-1", start + 10 * hour))
      yield* it.run(start + 9 * day)
      assert.strictEqual(yield* it.status(campaign.id), "finished")
      yield* tell(account, event("messageDelivered", "x-1", start + 10 * hour))
      assert.strictEqual(yield* it.status(campaign.id), "running")
      yield* it.run(start + 12 * day)
      assert.deepStrictEqual([platform.asked.length, (yield* lead).ended], [2, "completed"])
      assert.strictEqual(yield* it.status(campaign.id), "finished")
    }).pipe(Effect.provide(Scene.engine(platform)))
  })

  it.effect("that was made good by a retry is no end any more, and the retry has a key of its own", () => {
    const platform = channel()
    return Effect.gen(function* () {
      const { account, campaign, it, lead } = yield* scene(platform, [1, 1])
      yield* it.run(start + 10 * hour)
      yield* tell(account, event("messageFailed", "x-1", start + 10 * hour))
      assert.strictEqual((yield* lead).ended, "failed")
      const choice = { type: "reasons", reasons: ["failedLate"] } as const
      yield* (yield* Retries).retry(it.workspace.id, campaign.id, choice, system)
      yield* it.run(start + 30 * hour)
      assert.strictEqual(new Set(platform.asked.map(({ key }) => key)).size, 2)
      yield* tell(account, {
        type: "messageReceived",
        dedupeKey: "in-1",
        at: start + 30 * hour,
        participant: { externalId: "p", scope: "" },
        externalId: "in-1",
        content: Builders.text("Hm")
      })
      const { ended, status, told } = yield* lead
      assert.deepStrictEqual([status, ended, told?.failedAt], ["sent", "replied", undefined])
    }).pipe(Effect.provide(Scene.engine(platform)))
  })
})

describe("proof that an unknown outcome was sent", () => {
  const unknown: Outcome = { type: "outcomeUnknown" }
  const echo = (at: Instant, text: string): ChannelEvent => ({
    type: "messageEchoed",
    dedupeKey: `echo-${(told += 1)}`,
    at,
    participant: { externalId: "p", scope: "" },
    externalId: `echo-${told}`,
    content: Builders.text(text)
  })

  it.effect("lets the sequence go on", () => {
    const platform = channel((count) => (count === 1 ? unknown : undefined))
    return Effect.gen(function* () {
      const { account, agree, it, lead } = yield* scene(platform, [1, 1])
      yield* it.run(start + 10 * hour)
      assert.deepStrictEqual([(yield* lead).status, (yield* lead).ended], ["failed", "failed"])
      yield* tell(account, echo(start + 2 * hour, platform.asked[0]!.text))
      assert.deepStrictEqual([(yield* lead).status, (yield* lead).ended, (yield* agree).sent], ["sent", null, 1])
      yield* it.run(start + 20 * day)
      assert.strictEqual(platform.asked.length, 2)
      assert.strictEqual((yield* lead).ended, "completed")
    }).pipe(Effect.provide(Scene.engine(platform)))
  })

  it.effect("of the last part makes the touch sent", () => {
    const platform = channel((count) => (count === 2 ? unknown : undefined))
    return Effect.gen(function* () {
      const { account, agree, it, lead } = yield* scene(platform, [2, 1])
      yield* it.run(start + 10 * hour)
      assert.deepStrictEqual([(yield* lead).status, (yield* lead).reason], ["partial", "outcomeUnknown"])
      yield* tell(account, echo(start + 2 * hour, platform.asked[1]!.text))
      assert.deepStrictEqual([(yield* lead).status, (yield* lead).reason, (yield* agree).sent], ["sent", null, 1])
    }).pipe(Effect.provide(Scene.engine(platform)))
  })
})
