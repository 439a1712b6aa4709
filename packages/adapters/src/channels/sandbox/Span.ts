/** What scripts measure with: lengths of time, probabilities, counts. */
import { Effect, Schema } from "effect"

/** A field that may be left out. */
export const withDefault = <S extends Schema.Constraint>(schema: S, value: S["Encoded"]) =>
  Schema.withDecodingDefaultKey<S>(Effect.succeed(value))(schema)

/** At most a year. */
export const Milliseconds = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 31_536_000_000 }))
/** A probability. */
export const Rate = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))
export const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

/** A length of time in milliseconds: fixed, or drawn uniformly from minMs to maxMs, both included. */
export const Span = Schema.Union([
  Milliseconds,
  Schema.Struct({ minMs: withDefault(Milliseconds, 0), maxMs: Milliseconds }).check(
    Schema.makeFilter(
      ({ minMs, maxMs }) => minMs <= maxMs || { path: ["minMs"], issue: "must not be greater than maxMs" }
    )
  )
])
export type Span = typeof Span.Type

/** The longest a span may take, in milliseconds. */
export const longest = (self: Span): number => (typeof self === "number" ? self : self.maxMs)

/** A length out of the span for a uniform `u` in [0, 1), in whole milliseconds. */
export const drawn = (self: Span, u: number): number =>
  typeof self === "number" ? self : self.minMs + Math.floor(u * (self.maxMs - self.minMs + 1))
