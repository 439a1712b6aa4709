/** What may follow a message that the platform took, and what people do by themselves: the rules of a script. */
import { MediaKind } from "@overture/core/channel/Content"
import { Instant } from "@overture/core/workspace/Instant"
import { Schema } from "effect"
import { said } from "./ScriptedOutcome.ts"
import { Count, Milliseconds, Rate, Span, withDefault } from "./Span.ts"

/** How probable, and how long after what it follows. */
const chance = { rate: withDefault(Rate, 1), delay: withDefault(Span, 0) }
export const Chance = Schema.Struct(chance)
export type Chance = typeof Chance.Type

/** `onMessage` n: only for the n-th message that the person received. */
const occasion = { ...chance, onMessage: Schema.optionalKey(Count) }
export const Occasion = Schema.Struct(occasion)
export type Occasion = typeof Occasion.Type

/** A file that somebody sends. */
export const Media = Schema.Struct({
  kind: withDefault(MediaKind, "image"),
  url: Schema.NonEmptyString,
  mime: Schema.optionalKey(Schema.String),
  filename: Schema.optionalKey(Schema.String),
  bytes: Schema.optionalKey(Schema.Int),
  /** What is in it, in base64: who asks the platform for it gets that in place of the URL. */
  data: Schema.optionalKey(Schema.String.check(Schema.isBase64())),
  /** Why the platform does not hand it out. */
  unavailable: Schema.optionalKey(Schema.Literals(["gone", "refused", "unreachable"]))
})
export type Media = typeof Media.Type

const writing = {
  /** The text, or the caption of the first file. */
  text: Schema.optionalKey(Schema.NonEmptyString),
  media: withDefault(Schema.Array(Media), []),
  /** What it says later on. */
  edit: Schema.optionalKey(Schema.Struct({ ...chance, text: Schema.NonEmptyString })),
  deletion: Schema.optionalKey(Chance)
}
interface Written {
  readonly text?: string
  readonly media: ReadonlyArray<unknown>
}
const saysSomething = Schema.makeFilter<Written>(
  ({ media, text }) => text !== undefined || media.length > 0 || { path: ["text"], issue: "Missing key" }
)

/** A message that somebody writes, and what becomes of it. */
export const Writing = Schema.Struct(writing)
export type Writing = typeof Writing.Type

/** The person answers: in words, by files, or with a button of ours. `quotes`: it names the message it answers. */
export const Reply = Schema.Struct({
  ...occasion,
  ...writing,
  button: Schema.optionalKey(Schema.String),
  quotes: withDefault(Schema.Boolean, false)
}).check(saysSomething)

export const OptOut = Schema.Struct({
  ...occasion,
  /** `word`: they write `text`; `flagged`: and the platform says what it means; `signal`: by the channel's own means. */
  by: withDefault(Schema.Literals(["word", "flagged", "signal"]), "word"),
  text: withDefault(Schema.NonEmptyString, "STOP")
})

export const LateFailure = Schema.Struct({ ...occasion, ...said })

export const Reaction = Schema.Struct({
  ...occasion,
  emoji: withDefault(Schema.NonEmptyString, "👍"),
  /** Taken back. */
  removal: Schema.optionalKey(Chance)
})

/** The account's owner writes to the person from another device. */
export const Takeover = Schema.Struct({ ...occasion, ...writing }).check(saysSomething)

export const Booking = Schema.Struct({
  ...occasion,
  ref: Schema.optionalKey(Schema.String),
  /** When the appointment is, counted from the booking. */
  startsIn: Schema.optionalKey(Span)
})

/** `delivered` counts from receiving, `read` from delivery. */
export const Receipts = Schema.Struct({
  delivered: Schema.optionalKey(Occasion),
  read: Schema.optionalKey(Occasion)
})

/** What may follow a message, by its field in the script. */
export const followUps = {
  receipts: Receipts,
  replies: Schema.Array(Reply),
  optOuts: Schema.Array(OptOut),
  /** A message that fails late is neither delivered nor read nor answered. */
  lateFailures: Schema.Array(LateFailure),
  reactions: Schema.Array(Reaction),
  takeovers: Schema.Array(Takeover),
  bookings: Schema.Array(Booking)
}

/** People who write by themselves. */
export const Visitor = Schema.Struct({
  /** The account's external id. */
  account: Schema.NonEmptyString,
  /** The person's external id; of several the beginning: `guest-1`, `guest-2`. */
  person: Schema.NonEmptyString,
  scope: withDefault(Schema.String, ""),
  count: withDefault(Count.check(Schema.isLessThanOrEqualTo(1_000_000)), 1),
  /** When the first of them writes: an ISO 8601 instant, or milliseconds since the epoch. */
  at: Schema.Union([Schema.Int, Instant]),
  /** How long after one the next writes. */
  every: withDefault(Milliseconds, 0),
  ...writing
}).check(saysSomething)
export type Visitor = typeof Visitor.Type
