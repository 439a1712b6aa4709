/**
 * How a delivery is written and signed. `standard` follows Standard Webhooks 1.0, which receivers verify with the libraries
 * of that name; hosts add others for receivers that expect another shape.
 */
import { Context, Redacted } from "effect"
import type { EventId } from "../workspace/Id.ts"
import { format as formatInstant, type Instant, second } from "../workspace/Instant.ts"
import type { DomainEvent } from "./DomainEvent.ts"

/** Prepares a key for keyed hashes of texts: HMAC-SHA-256. */
export type Hmac = (key: {
  readonly text: string
  readonly encoding: "base64" | "utf8"
}) => (text: string, encoding: "base64" | "hex") => string

/** What is told: an event of the feed, or a test. */
export type Told = Omit<DomainEvent, "type"> & { readonly type: DomainEvent["type"] | "webhook.ping" }

/** What one request is signed over. */
export interface Signing {
  /** Of the event: the same in every attempt. */
  readonly id: EventId
  readonly at: Instant
  readonly body: string
}

/** The headers of one request, by lower-case name, beside the content type. */
export type Signer = (signing: Signing) => Readonly<Record<string, string>>

export interface WebhookFormat {
  /** As endpoints name it. */
  readonly name: string
  readonly contentType: string
  body(told: Told): string
  /**
   * Prepares the signing of requests by these secrets, once for many of them. A secret is `whsec_` and base64; the present
   * one comes first, then the former one while it still signs.
   */
  signer(secrets: ReadonlyArray<Redacted.Redacted<string>>, hmac: Hmac): Signer
}

export const secretPrefix = "whsec_"

/** Standard Webhooks: JSON with `type`, `timestamp` and the event, HMAC-SHA-256 over id, time and body. */
export const standard: WebhookFormat = {
  name: "standard",
  contentType: "application/json",
  body: ({ actor, at, cause, data, id, subject, type, workspace }) =>
    JSON.stringify({ type, timestamp: formatInstant(at), id, workspace, subject, actor, cause, data }),
  signer: (secrets, hmac) => {
    const hashes = secrets.map((secret) =>
      hmac({ text: Redacted.value(secret).slice(secretPrefix.length), encoding: "base64" })
    )
    return ({ at, body, id }) => {
      const timestamp = Math.floor(at / second)
      const text = `${id}.${timestamp}.${body}`
      return {
        "webhook-id": id,
        "webhook-timestamp": String(timestamp),
        "webhook-signature": hashes.map((hash) => `v1,${hash(text, "base64")}`).join(" ")
      }
    }
  }
}

/** Those that this engine knows. */
export const WebhookFormats = Context.Reference<ReadonlyArray<WebhookFormat>>("@overture/core/WebhookFormats", {
  defaultValue: () => [standard]
})
