import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { DayPlan } from "../../src/campaign/DayPlan.ts"
import { dueSlots } from "../../src/campaign/DueSlots.ts"
import { hour, minute, second } from "../../src/workspace/Instant.ts"

/** A day with a break, whose instants count from its opening. */
const dayOf = (slots: ReadonlyArray<number>, interval: number, open = [{ start: 0, end: 8 * hour }]): DayPlan => ({
  date: "1970-01-01",
  quota: slots.length,
  slotCount: slots.length,
  interval,
  slots: Float64Array.from(slots),
  open,
  length: open.reduce((sum, { end, start }) => sum + end - start, 0)
})
const every = (interval: number, count: number) =>
  dayOf(
    Array.from({ length: count }, (_, i) => i * interval),
    interval
  )

/** Looks at every alarm and uses what is due, as a pace does; returns the instants of the touches. */
const run = (plan: DayPlan, minGap: number, options: { readonly asleep?: readonly [number, number] } = {}) => {
  const touches: Array<number> = []
  let passed = 0
  let cursor = 0
  let dueAt: number | null = null
  let now: number | null = 0
  while (now !== null) {
    if (options.asleep !== undefined && now >= options.asleep[0]) now = Math.max(now, options.asleep[1])
    const found = dueSlots(plan, cursor, now, { minGap, lastTouchAt: touches.at(-1) ?? null, dueAt })
    for (let i = 0; i < found.due; i++) touches.push(now)
    passed += found.passed
    cursor = found.next + found.due
    dueAt = found.alarm
    now = found.alarm
  }
  return { touches, passed: passed + plan.slotCount - cursor }
}

describe("dueSlots", () => {
  const plan = every(20 * minute, 10)

  it("finds a slot from its instant to the end of its life", () => {
    const look = (now: number) => dueSlots(plan, 1, now)
    assert.deepStrictEqual(look(20 * minute - 1), { passed: 0, next: 1, due: 0, alarm: 20 * minute })
    assert.deepStrictEqual(look(20 * minute), { passed: 0, next: 1, due: 1, alarm: 40 * minute })
    assert.deepStrictEqual(look(25 * minute - 1), { passed: 0, next: 1, due: 1, alarm: 40 * minute })
    assert.deepStrictEqual(look(25 * minute), { passed: 1, next: 2, due: 0, alarm: 40 * minute })
  })

  it("never makes up for passed slots", () => {
    assert.deepStrictEqual(dueSlots(plan, 0, 61 * minute), { passed: 3, next: 3, due: 1, alarm: 80 * minute })
    assert.deepStrictEqual(dueSlots(plan, 0, 66 * minute), { passed: 4, next: 4, due: 0, alarm: 80 * minute })
    const busy = every(second, 1000)
    assert.deepStrictEqual(dueSlots(busy, 0, 100 * second), { passed: 96, next: 96, due: 5, alarm: 101 * second })
  })

  it("is over after the last slot, on a closed date and after the day", () => {
    const over = { passed: 0, next: 10, due: 0, alarm: null }
    assert.deepStrictEqual(dueSlots(plan, 10, 0), over)
    assert.deepStrictEqual(dueSlots(plan, 9, 8 * hour), { ...over, passed: 1 })
    assert.deepStrictEqual(dueSlots(plan, 9, 180 * minute).alarm, null)
    const closed: DayPlan = { ...dayOf([], 1, []), interval: null }
    assert.deepStrictEqual(dueSlots(closed, 0, 0), { ...over, next: 0 })
  })

  it("does not send in a break, and lets a slot wait only as long as it lives", () => {
    const withBreak = (length: number) =>
      dayOf([59 * minute, 61 * minute + length], 20 * minute, [
        { start: 0, end: hour },
        { start: hour + length, end: 3 * hour }
      ])
    assert.deepStrictEqual(dueSlots(withBreak(2 * minute), 0, 61 * minute), {
      passed: 0,
      next: 0,
      due: 0,
      alarm: 62 * minute
    })
    assert.deepStrictEqual(dueSlots(withBreak(hour), 0, 61 * minute), {
      passed: 1,
      next: 1,
      due: 0,
      alarm: 121 * minute
    })
  })

  it("uses every slot once, at its instant, when looked at on every alarm", () => {
    const instants = fc.uniqueArray(fc.integer({ min: 0, max: 8 * hour - 1 }), { minLength: 1, maxLength: 50 })
    fc.assert(
      fc.property(instants, (slots) => {
        slots.sort((a, b) => a - b)
        assert.deepStrictEqual(run(dayOf(slots, (8 * hour) / slots.length), 0), { touches: slots, passed: 0 })
      })
    )
  })
})

