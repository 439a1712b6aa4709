/**
 * What a platform tells us, in our words. Every event has a `dedupeKey`, unique per account: platforms tell things
 * twice, late and out of order.
 */
import { Schema } from "effect"
import { Instant } from "../workspace/Instant.ts"
import { MediaKind, SaidContent } from "./Content.ts"
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

/** A file that came with a message, where the platform keeps it. */
export class RemoteFile extends Schema.Opaque<RemoteFile>()(
  Schema.Struct({
    kind: MediaKind,
    url: Schema.NonEmptyString,
    mime: Schema.optionalKey(Schema.String),
    filename: Schema.optionalKey(Schema.String),
    bytes: Schema.optionalKey(Schema.Int)
  }).annotate({ identifier: "RemoteFile" })
) {}

const said = {
  content: SaidContent,
  /** Files beside the content, in their order; that of a media content is not told again. */
  files: Schema.optionalKey(Schema.Array(RemoteFile)),
  /** The external id of the message this one answers. */
  replyTo: Schema.optionalKey(Schema.String),
  /** The message as the platform told it; kept with it. */
  raw: Schema.optionalKey(Schema.Json)
}

export const ChannelEvent = Schema.Union([
  /** The person wrote, or pressed a button of ours. */
  Schema.Struct({
    type: Schema.Literal("messageReceived"),
    ...common,
    ...participant,
    ...externalId,
    ...said,
    /** The value of the button pressed, where it was one. */
    button: Schema.optionalKey(Schema.String),
    /** The platform itself says that this means stop. */
    optOut: Schema.optionalKey(Schema.Boolean)
  }),
  /** A message of the account that the platform tells us of: ours, or written on another device. */
  Schema.Struct({
    type: Schema.Literal("messageEchoed"),
    ...common,
    ...participant,
    ...externalId,
    ...said,
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
  /** A message, of the person or of the account, says something else from now on. */
  Schema.Struct({
    type: Schema.Literal("messageEdited"),
    ...common,
    ...participant,
    ...externalId,
    content: SaidContent
  }),
  /** A message, of the person or of the account, was taken back. */
  Schema.Struct({ type: Schema.Literal("messageDeleted"), ...common, ...participant, ...externalId }),
  /** To a message, of the person or of the account. */
  Schema.Struct({
    type: Schema.Literals(["reactionAdded", "reactionRemoved"]),
    ...common,
    ...participant,
    ...externalId,
    emoji: Schema.String,
    /** The account's own, not the person's. */
    fromUs: Schema.Boolean
  }),
  /** The person withdrew by the channel's own means, outside a message. */
  Schema.Struct({ type: Schema.Literal("optedOut"), ...common, ...participant }),
  /** The person booked an appointment, wherever that was done. */
  Schema.Struct({
    type: Schema.Literal("booked"),
    ...common,
    ...participant,
    /** What the appointment is known by elsewhere. */
    ref: Schema.optionalKey(Schema.String),
    startsAt: Schema.optionalKey(Instant)
  }),
  Schema.Struct({
    type: Schema.Literal("accountTroubled"),
    ...common,
    reason: AccountTrouble,
    detail: Schema.optionalKey(Schema.String)
  })
]).annotate({ identifier: "ChannelEvent" })
export type ChannelEvent = typeof ChannelEvent.Type
