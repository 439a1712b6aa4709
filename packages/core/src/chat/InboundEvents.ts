/**
 * What of that which a channel hands over is heard. Platforms and their clocks are not ours: an event that is none is left
 * out and told of, so that neither it nor its neighbours are told for ever; and nothing is heard as if it had been said
 * later than shortly after now, so that no clock that is ahead opens a reply window or holds a chat at the top. Pure.
 */
import { Result, Schema } from "effect"
import { ChannelEvent } from "../channel/ChannelEvent.ts"
import { type Instant, minute } from "../workspace/Instant.ts"
import * as Problem from "../workspace/Problem.ts"
import { storable } from "../workspace/Storable.ts"

/** How far a platform's clock may be ahead of ours (milliseconds). */
const aheadMs = 5 * minute

export interface InboundEvents {
  /** In their order, as every database can keep them. */
  readonly events: ReadonlyArray<ChannelEvent>
  /** What is wrong with those that are none, by the place in what was told; without what came, which may be a person's. */
  readonly problems: ReadonlyArray<Problem.Problem>
}

const Told = Schema.toType(ChannelEvent)
const isEvent = Schema.is(Told)
const decode = Schema.decodeUnknownResult(Told)

const problemOf = (event: unknown, index: number): Problem.Problem => {
  const [{ field, message }] = Result.match(decode(event), {
    onFailure: Problem.of,
    onSuccess: () => [{ field: "", message: "expected an event" }] as const
  })
  return { field: `events[${index}]${field === "" ? "" : `.${field}`}`, message }
}

/** The events that are heard at `now`. */
export const heard = (told: ReadonlyArray<ChannelEvent>, now: Instant): InboundEvents => {
  const latest = now + aheadMs
  const events: Array<ChannelEvent> = []
  const problems: Array<Problem.Problem> = []
  for (const [index, event] of told.entries()) {
    if (!isEvent(event)) problems.push(problemOf(event, index))
    else events.push(storable(event.at <= latest ? event : { ...event, at: latest }))
  }
  return { events, problems }
}
