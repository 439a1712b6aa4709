/** What may be said of a consent that is given or taken back, checked field by field: a proof of nonsense proves nothing. */
import { Result, Schema } from "effect"
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

const decodeGiven = Problem.decoder(Schema.toType(Schema.Struct({ ...Consent.fields, channel, source })))
const decodeWithdrawn = Problem.decoder(Schema.toType(Schema.Struct({ channel, at, source, evidence })))
const invalid = ({ field, message }: Problem.Problem) => new InvalidConsent({ field, problem: message })

/** The consent as given, or its first problem. */
export const checkGiven = (consent: Consent): Result.Result<Consent, InvalidConsent> =>
  Result.mapError(decodeGiven(consent), invalid)

/** The same of one that is taken back on a channel, `*` = all. */
export const checkWithdrawn = (
  withdrawn: NonNullable<Consent["withdrawn"]> & { readonly channel: string }
): Result.Result<unknown, InvalidConsent> => Result.mapError(decodeWithdrawn(withdrawn), invalid)
