import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import type { AccountState } from "../../src/account/Account.ts"
import { hasEnded } from "../../src/campaign/Campaign.ts"
import * as CampaignFile from "../../src/campaign/CampaignFile.ts"
import type * as DayPlan from "../../src/campaign/DayPlan.ts"
import * as Pace from "../../src/campaign/Pace.ts"
import * as PacePlan from "../../src/campaign/PacePlan.ts"
import * as RampUp from "../../src/workspace/RampUp.ts"
import * as Schedule from "../../src/campaign/Schedule.ts"
import * as SendWindow from "../../src/campaign/SendWindow.ts"
import * as Builders from "../../src/testing/Builders.ts"
import { day, hour, second } from "../../src/workspace/Instant.ts"
import * as LocalDate from "../../src/workspace/LocalDate.ts"
import * as Zone from "../../src/workspace/Zone.ts"

const zones = [
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "Africa/Casablanca",
  "America/New_York",
  "Asia/Kolkata",
  "America/St_Johns"
]
/** Three days before each change of a clock in 2026, and any other date. */
const changes = ["2026-04-02", "2026-10-01", "2026-02-12", "2026-03-19", "2026-03-05", "2026-10-29"]
const dates = fc.oneof(
  fc.constantFrom(...changes),
  fc.nat(364).map((days) => LocalDate.addDays("2026-01-01", days))
)
const windows: ReadonlyArray<SendWindow.SendWindow> = [
  {},
  {
    days: [1, 2, 3, 4, 5],
    windows: [
      { start: "09:00", end: "12:30" },
      { start: "13:15", end: "18:00" }
    ]
  },
  { windows: [{ start: "21:30", end: "02:15" }] },
  {
    windows: [
      { start: "01:30", end: "02:30" },
      { start: "02:45", end: "03:30" }
    ],
    blackoutDates: ["2026-03-08"]
  },
  { days: [0, 6] },
  { days: [3], blackoutDates: Array.from({ length: 60 }, (_, i) => LocalDate.addDays("2026-03-01", i)) }
]
const ramps = fc.oneof(
  fc.constant<RampUp.RampUp>({ type: "disabled" }),
  fc
    .record({ increment: fc.integer({ min: 1, max: 9 }), max: fc.integer({ min: 1, max: 40 }) })
    .map((ramp): RampUp.RampUp => ({ type: "incremental", ...ramp })),
  fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 30 })).map(
    ([one, two]): RampUp.RampUp => ({
      type: "staged",
      stages: [
        { start: 1, end: 3, value: one },
        { start: 4, end: 7, value: two }
      ]
    })
  )
)
const settings: fc.Arbitrary<DayPlan.Settings> = fc.record({
  window: fc.constantFrom(...windows),
  zone: fc.constantFrom(...zones).map(Zone.make),
  range: fc
    .tuple(fc.integer({ min: 1, max: 40 }), fc.nat(30))
    .map(([rangeMin, width]) => ({ rangeMin, rangeMax: rangeMin + width })),
  rampUp: ramps,
  jitter: fc.oneof(fc.constantFrom(0, 0.8, 1), fc.double({ min: 0, max: 1, noNaN: true })),
  catchUp: fc.constantFrom("skip", "spread"),
  parts: fc.integer({ min: 1, max: 5 }),
  newShare: fc.constant(0.25)
})
const inputs: fc.Arbitrary<Schedule.ScheduleInput> = fc.record({
  campaign: fc.string({ minLength: 1 }),
  accounts: fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 3 }),
  settings,
  startAt: fc.constant(null),
  endAt: fc.constant(null),
  from: dates,
  days: fc.integer({ min: 1, max: 20 })
})

const all = (input: Schedule.ScheduleInput) => [...Schedule.days(input)]
const build = Builders.make("schedule")

