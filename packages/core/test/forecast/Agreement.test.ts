import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import type { RampUp } from "../../src/workspace/RampUp.ts"
import type { Distribution } from "../../src/campaign/Distribution.ts"
import * as Comparison from "../../src/forecast/Comparison.ts"
import * as Forecast from "../../src/stats/Forecast.ts"
import { Forecasts } from "../../src/forecast/Forecasts.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day, hour } from "../../src/workspace/Instant.ts"
import { CampaignStore } from "../../src/campaign/CampaignStore.ts"
import * as World from "./World.ts"

const weekdays = [1, 2, 3, 4, 5]
const windows = [
  { days: weekdays, windows: [{ start: "09:00", end: "17:00" }] },
  {
    days: weekdays,
    windows: [
      { start: "09:00", end: "12:00" },
      { start: "13:30", end: "18:00" }
    ],
    blackoutDates: ["2026-03-11"]
  },
  { windows: [{ start: "22:00", end: "03:00" }] },
  {}
]
const ramps: fc.Arbitrary<RampUp> = fc.constantFrom<RampUp>(
  { type: "disabled" },
  { type: "incremental", increment: 3, max: 12 },
  {
    type: "staged",
    stages: [
      { start: 1, end: 2, value: 4 },
      { start: 3, end: 4, value: 9 }
    ]
  }
)
const account = fc.record({
  minGapMs: fc.constantFrom(0, 20_000, 15 * 60_000),
  dailyCap: fc.constantFrom(undefined, undefined, 7, 15),
  timezone: fc.constantFrom(undefined, "Asia/Kolkata")
})
const distributions: fc.Arbitrary<Distribution> = fc.constantFrom<Distribution>(
  { strategy: "capacity" },
  { strategy: "even" },
  { strategy: "weighted", weights: { a0: 3, a1: 1, a2: 2 } },
  { strategy: "sticky" },
  { strategy: "byAttribute", attribute: "region", accounts: { "region 0": "a0", "region 1": "a1" } },
  { strategy: "byAttribute", attribute: "region", accounts: { "region 2": "a2" }, otherwise: "a0" }
)
const scenarios: fc.Arbitrary<World.Scenario> = fc.record({
  start: fc.integer({ min: 0, max: 8 * 24 }).map((hours) => Builders.start + hours * hour),
  contacts: fc.integer({ min: 1, max: 60 }),
  accounts: fc.array(account, { minLength: 1, maxLength: 3 }),
  steps: fc.array(fc.record({ parts: fc.integer({ min: 1, max: 3 }), sendAfterDays: fc.integer({ min: 1, max: 4 }) }), {
    minLength: 1,
    maxLength: 3
  }),
  settings: fc.record({
    pacing: fc
      .record({
        rangeMin: fc.integer({ min: 2, max: 8 }),
        width: fc.nat(8),
        jitter: fc.constantFrom(0, 0.8, 1),
        catchUp: fc.constantFrom("skip" as const, "spread" as const),
        newShare: fc.constantFrom(0, 0.25, 0.6, 1)
      })
      .map(({ width, ...rest }) => ({ ...rest, rangeMax: rest.rangeMin + width })),
    sendWindow: fc.constantFrom(...windows),
    distribution: distributions,
    timezone: fc.constantFrom("America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"),
    rampUp: ramps,
    endAt: fc.constantFrom(null, null, null, Builders.start + 11 * day + 30 * 60_000)
  }),
  workspace: fc.record({ dailyCap: fc.constantFrom(null, null, 20) })
})

/** Random campaigns, the same in every run. */
const sample = (count: number): ReadonlyArray<World.Scenario> =>
  fc.sample(scenarios, { numRuns: count, seed: 20_260_309 })

const until = "9999-12-31"

