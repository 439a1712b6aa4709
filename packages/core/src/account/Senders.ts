/**
 * Opens what a channel needs to speak in an account's name. What was opened is kept for as long as the account's row says
 * that it is the same, so a send costs no look-up, and a change by any process is seen with the next claim.
 */
import { Context, Effect, Layer, Option, type Redacted } from "effect"
import type { Sender } from "../channel/Sender.ts"
import type { AccountId } from "../workspace/Id.ts"
import { second } from "../workspace/Instant.ts"
import { StorageError } from "../workspace/StorageError.ts"
import { Vault, type VaultError } from "../workspace/Vault.ts"
import type { Account } from "./Account.ts"
import * as Accounts from "./Account.ts"
import { AccountSecretStore } from "./AccountSecretStore.ts"
import * as Sealing from "./Sealing.ts"

interface Opened {
  readonly version: number
  readonly credentials: Redacted.Redacted<string> | null
  readonly egress: Redacted.Redacted<string> | null
}

export class Senders extends Context.Service<
  Senders,
  {
    /** What the channel sees of the account; fails where its secrets cannot be opened here, and then nothing may be sent. */
    of(account: Account): Effect.Effect<Sender, VaultError | StorageError>
  }
>()("@overture/core/Senders") {
  static readonly layer = Layer.effect(
    Senders,
    Effect.suspend(() => make)
  )
}

/** How long opening an account's secrets may take (milliseconds). */
const openingMs = 30 * second

const make = Effect.gen(function* () {
  const store = yield* AccountSecretStore
  const vault = yield* Vault
  const known = new Map<AccountId, Opened>()

  /** A vault of a host's may ask a service far away: one that does not answer must not hold whoever asked for ever. */
  const open = (id: AccountId, version: number) =>
    Effect.gen(function* () {
      const found = Option.getOrNull(yield* store.get(id))
      const opened: Opened = {
        version: found?.version ?? version,
        credentials: yield* Sealing.open(vault, id, "credentials", found?.credentials ?? null),
        egress: yield* Sealing.open(vault, id, "egress", found?.egress ?? null)
      }
      known.set(id, opened)
      return opened
    }).pipe(
      Effect.interruptible,
      Effect.timeoutOrElse({
        duration: openingMs,
        orElse: () =>
          Effect.fail(
            new StorageError({
              operation: "opening an account's secrets",
              retryable: true,
              cause: new Error("the vault did not answer in time")
            })
          )
      })
    )

  return Senders.of({
    of: (account) => {
      const { access, id } = account
      if (access === undefined || access.version === 0) return Effect.succeed(Accounts.sender(account, null))
      const kept = known.get(id)
      const opened = kept?.version === access.version ? Effect.succeed(kept) : open(id, access.version)
      return Effect.map(opened, ({ credentials, egress }) => Accounts.sender(account, credentials, egress))
    }
  })
})
