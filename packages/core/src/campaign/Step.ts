/**
 * What is said: step 0 is the first touch, follow-ups come after. A step has 1–5 parts, sent in order; a part is one of
 * several weighted variants. Step ids are the step's own, so a running campaign can be edited without losing its leads.
 */
import { Schema } from "effect"
import { Content } from "../channel/Content.ts"
import { StepId } from "../workspace/Id.ts"
import * as Seed from "../workspace/Seed.ts"

export const Variant = Schema.Struct({
  weight: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000 })),
  content: Content
})

export const Part = Schema.Struct({ variants: Schema.NonEmptyArray(Variant) }).annotate({ identifier: "Part" })
export type Part = typeof Part.Type

/** The longest that a step waits, in days. */
export const maxDays = 3_650

export const StepType = Schema.Literals(["first", "noReply", "noReplyResponded"])

export class Step extends Schema.Opaque<Step>()(
  Schema.Struct({
    id: StepId,
    type: StepType,
    /** Days after the last touch; 0 for step 0. */
    sendAfterDays: Schema.Int.check(
      Schema.isBetween({ minimum: 0, maximum: maxDays }, { expected: `days from 0 to ${maxDays}` })
    ),
    parts: Schema.NonEmptyArray(Part),
    /** What the host calls it: by this it is found again when the steps are written down anew. */
    externalRef: Schema.optionalKey(Schema.NonEmptyString)
  }).annotate({ identifier: "Step" })
) {}

export const maxParts = 5

/** The variant of a part for one lead: the same every time it is asked. */
export const choose = (part: Part, seed: string): Content => {
  const [only] = part.variants
  if (part.variants.length === 1) return only.content
  const total = part.variants.reduce((sum, variant) => sum + variant.weight, 0)
  let at = Seed.random(seed)() * total
  for (const variant of part.variants) {
    at -= variant.weight
    if (at < 0) return variant.content
  }
  return only.content
}
