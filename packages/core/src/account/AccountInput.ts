/** What may be said of accounts and of their groups, checked field by field. Secrets are not among it. */
import { Result, Schema } from "effect"
import { ChannelName } from "../channel/Address.ts"
import { Cap } from "../workspace/Budget.ts"
import { Instant } from "../workspace/Instant.ts"
import { Metadata } from "../workspace/Json.ts"
import * as Problem from "../workspace/Problem.ts"
import { RampUp } from "../workspace/RampUp.ts"
import { ZoneName } from "../workspace/Zone.ts"
import { AttentionReason, MinGap } from "./Account.ts"

export class InvalidAccount extends Schema.TaggedError<InvalidAccount>()("InvalidAccount", {
  field: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.field}: ${this.problem}`
  }
}

export class InvalidAccountGroup extends Schema.TaggedError<InvalidAccountGroup>()("InvalidAccountGroup", {
  field: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.field}: ${this.problem}`
  }
}

const common = {
  name: Schema.optional(Schema.String),
  minGapMs: Schema.optional(MinGap),
  metadata: Schema.optional(Metadata)
}
const decodeNew = Problem.decoder(
  Schema.Struct({
    ...common,
    channel: ChannelName,
    externalId: Schema.NonEmptyString,
    externalRef: Schema.optional(Schema.NonEmptyString),
    dailyCap: Schema.optional(Cap),
    warmUp: Schema.optional(RampUp),
    timezone: Schema.optional(ZoneName)
  })
)
const Attention = Schema.optional(Schema.Array(AttentionReason))
const decodeChange = Problem.decoder(
  Schema.Struct({
    ...common,
    enabled: Schema.optional(Schema.Boolean),
    banned: Schema.optional(Schema.Boolean),
    attention: Attention,
    setAttention: Attention,
    clearAttention: Attention,
    restingUntil: Schema.optional(Schema.NullOr(Schema.toType(Instant))),
    dailyCap: Schema.optional(Schema.NullOr(Cap)),
    warmUp: Schema.optional(Schema.NullOr(RampUp)),
    restartWarmUp: Schema.optional(Schema.Boolean),
    timezone: Schema.optional(Schema.NullOr(ZoneName))
  })
)
const group = {
  dailyCap: Schema.optional(Schema.NullOr(Cap)),
  timezone: Schema.optional(Schema.NullOr(ZoneName))
}
const decodeNewGroup = Problem.decoder(Schema.Struct({ ...group, name: Schema.NonEmptyString }))
const decodeGroupChange = Problem.decoder(Schema.Struct({ ...group, name: Schema.optional(Schema.NonEmptyString) }))

const refusedAccount = ({ field, message }: Problem.Problem) => new InvalidAccount({ field, problem: message })
const refusedGroup = ({ field, message }: Problem.Problem) => new InvalidAccountGroup({ field, problem: message })

/** The settings of a new account with its zone as it is spelled, or the first problem. */
export const checkNew = (settings: object) => Result.mapError(decodeNew(settings), refusedAccount)

/** The same of what is to be changed of an account. */
export const checkChange = (change: object) => Result.mapError(decodeChange(change), refusedAccount)

/** The same of a new group. */
export const checkNewGroup = (settings: object) => Result.mapError(decodeNewGroup(settings), refusedGroup)

/** The same of what is to be changed of a group. */
export const checkGroupChange = (change: object) => Result.mapError(decodeGroupChange(change), refusedGroup)
