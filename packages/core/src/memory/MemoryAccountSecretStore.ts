/** The sealed secrets of accounts in memory. */
import { Option } from "effect"
import { AccountSecretStore } from "../account/AccountSecretStore.ts"
import type { Memory } from "./Memory.ts"
import { by, firstOf } from "./Paging.ts"

const byAccount = by<{ readonly account: string }>((row) => row.account)

export const make = ({ state, verb }: Memory) =>
  AccountSecretStore.of({
    get: (account) => verb(() => Option.fromUndefinedOr(state.accountSecrets.get(account))),
    put: (secrets) => verb(() => state.accountSecrets.set(secrets.account, secrets)),
    sealedOtherwise: (prefix, after, limit) =>
      verb(() => {
        const isOther = (text: string | null) => text !== null && !text.startsWith(prefix)
        const rows = [...state.accountSecrets.values()].filter(
          (row) => row.account > (after ?? "") && (isOther(row.credentials) || isOther(row.egress))
        )
        return firstOf(rows, limit, byAccount)
      }),
    replace: (account, from, to) =>
      verb(() => {
        const row = state.accountSecrets.get(account)
        if (row === undefined || row.credentials !== from.credentials || row.egress !== from.egress) return false
        state.accountSecrets.set(account, { ...row, credentials: to.credentials, egress: to.egress })
        return true
      })
  })
