import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import { dateOf, nextOpen, nextOpenDate, open, SendWindow } from "../../src/campaign/SendWindow.ts"
import { day, hour, minute } from "../../src/workspace/Instant.ts"
import * as LocalDate from "../../src/workspace/LocalDate.ts"
import * as Zone from "../../src/workspace/Zone.ts"

const at = (text: string) => Date.parse(text)
const newYork = Zone.make("America/New_York")
const berlin = Zone.make("Europe/Berlin")
const kolkata = Zone.make("Asia/Kolkata")
const window = (start: string, end: string) => ({ start, end })
const span = (start: string, end: string) => ({ start: at(start), end: at(end) })
const hours = (intervals: ReadonlyArray<{ start: number; end: number }>) =>
  intervals.reduce((sum, { end, start }) => sum + (end - start) / hour, 0)

const decode = Schema.decodeUnknownResult(SendWindow)
const refusal = (input: unknown): string => {
  const result = decode(input)
  return Result.isFailure(result) ? String(result.failure) : "accepted"
}

/** Mostly valid settings: windows cut from one day's boundaries, so they never overlap. */
const sendWindows = fc
  .record({
    days: fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { maxLength: 7 }),
    bounds: fc.uniqueArray(fc.integer({ min: 0, max: 95 }), { minLength: 2, maxLength: 6 }),
    rotate: fc.boolean(),
    blackoutDates: fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 3 })
  })
  .map(({ blackoutDates, bounds, days, rotate }) => {
    const clock = (quarter: number) =>
      `${String(Math.floor(quarter / 4)).padStart(2, "0")}:${String((quarter % 4) * 15).padStart(2, "0")}`
    const sorted = bounds.toSorted((a, b) => a - b)
    const ring = rotate ? [...sorted.slice(1), sorted[0]!] : sorted
    const windows = Array.from({ length: Math.floor(ring.length / 2) }, (_, i) =>
      window(clock(ring[2 * i]!), clock(ring[2 * i + 1]!))
    )
    return { days, windows, blackouts: blackoutDates }
  })
const zones = fc.constantFrom(
  ...[
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/New_York",
    "America/Havana",
    "Pacific/Auckland",
    "Asia/Kolkata",
    "America/St_Johns",
    "Africa/Cairo"
  ].map(Zone.make)
)
/** Dates on which clocks change somewhere, and ordinary ones. */
const dates = fc.oneof(
  fc.constantFrom("2026-03-08", "2026-11-01", "2026-04-05", "2026-10-04", "2026-09-27", "2026-04-24", "2026-10-29"),
  fc.integer({ min: 0, max: 364 }).map((days) => LocalDate.addDays("2026-01-01", days))
)