/** What a pace uses that is looked at whenever it rings, and always has somebody to write to. */
const engineDays = (input: Schedule.ScheduleInput & { readonly startAt: number }, last: string) => {
  const { endAt, settings, startAt } = input
  const { id: workspace } = build.workspace()
  const account = build.account(workspace, { externalRef: input.accounts[0]! })
  const campaign = build.campaign(workspace, {
    status: "running",
    externalRef: input.campaign,
    startedAt: startAt - day,
    settings: build.settings({
      sendWindow: settings.window,
      timezone: settings.zone.name,
      pacing: {
        ...settings.range,
        jitter: settings.jitter,
        catchUp: settings.catchUp,
        newShare: settings.newShare
      },
      rampUp: settings.rampUp,
      steps: [build.step({ parts: settings.parts })],
      startAt,
      endAt
    })
  })
  const found = new Map<string, { readonly quota: number; readonly slots: Array<number> }>()
  const state: AccountState = { account, use: { day: null, used: 0 }, lastTouchAt: null }
  let pace: Pace.Pace = { ...Pace.initial(campaign, account.id), paused: false, nextAt: startAt }
  while (pace.nextAt !== null && !hasEnded(campaign, pace.nextAt)) {
    const planned = PacePlan.plan(pace, campaign, state, pace.nextAt)
    const { date, quota, rampDate, rampDay, slot, used } = planned.pace
    if (date === null || date > last) break
    for (let i = slot; i < slot + planned.due; i++) {
      const own = found.get(date) ?? { quota, slots: [] }
      found.set(date, own)
      own.slots.push(planned.plan.slots[i]!)
    }
    pace = {
      ...planned.pace,
      ...(planned.due > 0 && { rampDate: date, rampDay: PacePlan.rampDayOn({ rampDate, rampDay }, date) }),
      slot: slot + planned.due,
      used: used + planned.due * settings.parts,
      nextAt: planned.due > 0 ? PacePlan.afterSlots(planned, campaign) : planned.pace.nextAt
    }
  }
  return found
}

/** Open time of the date before an instant, in milliseconds. */
const openBefore = (open: ReadonlyArray<SendWindow.OpenInterval>, at: number) =>
  open.reduce((sum, { end, start }) => sum + Math.max(0, Math.min(at, end) - start), 0)
/** Slots are rounded down to whole milliseconds. */
const rounding = 1.001
const runs = { numRuns: 300 }

