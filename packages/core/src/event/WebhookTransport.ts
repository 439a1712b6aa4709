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
    /**
     * One POST. Ends within half a minute, follows no redirect, and dials nothing inward. `answered` is told once, maybe at
     * once, and must not fail; what `post` returns gives the request up, and then it is told nothing. It is a callback for
     * the sake of those who have many requests under way: a fiber for each costs them a fifth of their processor time.
     */
    post(request: WebhookRequest, answered: (answer: Answer) => void): () => void
  }
>()("@overture/core/WebhookTransport") {
  /** Where the host gave none: endpoints can be read, but not made, and another process delivers. */
  static readonly without = WebhookTransport.of({
    isAvailable: false,
    refusal: () => null,
    newSecret: Effect.fail(new WebhooksUnavailable()),
    hmac: () => () => "",
    post: (_, answered) => {
      answered({ status: null, problem: new WebhooksUnavailable().message })
      return () => {}
    }
  })
}

/** One POST and its answer. Interrupted, it is given up. */
export const answerTo = (transport: WebhookTransport["Service"], request: WebhookRequest): Effect.Effect<Answer> =>
  Effect.callback((resume) => Effect.sync(transport.post(request, (answer) => resume(Effect.succeed(answer)))))