describe("SendWindow.open", () => {
  it("is the whole local day without windows", () => {
    assert.deepStrictEqual(open({}, kolkata, "2026-05-01"), [span("2026-04-30T18:30Z", "2026-05-01T18:30Z")])
    assert.deepStrictEqual(open({ windows: [], days: [] }, newYork, "2026-03-08"), [
      span("2026-03-08T05:00Z", "2026-03-09T04:00Z")
    ])
    assert.strictEqual(hours(open({}, newYork, "2026-11-01")), 25)
  })

  it("joins windows that touch, in order", () => {
    const windows = [window("13:00", "15:00"), window("09:00", "12:00"), window("12:00", "13:00")]
    assert.deepStrictEqual(open({ windows }, kolkata, "2026-05-01"), [span("2026-05-01T03:30Z", "2026-05-01T09:30Z")])
  })

  it("counts the hours past midnight to the day they start on", () => {
    const fridays = { days: [5], windows: [window("22:00", "06:00")] }
    assert.deepStrictEqual(open(fridays, berlin, "2026-05-01"), [span("2026-05-01T20:00Z", "2026-05-02T04:00Z")])
    assert.deepStrictEqual(open(fridays, berlin, "2026-05-02"), [])
  })

  it("begins after a gap and drops a window that falls into it", () => {
    const windows = [window("02:15", "02:45"), window("02:50", "04:00")]
    assert.deepStrictEqual(open({ windows }, newYork, "2026-03-08"), [span("2026-03-08T07:00Z", "2026-03-08T08:00Z")])
    assert.deepStrictEqual(open({ windows: windows.slice(0, 1) }, newYork, "2026-03-08"), [])
    assert.deepStrictEqual(open({}, Zone.make("Pacific/Apia"), "2011-12-30"), [])
  })

  it("begins at the first and ends at the last of a repeated hour", () => {
    assert.deepStrictEqual(open({ windows: [window("01:30", "01:45")] }, newYork, "2026-11-01"), [
      span("2026-11-01T05:30Z", "2026-11-01T06:45Z")
    ])
  })

  it("gives a repeated hour to one date only", () => {
    const windows = [window("20:00", "01:00"), window("01:00", "05:00")]
    assert.strictEqual(open({ windows }, newYork, "2026-10-31").at(-1)?.end, at("2026-11-01T05:00Z"))
    assert.strictEqual(open({ windows }, newYork, "2026-11-01")[0]?.start, at("2026-11-01T05:00Z"))
    const havana = Zone.make("America/Havana")
    assert.strictEqual(hours(open({}, havana, "2026-10-31")), 24)
    assert.strictEqual(hours(open({}, havana, "2026-11-01")), 25)
  })

  it("is cut by blackout dates at local midnight", () => {
    const nights = { windows: [window("22:00", "06:00")], blackoutDates: ["2026-12-25"] }
    assert.deepStrictEqual(open(nights, berlin, "2026-12-24"), [span("2026-12-24T21:00Z", "2026-12-24T23:00Z")])
    assert.deepStrictEqual(open(nights, berlin, "2026-12-25"), [span("2026-12-25T23:00Z", "2026-12-26T05:00Z")])
    const both = { ...nights, blackoutDates: ["2026-12-25", "2026-12-26"] }
    assert.deepStrictEqual(open(both, berlin, "2026-12-25"), [])
    assert.deepStrictEqual(open({ blackoutDates: ["2026-12-25"] }, berlin, "2026-12-25"), [])
  })

  it("opens exactly when the wall clock of a window says so, each instant on one date", () => {
    fc.assert(
      fc.property(sendWindows, zones, dates, (settings, zone, date) => {
        const self = { ...settings, blackoutDates: settings.blackouts.map((days) => LocalDate.addDays(date, days)) }
        const around = [-2, -1, 0, 1, 2].map((days) => LocalDate.addDays(date, days))
        const opened = around.map((each) => open(self, zone, each))
        for (const [i, { end, start }] of opened.flat().entries()) {
          assert.isBelow(start, end)
          if (i > 0) assert.isAtLeast(start, opened.flat()[i - 1]!.end)
        }
        for (let t = Zone.toInstant(zone, date, 0, "first"); Zone.localDate(zone, t) === date; t += 15 * minute) {
          const offset = Zone.offsetAt(zone, t)
          if (Zone.offsetAt(zone, t - day / 2) !== offset || Zone.offsetAt(zone, t + day / 2) !== offset) continue
          const clock = new Date(t + offset).toISOString().slice(11, 16)
          const activeOn = (each: string) => self.days.length === 0 || self.days.includes(new Date(each).getUTCDay())
          const expected =
            !self.blackoutDates.includes(date) &&
            self.windows.some(({ end, start }) =>
              start < end
                ? activeOn(date) && start <= clock && clock < end
                : (activeOn(date) && start <= clock) || (activeOn(LocalDate.addDays(date, -1)) && clock < end)
            )
          const holders = around.filter((_, i) => opened[i]!.some(({ end, start }) => start <= t && t < end))
          assert.strictEqual(holders.length, expected ? 1 : 0, `${clock} on ${date}`)
          if (expected) {
            assert.strictEqual(dateOf(self, zone, t), holders[0])
            assert.strictEqual(nextOpen(self, zone, t), t)
          }
        }
      }),
      { numRuns: 300 }
    )
  })
})

describe("SendWindow.dateOf", () => {
  it("is yesterday inside last evening's window, else the local date", () => {
    const nights = { windows: [window("22:00", "02:00")] }
    assert.strictEqual(dateOf(nights, berlin, at("2026-05-01T23:59Z")), "2026-05-01")
    assert.strictEqual(dateOf(nights, berlin, at("2026-05-02T00:00Z")), "2026-05-02")
    assert.strictEqual(dateOf({ ...nights, days: [6] }, berlin, at("2026-05-01T23:00Z")), "2026-05-02")
    assert.strictEqual(dateOf({}, berlin, at("2026-05-01T22:00Z")), "2026-05-02")
  })
})

