import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import { day, hour, minute } from "../../src/workspace/Instant.ts"
import * as LocalDate from "../../src/workspace/LocalDate.ts"
import * as Zone from "../../src/workspace/Zone.ts"

const names = [
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "Africa/Casablanca",
  "America/New_York",
  "Asia/Kolkata",
  "America/St_Johns",
  "Pacific/Auckland",
  "Europe/Berlin"
]
const at = (text: string) => Date.parse(text)
const decode = Schema.decodeUnknownResult(Zone.ZoneName)
const accepted = (text: string) => Result.getOrThrow(decode(text))

/** Every half-hour of 2026 and a day around it, with what Intl shows there: "2026-03-08 14:30". */
const shownHalfHours = (name: string): ReadonlyArray<readonly [instant: number, shown: string]> => {
  const formatter = new Intl.DateTimeFormat("sv-SE", {
    timeZone: name,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit"
  })
  const shown: Array<readonly [number, string]> = []
  for (let t = at("2025-12-31T00:00Z"); t <= at("2027-01-02T00:00Z"); t += 30 * minute) {
    shown.push([t, formatter.format(t)])
  }
  return shown
}

describe("Zone", () => {
  it.each(names)("agrees with Intl on every half-hour of 2026 in %s, gaps and repeated hours included", (name) => {
    const zone = Zone.make(name)
    const occurrences = new Map<string, Array<number>>()
    for (const [instant, shown] of shownHalfHours(name)) {
      const minutes = Zone.localMinutes(zone, instant)
      const clock = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, "0")).join(":")
      assert.strictEqual(`${Zone.localDate(zone, instant)} ${clock}`, shown)
      occurrences.set(shown, [...(occurrences.get(shown) ?? []), instant])
    }
    let firstAfter = Infinity
    let skipped = 0
    let repeated = 0
    for (let wall = at("2026-12-31T23:30Z"); wall >= at("2026-01-01T00:00Z"); wall -= 30 * minute) {
      const text = new Date(wall).toISOString()
      const found = occurrences.get(`${text.slice(0, 10)} ${text.slice(11, 16)}`)
      const minutes = (wall % day) / minute
      const first = Zone.toInstant(zone, text.slice(0, 10), minutes, "first")
      const last = Zone.toInstant(zone, text.slice(0, 10), minutes, "last")
      if (found === undefined) {
        skipped += 1
        assert.deepStrictEqual([first, last], [firstAfter, firstAfter], `gap at ${text}`)
      } else {
        if (found.length > 1) repeated += 1
        assert.deepStrictEqual([first, last], [found[0], found.at(-1)], text)
        firstAfter = found[0]!
      }
    }
    const changes = name !== "Asia/Kolkata" && name !== "Pacific/Apia"
    assert.deepStrictEqual([skipped > 0, repeated > 0], [changes, changes])
  })

  it("agrees with Intl at any instant from 2000 to 2060", () => {
    const shownIn = new Map(
      names.map((name) => [
        name,
        new Intl.DateTimeFormat("sv-SE", { timeZone: name, dateStyle: "short", timeStyle: "medium" })
      ])
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.integer({ min: at("2000-01-01T00:00Z") / 1000, max: at("2060-12-31T00:00Z") / 1000 }),
        (name, seconds) => {
          const instant = seconds * 1000
          const local = new Date(instant + Zone.offsetAt(Zone.make(name), instant)).toISOString()
          assert.strictEqual(local.slice(0, 19).replace("T", " "), shownIn.get(name)!.format(instant))
        }
      ),
      { numRuns: 3000 }
    )
  })

  it("leads from an instant to its wall time and back", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.integer({ min: at("1995-01-01T00:00Z") / minute, max: at("2070-01-01T00:00Z") / minute }),
        (name, minutes) => {
          const zone = Zone.make(name)
          const instant = minutes * minute
          const back = (which: "first" | "last") =>
            Zone.toInstant(zone, Zone.localDate(zone, instant), Zone.localMinutes(zone, instant), which)
          assert.isTrue(back("first") === instant || back("last") === instant)
          assert.isAtMost(back("first"), back("last"))
        }
      ),
      { numRuns: 2000 }
    )
  })

  it("knows the day that Samoa left out", () => {
    const apia = Zone.make("Pacific/Apia")
    const dateline = at("2011-12-30T10:00Z")
    assert.strictEqual(Zone.localDate(apia, dateline - 1), "2011-12-29")
    assert.strictEqual(Zone.localDate(apia, dateline), "2011-12-31")
    for (const which of ["first", "last"] as const) {
      assert.strictEqual(Zone.toInstant(apia, "2011-12-30", 9 * 60, which), dateline)
      assert.strictEqual(Zone.toInstant(apia, "2011-12-29", 9 * 60, which), at("2011-12-29T19:00Z"))
      assert.strictEqual(Zone.toInstant(apia, "2011-12-31", 9 * 60, which), at("2011-12-30T19:00Z"))
    }
  })

  it("keeps the local time over days in which clocks change", () => {
    const newYork = Zone.make("America/New_York")
    const later = (text: string, days: number) => Zone.sameLocalTimeAfterDays(newYork, at(text), days)
    assert.strictEqual(later("2026-03-06T15:00:12.345Z", 3), at("2026-03-09T14:00:12.345Z"))
    assert.strictEqual(later("2026-03-07T07:30Z", 1), at("2026-03-08T07:00Z"), "02:30 does not exist on the 8th")
    assert.strictEqual(later("2026-10-31T05:30Z", 1), at("2026-11-01T05:30Z"), "the first of two 01:30")
    assert.strictEqual(later("2026-11-01T06:30Z", 1), at("2026-11-02T06:30Z"), "from the second 01:30")
    assert.strictEqual(later("2026-03-09T14:00Z", -3), at("2026-03-06T15:00Z"))
  })

  it("answers the same whatever was asked before", () => {
    const lordHowe = Zone.make("Australia/Lord_Howe")
    const instants = [0, 1, -3, 5, 40, -40, 12].map((days) => at("2026-04-04T15:00Z") + days * day)
    const forwards = instants.map((instant) => Zone.offsetAt(lordHowe, instant))
    const backwards = instants
      .toReversed()
      .map((instant) => Zone.offsetAt(lordHowe, instant))
      .toReversed()
    assert.deepStrictEqual(forwards, backwards)
    assert.deepStrictEqual(new Set(forwards), new Set([10.5 * hour, 11 * hour]))
  })
})

