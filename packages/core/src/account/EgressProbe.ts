/** The port that tries an account's way out: one small request through the proxy, to a place that the host names. */
import { Context, Effect, type Redacted, Schema } from "effect"
import { Unsupported } from "../channel/Unsupported.ts"

/** Nothing came back through the proxy; says what went wrong in words, and nothing of the proxy's secrets. */
export class EgressFailed extends Schema.TaggedError<EgressFailed>()("EgressFailed", {
  reason: Schema.Literals([
    "refused",
    "unauthorized",
    "timeout",
    "notFound",
    "forbidden",
    "tls",
    "probeUrl",
    "network"
  ]),
  detail: Schema.String
}) {
  override get message(): string {
    return this.detail
  }
}

export class EgressProbe extends Context.Service<
  EgressProbe,
  {
    /** How long it took from dialling to the answer, milliseconds. */
    probe(proxy: Redacted.Redacted<string>): Effect.Effect<{ readonly delayMs: number }, EgressFailed | Unsupported>
  }
>()("@overture/core/EgressProbe") {
  /** Where the host gave none. */
  static readonly without = EgressProbe.of({
    probe: () => Effect.fail(new Unsupported({ what: "try a way out", missing: "the port EgressProbe" }))
  })
}
