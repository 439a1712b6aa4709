/** A part of a step as people write it in a campaign file: a text, a content, or weighted variants. */
import { Schema } from "effect"
import { Content } from "../channel/Content.ts"
import { maxParts, type Part, Variant } from "./Step.ts"

const VariantEntry = Schema.Struct({
  weight: Variant.fields.weight,
  content: Schema.Union([Schema.NonEmptyString, Content])
})

export const MessageEntry = Schema.Union([
  Schema.NonEmptyString,
  Content,
  Schema.Struct({ variants: Schema.NonEmptyArray(VariantEntry) })
]).annotate({ identifier: "MessageEntry" })
export type MessageEntry = typeof MessageEntry.Type

/** The parts of a step. */
export const Messages = Schema.NonEmptyArray(MessageEntry).check(
  Schema.isMaxLength(maxParts, { expected: `at most ${maxParts} messages` })
)

const contentOf = (entry: string | Content): Content =>
  typeof entry === "string" ? { type: "text", text: entry } : entry

/** The entry as a part. */
export const partOf = (entry: MessageEntry): Part => {
  if (typeof entry === "string" || !("variants" in entry)) {
    return { variants: [{ weight: 1, content: contentOf(entry) }] }
  }
  const [first, ...rest] = entry.variants
  const variant = ({ content, weight }: typeof VariantEntry.Type) => ({ weight, content: contentOf(content) })
  return { variants: [variant(first), ...rest.map(variant)] }
}
