/** The secrets of accounts, as rows whose key can be changed. */
import { Context, Effect, Layer } from "effect"
import type { AccountId } from "../workspace/Id.ts"
import type { SealedRows } from "../workspace/SealedRows.ts"
import { prefixOf, Vault, type VaultError } from "../workspace/Vault.ts"
import { AccountSecretStore } from "./AccountSecretStore.ts"
import * as Sealing from "./Sealing.ts"

export class AccountSecretRows extends Context.Service<AccountSecretRows, SealedRows>()(
  "@overture/core/AccountSecretRows"
) {
  static readonly layer = Layer.effect(
    AccountSecretRows,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const store = yield* AccountSecretStore
  const vault = yield* Vault

  return AccountSecretRows.of({
    name: "secrets of accounts",
    reseal: Effect.fn("AccountSecretRows.reseal")(function* (limit) {
      if (vault.currentKey === null) return 0
      let after: AccountId | null = null
      let failure: VaultError | null = null
      let changed = 0
      while (changed < limit) {
        const rows: ReadonlyArray<SealedOtherwise> = yield* store.sealedOtherwise(
          prefixOf(vault.currentKey),
          after,
          limit
        )
        for (const row of rows) {
          const to = yield* Effect.all({
            credentials: Sealing.resealed(vault, row.account, "credentials", row.credentials),
            egress: Sealing.resealed(vault, row.account, "egress", row.egress)
          }).pipe(
            Effect.catchTag("VaultError", (error) => {
              failure ??= error
              return Effect.succeed(null)
            })
          )
          if (to !== null && (yield* store.replace(row.account, row, to))) changed += 1
        }
        if (rows.length < limit) break
        after = rows.at(-1)!.account
      }
      if (changed === 0 && failure !== null) return yield* Effect.fail(failure as VaultError)
      return changed
    })
  })
})

type SealedOtherwise = Parameters<AccountSecretStore["Service"]["put"]>[0]