describe("dueSlots with a gap between touches", () => {
  it("defers slots, one per gap and in order, beyond their own life", () => {
    const { passed, touches } = run(every(10 * second, 100), 20 * second)
    assert.deepStrictEqual(
      touches,
      Array.from({ length: 100 }, (_, i) => i * 20 * second)
    )
    assert.strictEqual(passed, 0)
  })

  it("drops what the day's end leaves over", () => {
    const short = { ...every(10 * second, 100), open: [{ start: 0, end: 1000 * second }] }
    const { passed, touches } = run(short, 20 * second)
    assert.strictEqual(touches.length, 50)
    assert.strictEqual(passed, 50)
  })

  it("waits out a break", () => {
    const broken = dayOf([0, second, 2 * second], 20 * second, [
      { start: 0, end: 25 * second },
      { start: hour, end: 2 * hour }
    ])
    assert.deepStrictEqual(run(broken, 20 * second).touches, [0, 20 * second, hour])
  })

  it("yields to a touch of another campaign of the account", () => {
    const plan = every(10 * minute, 5)
    const gap = { minGap: 20 * second, lastTouchAt: 10 * minute - 5 * second, dueAt: 10 * minute }
    const first = dueSlots(plan, 1, 10 * minute, gap)
    assert.deepStrictEqual(first, { passed: 0, next: 1, due: 0, alarm: 10 * minute + 15 * second })
    const later = 10 * minute + 15 * second
    const again = dueSlots(plan, 1, later, { ...gap, lastTouchAt: later - 1, dueAt: first.alarm })
    assert.strictEqual(again.alarm, later - 1 + 20 * second)
    const afterLife = 10 * minute + 6 * minute
    const held = dueSlots(plan, 1, afterLife, { ...gap, lastTouchAt: afterLife - 20 * second, dueAt: afterLife })
    assert.strictEqual(held.due, 1)
  })

  it("does not revive slots that passed while nobody looked", () => {
    const plan = every(10 * minute, 48)
    const justTouched = { minGap: 20 * second, lastTouchAt: 66 * minute, dueAt: 0 }
    assert.deepStrictEqual(dueSlots(plan, 0, 66 * minute, justTouched), {
      passed: 7,
      next: 7,
      due: 0,
      alarm: 70 * minute
    })
    const { touches } = run(plan, 20 * second, { asleep: [hour, 3 * hour] })
    assert.strictEqual(touches.filter((touch) => touch >= hour && touch < 3 * hour + 10 * minute).length, 1)
  })

  it("keeps touches a gap apart and inside the open time, whatever the plan", () => {
    const plans = fc.record({
      slots: fc.array(fc.integer({ min: 0, max: hour - 1 }), { minLength: 1, maxLength: 100 }),
      minGap: fc.integer({ min: 1, max: 120 * second }),
      asleep: fc.tuple(fc.integer({ min: 0, max: hour }), fc.integer({ min: 0, max: hour }))
    })
    fc.assert(
      fc.property(plans, ({ asleep, minGap, slots }) => {
        slots.sort((a, b) => a - b)
        const open = [{ start: 0, end: hour }]
        const { passed, touches } = run(dayOf(slots, hour / slots.length, open), minGap, { asleep })
        assert.strictEqual(touches.length + passed, slots.length)
        for (const [i, touch] of touches.entries()) {
          assert.isBelow(touch, hour)
          if (i > 0) assert.isAtLeast(touch - touches[i - 1]!, minGap)
        }
      })
    )
  })
})
