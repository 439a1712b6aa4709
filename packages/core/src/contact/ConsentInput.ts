/** What may be said of a consent that is given or taken back, checked field by field: a proof of nonsense proves nothing. */
import { Schema } from "effect"
import { ChannelName } from "../channel/Address.ts"
import * as Problem from "../workspace/Problem.ts"
import { Consent } from "./Contact.ts"

export class InvalidConsent extends Schema.TaggedError<InvalidConsent>()("InvalidConsent", {
  field: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.field}: ${this.problem}`
  }
}

/** One, or all of them. */
const channel = Schema.Union([ChannelName, Schema.Literal("*")])
const source = Schema.NonEmptyString
const { at, evidence } = Consent.fields

/** The consent as given, or its first problem. */
export const checkGiven = Problem.checker(
  Schema.toType(Schema.Struct({ ...Consent.fields, channel, source })),
  InvalidConsent
)

/** The same of one that is taken back on a channel, `*` = all. */
export const checkWithdrawn = Problem.checker(
  Schema.toType(Schema.Struct({ channel, at, source, evidence })),
  InvalidConsent
)
