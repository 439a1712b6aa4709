/**
 * Seals what an account reaches its platform with: each secret opens only as what it is, for the account it is of. What
 * comes out is what may be written and what may be shown.
 */
import { Effect, Redacted } from "effect"
import type { AccountId } from "../workspace/Id.ts"
import type { Vault, VaultError } from "../workspace/Vault.ts"
import { type AccessChange, InvalidAccess } from "./AccountAccess.ts"
import type { SealedAccess } from "./AccountSecretStore.ts"
import * as Egress from "./Egress.ts"

/** Secrets as they are given: absent stays, null goes. */
export interface NewAccess {
  /** What the channel needs to speak in the account's name: a token, or a JSON text of several. */
  readonly credentials?: Redacted.Redacted<string> | null | undefined
  /** The URL of a proxy, `http://user:password@host:port`. */
  readonly egress?: Redacted.Redacted<string> | null | undefined
}

export interface Sealed {
  readonly change: AccessChange
  /** What takes the place of the former texts. */
  readonly texts: Partial<SealedAccess>
}

/** The longest secret, in UTF-16 code units. */
export const maxLength = 65_536

const contexts = {
  credentials: (account: AccountId) => `account:${account}`,
  egress: (account: AccountId) => `egress:${account}`
}

const checked = (field: keyof SealedAccess, secret: Redacted.Redacted<string>) => {
  const { length } = Redacted.value(secret)
  const problem = length === 0 ? "is empty" : `has ${length} characters, at most ${maxLength} are allowed`
  return length === 0 || length > maxLength ? Effect.fail(new InvalidAccess({ field, problem })) : Effect.void
}

/** Seals what is given. */
export const seal = Effect.fnUntraced(function* (
  vault: Vault["Service"],
  account: AccountId,
  { credentials, egress }: NewAccess
): Effect.fn.Return<Sealed, VaultError | InvalidAccess> {
  const sealed = (field: keyof SealedAccess, secret: Redacted.Redacted<string> | null) =>
    secret === null
      ? Effect.succeed(null)
      : Effect.andThen(checked(field, secret), vault.seal(secret, contexts[field](account)))
  const shown = egress == null ? egress : Egress.parse(egress)
  if (typeof shown === "string") return yield* new InvalidAccess({ field: "egress", problem: shown })
  return {
    change: {
      ...(credentials !== undefined && { credentials: credentials === null ? null : true }),
      ...(shown !== undefined && { egress: shown })
    },
    texts: {
      ...(credentials !== undefined && { credentials: yield* sealed("credentials", credentials) }),
      ...(egress !== undefined && { egress: yield* sealed("egress", egress) })
    }
  }
})

/** Opens one of an account's secrets; null where it has none. */
export const open = (
  vault: Vault["Service"],
  account: AccountId,
  field: keyof SealedAccess,
  text: string | null
): Effect.Effect<Redacted.Redacted<string> | null, VaultError> =>
  text === null ? Effect.succeed(null) : vault.open(text, contexts[field](account))

/** A sealed secret of an account under the vault's present key. */
export const resealed = (
  vault: Vault["Service"],
  account: AccountId,
  field: keyof SealedAccess,
  text: string | null
): Effect.Effect<string | null, VaultError> =>
  Effect.flatMap(open(vault, account, field, text), (secret) =>
    secret === null ? Effect.succeed(null) : vault.seal(secret, contexts[field](account))
  )
