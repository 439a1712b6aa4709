/**
 * Stops a campaign that goes wrong: it pauses when 10 % of its last 200 touches failed, once at least 50 were made since
 * its start or resume. A touch is known by its number; only failures are remembered, so the row stays small.
 */
import { Schema } from "effect"

export const Breaker = Schema.Struct({
  /** Touches made when it started or resumed. */
  since: Schema.Int,
  /** The numbers of the failed ones among the last 200. */
  failures: Schema.Array(Schema.Int)
}).annotate({ identifier: "Breaker" })
export type Breaker = typeof Breaker.Type

export const closed = (touched: number): Breaker => ({ since: touched, failures: [] })

const lastTouches = 200
const leastTouches = 50
const share = 0.1

/** After `failed` more failures, with `touched` touches made in all. */
export const record = (
  self: Breaker,
  touched: number,
  failed: number
): { readonly breaker: Breaker; readonly open: boolean } => {
  const failures = [...self.failures, ...Array.from({ length: failed }, () => touched)].filter(
    (number) => number > touched - lastTouches
  )
  const counted = Math.min(lastTouches, touched - self.since)
  return {
    breaker: { since: self.since, failures },
    open: touched - self.since >= leastTouches && failures.length >= share * counted
  }
}
