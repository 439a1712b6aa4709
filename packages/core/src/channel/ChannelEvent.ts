/**
 * What a platform tells us, in our words. Every event has a `dedupeKey`, unique per account: platforms tell things
 * twice, late and out of order.
 */
import { Schema } from "effect"
import { Instant } from "../workspace/Instant.ts"
import { Content } from "./Content.ts"
import { AccountTrouble } from "./Outcome.ts"

const common = {
  /** Unique per account; the same happening has the same key however often it is told. */
  dedupeKey: Schema.NonEmptyString,
  /** The platform's time. */
  at: Instant
}

/** The person at the other end of a chat, as the platform names them. */
export class Participant extends Schema.Opaque<Participant>()(
  Schema.Struct({
    scope: Schema.String,
    externalId: Schema.NonEmptyString,
    name: Schema.optionalKey(Schema.String)
  }).annotate({ identifier: "Participant" })
) {}

const participant = { participant: Participant }
const externalId = { externalId: Schema.NonEmptyString }

export const ChannelEvent = Schema.Union([
  /** The person wrote, or pressed a button of ours. */
  Schema.Struct({
    type: Schema.Literal("messageReceived"),
    ...common,
    ...participant,
    ...externalId,
    content: Content,
    /** The value of the button pressed, where it was one. */
    button: Schema.optionalKey(Schema.String),
    replyTo: Schema.optionalKey(Schema.String),
    /** The platform itself says that this means stop. */
    optOut: Schema.optionalKey(Schema.Boolean)
  }),
  /** A message of the account that the platform tells us of: ours, or written on another device. */
  Schema.Struct({
    type: Schema.Literal("messageEchoed"),
    ...common,
    ...participant,
    ...externalId,
    content: Content,
    /** Our key, where the platform hands it back. */
    key: Schema.optionalKey(Schema.String)
  }),
  Schema.Struct({
    type: Schema.Literals(["messageDelivered", "messageRead"]),
    ...common,
    ...participant,
    ...externalId
  }),
  /** The platform took a message and later could not deliver it. */
  Schema.Struct({
    type: Schema.Literal("messageFailed"),
    ...common,
    ...participant,
    ...externalId,
    code: Schema.optionalKey(Schema.String),
    detail: Schema.optionalKey(Schema.String)
  }),
  Schema.Struct({
    type: Schema.Literal("messageEdited"),
    ...common,
    ...participant,
    ...externalId,
    content: Content
  }),
  Schema.Struct({ type: Schema.Literal("messageDeleted"), ...common, ...participant, ...externalId }),
  Schema.Struct({
    type: Schema.Literals(["reactionAdded", "reactionRemoved"]),
    ...common,
    ...participant,
    ...externalId,
    emoji: Schema.String,
    fromUs: Schema.Boolean
  }),
  /** The person withdrew by the channel's own means, outside a message. */
  Schema.Struct({ type: Schema.Literal("optedOut"), ...common, ...participant }),
  Schema.Struct({
    type: Schema.Literal("accountTroubled"),
    ...common,
    reason: AccountTrouble,
    detail: Schema.optionalKey(Schema.String)
  })
]).annotate({ identifier: "ChannelEvent" })
export type ChannelEvent = typeof ChannelEvent.Type
