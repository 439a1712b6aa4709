/**
 * Where webhooks of this process may go, from the environment: over HTTPS to the open internet alone, unless the operator
 * of a closed network says otherwise.
 */
import * as HttpWebhooks from "@overture/adapters/webhooks/HttpWebhooks"
import type { WebhookTransport } from "@overture/core/event/WebhookTransport"
import { Effect, type Layer } from "effect"
import { type CliFailure, refuse } from "./Failure.ts"

/** The environment's name for it. */
export const variable = "OVERTURE_LOCAL_WEBHOOKS"

/** What delivers: with the variable set to 1 also over plain HTTP, and to private and loopback addresses. */
export const fromEnvironment: Effect.Effect<Layer.Layer<WebhookTransport>, CliFailure> = Effect.suspend(() => {
  const value = process.env[variable] ?? ""
  return value === "" || value === "0"
    ? Effect.succeed(HttpWebhooks.layer())
    : value === "1"
      ? Effect.succeed(HttpWebhooks.layer({ allowHttp: true, allowInward: true }))
      : Effect.fail(refuse(`${variable}: expected 0 or 1, got ${JSON.stringify(value)}`))
})