describe("ZoneName", () => {
  it.each([
    ["europe/berlin", "Europe/Berlin"],
    ["AMERICA/PORT-AU-PRINCE", "America/Port-au-Prince"],
    ["utc", "UTC"],
    ["Asia/Kolkata", "Asia/Kolkata"],
    ["asia/kolkata", "Asia/Kolkata"],
    ["us/eastern", "US/Eastern"],
    ["Etc/UTC", "Etc/UTC"]
  ])("reads %s as %s", (text, name) => {
    assert.strictEqual(accepted(text), name)
    assert.strictEqual(Zone.make(text), Zone.make(name))
  })

  it.each(["Mars/Phobos", "+05:30", "", "Europe", "Europe/Berlin "])("refuses %j and names it", (text) => {
    const result = decode(text)
    assert.isTrue(Result.isFailure(result))
    assert.include(String(Result.getFailure(result).pipe((failure) => failure._tag === "Some" && failure.value)), text)
    assert.throws(() => Zone.make(text), RangeError)
  })
})

describe("LocalDate", () => {
  it("counts days as the calendar does", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date("0000-03-01T00:00Z"), max: new Date("9999-12-01T00:00Z"), noInvalidDate: true }),
        fc.integer({ min: -20, max: 20 }),
        (date, days) => {
          const from = date.toISOString().slice(0, 10)
          const to = new Date(at(from) + days * day)
          assert.strictEqual(LocalDate.addDays(from, days), to.toISOString().slice(0, 10))
          assert.strictEqual(LocalDate.weekday(from), new Date(from).getUTCDay())
          assert.strictEqual(LocalDate.midnight(from), at(from))
          assert.strictEqual(
            Math.sign(LocalDate.compare(from, LocalDate.addDays(from, days))),
            0 - Math.sign(days) || 0
          )
        }
      ),
      { numRuns: 1000 }
    )
  })

  it.each(["2026-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "2026-04-31T00:00"])("refuses %s", (text) => {
    assert.isTrue(Result.isFailure(Schema.decodeUnknownResult(LocalDate.LocalDate)(text)))
  })

  it("accepts a leap day", () => {
    assert.isTrue(Result.isSuccess(Schema.decodeUnknownResult(LocalDate.LocalDate)("2028-02-29")))
  })
})
