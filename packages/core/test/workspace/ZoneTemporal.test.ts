import { assert, describe, it } from "@effect/vitest"
import { Temporal } from "temporal-polyfill"
import { minute } from "../../src/workspace/Instant.ts"
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
const halfHours = Array.from({ length: 365 * 48 }, (_, i) => Date.parse("2026-01-01T00:00Z") + i * 30 * minute)

describe("Zone and Temporal", () => {
  it.each(names)("show the same clock on every half-hour of 2026 in %s", (name) => {
    const zone = Zone.make(name)
    for (const at of halfHours) {
      const there = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(name)
      assert.strictEqual(Zone.localDate(zone, at), there.toPlainDate().toString())
      assert.strictEqual(Zone.localMinutes(zone, at), there.hour * 60 + there.minute)
    }
  })

  it.each(names)("find the same instants for every half-hour of the clock in %s", (name) => {
    const zone = Zone.make(name)
    for (const at of halfHours) {
      const date = LocalDate.fromEpochDay(Math.floor(at / (1440 * minute)))
      const wall = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO("UTC").toPlainDateTime()
      const [earlier, later] = (["earlier", "later"] as const).map((disambiguation) =>
        wall.toZonedDateTime(name, { disambiguation })
      )
      const inGap = !later!.toPlainDateTime().equals(wall)
      // Temporal moves a time in a gap by the length of the gap; to us it is the first instant after.
      const after = inGap ? earlier!.getTimeZoneTransition("next")!.epochMilliseconds : null
      const minutes = wall.hour * 60 + wall.minute
      assert.strictEqual(Zone.toInstant(zone, date, minutes, "first"), after ?? earlier!.epochMilliseconds)
      assert.strictEqual(Zone.toInstant(zone, date, minutes, "last"), after ?? later!.epochMilliseconds)
    }
  })
})
