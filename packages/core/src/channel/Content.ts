/**
 * What one message says: text, an approved template, or media with a caption, each optionally with buttons; or a pre-contact,
 * which asks a person to be let in.
 */
import { Schema } from "effect"

export class Button extends Schema.Opaque<Button>()(
  Schema.Struct({
    type: Schema.Literals(["reply", "url", "call"]),
    title: Schema.NonEmptyString,
    /** What comes back (`reply`), the address (`url`) or the number (`call`). */
    value: Schema.NonEmptyString
  }).annotate({ identifier: "Button" })
) {}

const buttons = Schema.optionalKey(Schema.Array(Button))

export class TextContent extends Schema.Opaque<TextContent>()(
  Schema.Struct({ type: Schema.Literal("text"), text: Schema.NonEmptyString, buttons }).annotate({
    identifier: "TextContent"
  })
) {}

export class ApprovedTemplateContent extends Schema.Opaque<ApprovedTemplateContent>()(
  Schema.Struct({
    type: Schema.Literal("approvedTemplate"),
    name: Schema.NonEmptyString,
    language: Schema.NonEmptyString,
    /** Values by the template's own parameter names or positions. */
    parameters: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
    buttons
  }).annotate({ identifier: "ApprovedTemplateContent" })
) {}

export const MediaKind = Schema.Literals(["image", "video", "audio", "file"])
export type MediaKind = typeof MediaKind.Type

export class MediaContent extends Schema.Opaque<MediaContent>()(
  Schema.Struct({
    type: Schema.Literal("media"),
    kind: MediaKind,
    url: Schema.NonEmptyString,
    caption: Schema.optionalKey(Schema.String),
    filename: Schema.optionalKey(Schema.String),
    buttons
  }).annotate({ identifier: "MediaContent" })
) {}

/** Asks the person to be let in, where a platform has that before the first message: a friend or a contact request. */
export class PreContactContent extends Schema.Opaque<PreContactContent>()(
  Schema.Struct({
    type: Schema.Literal("preContact"),
    /** Words that go with it. */
    note: Schema.optionalKey(Schema.NonEmptyString)
  }).annotate({ identifier: "PreContactContent" })
) {}

export const Content = Schema.Union([TextContent, ApprovedTemplateContent, MediaContent, PreContactContent]).annotate({
  identifier: "Content"
})
export type Content = typeof Content.Type

/**
 * What was said, as a platform tells it: like a content of ours, but that a text may be empty. Somebody who says something
 * without words (a sticker, what an adapter cannot show) has said something.
 */
export const SaidContent = Schema.Union([
  Schema.Struct({ ...TextContent.fields, text: Schema.String }),
  ApprovedTemplateContent,
  MediaContent,
  PreContactContent
]).annotate({ identifier: "SaidContent" })

/** What somebody wrote themselves: a text, a caption, the note of a pre-contact; empty where there is none. */
export const words = (self: Content): string => {
  switch (self.type) {
    case "text":
      return self.text
    case "media":
      return self.caption ?? ""
    case "preContact":
      return self.note ?? ""
    case "approvedTemplate":
      return ""
  }
}

/** The words a person reads: what lists and logs show of a content. */
export const preview = (self: Content): string => {
  switch (self.type) {
    case "text":
      return self.text
    case "approvedTemplate":
      return `[${self.name}]`
    case "media":
      return self.caption ?? `[${self.kind}]`
    case "preContact":
      return self.note ?? "[contact request]"
  }
}
