/** What the script makes of an attempt to send: an outcome's name, or the name with its particulars. */
import { AccountTrouble, FinalRefusal } from "@overture/core/channel/Outcome"
import { Schema } from "effect"
import { Milliseconds, withDefault } from "./Span.ts"

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
/** What the platform says with it. */
export const said = { code: Schema.optionalKey(Schema.String), detail: Schema.optionalKey(Schema.String) }

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
