/**
 * What an endpoint keeps sealed: the secrets that sign, and the values of its headers. Each opens only as what it is, for
 * the endpoint it is of; and requests are made with them.
 */
import { Effect, Redacted } from "effect"
import type { WebhookEndpointId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Vault, VaultError } from "../workspace/Vault.ts"
import type { Hmac, Told, WebhookFormat } from "./WebhookFormat.ts"
import type { EndpointState } from "./WebhookStore.ts"
import type { WebhookRequest } from "./WebhookTransport.ts"

type Secret = Redacted.Redacted<string>
export type Headers = Readonly<Record<string, Secret>>

const ofSecret = (endpoint: WebhookEndpointId) => `webhook:${endpoint}`
const ofHeaders = (endpoint: WebhookEndpointId) => `webhookHeaders:${endpoint}`

export const sealSecret = (vault: Vault["Service"], endpoint: WebhookEndpointId, secret: Secret) =>
  vault.seal(secret, ofSecret(endpoint))

/** Null where there is none. */
export const sealHeaders = (
  vault: Vault["Service"],
  endpoint: WebhookEndpointId,
  headers: Headers
): Effect.Effect<string | null, VaultError> => {
  const plain = Object.entries(headers).map(([name, value]) => [name, Redacted.value(value)])
  if (plain.length === 0) return Effect.succeed(null)
  return vault.seal(Redacted.make(JSON.stringify(Object.fromEntries(plain))), ofHeaders(endpoint))
}

export interface Opened {
  /** The present one first, then the former one while it signs. */
  readonly secrets: ReadonlyArray<Secret>
  readonly formerUntil: Instant | null
  readonly headers: Readonly<Record<string, string>>
}

/** What deliveries to an endpoint need. */
export const open = Effect.fnUntraced(function* (
  vault: Vault["Service"],
  { endpoint, formerSecret, headers, secret }: EndpointState
): Effect.fn.Return<Opened, VaultError> {
  const sealed = [secret, ...(formerSecret === null ? [] : [formerSecret])]
  const plain = headers === null ? null : yield* vault.open(headers, ofHeaders(endpoint.id))
  return {
    secrets: yield* Effect.forEach(sealed, (text) => vault.open(text, ofSecret(endpoint.id))),
    formerUntil: endpoint.formerSecretUntil,
    headers: plain === null ? {} : (JSON.parse(Redacted.value(plain)) as Readonly<Record<string, string>>)
  }
})

/** How events become requests to an endpoint, as its format says: with its headers, signed by what signs at that time. */
export const requests = (
  { formerUntil, headers, secrets }: Opened,
  { url }: Pick<EndpointState["endpoint"], "url">,
  format: WebhookFormat,
  hmac: Hmac
): ((told: Told, at: Instant) => WebhookRequest) => {
  const byAll = format.signer(secrets, hmac)
  const byPresent = secrets.length === 1 ? byAll : format.signer(secrets.slice(0, 1), hmac)
  const own = { ...headers, "content-type": format.contentType }
  return (told, at) => {
    const body = format.body(told)
    const sign = formerUntil === null || at < formerUntil ? byAll : byPresent
    return { url, headers: { ...own, ...sign({ id: told.id, at, body }) }, body }
  }
}

/** The same under the vault's present key. */
export const reseal = Effect.fnUntraced(function* (
  vault: Vault["Service"],
  { endpoint, formerSecret, headers, secret }: EndpointState
): Effect.fn.Return<Pick<EndpointState, "secret" | "formerSecret" | "headers">, VaultError> {
  const again = (text: string, context: string) =>
    Effect.flatMap(vault.open(text, context), (plain) => vault.seal(plain, context))
  return {
    secret: yield* again(secret, ofSecret(endpoint.id)),
    formerSecret: formerSecret === null ? null : yield* again(formerSecret, ofSecret(endpoint.id)),
    headers: headers === null ? null : yield* again(headers, ofHeaders(endpoint.id))
  }
})
