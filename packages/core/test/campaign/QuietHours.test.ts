import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import { allowedAt, Frequency } from "../../src/campaign/Frequency.ts"
import * as QuietHours from "../../src/campaign/QuietHours.ts"
import { day, hour, minute } from "../../src/workspace/Instant.ts"
import * as Zone from "../../src/workspace/Zone.ts"

const at = (text: string) => Date.parse(text)
const until = (start: string, end: string, zone: string, now: string) => {
  const found = QuietHours.endOf({ start, end }, Zone.make(zone), at(now))
  return found === null ? null : new Date(found).toISOString()
}
const refusal = (schema: Schema.Decoder<unknown>, input: unknown) => {
  const result = Schema.decodeUnknownResult(schema)(input)
  return Result.isFailure(result) ? String(result.failure) : "accepted"
}

describe("QuietHours", () => {
  it.each([
    [
      "in the night, before midnight",
      "21:00",
      "08:00",
      "Europe/Berlin",
      "2026-01-10T22:30:00Z",
      "2026-01-11T07:00:00.000Z"
    ],
    [
      "in the night, after midnight",
      "21:00",
      "08:00",
      "Europe/Berlin",
      "2026-01-11T05:00:00Z",
      "2026-01-11T07:00:00.000Z"
    ],
    ["from their first minute", "21:00", "08:00", "UTC", "2026-01-10T21:00:00Z", "2026-01-11T08:00:00.000Z"],
    ["until their end, exclusive", "21:00", "08:00", "UTC", "2026-01-11T08:00:00Z", null],
    ["over midday", "12:00", "14:00", "America/New_York", "2026-07-01T17:00:00Z", "2026-07-01T18:00:00.000Z"],
    ["not on the clock of elsewhere", "12:00", "14:00", "America/New_York", "2026-07-01T13:00:00Z", null],
    [
      "the hour shorter in spring",
      "21:00",
      "08:00",
      "America/New_York",
      "2026-03-08T04:00:00Z",
      "2026-03-08T12:00:00.000Z"
    ],
    [
      "through a repeated hour",
      "00:00",
      "01:30",
      "America/New_York",
      "2026-11-01T06:15:00Z",
      "2026-11-01T06:30:00.000Z"
    ]
  ])("are %s", (_, start, end, zone, now, expected) => assert.strictEqual(until(start, end, zone, now), expected))

  it("end at an instant that is not quiet, and hold in between", () => {
    const minuteOfDay = fc.integer({ min: 0, max: 1439 })
    const clock = (minutes: number) =>
      `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`
    const zones = fc.constantFrom(
      "Australia/Lord_Howe",
      "Africa/Casablanca",
      "America/St_Johns",
      "Asia/Kolkata",
      "Pacific/Apia"
    )
    fc.assert(
      fc.property(minuteOfDay, minuteOfDay, zones, fc.integer({ min: 0, max: 365 * 48 }), (from, to, name, half) => {
        fc.pre(from !== to)
        const zone = Zone.make(name)
        const hours = { start: clock(from), end: clock(to) }
        const now = at("2026-01-01T00:00:00Z") + half * 30 * minute
        const end = QuietHours.endOf(hours, zone, now)
        const local = Zone.localMinutes(zone, now)
        const isQuiet = from < to ? from <= local && local < to : local >= from || local < to
        const isNearChange = Zone.offsetAt(zone, now - day) !== Zone.offsetAt(zone, now + day)
        if (!isNearChange) assert.strictEqual(end !== null, isQuiet)
        if (end === null) return
        assert.isTrue(end > now && end <= now + day + hour)
        assert.strictEqual(QuietHours.endOf(hours, zone, Math.floor((now + end) / 2)), end)
        if (!isNearChange) assert.isNull(QuietHours.endOf(hours, zone, end))
      })
    )
  })

  it("leave something of the day", () => {
    assert.include(refusal(QuietHours.QuietHours, { start: "00:00", end: "24:00" }), "the whole day")
    assert.include(refusal(QuietHours.QuietHours, { start: "8", end: "10:00" }), "HH:MM")
    assert.strictEqual(refusal(QuietHours.QuietHours, { start: "00:01", end: "00:00" }), "accepted")
  })
})

describe("Frequency", () => {
  const now = at("2026-03-09T10:00:00Z")
  const two = { touches: 2, days: 7 }

  it.each([
    ["nobody who was not touched", [], now],
    ["nobody below the number", [now - day], now],
    ["until the first of them leaves", [now - 6 * day, now - day], now + day],
    ["as the latest ones say where there are more", [now - 6 * day, now - 3 * day, now - day], now + 4 * day],
    ["nobody for a touch of exactly so long ago", [now - 7 * day, now - day], now],
    ["in any order", [now - day, now - 6 * day], now + day]
  ])("holds %s", (_, touches, expected) => assert.strictEqual(allowedAt(two, touches, now), expected))

  it("never has more than its number in any span", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.integer({ min: 0, max: 2 * day }), { maxLength: 30 }),
        (touches, days, pauses) => {
          const made: Array<number> = []
          let clock = now
          for (const pause of pauses) {
            clock = allowedAt({ touches, days }, made, clock + pause)
            made.push(clock)
          }
          for (const one of made) {
            assert.isAtMost(made.filter((other) => other > one - days * day && other <= one).length, touches)
          }
        }
      )
    )
  })

  it("is no more than a contact remembers", () => {
    assert.include(refusal(Frequency, { touches: 17, days: 1 }), "from 1 to 16")
    assert.include(refusal(Frequency, { touches: 1, days: 0 }), "from 1 to 365")
  })
})
