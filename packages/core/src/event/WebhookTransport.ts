/** The port by which deliveries leave: over the network, with secrets and signatures that core cannot make by itself. */
import { Context, Effect, type Redacted, Schema } from "effect"
import type { Answer } from "./WebhookAnswer.ts"
import type { Hmac } from "./WebhookFormat.ts"

export interface WebhookRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** This process cannot send webhooks. */
export class WebhooksUnavailable extends Schema.TaggedError<WebhooksUnavailable>()("WebhooksUnavailable", {}) {
  override get message(): string {
    return "webhooks cannot be sent here: the host gave no WebhookTransport"
  }
}

export class WebhookTransport extends Context.Service<
  WebhookTransport,
  {
    /** Whether this process sends deliveries. */
    readonly isAvailable: boolean
    /** Why a URL will never be asked, in words; null = it may be, as far as its text tells. */
    refusal(url: string): string | null
    /** `whsec_` and 32 random bytes in base64. */
    readonly newSecret: Effect.Effect<Redacted.Redacted<string>, WebhooksUnavailable>
    readonly hmac: Hmac
    /** One POST. Ends within half a minute, follows no redirect, and dials nothing inward. */
    post(request: WebhookRequest): Effect.Effect<Answer>
  }
>()("@overture/core/WebhookTransport") {
  /** Where the host gave none: endpoints can be read, but not made, and another process delivers. */
  static readonly without = WebhookTransport.of({
    isAvailable: false,
    refusal: () => null,
    newSecret: Effect.fail(new WebhooksUnavailable()),
    hmac: () => "",
    post: () => Effect.succeed({ status: null, problem: new WebhooksUnavailable().message })
  })
}
