import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as DayPlan from "../../src/campaign/DayPlan.ts"
import type { RampUp } from "../../src/workspace/RampUp.ts"
import { day, hour, minute } from "../../src/workspace/Instant.ts"
import * as LocalDate from "../../src/workspace/LocalDate.ts"
import * as Zone from "../../src/workspace/Zone.ts"

const at = (text: string) => Date.parse(text)
const zones = [
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "Africa/Casablanca",
  "America/New_York",
  "Asia/Kolkata",
  "America/St_Johns",
  "Pacific/Auckland",
  "Europe/Berlin"
].map(Zone.make)

const settings: DayPlan.Settings = {
  window: {
    windows: [
      { start: "09:00", end: "12:00" },
      { start: "13:00", end: "18:00" }
    ]
  },
  zone: Zone.make("Asia/Kolkata"),
  range: { rangeMin: 20, rangeMax: 40 },
  rampUp: { type: "disabled" },
  jitter: 0.8,
  catchUp: "skip",
  parts: 1,
  newShare: 0.25
}
const input: DayPlan.Input = {
  campaign: "spring",
  account: "page-1",
  date: "2026-05-04",
  settings,
  rampDay: 1,
  from: null,
  used: 0
}
const plan = (settings: Partial<DayPlan.Settings> = {}, rest: Partial<DayPlan.Input> = {}) =>
  DayPlan.make({ ...input, ...rest, settings: { ...input.settings, ...settings } })

const rampUps: fc.Arbitrary<RampUp> = fc.oneof(
  fc.constant<RampUp>({ type: "disabled" }),
  fc
    .record({ increment: fc.integer({ min: 1, max: 20 }), max: fc.integer({ min: 1, max: 60 }) })
    .map((ramp): RampUp => ({ type: "incremental", ...ramp })),
  fc.integer({ min: 1, max: 40 }).map((value): RampUp => ({ type: "staged", stages: [{ start: 1, end: 3, value }] }))
)
const inputs: fc.Arbitrary<DayPlan.Input> = fc
  .record({
    campaign: fc.string(),
    account: fc.string(),
    date: fc.oneof(
      fc.constantFrom("2026-03-08", "2026-11-01", "2026-04-05", "2026-10-04", "2026-09-27", "2026-03-29", "2026-10-25"),
      fc.integer({ min: 0, max: 364 }).map((days) => LocalDate.addDays("2026-01-01", days))
    ),
    rampDay: fc.integer({ min: 1, max: 8 }),
    settings: fc.record({
      window: fc.constantFrom(
        settings.window,
        {},
        { windows: [{ start: "22:00", end: "03:30" }] },
        {
          windows: [
            { start: "00:30", end: "02:30" },
            { start: "02:45", end: "03:00" }
          ]
        },
        { days: [1, 2, 3], blackoutDates: ["2026-03-09"] }
      ),
      zone: fc.constantFrom(...zones),
      range: fc
        .tuple(fc.integer({ min: 1, max: 60 }), fc.nat(60))
        .map(([rangeMin, width]) => ({ rangeMin, rangeMax: rangeMin + width })),
      rampUp: rampUps,
      jitter: fc.oneof(fc.constantFrom(0, 0.8, 1), fc.double({ min: 0, max: 1, noNaN: true })),
      catchUp: fc.constantFrom("skip", "spread"),
      parts: fc.integer({ min: 1, max: 5 }),
      newShare: fc.constant(0.25)
    })
  })
  .map((whole) => ({ ...whole, from: null, used: 0 }))

/** Open time between the start of the day and each slot, in milliseconds. */
const openTime = ({ open, slots }: DayPlan.DayPlan): ReadonlyArray<number> =>
  Array.from(slots, (slot) => open.reduce((sum, { end, start }) => sum + Math.max(0, Math.min(slot, end) - start), 0))
const isOpen = ({ open }: DayPlan.DayPlan, slot: number) => open.some(({ end, start }) => start <= slot && slot < end)
/** Slots are rounded down to whole milliseconds. */
const rounding = 1.001