describe("a forecast", () => {
  it.effect.each(sample(24).map((scenario, i) => [i, scenario] as const))(
    "agrees with the run of random campaign %i",
    ([, scenario]) => {
      const channel = TestChannel.make()
      return Effect.gen(function* () {
        const world = yield* World.make(scenario, channel)
        const { accountKey, campaign } = world
        const forecasts = yield* Forecasts
        const forecast = yield* forecasts.keep(campaign.workspace, campaign.id)
        assert.strictEqual(channel.asked.length, 0)
        assert.deepStrictEqual(yield* forecasts.of(campaign.workspace, campaign.id), forecast)

        yield* World.startCampaign(world)
        yield* World.run(world)
        const actual = yield* forecasts.actual(campaign.workspace, campaign.id)
        assert.deepStrictEqual(World.daysOfForecast(forecast), World.daysOfLog(actual, accountKey))
        assert.strictEqual(forecast.finishAt, actual.finishedAt)
        assert.strictEqual(
          forecast.days.reduce((sum, { messages }) => sum + messages, 0),
          channel.asked.length
        )
        const compared = yield* forecasts.compared(campaign.workspace, campaign.id)
        assert.deepStrictEqual(compared?.forecast, forecast)
        assert.deepStrictEqual(compared?.comparison.differences, [])
        for (const { firstTouches, followUps } of compared?.comparison.days ?? []) {
          assert.deepStrictEqual([firstTouches.actual, followUps.actual], [firstTouches.forecast, followUps.forecast])
        }
        for (const { firstTouches, followUps, messages, quota, slots } of forecast.days) {
          assert.isAtMost(firstTouches + followUps, slots)
          assert.isTrue(messages <= quota || firstTouches + followUps === 1)
        }
      }).pipe(Effect.provide(World.layer(channel, scenario.start)))
    },
    60_000
  )

  it.effect.each(sample(16).map((scenario, i) => [i, scenario] as const))(
    "agrees with the rest of running campaign %i",
    ([i, scenario]) => {
      const channel = TestChannel.make()
      return Effect.gen(function* () {
        const world = yield* World.make(scenario, channel)
        const { accountKey, campaign } = world
        yield* World.startCampaign(world)
        const from = scenario.start + (i % 5) * day + (i % 7) * hour
        yield* World.run(world, from)
        const forecasts = yield* Forecasts
        const forecast = yield* forecasts.of(campaign.workspace, campaign.id)
        const sent = channel.asked.length
        const already = (yield* forecasts.actual(campaign.workspace, campaign.id)).touches.length
        yield* World.run(world)
        const actual = yield* forecasts.actual(campaign.workspace, campaign.id)
        const rest = { ...actual, touches: actual.touches.slice(already) }
        assert.deepStrictEqual(
          World.daysOfForecast(forecast).map((line) => line.replace(/ = .*/, "")),
          World.daysOfLog(rest, accountKey).map((line) => line.replace(/ = .*/, ""))
        )
        if (forecast.touches.length > 0) assert.strictEqual(forecast.finishAt, actual.finishedAt)
        assert.isAtLeast(
          channel.asked.length - sent,
          forecast.days.reduce((sum, { messages }) => sum + messages, 0)
        )
      }).pipe(Effect.provide(World.layer(channel, scenario.start)))
    },
    60_000
  )

  it.effect.each(sample(8).map((scenario, i) => [i, scenario] as const))(
    "of people not known yet agrees with campaign %i",
    ([, given]) => {
      const channel = TestChannel.make()
      // The time between parts is drawn by the ids of leads, which nobody knows yet.
      const steps = given.steps.map((step) => ({ ...step, parts: 1 }))
      // And what they are like is not known either.
      const isNamed = given.settings?.distribution?.strategy === "byAttribute"
      const settings = { ...given.settings, ...(isNamed && { distribution: { strategy: "capacity" as const } }) }
      const scenario = { ...given, steps, settings }
      return Effect.gen(function* () {
        const world = yield* World.make(scenario, channel, false)
        const { accountKey, campaign } = world
        const forecasts = yield* Forecasts
        const forecast = yield* forecasts.of(campaign.workspace, campaign.id, { contacts: scenario.contacts })
        assert.deepStrictEqual(forecast.leads, { type: "anonymous", count: scenario.contacts })
        yield* world.enrolled
        yield* World.startCampaign(world)
        yield* World.run(world)
        const actual = yield* forecasts.actual(campaign.workspace, campaign.id)
        assert.deepStrictEqual(World.daysOfForecast(forecast), World.daysOfLog(actual, accountKey))
        assert.strictEqual(forecast.finishAt, actual.finishedAt)
        const leads = (yield* (yield* CampaignStore).leads(campaign.workspace, campaign.id, {}, { limit: 500 })).data
        const names = new Map<string, string>(leads.map(({ id, position }) => [id, Forecast.anonymous(position)]))
        const leadName = (id: string) => names.get(id) ?? id
        assert.deepStrictEqual(Comparison.compare({ forecast, actual, until, accountKey, leadName }).differences, [])
      }).pipe(Effect.provide(World.layer(channel, scenario.start)))
    },
    60_000
  )
})
