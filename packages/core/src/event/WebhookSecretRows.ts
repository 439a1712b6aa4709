/** The sealed texts of webhook endpoints, for a new key to reach. */
import { Clock, Context, Effect, Layer } from "effect"
import type { WebhookEndpointId } from "../workspace/Id.ts"
import { resealEach, type SealedRows } from "../workspace/SealedRows.ts"
import { prefixOf, Vault } from "../workspace/Vault.ts"
import * as WebhookSecrets from "./WebhookSecrets.ts"
import { type EndpointState, WebhookStore } from "./WebhookStore.ts"

export class WebhookSecretRows extends Context.Service<WebhookSecretRows, SealedRows>()(
  "@overture/core/WebhookSecretRows"
) {
  static readonly layer = Layer.effect(
    WebhookSecretRows,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const store = yield* WebhookStore
  const vault = yield* Vault

  /** Seals one again; a text that changed meanwhile is under the present key already. */
  const reseal = Effect.fnUntraced(function* (before: EndpointState) {
    const after = yield* WebhookSecrets.reseal(vault, before)
    const { id, workspace } = before.endpoint
    yield* store.modify(workspace, id, yield* Clock.currentTimeMillis, (now) => ({
      state: {
        ...now,
        secret: now.secret === before.secret ? after.secret : now.secret,
        formerSecret: now.formerSecret === before.formerSecret ? after.formerSecret : now.formerSecret,
        headers: now.headers === before.headers ? after.headers : now.headers
      },
      events: []
    }))
    return true
  })

  return WebhookSecretRows.of({
    name: "secrets of webhook endpoints",
    reseal: Effect.fn("WebhookSecretRows.reseal")(function* (limit) {
      const key = vault.currentKey
      if (key === null) return 0
      return yield* resealEach(limit, {
        after: (last: WebhookEndpointId | null, most) => store.sealedOtherwise(prefixOf(key), last, most),
        idOf: ({ endpoint }) => endpoint.id,
        reseal
      })
    })
  })
})
