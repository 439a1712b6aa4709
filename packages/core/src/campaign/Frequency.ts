/** How often one person is written to at most, over all campaigns: `touches` in any `days` × 24 hours. */
import { Schema } from "effect"
import { touchesKept } from "../contact/Contact.ts"
import { day, type Instant } from "../workspace/Instant.ts"

export class Frequency extends Schema.Opaque<Frequency>()(
  Schema.Struct({
    /** No more than a contact's row remembers. */
    touches: Schema.Int.check(
      Schema.isBetween({ minimum: 1, maximum: touchesKept }, { expected: `an integer from 1 to ${touchesKept}` })
    ),
    days: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 365 }, { expected: "an integer from 1 to 365" }))
  }).annotate({ identifier: "Frequency" })
) {}

/** How long a lead waits for it at most; then it is skipped. */
export const mostWaitMs = 30 * day

/** The first instant from `now` on at which one more touch is allowed after those made at `touches`. */
export const allowedAt = (self: Frequency, touches: ReadonlyArray<Instant>, now: Instant): Instant => {
  const span = self.days * day
  const counted = touches.filter((at) => at > now - span).sort((a, b) => a - b)
  const leaving = counted[counted.length - self.touches]
  return leaving === undefined ? now : leaving + span
}
