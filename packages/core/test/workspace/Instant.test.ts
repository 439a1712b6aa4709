import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { format, Instant } from "../../src/workspace/Instant.ts"

const isInstant = Schema.is(Schema.toType(Instant))
const last = Date.parse("9999-12-31T23:59:59.999Z")

describe("an instant", () => {
  it("is in whole milliseconds, of a year from 1970 to 9999", () => {
    for (const at of [0, 1, Date.parse("2026-03-08T14:00:00Z"), last]) assert.isTrue(isInstant(at), String(at))
    for (const at of [NaN, Infinity, -Infinity, -1, 0.5, last + 1, 1_773_050_400_000 * 1e6, 1e300, "2026", null]) {
      assert.isFalse(isInstant(at), String(at))
    }
  })

  it("is read from ISO 8601 and written so again", () => {
    const decode = Schema.decodeUnknownSync(Instant)
    for (const [text, written] of [
      ["2026-03-08T14:00:00Z", "2026-03-08T14:00:00.000Z"],
      ["2026-03-08T14:00:00.123456789+02:00", "2026-03-08T12:00:00.123Z"],
      ["2028-02-29T23:59:59-05:00", "2028-03-01T04:59:59.000Z"],
      ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"]
    ] as const) {
      assert.strictEqual(format(decode(text)), written)
    }
    for (const text of ["1969-12-31T23:59:59Z", "2026-02-30T25:00:00Z", "9999-12-31T23:59:59-01:00"]) {
      assert.throws(() => decode(text), undefined, undefined, text)
    }
  })

  it("is of a day that the calendar has", () => {
    const decode = Schema.decodeUnknownSync(Instant)
    for (const date of [
      "2026-02-29",
      "2026-02-30",
      "2026-04-31",
      "2100-02-29",
      "2026-00-10",
      "2026-13-01",
      "2026-01-32"
    ]) {
      assert.throws(() => decode(`${date}T10:00:00Z`), /that the calendar has/, undefined, date)
    }
    for (const time of ["25:00:00Z", "10:60:00Z", "10:00:00+99:00"]) {
      assert.throws(() => decode(`2026-03-01T${time}`), /that the calendar has/, undefined, time)
    }
  })
})
