/**
 * A subscriber's URL: what it is told, how it is doing, and when we stop trying. Its secrets are not here: they are stored
 * sealed, and shown once.
 */
import { Schema } from "effect"
import { WebhookEndpointId, WorkspaceId } from "../workspace/Id.ts"
import { day, Instant, minute, second } from "../workspace/Instant.ts"
import { Metadata } from "../workspace/Json.ts"
import { EventPattern } from "./EventPattern.ts"

/** What a workspace may have, and an endpoint be. */
export const limits = {
  endpointsPerWorkspace: 50,
  urlLength: 2_048,
  descriptionLength: 500,
  patterns: 100,
  headers: 20,
  /** Of names and values together. */
  headerBytes: 8_192,
  metadataBytes: 8_192,
  concurrency: 64,
  /** How long the former secret may sign beside a new one, milliseconds. */
  overlapMs: 30 * day
} as const

/** How many requests an endpoint gets at a time unless it says otherwise. */
export const defaultConcurrency = 8

/** Why an endpoint gets nothing: a member said so, it answered `410`, or nothing succeeded for five days. */
export const DisabledReason = Schema.Literals(["member", "gone", "failing"])
export type DisabledReason = typeof DisabledReason.Type

/** How an endpoint took its last deliveries. */
export class EndpointHealth extends Schema.Opaque<EndpointHealth>()(
  Schema.Struct({
    lastSuccessAt: Schema.NullOr(Instant),
    /** Failures in a row; requests that were under way at the same time count once. */
    failures: Schema.Int,
    /** The first of them. */
    failingSince: Schema.NullOr(Instant),
    lastFailureAt: Schema.NullOr(Instant),
    /** Until when nothing is sent, as it keeps failing. */
    pausedUntil: Schema.NullOr(Instant)
  }).annotate({ identifier: "EndpointHealth" })
) {}

export class WebhookEndpoint extends Schema.Opaque<WebhookEndpoint>()(
  Schema.Struct({
    id: WebhookEndpointId,
    workspace: WorkspaceId,
    url: Schema.String,
    description: Schema.NullOr(Schema.String),
    events: Schema.Array(EventPattern),
    /** How a delivery is written and signed; the name of a `WebhookFormat`. */
    format: Schema.String,
    /** Requests at a time. Those about one chat always go one after the other. */
    concurrency: Schema.Int,
    /** Names of headers of its own; their values are never shown. */
    headerNames: Schema.Array(Schema.String),
    metadata: Metadata,
    createdAt: Instant,
    disabled: Schema.NullOr(Schema.Struct({ at: Instant, reason: DisabledReason })),
    health: EndpointHealth,
    /** Until when the former secret signs too; null = there is none. */
    formerSecretUntil: Schema.NullOr(Instant)
  }).annotate({ identifier: "WebhookEndpoint" })
) {}

export class WebhookEndpointNotFound extends Schema.TaggedError<WebhookEndpointNotFound>()("WebhookEndpointNotFound", {
  endpoint: Schema.String
}) {
  override get message(): string {
    return `there is no webhook endpoint ${this.endpoint} in this workspace`
  }
}

export const WebhookEndpointStatus = Schema.Literals(["enabled", "failing", "disabled"])
export type WebhookEndpointStatus = typeof WebhookEndpointStatus.Type

/** What is shown of how it is doing. */
export const status = ({ disabled, health }: WebhookEndpoint): WebhookEndpointStatus =>
  disabled !== null ? "disabled" : health.failures === 0 ? "enabled" : "failing"

/** Of an endpoint that nothing was sent to. */
export const untried: EndpointHealth = {
  lastSuccessAt: null,
  failures: 0,
  failingSince: null,
  lastFailureAt: null,
  pausedUntil: null
}

/** Failures in a row from which on an endpoint gets one request at a time, with pauses. */
export const trusting = 3
const longestPauseMs = 5 * minute
/** Without a success for so long an endpoint is given up. */
const patienceMs = 5 * day

export const succeed = (self: EndpointHealth, at: Instant): EndpointHealth => ({
  ...untried,
  lastFailureAt: self.lastFailureAt,
  lastSuccessAt: Math.max(at, self.lastSuccessAt ?? at)
})

/** A request that began at `began` failed at `at`; `chance` is uniform in [0, 1). */
export const fail = (self: EndpointHealth, began: Instant, at: Instant, chance: number): EndpointHealth => {
  // What was under way when another failed says nothing new.
  const isNew = self.failures === 0 || began >= (self.lastFailureAt ?? 0)
  const failures = self.failures + (isNew ? 1 : 0)
  const pause = Math.min(5 * second * 2 ** (failures - trusting), longestPauseMs) * (0.75 + chance / 2)
  return {
    lastSuccessAt: self.lastSuccessAt,
    failures,
    failingSince: self.failingSince ?? at,
    lastFailureAt: at,
    pausedUntil: failures < trusting ? null : isNew ? Math.round(at + pause) : self.pausedUntil
  }
}

/** Whether nothing succeeded for five days of failures. */
export const isGivenUp = (self: EndpointHealth, at: Instant): boolean =>
  self.failingSince !== null && at - self.failingSince >= patienceMs
