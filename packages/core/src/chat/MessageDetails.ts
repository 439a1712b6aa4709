/**
 * What messages of conversations have beside their text: files, reactions, edits, where they came from. Those that campaigns
 * send have none of it until somebody answers them.
 */
import { Schema } from "effect"
import { MediaKind } from "../channel/Content.ts"
import { MediaId } from "../workspace/Id.ts"
import { Instant } from "../workspace/Instant.ts"

/** `remote`: known by the platform's URL alone. `stored`: ours. `failed`: could not be copied. `expired`: was ours. */
export const AttachmentStatus = Schema.Literals(["remote", "stored", "failed", "expired"])
export type AttachmentStatus = typeof AttachmentStatus.Type

/** A file of a message. */
export class Attachment extends Schema.Opaque<Attachment>()(
  Schema.Struct({
    id: MediaId,
    kind: MediaKind,
    /** Of the platform, which may let it expire. */
    url: Schema.String,
    mime: Schema.optionalKey(Schema.String),
    filename: Schema.optionalKey(Schema.String),
    bytes: Schema.optionalKey(Schema.Int),
    status: AttachmentStatus,
    /** Why it could not be copied: a `MediaTrouble`. */
    reason: Schema.optionalKey(Schema.String)
  }).annotate({ identifier: "Attachment" })
) {}

/** An emoji given to a message: one of each by each side. */
export class Reaction extends Schema.Opaque<Reaction>()(
  Schema.Struct({
    emoji: Schema.String,
    /** The account's own, not the person's. */
    fromUs: Schema.Boolean,
    /** The platform's time. */
    at: Instant
  }).annotate({ identifier: "Reaction" })
) {}

export class MessageDetails extends Schema.Opaque<MessageDetails>()(
  Schema.Struct({
    /** In their order; the file of a media content comes first. */
    attachments: Schema.optionalKey(Schema.Array(Attachment)),
    reactions: Schema.optionalKey(Schema.Array(Reaction)),
    /** Taken back, with the time of that: what was given before and is told later does not come back. */
    withdrawn: Schema.optionalKey(Schema.Array(Reaction)),
    /** The platform's time of the latest edit; the content is what that made of it. */
    editedAt: Schema.optionalKey(Instant),
    /** The platform's time; a message of the person's then has neither its content nor its files any more. */
    deletedAt: Schema.optionalKey(Instant),
    /** The value of the button that the person pressed. */
    button: Schema.optionalKey(Schema.String),
    /** The platform's id of the comment that it answers in private. */
    comment: Schema.optionalKey(Schema.String),
    /** A member wrote it to a person who had asked for no more, in answer to what they wrote. */
    optedOut: Schema.optionalKey(Schema.Boolean),
    /** Since when the platform puts it off, while it does. */
    limitedSince: Schema.optionalKey(Instant),
    /** The message as the platform told it. */
    raw: Schema.optionalKey(Schema.Json)
  }).annotate({ identifier: "MessageDetails" })
) {}

const bySide = (a: Reaction, b: Reaction): number =>
  a.at - b.at || (a.emoji < b.emoji ? -1 : a.emoji > b.emoji ? 1 : Number(a.fromUs) - Number(b.fromUs))

/** The details once a reaction was given or withdrawn: of each emoji and side the last word counts, the withdrawal of two at once. */
export const reacted = (self: MessageDetails | null, reaction: Reaction, isGiven: boolean): MessageDetails | null => {
  const isSame = (other: Reaction) => other.emoji === reaction.emoji && other.fromUs === reaction.fromUs
  const given = self?.reactions ?? []
  const withdrawn = self?.withdrawn ?? []
  const later = (other: Reaction) => isSame(other) && (isGiven ? other.at >= reaction.at : other.at > reaction.at)
  if (given.some(later) || withdrawn.some((other) => isSame(other) && other.at >= reaction.at)) return self
  const without = (all: ReadonlyArray<Reaction>) => all.filter((other) => !isSame(other))
  const { reactions: _reactions, withdrawn: _withdrawn, ...others } = self ?? {}
  const next = {
    reactions: isGiven ? [...without(given), reaction].sort(bySide) : without(given),
    withdrawn: isGiven ? without(withdrawn) : [...without(withdrawn), reaction].sort(bySide)
  }
  return {
    ...others,
    ...(next.reactions.length > 0 && { reactions: next.reactions }),
    ...(next.withdrawn.length > 0 && { withdrawn: next.withdrawn })
  }
}
