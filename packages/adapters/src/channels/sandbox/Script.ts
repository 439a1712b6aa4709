/**
 * The script of a sandbox: JSON that says how a pretended platform answers and what its people do. Every field is
 * optional; the empty script takes every message at once and nobody ever answers. Durations are milliseconds, rates are
 * probabilities in [0, 1]. QUIRKS.md describes the format for its authors.
 */
import { Capabilities } from "@overture/core/channel/Capability"
import { ChannelPolicy } from "@overture/core/channel/ChannelPolicy"
import { AccountTrouble } from "@overture/core/channel/Outcome"
import { ParticipantProfile } from "@overture/core/channel/ParticipantProfile"
import { Effect, Schema, Struct } from "effect"
import { Chance, followUps, Visitor } from "./Occasion.ts"
import { problemsOf } from "./Problems.ts"
import { said, ScriptedOutcome } from "./ScriptedOutcome.ts"
import { Count, longest, Milliseconds, Rate, Span, withDefault } from "./Span.ts"

const Recipient = Schema.Struct({
  /** One per attempt, the last again and again; goes before rates and the reply window. */
  outcomes: Schema.optionalKey(Schema.NonEmptyArray(ScriptedOutcome)),
  /** How the platform presents them; events carry the name. */
  profile: Schema.optionalKey(ParticipantProfile),
  receipts: Schema.optionalKey(followUps.receipts),
  replies: Schema.optionalKey(followUps.replies),
  optOuts: Schema.optionalKey(followUps.optOuts),
  lateFailures: Schema.optionalKey(followUps.lateFailures),
  reactions: Schema.optionalKey(followUps.reactions),
  takeovers: Schema.optionalKey(followUps.takeovers),
  bookings: Schema.optionalKey(followUps.bookings)
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

const AccountSetting = Schema.Struct({
  /** What the platform calls it to people. */
  name: Schema.optionalKey(Schema.NonEmptyString),
  /** What it must be called with; absent = anything will do. */
  token: Schema.optionalKey(Schema.NonEmptyString),
  /** What a change of its profile comes to; absent = it is made. */
  profile: Schema.optionalKey(
    Schema.Struct({ type: Schema.Literals(["rejected", "transient", ...AccountTrouble.literals]), ...said })
  )
})

/** What a script may switch: all but what follows from its other fields. */
export const Switches = Schema.Struct(Capabilities.fields).mapFields((fields) =>
  Struct.map(Struct.omit(fields, ["idempotencyKeys", "lookup"]), Schema.optionalKey)
)
const Policies = Schema.Struct(ChannelPolicy.fields).mapFields(Struct.map(Schema.optionalKey))

export const Script = Schema.Struct({
  /** The same seed and the same messages: the same outcomes and events. */
  seed: withDefault(Schema.String, "sandbox"),
  /** Of one send, in real time: a part before the message is received, the rest before the answer. 0 = none. */
  latency: withDefault(Span, 0),
  /** Whether the same key sent twice reaches the person once. */
  idempotencyKeys: withDefault(Schema.Boolean, false),
  /** Whether one can ask what became of a key, final `afterMs` after the send began. */
  lookup: withDefault(Schema.NullOr(Schema.Struct({ afterMs: Milliseconds })), null),
  /** What differs from the usual capabilities and policy: to pretend another platform. */
  capabilities: withDefault(Switches, {}),
  policy: withDefault(Policies, {}),
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
  receipts: withDefault(followUps.receipts, {}),
  replies: withDefault(followUps.replies, []),
  optOuts: withDefault(followUps.optOuts, []),
  lateFailures: withDefault(followUps.lateFailures, []),
  reactions: withDefault(followUps.reactions, []),
  takeovers: withDefault(followUps.takeovers, []),
  bookings: withDefault(followUps.bookings, []),
  /** Comments that can be answered in private, by id; where none is named, any can. */
  comments: withDefault(
    Schema.Record(Schema.String, Schema.Struct({ account: Schema.NonEmptyString, person: Schema.NonEmptyString })),
    {}
  ),
  /** People who write by themselves. */
  visitors: withDefault(Schema.Array(Visitor), []),
  /** How unreliably the platform tells: some events `late`, and some `twice`, the second time after the delay. */
  telling: withDefault(Schema.Struct({ late: Schema.optionalKey(Chance), twice: Schema.optionalKey(Chance) }), {}),
  troubles: withDefault(Schema.Array(Trouble), []),
  /** The sending accounts, by external id; those that are not named exist, too. */
  accounts: withDefault(Schema.Record(Schema.String, AccountSetting), {}),
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

const strict = { errors: "all", onExcessProperty: "error" } as const

const explain = (error: Schema.SchemaError) => new SandboxScriptError({ problems: problemsOf(error, "script") })

/** A script from a JSON value; unknown fields are refused. */
export const decode = (input: unknown): Effect.Effect<Script, SandboxScriptError> =>
  Schema.decodeUnknownEffect(Script, strict)(input).pipe(Effect.mapError(explain))

/** A script from the text of a JSON file. */
export const parse = (text: string): Effect.Effect<Script, SandboxScriptError> =>
  Schema.decodeUnknownEffect(Schema.fromJsonString(Script), strict)(text).pipe(Effect.mapError(explain))
