/** Webhook endpoints and their deliveries as tables and as JSON; nothing secret is in them. Pure. */
import type { Delivery } from "@overture/core/event/Delivery"
import * as WebhookEndpoint from "@overture/core/event/WebhookEndpoint"
import { format } from "@overture/core/workspace/Instant"
import { instant } from "./Json.ts"
import type { PageOptions } from "./Page.ts"
import * as Text from "./Text.ts"

type Endpoint = WebhookEndpoint.WebhookEndpoint

const stateOf = (endpoint: Endpoint): string => {
  const status = WebhookEndpoint.status(endpoint)
  return endpoint.disabled === null ? status : `${status}: ${endpoint.disabled.reason}`
}

/** The lines of a table of endpoints; times are in `zone`. */
export const endpoints = (all: ReadonlyArray<Endpoint>, zone: string, { paint }: Pick<PageOptions, "paint">) =>
  Text.headed(
    ["endpoint", "url", "events", "state", "last success"],
    all.map((one) => [
      one.id,
      one.url,
      one.events.join(", "),
      stateOf(one),
      one.health.lastSuccessAt === null ? "" : Text.dateTime(one.health.lastSuccessAt, zone)
    ]),
    paint,
    { most: 60 }
  )

/** The lines of a table of deliveries. */
export const deliveries = (all: ReadonlyArray<Delivery>, zone: string, { paint }: Pick<PageOptions, "paint">) =>
  Text.headed(
    ["delivery", "event", "state", "attempts", "next", "trouble"],
    all.map(({ attempts, dueAt, id, status, type }) => [
      id,
      type,
      status,
      Text.number(attempts.length),
      dueAt === null ? "" : Text.dateTime(dueAt, zone),
      attempts.at(-1)?.problem ?? ""
    ]),
    paint,
    { most: 60 }
  )

/** An endpoint as JSON. */
export const encode = (endpoint: Endpoint) => ({
  id: endpoint.id,
  url: endpoint.url,
  description: endpoint.description,
  events: endpoint.events,
  format: endpoint.format,
  status: WebhookEndpoint.status(endpoint),
  disabled: endpoint.disabled === null ? null : { ...endpoint.disabled, at: format(endpoint.disabled.at) },
  failures: endpoint.health.failures,
  lastSuccessAt: instant(endpoint.health.lastSuccessAt),
  lastFailureAt: instant(endpoint.health.lastFailureAt),
  formerSecretUntil: instant(endpoint.formerSecretUntil)
})

/** A delivery as JSON. */
export const encodeDelivery = ({ attempts, dueAt, event, id, status, subject, type }: Delivery) => ({
  id,
  event,
  type,
  subject,
  status,
  dueAt: instant(dueAt),
  attempts: attempts.map((attempt) => ({ ...attempt, at: format(attempt.at) }))
})
