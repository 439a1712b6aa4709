import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as QuietHours from "../../src/campaign/QuietHours.ts"
import * as RecipientHours from "../../src/campaign/RecipientHours.ts"
import * as SendWindow from "../../src/campaign/SendWindow.ts"
import * as LocalDate from "../../src/workspace/LocalDate.ts"
import { day, minute } from "../../src/workspace/Instant.ts"
import * as Zone from "../../src/workspace/Zone.ts"

const at = (text: string) => Date.parse(text)
const clock = (minutes: number) =>
  `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`

/** A campaign of New York's office hours on weekdays, and nights in which nobody is written to. */
const office = {
  timezone: "America/New_York",
  sendWindow: { days: [1, 2, 3, 4, 5], windows: [{ start: "09:00", end: "17:00" }] },
  quietHours: { start: "21:00", end: "08:00" }
}

describe("the hours of people", () => {
  it.each([
    ["now, where it is open and they are awake", "Europe/London", "2026-01-12T15:00:00Z", "2026-01-12T15:00:00.000Z"],
    ["when the campaign opens", "Europe/London", "2026-01-12T05:00:00Z", "2026-01-12T14:00:00.000Z"],
    ["when they wake while it is open", "Australia/Sydney", "2026-01-12T14:00:00Z", "2026-01-12T21:00:00.000Z"],
    ["after the weekend", "Europe/London", "2026-01-16T23:00:00Z", "2026-01-19T14:00:00.000Z"],
    ["never, where they sleep whenever it is open", "Asia/Tokyo", "2026-01-12T14:00:00Z", null]
  ])("come next %s", (_, zone, now, expected) => {
    const next = RecipientHours.next(office, Zone.make(zone), at(now))
    assert.strictEqual(next === null ? null : new Date(next).toISOString(), expected)
  })

  const closed = Array.from({ length: 45 }, (_, i) => LocalDate.addDays("2026-01-13", i))
  const away = { ...office, sendWindow: { ...office.sendWindow, blackoutDates: closed } }

  it("come next after dates that are blacked out, however many", () => {
    const next = (zone: string) => RecipientHours.next(away, Zone.make(zone), at("2026-01-12T22:00:00Z"))
    // Sydney wakes for the last hour of an open date.
    assert.strictEqual(next("Australia/Sydney"), at("2026-02-27T21:00:00Z"))
    assert.isNull(next("Asia/Tokyo"))
    const zones = [
      { timezone: "Asia/Tokyo", people: 1 },
      { timezone: "Australia/Sydney", people: 1 }
    ]
    const rare = RecipientHours.rareOf(away, zones, at("2026-01-12T14:00:00Z"))
    assert.deepStrictEqual(
      rare.map(({ minutesPerWeek, timezone }) => [timezone, minutesPerWeek]),
      [["Asia/Tokyo", 0]]
    )
  })

  it("are told where hardly any are left, most people first", () => {
    const zones = [
      { timezone: "Asia/Tokyo", people: 12 },
      { timezone: "Europe/London", people: 90 },
      { timezone: "Australia/Sydney", people: 7 },
      { timezone: null, people: 50 },
      { timezone: "Asia/Vladivostok", people: 40 },
      { timezone: "Nowhere/Known", people: 3 }
    ]
    const rare = RecipientHours.rareOf(office, zones, at("2026-01-12T00:00:00Z"))
    assert.deepStrictEqual(rare, [
      { timezone: "Asia/Vladivostok", people: 40, minutesPerWeek: 0, campaignMinutesPerWeek: 2_400 },
      { timezone: "Asia/Tokyo", people: 12, minutesPerWeek: 0, campaignMinutesPerWeek: 2_400 }
    ])
    // Sydney has the last hour of the day in its summer, and none of it in its winter.
    const winter = RecipientHours.rareOf(office, zones, at("2026-06-08T00:00:00Z"))
    assert.deepStrictEqual(
      winter.map(({ timezone }) => timezone),
      ["Asia/Vladivostok", "Asia/Tokyo", "Australia/Sydney"]
    )
    assert.deepStrictEqual(RecipientHours.rareOf({ ...office, quietHours: null }, zones, 0), [])
  })

  it("come next at the first minute at which it is open and not quiet", () => {
    const zones = ["Australia/Lord_Howe", "America/New_York", "America/St_Johns", "Asia/Kolkata", "Pacific/Apia"]
    const quarter = fc.integer({ min: 0, max: 95 }).map((n) => n * 15)
    fc.assert(
      fc.property(
        fc.record({
          window: fc.tuple(quarter, quarter).filter(([from, to]) => from !== to),
          quiet: fc.tuple(quarter, quarter).filter(([from, to]) => from !== to),
          own: fc.constantFrom(...zones),
          theirs: fc.constantFrom(...zones),
          days: fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { maxLength: 3 }),
          half: fc.integer({ min: 0, max: 365 * 48 })
        }),
        ({ days, half, own, quiet, theirs, window }) => {
          const hours = {
            timezone: own,
            sendWindow: { days, windows: [{ start: clock(window[0]), end: clock(window[1]) }] },
            quietHours: { start: clock(quiet[0]), end: clock(quiet[1]) }
          }
          const zone = Zone.make(theirs)
          const now = at("2026-01-01T00:00:00Z") + half * 30 * minute
          const isGood = (instant: number) => {
            const opens = SendWindow.nextOpen(hours.sendWindow, Zone.make(own), instant)
            return opens === instant && QuietHours.endOf(hours.quietHours, zone, instant) === null
          }
          // Transitions and these clocks lie on quarters of an hour.
          let expected: number | null = null
          for (let probe = now; probe < now + 8 * day && expected === null; probe += 15 * minute) {
            if (isGood(probe)) expected = probe
          }
          const found = RecipientHours.next(hours, zone, now)
          if (expected !== null) assert.strictEqual(found, expected)
          else assert.isTrue(found === null || found >= now + 8 * day)
        }
      ),
      { numRuns: 60 }
    )
  })
})
