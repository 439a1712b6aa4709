/** Webhooks over HTTP: what deliveries leave by, with node:crypto for secrets and signatures. */
import type { Answer } from "@overture/core/event/WebhookAnswer"
import { WebhookTransport } from "@overture/core/event/WebhookTransport"
import { type Hmac, secretPrefix } from "@overture/core/event/WebhookFormat"
import { second } from "@overture/core/workspace/Instant"
import { Clock, Effect, Layer, Redacted, Result } from "effect"
import { createHmac, createSecretKey, randomBytes } from "node:crypto"
import * as SafeHttp from "../net/SafeHttp.ts"
import * as Target from "../net/Target.ts"

/** An endpoint that has not answered by then has failed (milliseconds). */
const timeoutMs = 15 * second
/** How much of an answer is read. */
const maxBytes = 1_024
const userAgent = "Overture-Webhooks"

const hmac: Hmac = ({ encoding, text }) => {
  const key = createSecretKey(text, encoding)
  return (signed, written) => createHmac("sha256", key).update(signed).digest(written)
}

/** What an endpoint asks to wait: seconds, or an instant (milliseconds). */
const retryAfter = (header: string | undefined, now: number): number => {
  if (header === undefined) return 0
  const wait = /^\d{1,9}$/.test(header) ? Number(header) * second : Date.parse(header) - now
  return Number.isFinite(wait) ? Math.max(0, wait) : 0
}

const problemOf = ({ detail, kind }: Target.SafeHttpError): string =>
  kind === "timeout" || kind === "network" ? detail : `${kind}: ${detail}`

/** Sends where `options` allow: by default over HTTPS to the open internet alone. */
export const layer = (options: SafeHttp.Options = {}): Layer.Layer<WebhookTransport> =>
  Layer.effect(
    WebhookTransport,
    Effect.gen(function* () {
      const http = yield* SafeHttp.make(options)
      const target = Target.make(options)
      const decoder = new TextDecoder()
      const clock = yield* Clock.Clock
      const answerOf = (result: SafeHttp.SafeResult): Answer => {
        if (Result.isFailure(result)) return { status: null, problem: problemOf(result.failure) }
        const { body, headers, status } = result.success
        return {
          status,
          body: body.length === 0 ? "" : decoder.decode(body),
          retryAfterMs: retryAfter(headers["retry-after"], clock.currentTimeMillisUnsafe())
        }
      }
      return WebhookTransport.of({
        isAvailable: true,
        refusal: (url) =>
          Result.match(target.parse(url), { onFailure: ({ message }) => message, onSuccess: () => null }),
        newSecret: Effect.sync(() => Redacted.make(secretPrefix + randomBytes(32).toString("base64"))),
        hmac,
        post: ({ body, headers, url }, answered) =>
          http.send(
            {
              method: "POST",
              url,
              headers: { "user-agent": userAgent, ...headers },
              body,
              timeoutMs,
              maxBytes,
              overflow: "cut"
            },
            (result) => answered(answerOf(result))
          )
      })
    })
  )
