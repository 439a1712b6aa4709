/** The secrets of accounts, as rows whose key can be changed. */
import { Context, Effect, Layer } from "effect"
import type { AccountId } from "../workspace/Id.ts"
import { resealEach, type SealedRows } from "../workspace/SealedRows.ts"
import { prefixOf, Vault } from "../workspace/Vault.ts"
import { type AccountSecrets, AccountSecretStore } from "./AccountSecretStore.ts"
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

  const reseal = Effect.fnUntraced(function* (row: AccountSecrets) {
    const to = yield* Effect.all({
      credentials: Sealing.resealed(vault, row.account, "credentials", row.credentials),
      egress: Sealing.resealed(vault, row.account, "egress", row.egress)
    })
    return yield* store.replace(row.account, row, to)
  })

  return AccountSecretRows.of({
    name: "secrets of accounts",
    reseal: Effect.fn("AccountSecretRows.reseal")(function* (limit) {
      const key = vault.currentKey
      if (key === null) return 0
      return yield* resealEach(limit, {
        after: (last: AccountId | null, most) => store.sealedOtherwise(prefixOf(key), last, most),
        idOf: ({ account }) => account,
        reseal
      })
    })
  })
})
