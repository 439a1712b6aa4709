/**
 * An `Instant` is a point in time in whole milliseconds since the Unix epoch, of a year from 1970 to 9999:
 * nanoseconds and what no calendar has are refused where they come in. Rules take instants as arguments and never read a
 * clock. On the wire an instant is an ISO 8601 string with a `Z`, so no reader has to guess the unit.
 */
import { Schema, SchemaTransformation } from "effect"

/** Milliseconds since the Unix epoch. */
export type Instant = number

/** 9999-12-31T23:59:59.999Z. */
const last: Instant = 253_402_300_799_999

/** Whether its day is one of its month, which `Date.parse` does not ask: to it 30 February is 2 March. */
const isOfMonth = (text: string): boolean => {
  const day = Number(text.slice(8, 10))
  return day <= 28 || day <= new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate()
}

/**
 * An instant as JSON carries it (`"2026-03-08T14:00:00.000Z"`), decoded to epoch milliseconds; `Schema.toType` of it is what
 * programs pass.
 */
export const Instant = Schema.String.check(
  Schema.isPattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/, {
    expected: "an ISO 8601 instant with a zone, such as 2026-03-08T14:00:00Z"
  }).abort(),
  Schema.makeFilter((text: string) => isOfMonth(text) && !Number.isNaN(Date.parse(text)), {
    expected: "a date and time that the calendar has, such as 2026-03-08T14:00:00Z"
  })
).pipe(
  Schema.decodeTo(
    Schema.Number.check(
      Schema.makeFilter((at: number) => Number.isInteger(at) && at >= 0 && at <= last, {
        expected: "an instant of the years 1970 to 9999 in whole milliseconds since 1970"
      })
    ),
    SchemaTransformation.transform({ decode: (text: string) => Date.parse(text), encode: (at: number) => format(at) })
  ),
  Schema.annotate({ identifier: "Instant" })
)

/** The ISO 8601 form in UTC. Throws a RangeError for what no calendar has. */
export const format = (at: Instant): string => new Date(at).toISOString()

/** The earlier of two instants; null stands for never. */
export const earliest = (a: Instant | null, b: Instant | null): Instant | null =>
  a === null ? b : b === null ? a : Math.min(a, b)

export const second = 1_000
export const minute = 60_000
export const hour = 3_600_000
export const day = 86_400_000
