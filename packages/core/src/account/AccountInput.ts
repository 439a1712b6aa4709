/** What may be said of accounts and of their groups, checked field by field. Secrets are not among it. */
import { Schema } from "effect"
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
/** The settings of a new account with its zone as it is spelled, or the first problem. */
export const checkNew = Problem.checker(
  Schema.Struct({
    ...common,
    channel: ChannelName,
    externalId: Schema.NonEmptyString,
    externalRef: Schema.optional(Schema.NonEmptyString),
    dailyCap: Schema.optional(Cap),
    warmUp: Schema.optional(RampUp),
    timezone: Schema.optional(ZoneName)
  }),
  InvalidAccount
)

const Attention = Schema.optional(Schema.Array(AttentionReason))

/** The same of what is to be changed of an account. */
export const checkChange = Problem.checker(
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
  }),
  InvalidAccount
)

const group = {
  dailyCap: Schema.optional(Schema.NullOr(Cap)),
  timezone: Schema.optional(Schema.NullOr(ZoneName))
}

/** The same of a new group. */
export const checkNewGroup = Problem.checker(
  Schema.Struct({ ...group, name: Schema.NonEmptyString }),
  InvalidAccountGroup
)

/** The same of what is to be changed of a group. */
export const checkGroupChange = Problem.checker(
  Schema.Struct({ ...group, name: Schema.optional(Schema.NonEmptyString) }),
  InvalidAccountGroup
)