describe("DayPlan", () => {
  it("has one slot in every equal part of the open time, apart as the jitter allows", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const plan = DayPlan.make(input)
        const { interval, length, slotCount, slots } = plan
        if (length === 0)
          return assert.deepStrictEqual([plan.quota, interval, slotCount, slots.length], [0, null, 0, 0])
        assert.strictEqual(slots.length, slotCount)
        assert.approximately(interval! * slotCount, length, 0.01)
        for (const [i, time] of openTime(plan).entries()) {
          assert.isTrue(Number.isInteger(slots[i]!) && isOpen(plan, slots[i]!))
          const margin = (1 - input.settings.jitter) / 2
          assert.isAtLeast(time, (i + margin) * interval! - rounding)
          assert.isAtMost(time, (i + 1 - margin) * interval! + 0.001)
          if (i > 0) {
            const gap = time - openTime(plan)[i - 1]!
            assert.isAtLeast(gap, (1 - input.settings.jitter) * interval! - rounding)
          }
        }
      }),
      { numRuns: 400 }
    )
  })

  it("keeps the quota in the range and under the ramp's cap, a slot for each touch", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { quota, slotCount } = DayPlan.make(input)
        if (quota === 0) return
        const { parts, rampUp, range } = input.settings
        const capped = DayPlan.make({ ...input, settings: { ...input.settings, rampUp: { type: "disabled" } } }).quota
        assert.isTrue(capped >= range.rangeMin && capped <= range.rangeMax)
        const stages = rampUp.type === "staged" && input.rampDay <= 3 ? rampUp.stages[0].value : Infinity
        const steps =
          rampUp.type === "incremental" && rampUp.increment * input.rampDay <= rampUp.max
            ? rampUp.increment * input.rampDay
            : Infinity
        assert.strictEqual(quota, Math.min(capped, stages, steps))
        assert.isTrue(
          (slotCount * parts <= quota && quota - slotCount * parts < parts) || (slotCount === 1 && quota < parts)
        )
      })
    )
  })

  it("is the same for the same input and another for each campaign, account and day", () => {
    const slots = (rest: Partial<DayPlan.Input>) => [...plan({ zone: Zone.make("Asia/Kolkata") }, rest).slots]
    assert.deepStrictEqual(slots({}), slots({}))
    const shifted = slots({ date: "2026-05-05" }).map((slot) => slot - day)
    const others = [
      slots({}),
      shifted,
      slots({ account: "page-2" }),
      slots({ campaign: "summer" }),
      slots({ campaign: "springpage", account: "-1" }),
      slots({ campaign: "spring/page-1", account: "" })
    ]
    assert.strictEqual(new Set(others.map(String)).size, others.length)
    const quotas = new Set(Array.from({ length: 60 }, (_, i) => plan({}, { account: `page-${i}` }).quota))
    assert.isAbove(quotas.size, 10)
  })

  it("stays what it was when it was first published", () => {
    const { interval, quota, slots } = plan({ range: { rangeMin: 4, rangeMax: 6 } })
    assert.deepStrictEqual([quota, interval], [5, 96 * minute])
    assert.deepStrictEqual(
      Array.from(slots, (slot) => new Date(slot).toISOString()),
      [
        "2026-05-04T03:48:31.324Z",
        "2026-05-04T05:52:09.811Z",
        "2026-05-04T08:33:22.177Z",
        "2026-05-04T09:35:50.596Z",
        "2026-05-04T12:04:59.267Z"
      ]
    )
  })

  it("lies in elapsed time where clocks change", () => {
    const zone = Zone.make("America/New_York")
    const even = { zone, window: {}, jitter: 0, range: { rangeMin: 23, rangeMax: 23 } }
    const spring = plan(even, { date: "2026-03-08" })
    assert.deepStrictEqual([spring.length, spring.interval], [23 * hour, hour])
    assert.deepStrictEqual(
      [...spring.slots],
      Array.from({ length: 23 }, (_, i) => at("2026-03-08T05:30Z") + i * hour)
    )
  })

  it("keeps one slot where the quota is less than a touch", () => {
    const { quota, slotCount } = plan({ parts: 5, range: { rangeMin: 3, rangeMax: 3 } })
    assert.deepStrictEqual([quota, slotCount], [3, 1])
  })
})

