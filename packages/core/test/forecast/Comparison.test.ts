import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Outcome } from "../../src/channel/Outcome.ts"
import type { LeadId } from "../../src/workspace/Id.ts"
import { CampaignStore } from "../../src/campaign/CampaignStore.ts"
import * as Comparison from "../../src/forecast/Comparison.ts"
import { Forecasts } from "../../src/forecast/Forecasts.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day, hour } from "../../src/workspace/Instant.ts"
import * as LocalDate from "../../src/workspace/LocalDate.ts"
import * as World from "./World.ts"

const { start } = Builders
const pacing = { rangeMin: 6, rangeMax: 9, jitter: 0.8, catchUp: "skip" as const, newShare: 0.25 }
const scenario: World.Scenario = {
  start,
  contacts: 60,
  accounts: [{ minGapMs: 0 }, { minGapMs: 0 }],
  steps: [
    { parts: 1, sendAfterDays: 0 },
    { parts: 1, sendAfterDays: 2 },
    { parts: 2, sendAfterDays: 1 }
  ],
  settings: { pacing, sendWindow: { days: [1, 2, 3, 4, 5], windows: [{ start: "09:00", end: "17:00" }] } }
}

const number = (to: string) => Number(to.slice(1))

/**
 * Of every twenty: the first answers, the second says stop, the third cannot be reached, the fourth meets a passing fault,
 * the fifth blocks us at step 1. Fewer failures than pause a campaign.
 */
const lively = (): TestChannel.TestChannel => {
  const channel: TestChannel.TestChannel = TestChannel.make({
    answer: ({ account, key, to }, count): Outcome | undefined => {
      const kind = number(to) % 20
      const words = kind === 0 ? "Yes please" : kind === 1 ? "STOP" : null
      if (words !== null && count === 1) {
        const now = Number(channel.asked.length) * 1_000
        channel.tell(account, start + 9 * hour + now, {
          type: "messageReceived",
          dedupeKey: `in-${key}`,
          at: start + 9 * hour + now,
          participant: { scope: "", externalId: to, name: "P" },
          externalId: `in-${key}`,
          content: { type: "text", text: words }
        })
      }
      if (kind === 2) return { type: "unreachable" }
      if (kind === 3 && count === 1) return { type: "transient" }
      if (kind === 4 && count === 2) return { type: "blocked" }
      return undefined
    }
  })
  return channel
}

const addUp = (counts: Comparison.ComparedCount): number =>
  Object.values(counts.causes).reduce((sum, count) => sum + count, 0)

const checkSums = (comparison: Comparison.Comparison) => {
  for (const { account, date, firstTouches, followUps } of comparison.days) {
    assert.strictEqual(firstTouches.actual - firstTouches.forecast, addUp(firstTouches), `${account} ${date}`)
    assert.strictEqual(followUps.actual - followUps.forecast, addUp(followUps), `${account} ${date}`)
  }
}

const compared = (channel: TestChannel.TestChannel, stopAt: number = Infinity) =>
  Effect.gen(function* () {
    const world = yield* World.make(scenario, channel)
    const { accountKey, campaign } = world
    const forecasts = yield* Forecasts
    const forecast = yield* forecasts.of(campaign.workspace, campaign.id)
    yield* World.startCampaign(world)
    yield* World.run(world, stopAt)
    const actual = yield* forecasts.actual(campaign.workspace, campaign.id)
    const until = stopAt === Infinity ? "9999-12-31" : LocalDate.fromEpochDay(Math.floor(stopAt / day) - 1)
    const leads = (yield* (yield* CampaignStore).leads(campaign.workspace, campaign.id, {}, { limit: 500 })).data
    const places = new Map<LeadId, string>(
      leads.map(({ address, id }) => [id, address.slice(address.lastIndexOf("/") + 1)])
    )
    const comparison = Comparison.compare({ forecast, actual, until, accountKey })
    return { actual, comparison, forecast, until, personOf: (lead: string) => places.get(lead as LeadId) ?? "" }
  }).pipe(Effect.provide(World.layer(channel, start)))