describe("SendWindow.nextOpen", () => {
  const weekdays = { days: [1, 2, 3, 4, 5], windows: [window("09:00", "12:00"), window("13:00", "17:00")] }

  it("is the instant itself, the next window, or the next active day", () => {
    assert.strictEqual(nextOpen(weekdays, berlin, at("2026-05-01T08:00Z")), at("2026-05-01T08:00Z"))
    assert.strictEqual(nextOpen(weekdays, berlin, at("2026-05-01T10:00Z")), at("2026-05-01T11:00Z"))
    assert.strictEqual(nextOpen(weekdays, berlin, at("2026-05-01T15:00Z")), at("2026-05-04T07:00Z"))
    assert.strictEqual(
      nextOpen({ windows: [window("22:00", "02:00")] }, berlin, at("2026-05-01T23:30Z")),
      at("2026-05-01T23:30Z")
    )
  })

  it("passes blackout dates and gives up after 400 days", () => {
    const blackouts = (count: number) => Array.from({ length: count }, (_, i) => LocalDate.addDays("2026-05-01", i))
    const after = at("2026-05-01T00:00Z")
    assert.strictEqual(
      nextOpen({ blackoutDates: blackouts(390) }, kolkata, after),
      Zone.toInstant(kolkata, "2027-05-26", 0, "first")
    )
    assert.strictEqual(nextOpen({ blackoutDates: blackouts(500) }, kolkata, after), null)
  })
})

describe("SendWindow.nextOpenDate", () => {
  it("is the next date with open time", () => {
    const weekdays = { days: [1, 2, 3, 4, 5], blackoutDates: ["2026-05-04"] }
    assert.strictEqual(nextOpenDate(weekdays, berlin, "2026-05-01"), "2026-05-05")
    const sundayNights = { days: [0], windows: [window("02:15", "02:45")] }
    assert.strictEqual(nextOpenDate(sundayNights, newYork, "2026-03-07"), "2026-03-15")
    assert.strictEqual(nextOpenDate({}, Zone.make("Pacific/Apia"), "2011-12-29"), "2011-12-31")
  })
})

describe("SendWindow as JSON", () => {
  it("takes what the wire carries and keeps it", () => {
    const json = {
      timezone: "Europe/Berlin",
      days: [1, 2, 3, 4, 5],
      windows: [window("09:00", "12:00"), window("13:00", "24:00")],
      blackoutDates: ["2026-12-25"]
    }
    assert.deepStrictEqual<unknown>(Result.getOrThrow(decode(json)), json)
    assert.deepStrictEqual<unknown>(Result.getOrThrow(decode({})), {})
    assert.strictEqual(refusal({ windows: [window("22:00", "06:00"), window("06:00", "22:00")] }), "accepted")
    assert.strictEqual(refusal({ windows: [window("00:00", "24:00")] }), "accepted")
  })

  it.each([
    [{ timezone: "Mars/Phobos" }, ["timezone", "Mars/Phobos"]],
    [{ days: [7] }, ["days", "0 (Sunday) to 6"]],
    [{ windows: [window("9:00", "17:00")] }, ["windows", "start", "HH:MM"]],
    [{ windows: [window("24:00", "06:00")] }, ["windows", "start"]],
    [{ windows: [window("09:00", "24:30")] }, ["windows", "end"]],
    [{ windows: [window("09:00", "09:00")] }, ["windows", "end", "starts and ends at 09:00"]],
    [{ blackoutDates: ["2026-02-30"] }, ["blackoutDates", "2026-02-30"]],
    [{ windows: [window("12:00", "15:00"), window("09:00", "13:00")] }, ["windows", "09:00–13:00 and 12:00–15:00"]],
    [{ windows: [window("09:00", "12:00"), window("09:00", "10:00")] }, ["09:00–12:00 and 09:00–10:00"]],
    [
      { windows: [window("22:00", "06:00"), window("05:00", "09:00")] },
      ["22:00–06:00 (Sunday) and 05:00–09:00 (Monday)"]
    ],
    [
      { days: [0, 6], windows: [window("05:00", "09:00"), window("22:00", "06:00")] },
      ["22:00–06:00 (Saturday) and 05:00–09:00 (Sunday)"]
    ]
  ])("refuses %j", (input, words) => {
    const said = refusal(input)
    for (const word of words) assert.include(said, word)
  })

  it("accepts windows that would overlap only on days that are not active", () => {
    const windows = [window("22:00", "06:00"), window("05:00", "09:00")]
    assert.strictEqual(refusal({ days: [1], windows }), "accepted")
  })
})