describe("the schedule of a campaign", () => {
  it("has every account on every date, in order", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        assert.deepStrictEqual(
          all(input).map(({ account, date }) => [date, account]),
          Array.from({ length: input.days }, (_, i) => LocalDate.addDays(input.from, i)).flatMap((date) =>
            input.accounts.map((account) => [date, account])
          )
        )
      }),
      runs
    )
  })

  it("keeps slots in their windows and strata, ascending, as far apart as the jitter allows", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { jitter, window, zone } = input.settings
        for (const { date, interval, quota, slots } of all(input)) {
          const open = SendWindow.open(window, zone, date)
          if (open.length === 0) {
            assert.deepStrictEqual([quota, interval, slots.length], [0, null, 0])
            continue
          }
          const length = openBefore(open, Infinity)
          const stratum = interval! * second
          assert.approximately(stratum * slots.length, length, 0.01)
          const margin = (1 - jitter) / 2
          let former = -Infinity
          for (const [i, slot] of slots.entries()) {
            assert.isTrue(Number.isInteger(slot) && open.some(({ end, start }) => start <= slot && slot < end))
            const at = openBefore(open, slot)
            assert.isAtLeast(at, (i + margin) * stratum - rounding)
            assert.isAtMost(at, (i + 1 - margin) * stratum + 0.001)
            if (i > 0) assert.isAtLeast(at - openBefore(open, former), (1 - jitter) * stratum - rounding)
            assert.isAtLeast(slot, former)
            former = slot
          }
        }
      }),
      runs
    )
  })

  it("draws the quota from the range and caps it by the ramp, which grows with each active date", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { parts, rampUp, range, window, zone } = input.settings
        const uncapped = all({ ...input, settings: { ...input.settings, rampUp: { type: "disabled" } } })
        let rampDay = 0
        let last = ""
        for (const [i, { date, quota, slots }] of all(input).entries()) {
          if (SendWindow.open(window, zone, date).length === 0) continue
          if (date !== last) rampDay += 1
          last = date
          const base = uncapped[i]!.quota
          assert.isTrue(base >= range.rangeMin && base <= range.rangeMax)
          assert.strictEqual(quota, Math.min(base, RampUp.cap(rampUp, rampDay) ?? Infinity))
          assert.strictEqual(slots.length, Math.max(1, Math.floor(quota / parts)))
        }
      }),
      runs
    )
  })

  it("is the same in every run, whatever its length, and another for each campaign, account and date", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const lines = all(input).map(Schedule.toJson)
        assert.deepStrictEqual(all(input).map(Schedule.toJson), lines)
        const longer = all({ ...input, days: input.days + 3 }).map(Schedule.toJson)
        assert.deepStrictEqual(longer.slice(0, lines.length), lines)
      }),
      { numRuns: 100 }
    )
    const plain: Schedule.ScheduleInput = {
      campaign: "spring",
      accounts: ["a", "b", "c"],
      startAt: null,
      endAt: null,
      from: "2026-03-06",
      days: 10,
      settings: {
        window: {},
        zone: Zone.make("Asia/Kolkata"),
        range: { rangeMin: 20, rangeMax: 30 },
        rampUp: { type: "disabled" },
        jitter: 0.8,
        catchUp: "skip",
        parts: 1,
        newShare: 0.25
      }
    }
    const shapes = (input: Schedule.ScheduleInput) =>
      all(input).map(({ date, slots }) => slots.map((slot) => slot - LocalDate.toEpochDay(date) * day).join())
    const both = [...shapes(plain), ...shapes({ ...plain, campaign: "summer" })]
    assert.strictEqual(new Set(both).size, 60)
  })

  const lasting = fc
    .tuple(inputs, fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: -3, max: 2 }), fc.nat(300))
    .map(([input, part, later, hours]) => {
      const startAt = Math.floor((LocalDate.toEpochDay(input.from) + part) * day)
      const { window, zone } = input.settings
      const from = LocalDate.addDays(SendWindow.dateOf(window, zone, startAt), later)
      const [account = "a"] = input.accounts
      return { ...input, accounts: [account], startAt, endAt: hours < 250 ? startAt + hours * hour : null, from }
    })

  it("is what the engine plans from the campaign's beginning to its end, whichever date is given first", () => {
    let cut = 0
    fc.assert(
      fc.property(lasting, (input) => {
        const last = LocalDate.addDays(input.from, input.days - 1)
        const planned = engineDays(input, last)
        for (const { date, interval, quota, slots } of all(input)) {
          assert.deepStrictEqual([...slots], planned.get(date)?.slots ?? [], date)
          assert.strictEqual(quota, planned.get(date)?.quota ?? 0)
          assert.strictEqual(interval === null, slots.length === 0)
          if (interval !== null && slots.length < Math.floor(quota / input.settings.parts)) cut += 1
        }
      }),
      { numRuns: 300 }
    )
    assert.isAbove(cut, 5)
  })

  it("does not grow with its length", () => {
    let count = 0
    for (const { slots } of Schedule.days({
      campaign: "c",
      accounts: ["a"],
      startAt: null,
      endAt: null,
      from: "2026-01-01",
      days: 20_000,
      settings: {
        window: {},
        zone: Zone.make("UTC"),
        range: { rangeMin: 1, rangeMax: 1 },
        rampUp: { type: "disabled" },
        jitter: 0,
        catchUp: "skip",
        parts: 1,
        newShare: 0.25
      }
    }))
      count += slots.length
    assert.strictEqual(count, 20_000)
  })

  it.effect("reads a file, with its ids as they are", () =>
    Effect.gen(function* () {
      const file = yield* CampaignFile.decode({
        id: "spring",
        name: "Spring",
        accounts: ["a", { id: "b", channel: "sandbox" }],
        messages: ["Hello", "Are you there?"],
        pacing: { rangeMin: 10, rangeMax: 10 },
        sendWindow: {
          timezone: "America/New_York",
          days: [1, 2, 3, 4, 5],
          windows: [{ start: "09:00", end: "17:00" }]
        },
        rampUp: { type: "incremental", increment: 4, max: 8 }
      })
      const days = [...Schedule.ofFile(file, { from: "2026-03-06", days: 5, workspaceZone: "UTC" })]
      assert.deepStrictEqual(
        days
          .filter(({ account }) => account === "a")
          .map(({ date, interval, quota, slots }) => [date, quota, interval, slots.length]),
        [
          ["2026-03-06", 4, 4 * 3600, 2],
          ["2026-03-07", 0, null, 0],
          ["2026-03-08", 0, null, 0],
          ["2026-03-09", 8, 2 * 3600, 4],
          ["2026-03-10", 10, (8 * 3600) / 5, 5]
        ]
      )
      const line = JSON.parse(Schedule.toJson(days[0]!)) as Record<string, unknown>
      assert.deepStrictEqual(Object.keys(line), ["account", "date", "quota", "interval", "slots"])
      assert.match(String((line["slots"] as Array<string>)[0]), /^2026-03-06T\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.deepStrictEqual([days[1]?.account, days[1]?.date], ["b", "2026-03-06"])
    })
  )
})