describe("a forecast held against what happened", () => {
  it.effect(
    "names every lead that differs with its cause, and the causes add up",
    () =>
      Effect.gen(function* () {
        const channel = lively()
        const { actual, comparison, forecast, personOf } = yield* compared(channel)
        checkSums(comparison)
        const total = (kind: "firstTouches" | "followUps", side: "forecast" | "actual") =>
          comparison.days.reduce((sum, day) => sum + day[kind][side], 0)
        assert.strictEqual(total("firstTouches", "forecast") + total("followUps", "forecast"), forecast.touches.length)
        assert.strictEqual(total("firstTouches", "actual") + total("followUps", "actual"), actual.touches.length)
        assert.deepStrictEqual([total("firstTouches", "forecast"), total("followUps", "forecast")], [60, 120])

        const lost = comparison.differences.filter((one) => one.actual === null)
        const byPerson = (kind: number) => lost.filter(({ lead }) => number(personOf(lead)) % 20 === kind)
        const causes = (kind: number) =>
          [...new Set(byPerson(kind).map(({ cause, reason }) => `${cause} ${reason}`))].sort()
        assert.deepStrictEqual(causes(0), ["reply replied"])
        assert.deepStrictEqual(causes(1), ["optOut optedOut"])
        assert.deepStrictEqual(causes(2), ["failure unreachable"])
        assert.deepStrictEqual(causes(4), ["failure blocked"])
        for (const kind of [3, 5, 6, 7, 8, 9, 10, 15, 19]) assert.deepStrictEqual(byPerson(kind), [], `p${kind}`)
        // Nobody's first touch is lost to a reply, and whoever answers gets nothing more.
        assert.isTrue(byPerson(0).every(({ step }) => step > 0))
        assert.strictEqual(byPerson(2).length, 3 * 3)
        assert.strictEqual(byPerson(4).length, 3 * 2)
        assert.strictEqual(lost.length, forecast.touches.length - actual.touches.length)

        const moved = comparison.differences.filter((one) => one.actual !== null)
        assert.deepStrictEqual([...new Set(moved.map(({ cause }) => cause))].sort(), ["deferral", "retry"])
        for (const { cause, lead } of moved) if (cause === "retry") assert.strictEqual(number(personOf(lead)) % 20, 3)
        assert.strictEqual(
          Comparison.causes(comparison).reduce((sum, { count }) => sum + count, 0),
          comparison.differences.length
        )
      }),
    60_000
  )

  it.effect(
    "adds up on every day while the campaign still runs",
    () =>
      Effect.gen(function* () {
        for (let days = 1; days <= 12; days += 2) {
          const { comparison, forecast, until } = yield* compared(lively(), start - (start % day) + days * day)
          checkSums(comparison)
          assert.strictEqual(comparison.until, until)
          assert.isTrue(comparison.days.every(({ date }) => date <= until))
          const foreseen = forecast.touches.filter(([, , , date]) => date <= until).length
          assert.strictEqual(
            comparison.days.reduce(
              (sum, { firstTouches, followUps }) => sum + firstTouches.forecast + followUps.forecast,
              0
            ),
            foreseen
          )
        }
      }),
    60_000
  )

  it.effect(
    "finds nothing where everything was taken and nobody answered",
    () =>
      Effect.gen(function* () {
        const { comparison } = yield* compared(TestChannel.make())
        assert.deepStrictEqual(comparison.differences, [])
        checkSums(comparison)
      }),
    60_000
  )

  it("compares up to yesterday, and all of what is finished or as far as the forecast goes", () => {
    const to = (date: string, cut: { by: "days"; limit: number } | null = null) =>
      ({ days: [{ date }], cut }) as unknown as Parameters<typeof Comparison.lastDate>[0]
    const today = "2026-03-10"
    assert.strictEqual(Comparison.lastDate(to("2026-03-20"), { isFinished: false, today }), "2026-03-09")
    assert.strictEqual(Comparison.lastDate(to("2026-03-20"), { isFinished: true, today }), "2026-03-20")
    assert.strictEqual(Comparison.lastDate(to("2026-03-05"), { isFinished: true, today }), today)
    const cut = to("2026-03-05", { by: "days", limit: 3 })
    assert.strictEqual(Comparison.lastDate(cut, { isFinished: true, today }), "2026-03-05")
  })

  it("knows leads that the forecast does not", () => {
    const place = {
      lead: "led_new" as LeadId,
      step: 0,
      account: "acc" as never,
      date: "2026-03-10",
      at: 0,
      messages: 1,
      retried: false
    }
    const comparison = Comparison.compare({
      forecast: {
        campaign: "c",
        version: 1,
        timezone: "UTC",
        from: 0,
        accounts: ["a"],
        leads: { type: "known", count: 0 },
        days: [],
        totals: [],
        heatMap: [],
        skipped: [],
        finishAt: null,
        finishDate: null,
        cut: null,
        stuck: 0,
        touches: []
      },
      actual: { touches: [place], stories: new Map(), finishedAt: null },
      until: "2026-03-10",
      accountKey: () => "a"
    })
    assert.deepStrictEqual(comparison.differences, [
      {
        lead: "led_new",
        step: 0,
        forecast: null,
        actual: { account: "a", date: "2026-03-10" },
        cause: "enrolled",
        reason: null
      }
    ])
    checkSums(comparison)
  })
})
