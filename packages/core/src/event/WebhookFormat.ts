/**
 * How a delivery is written and signed. `standard` follows Standard Webhooks 1.0, which receivers verify with the libraries
 * of that name; hosts add others for receivers that expect another shape.
 */
import { Context, Redacted } from "effect"
import type { EventId } from "../workspace/Id.ts"
import { format as formatInstant, type Instant, second } from "../workspace/Instant.ts"
import type { DomainEvent } from "./DomainEvent.ts"

/** A keyed hash of a text: HMAC-SHA-256. */
export type Hmac = (
  key: { readonly text: string; readonly encoding: "base64" | "utf8" },
  text: string,
  encoding: "base64" | "hex"
) => string

/** What is told: an event of the feed, or a test. */
export type Told = Omit<DomainEvent, "type"> & { readonly type: DomainEvent["type"] | "webhook.ping" }

/** What one request is signed over. */
export interface Signing {
  /** Of the event: the same in every attempt. */
  readonly id: EventId
  readonly at: Instant
  readonly body: string
  /** `whsec_` and base64; the present one first, then the former one while it still signs. */
  readonly secrets: ReadonlyArray<Redacted.Redacted<string>>
}

export interface WebhookFormat {
  /** As endpoints name it. */
  readonly name: string
  readonly contentType: string
  body(told: Told): string
  /** The headers of one request, by lower-case name, beside the content type. */
  headers(signing: Signing, hmac: Hmac): Readonly<Record<string, string>>
}

export const secretPrefix = "whsec_"

/** Standard Webhooks: JSON with `type`, `timestamp` and the event, HMAC-SHA-256 over id, time and body. */
export const standard: WebhookFormat = {
  name: "standard",
  contentType: "application/json",
  body: ({ actor, at, cause, data, id, subject, type, workspace }) =>
    JSON.stringify({ type, timestamp: formatInstant(at), id, workspace, subject, actor, cause, data }),
  headers: ({ at, body, id, secrets }, hmac) => {
    const timestamp = Math.floor(at / second)
    const signatures = secrets.map((secret) => {
      const text = Redacted.value(secret).slice(secretPrefix.length)
      return `v1,${hmac({ text, encoding: "base64" }, `${id}.${timestamp}.${body}`, "base64")}`
    })
    return {
      "webhook-id": id,
      "webhook-timestamp": String(timestamp),
      "webhook-signature": signatures.join(" ")
    }
  }
}

/** Those that this engine knows. */
export const WebhookFormats = Context.Reference<ReadonlyArray<WebhookFormat>>("@overture/core/WebhookFormats", {
  defaultValue: () => [standard]
})
