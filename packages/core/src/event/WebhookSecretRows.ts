/** The sealed texts of webhook endpoints, for a new key to reach. */
import { Clock, Context, Effect, Layer, Result } from "effect"
import type { WebhookEndpointId } from "../workspace/Id.ts"
import type { SealedRows } from "../workspace/SealedRows.ts"
import { prefixOf, Vault, type VaultError } from "../workspace/Vault.ts"
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
  })

  return WebhookSecretRows.of({
    name: "secrets of webhook endpoints",
    reseal: Effect.fn("WebhookSecretRows.reseal")(function* (limit) {
      const key = vault.currentKey
      if (key === null) return 0
      let problem: VaultError | null = null
      let changed = 0
      let after: WebhookEndpointId | null = null
      while (changed < limit) {
        const page: ReadonlyArray<EndpointState> = yield* store.sealedOtherwise(prefixOf(key), after, limit - changed)
        const last = page.at(-1)
        if (last === undefined) break
        after = last.endpoint.id
        for (const state of page) {
          const done = yield* Effect.result(reseal(state))
          if (Result.isSuccess(done)) changed += 1
          else if (done.failure._tag === "VaultError") problem = done.failure
          else return yield* done.failure
        }
      }
      return changed === 0 && problem !== null ? yield* problem : changed
    })
  })
})
