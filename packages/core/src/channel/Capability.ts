/**
 * What a channel can do, as data: asked before any I/O, so that nothing fails at the platform that we could have known.
 */
import { Schema } from "effect"
import { type Content, MediaKind, words } from "./Content.ts"
import { MediaIntake } from "./MediaIntake.ts"
import { ProfileLimits } from "./ProfileUpdate.ts"

export class Capabilities extends Schema.Opaque<Capabilities>()(
  Schema.Struct({
    /** The longest text, and what is counted. */
    text: Schema.Struct({ maxLength: Schema.Int, unit: Schema.Literals(["characters", "bytes", "graphemes"]) }),
    media: Schema.Array(MediaKind),
    /** The most buttons a message may carry; 0 where there are none. */
    buttons: Schema.Int,
    approvedTemplates: Schema.Boolean,
    /** Whether a person can be asked to let us in before the first message; absent = no. */
    preContact: Schema.optionalKey(Schema.Boolean),
    reactions: Schema.Boolean,
    edits: Schema.Boolean,
    deletions: Schema.Boolean,
    replies: Schema.Boolean,
    receipts: Schema.Array(Schema.Literals(["delivered", "read"])),
    /** Whether the same key sent twice reaches the person once. */
    idempotencyKeys: Schema.Boolean,
    /**
     * Whether one can ask what became of a key, and how long after it was handed over the answer is final: what has not
     * arrived by then never does (milliseconds).
     */
    lookup: Schema.NullOr(Schema.Struct({ afterMs: Schema.Int })),
    /** Whether events are fetched (`poll`) rather than pushed. */
    polling: Schema.Boolean,
    /** In what an address means something: everywhere, to one account, to one account group. */
    addressScope: Schema.Literals(["channel", "account", "group"]),
    /** Whether the author of a comment can be answered in private, once for each comment; absent = no. */
    privateReplies: Schema.optionalKey(Schema.Boolean),
    /** Whether external ids are phone numbers, kept in E.164. */
    phoneNumbers: Schema.Boolean,
    /** Whether the platform can be asked if an account's credentials hold; absent = no. */
    verification: Schema.optionalKey(Schema.Boolean),
    /** How files reach it; absent = by the URL in the content. */
    mediaIntake: Schema.optionalKey(MediaIntake),
    /** What an account can change of how it shows itself; absent = nothing. */
    profile: Schema.optionalKey(ProfileLimits)
  }).annotate({ identifier: "Capabilities" })
) {}

/** Whether what became of a send that nobody can tell of can be found out afterwards: by looking, or by sending it again. */
export const tellsLater = ({ idempotencyKeys, lookup }: Capabilities): boolean => idempotencyKeys || lookup !== null

const segments = new Intl.Segmenter("en", { granularity: "grapheme" })
const encoder = new TextEncoder()

/** The length of a text in the channel's own unit. */
export const measure = (text: string, unit: Capabilities["text"]["unit"]): number => {
  switch (unit) {
    case "characters":
      return text.length
    case "bytes":
      return encoder.encode(text).length
    case "graphemes": {
      let count = 0
      for (const _ of segments.segment(text)) count += 1
      return count
    }
  }
}

const tooLong = ({ text }: Capabilities, content: Content): string | null => {
  const length = measure(words(content), text.unit)
  return length > text.maxLength ? `the text has ${length} ${text.unit}, at most ${text.maxLength} are allowed` : null
}

/** What a channel lacks for a content, however long its words come to be; null where it lacks nothing. */
export const lack = (self: Capabilities, content: Content): string | null => {
  const buttons = "buttons" in content ? (content.buttons?.length ?? 0) : 0
  if (buttons > self.buttons) return `${buttons} buttons, at most ${self.buttons} are allowed`
  if (content.type === "media" && !self.media.includes(content.kind)) return `${content.kind} cannot be sent here`
  if (content.type === "approvedTemplate" && !self.approvedTemplates) return "approved templates do not exist here"
  if (content.type === "preContact" && self.preContact !== true)
    return "people cannot be asked to let us in here (preContact)"
  return null
}

/** Why a channel cannot carry a content, in words for its author; null when it can. */
export const refusal = (self: Capabilities, content: Content): string | null =>
  tooLong(self, content) ?? lack(self, content)
