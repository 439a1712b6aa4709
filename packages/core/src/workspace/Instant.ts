/**
 * An `Instant` is a point in time in whole milliseconds since the Unix epoch. Rules take instants as arguments and never
 * read a clock. On the wire an instant is an ISO 8601 string with a `Z`, so no reader has to guess the unit.
 */
import { Schema, SchemaTransformation } from "effect"

/** Milliseconds since the Unix epoch. */
export type Instant = number

/** An instant as JSON carries it (`"2026-03-08T14:00:00.000Z"`), decoded to epoch milliseconds. */
export const Instant = Schema.String.check(
  Schema.isPattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/, {
    expected: "an ISO 8601 instant with a zone, such as 2026-03-08T14:00:00Z"
  })
).pipe(
  Schema.decodeTo(
    Schema.Number.check(Schema.isFinite({ expected: "an instant that exists" })),
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
