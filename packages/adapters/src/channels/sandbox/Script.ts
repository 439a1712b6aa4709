/**
 * The script of a sandbox: JSON that says how a pretended platform answers and what its people do. Every field is
 * optional; the empty script takes every message at once and nobody ever answers. Durations are milliseconds, rates are
 * probabilities in [0, 1]. QUIRKS.md describes the format for its authors.
 */
import { AccountTrouble, FinalRefusal } from "@overture/core/channel/Outcome"
import { Effect, Schema, SchemaIssue } from "effect"

const withDefault = <S extends Schema.Constraint>(schema: S, value: S["Encoded"]) =>
  Schema.withDecodingDefaultKey<S>(Effect.succeed(value))(schema)

const Milliseconds = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 31_536_000_000 }))
const Rate = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))
const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

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

export const OutcomeName = Schema.Literals([
  "accepted",
  "rateLimited",
  "transient",
  ...FinalRefusal.literals,
  "blocked",
  "optedOut",
  ...AccountTrouble.literals,
  "outcomeUnknown"
])

const defaultRetryAfterMs = 60_000
const said = { code: Schema.optionalKey(Schema.String), detail: Schema.optionalKey(Schema.String) }

/** What the platform makes of one attempt: an outcome's name, or the name with its particulars. */
export const ScriptedOutcome = Schema.Union([
  OutcomeName,
  Schema.Struct({
    type: Schema.Literal("rateLimited"),
    scope: withDefault(Schema.Literals(["recipient", "account", "group"]), "account"),
    retryAfterMs: withDefault(Milliseconds, defaultRetryAfterMs),
    ...said
  }),
  /** `received`: whether the platform took the message although the sender never learns. */
  Schema.Struct({ type: Schema.Literal("outcomeUnknown"), received: withDefault(Schema.Boolean, true), ...said }),
  Schema.Struct({
    type: Schema.Literals([
      "accepted",
      "transient",
      ...FinalRefusal.literals,
      "blocked",
      "optedOut",
      ...AccountTrouble.literals
    ]),
    ...said
  })
])
export type ScriptedOutcome = typeof ScriptedOutcome.Type

/** The outcome with its particulars, where only its name was given. */
export const full = (self: ScriptedOutcome): Exclude<ScriptedOutcome, string> => {
  switch (self) {
    case "rateLimited":
      return { type: self, scope: "account", retryAfterMs: defaultRetryAfterMs }
    case "outcomeUnknown":
      return { type: self, received: true }
    default:
      return typeof self === "string" ? { type: self } : self
  }
}

/** How probable, and how long after the message was received. `onMessage` n: only for the n-th that person received. */
const occasion = {
  rate: withDefault(Rate, 1),
  delay: withDefault(Span, 0),
  onMessage: Schema.optionalKey(Count)
}

const Occasion = Schema.Struct(occasion)
const Reply = Schema.Struct({ ...occasion, text: Schema.NonEmptyString, button: Schema.optionalKey(Schema.String) })
const OptOut = Schema.Struct({
  ...occasion,
  /** `word`: they write `text`; `flagged`: and the platform says what it means; `signal`: by the channel's own means. */
  by: withDefault(Schema.Literals(["word", "flagged", "signal"]), "word"),
  text: withDefault(Schema.NonEmptyString, "STOP")
})
const LateFailure = Schema.Struct({ ...occasion, ...said })
const Reaction = Schema.Struct({ ...occasion, emoji: withDefault(Schema.NonEmptyString, "👍") })

const happenings = {
  /** `delivered` counts from receiving, `read` from delivery. */
  receipts: Schema.Struct({ delivered: Schema.optionalKey(Occasion), read: Schema.optionalKey(Occasion) }),
  replies: Schema.Array(Reply),
  optOuts: Schema.Array(OptOut),
  /** A message that fails late is neither delivered nor read nor answered. */
  lateFailures: Schema.Array(LateFailure),
  reactions: Schema.Array(Reaction)
}

const Recipient = Schema.Struct({
  /** One per attempt, the last again and again; goes before rates and the reply window. */
  outcomes: Schema.optionalKey(Schema.NonEmptyArray(ScriptedOutcome)),
  receipts: Schema.optionalKey(happenings.receipts),
  replies: Schema.optionalKey(happenings.replies),
  optOuts: Schema.optionalKey(happenings.optOuts),
  lateFailures: Schema.optionalKey(happenings.lateFailures),
  reactions: Schema.optionalKey(happenings.reactions)
})

const Trouble = Schema.Struct({
  /** The account's external id; absent = every account, each for itself. */
  account: Schema.optionalKey(Schema.NonEmptyString),
  /** The message taken with which the trouble begins. */
  after: Count,
  outcome: withDefault(AccountTrouble, "banned"),
  /** How long it lasts; absent = for good. */
  forMs: Schema.optionalKey(Milliseconds),
  /** Whether an event tells of it, too. */
  announced: withDefault(Schema.Boolean, false)
})

