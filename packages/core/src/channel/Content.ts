/**
 * What one message says: text, an approved template, or media with a caption, each optionally with buttons.
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

export const Content = Schema.Union([TextContent, ApprovedTemplateContent, MediaContent]).annotate({
  identifier: "Content"
})
export type Content = typeof Content.Type

/** The words a person reads: what lists and logs show of a content. */
export const preview = (self: Content): string => {
  switch (self.type) {
    case "text":
      return self.text
    case "approvedTemplate":
      return `[${self.name}]`
    case "media":
      return self.caption ?? `[${self.kind}]`
  }
}
