/**
 * Where webhooks of this process may go, from the environment: over HTTPS to the open internet alone, unless the operator
 * of a closed network says otherwise.
 */
import * as HttpWebhooks from "@overture/adapters/webhooks/HttpWebhooks"
import type { WebhookTransport } from "@overture/core/event/WebhookTransport"
import { Effect, type Layer } from "effect"
import type { CliFailure } from "./Failure.ts"
import { isOn } from "./Switch.ts"

/** What delivers: with OVERTURE_LOCAL_WEBHOOKS at 1 also over plain HTTP, and to private and loopback addresses. */
export const fromEnvironment: Effect.Effect<Layer.Layer<WebhookTransport>, CliFailure> = Effect.map(
  isOn("OVERTURE_LOCAL_WEBHOOKS"),
  (isLocal) => HttpWebhooks.layer(isLocal ? { allowHttp: true, allowInward: true } : {})
)