describe("a day that begins late", () => {
  it("has the day's own slots from then on", () => {
    const whole = plan()
    for (const from of [whole.slots[0]!, whole.slots[7]! + 1, at("2026-05-04T07:00Z")]) {
      const index = DayPlan.slotFrom(whole, from)
      assert.deepStrictEqual(
        whole.slots.slice(index),
        whole.slots.filter((slot) => slot >= from)
      )
    }
    assert.strictEqual(DayPlan.slotFrom(whole, Infinity), whole.slotCount)
  })
})

describe("a day laid anew", () => {
  const replans = fc.tuple(
    inputs,
    fc.double({ min: -0.1, max: 1.1, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true })
  )

  it("spreads what is left over the rest, never at less than half of the day's interval", () => {
    fc.assert(
      fc.property(replans, ([input, elapsed, spent]) => {
        const whole = DayPlan.make(input)
        if (whole.interval === null) return
        const first = whole.open[0]!.start
        const from = Math.floor(first + elapsed * (whole.open.at(-1)!.end - first))
        const used = Math.floor(spent * whole.quota)
        const { parts } = input.settings
        const left = used === 0 ? whole.slotCount : Math.floor((whole.quota - used) / parts)
        const rest = whole.open.reduce((sum, { end, start }) => sum + Math.max(0, end - Math.max(start, from)), 0)
        const plan = DayPlan.make({ ...input, from, used })
        assert.deepStrictEqual([plan.quota, plan.open, plan.length], [whole.quota, whole.open, whole.length])
        assert.isAtMost(plan.slotCount, left)
        if (plan.slotCount < left)
          assert.isBelow(rest - (plan.slotCount * whole.interval) / 2, whole.interval / 2 + 0.01)
        if (plan.interval === null) return assert.strictEqual(plan.slotCount, 0)
        assert.isAtLeast(plan.interval, whole.interval / 2 - 1e-6)
        if (plan.slotCount === left) assert.approximately(plan.interval, rest / left, 1e-6)
        for (const [i, slot] of plan.slots.entries()) {
          assert.isTrue(slot >= from && isOpen(plan, slot))
          const gap = i === 0 ? Infinity : openTime(plan)[i]! - openTime(plan)[i - 1]!
          assert.isAtLeast(gap, (1 - input.settings.jitter) * plan.interval - rounding)
        }
      }),
      { numRuns: 400 }
    )
  })

  it("drops what does not fit", () => {
    const even = { jitter: 0, range: { rangeMin: 16, rangeMax: 16 } }
    const late = plan(even, { from: at("2026-05-04T11:30Z"), used: 0 })
    assert.deepStrictEqual([late.interval, late.slotCount], [15 * minute, 4])
    assert.deepStrictEqual(
      [...late.slots],
      [0, 1, 2, 3].map((i) => at("2026-05-04T11:37:30Z") + i * 15 * minute)
    )
  })

  it("has no slots once the quota is used or the day is over", () => {
    const quota = plan().quota
    for (const rest of [
      { from: at("2026-05-04T05:00Z"), used: quota },
      { from: at("2026-05-04T13:00Z"), used: 0 }
    ]) {
      const spent = plan({}, rest)
      assert.deepStrictEqual([spent.quota, spent.slotCount, spent.interval], [quota, 0, null])
    }
    assert.strictEqual(plan({}, { from: at("2026-05-04T05:00Z"), used: quota + 3 }).slotCount, 0)
  })
})

describe("isFirstTouch", () => {
  it("gives first touches their share, evenly", () => {
    const pattern = (share: number, count: number) =>
      Array.from({ length: count }, (_, i) => (DayPlan.isFirstTouch(i, share) ? "1" : "-")).join("")
    assert.strictEqual(pattern(0.25, 8), "---1---1")
    assert.strictEqual(pattern(0, 4), "----")
    assert.strictEqual(pattern(1, 4), "1111")
    assert.strictEqual(pattern(0.5, 6), "-1-1-1")
  })
})

describe("slotLife", () => {
  it.each([
    [2_000, 5_000],
    [60_000, 30_000],
    [10 * minute, 5 * minute],
    [3 * hour, 5 * minute]
  ])("of an interval of %d ms is %d ms", (interval, life) => assert.strictEqual(DayPlan.slotLife(interval), life))
})
