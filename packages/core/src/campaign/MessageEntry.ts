/** A part of a step as people write it in a campaign file: a text, a content, or weighted variants. */
import { Schema } from "effect"
import { Content } from "../channel/Content.ts"
import { maxParts, type Part, Variant } from "./Step.ts"

export const MessageEntry = Schema.Union([
  Schema.NonEmptyString,
  Content,
  Schema.Struct({ variants: Schema.NonEmptyArray(Variant) })
]).annotate({ identifier: "MessageEntry" })
export type MessageEntry = typeof MessageEntry.Type

/** The parts of a step. */
export const Messages = Schema.NonEmptyArray(MessageEntry).check(
  Schema.isMaxLength(maxParts, { expected: `at most ${maxParts} messages` })
)

/** The entry as a part. */
export const partOf = (entry: MessageEntry): Part =>
  typeof entry === "string"
    ? { variants: [{ weight: 1, content: { type: "text", text: entry } }] }
    : "variants" in entry
      ? entry
      : { variants: [{ weight: 1, content: entry }] }
