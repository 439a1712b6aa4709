/**
 * One event on its way to one endpoint, with its attempts. Stored are those that failed or wait behind one that did, and
 * the last that succeeded; the body is written anew from the event at each attempt.
 */
import { Schema } from "effect"
import { DeliveryId, EventId, WebhookEndpointId, WorkspaceId } from "../workspace/Id.ts"
import { hour, Instant, minute, second } from "../workspace/Instant.ts"
import { type DomainEvent, EventType } from "./DomainEvent.ts"

/** `waiting` for its time or for an earlier one of its chat; `failed` after the last attempt; `cancelled` by a member. */
export const DeliveryStatus = Schema.Literals(["waiting", "delivered", "failed", "cancelled"])
export type DeliveryStatus = typeof DeliveryStatus.Type

/** One request and what came of it. */
export class DeliveryAttempt extends Schema.Opaque<DeliveryAttempt>()(
  Schema.Struct({
    at: Instant,
    /** Of the answer; null = there was none. */
    status: Schema.NullOr(Schema.Int),
    /** From the request to the answer, milliseconds. */
    ms: Schema.Int,
    /** Why it failed; null = it succeeded. */
    problem: Schema.NullOr(Schema.String)
  }).annotate({ identifier: "DeliveryAttempt" })
) {}

export class Delivery extends Schema.Opaque<Delivery>()(
  Schema.Struct({
    id: DeliveryId,
    endpoint: WebhookEndpointId,
    workspace: WorkspaceId,
    event: EventId,
    type: EventType,
    subject: Schema.String,
    status: DeliveryStatus,
    attempts: Schema.Array(DeliveryAttempt),
    /** The next attempt; null = none, or it waits for an earlier delivery of its chat. */
    dueAt: Schema.NullOr(Instant),
    /** The beginning of the last answer's body. */
    response: Schema.NullOr(Schema.String),
    /** Of the last change. */
    at: Instant
  }).annotate({ identifier: "Delivery" })
) {}

export class DeliveryNotFound extends Schema.TaggedError<DeliveryNotFound>()("DeliveryNotFound", {
  delivery: Schema.String
}) {
  override get message(): string {
    return `there is no delivery ${this.delivery} to this endpoint`
  }
}

/** How many deliveries that succeeded are kept of an endpoint. */
export const keptPerEndpoint = 50

/** As much of an answer's body as is kept, as any database can keep it. */
export const shown = (body: string): string => body.slice(0, 1_000).replaceAll("\u0000", "")

/** What deliveries of one endpoint are kept in order by: the chat that an event is about, else its subject. */
export const keyOf = ({ data, subject }: Pick<DomainEvent, "data" | "subject">): string =>
  typeof data["chat"] === "string" ? data["chat"] : subject

/** Pauses between attempts: about 75 hours in all. */
const pauses: ReadonlyArray<number> = [
  5 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour
]
/** The most attempts that a delivery gets. */
export const maxAttempts = pauses.length + 1
/** The longest that an endpoint may put off the next attempt. */
const longestRetryAfterMs = 24 * hour

/**
 * When to try again after `attempts` that failed, the last at `at`; null = never. `chance` is uniform in [0, 1), and
 * `retryAfterMs` what the endpoint asked for.
 */
export const retryAt = (attempts: number, at: Instant, retryAfterMs: number, chance: number): Instant | null => {
  const pause = pauses[attempts - 1]
  if (pause === undefined) return null
  return at + Math.max(Math.round(pause * (0.9 + chance / 5)), Math.min(retryAfterMs, longestRetryAfterMs))
}