export const Script = Schema.Struct({
  /** The same seed and the same messages: the same outcomes and events. */
  seed: withDefault(Schema.String, "sandbox"),
  /** Of one send, in real time: a part before the message is received, the rest before the answer. 0 = none. */
  latency: withDefault(Span, 0),
  /** Whether the same key sent twice reaches the person once. */
  idempotencyKeys: withDefault(Schema.Boolean, false),
  /** Whether one can ask what became of a key, final `afterMs` after the send began. */
  lookup: withDefault(Schema.NullOr(Schema.Struct({ afterMs: Milliseconds })), null),
  /** Whether our own messages are told as events, with their key. */
  echoes: withDefault(Schema.Boolean, false),
  /** Refuses a message that comes later than `afterMs` after the person's last; `declared`: the policy says so, too. */
  replyWindow: withDefault(
    Schema.NullOr(Schema.Struct({ afterMs: Milliseconds, declared: withDefault(Schema.Boolean, false) })),
    null
  ),
  /** Outcomes by rate; what the rates leave is accepted. */
  outcomes: withDefault(
    Schema.Array(Schema.Struct({ rate: Rate, outcome: ScriptedOutcome })).check(
      Schema.makeFilter((rated) => rated.reduce((sum, { rate }) => sum + rate, 0) <= 1 + 1e-9 || "rates sum to over 1")
    ),
    []
  ),
  receipts: withDefault(happenings.receipts, {}),
  replies: withDefault(happenings.replies, []),
  optOuts: withDefault(happenings.optOuts, []),
  lateFailures: withDefault(happenings.lateFailures, []),
  reactions: withDefault(happenings.reactions, []),
  troubles: withDefault(Schema.Array(Trouble), []),
  /** What differs for one person, by external id; a field given here replaces the general one. */
  recipients: withDefault(Schema.Record(Schema.String, Recipient), {})
})
  .check(
    Schema.makeFilter(
      ({ latency, lookup }) =>
        lookup === null ||
        lookup.afterMs >= longest(latency) || {
          path: ["lookup", "afterMs"],
          issue: "must be at least the longest latency, or its answer is not final"
        }
    )
  )
  .annotate({ identifier: "SandboxScript" })
export type Script = typeof Script.Type
/** A script as its author writes it. */
export type ScriptInput = typeof Script.Encoded

/** The script cannot be used; each problem names its field, `outcomes[0].rate`. */
export class SandboxScriptError extends Schema.TaggedError<SandboxScriptError>()("SandboxScriptError", {
  problems: Schema.NonEmptyArray(Schema.Struct({ field: Schema.String, message: Schema.String }))
}) {
  override get message(): string {
    return this.problems.map(({ field, message }) => `${field}: ${message}`).join("\n")
  }
}

const issues = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) => (issue._tag === "UnexpectedKey" ? "There is no such field" : SchemaIssue.defaultLeafHook(issue))
})

const fieldOf = (path: ReadonlyArray<unknown>): string =>
  path.reduce<string>((field, step) => {
    const key = typeof step === "object" && step !== null && "key" in step ? step.key : step
    return typeof key === "number" ? `${field}[${key}]` : field === "" ? String(key) : `${field}.${String(key)}`
  }, "") || "script"

const explain = (error: Schema.SchemaError): SandboxScriptError => {
  const [first, ...rest] = issues(error.issue).issues.map(({ message, path }) => ({
    field: fieldOf(path ?? []),
    message
  }))
  return new SandboxScriptError({ problems: [first ?? { field: "script", message: error.message }, ...rest] })
}

const strict = { errors: "all", onExcessProperty: "error" } as const

/** A script from a JSON value; unknown fields are refused. */
export const decode = (input: unknown): Effect.Effect<Script, SandboxScriptError> =>
  Schema.decodeUnknownEffect(Script, strict)(input).pipe(Effect.mapError(explain))

/** A script from the text of a JSON file. */
export const parse = (text: string): Effect.Effect<Script, SandboxScriptError> =>
  Schema.decodeUnknownEffect(Schema.fromJsonString(Script), strict)(text).pipe(Effect.mapError(explain))

/** The longest a span may take, in milliseconds. */
export const longest = (self: Span): number => (typeof self === "number" ? self : self.maxMs)

/** A length out of the span for a uniform `u` in [0, 1), in whole milliseconds. */
export const drawn = (self: Span, u: number): number =>
  typeof self === "number" ? self : self.minMs + Math.floor(u * (self.maxMs - self.minMs + 1))
