/** Accounts in memory. */
import { Option } from "effect"
import { AccountStore } from "../account/AccountStore.ts"
import type { Account } from "../account/Account.ts"
import * as Budget from "../workspace/Budget.ts"
import type { WorkspaceId } from "../workspace/Id.ts"
import type { Memory } from "./Memory.ts"
import { append } from "./MemoryEventStore.ts"
import { byId, page } from "./Paging.ts"

export const make = ({ state, verb }: Memory) => {
  const all = (): ReadonlyArray<Account> => Array.from(state.accounts.values(), (row) => row.account).sort(byId)
  const of = (workspace: WorkspaceId) => all().filter((account) => account.workspace === workspace)
  return AccountStore.of({
    connect: (account, events) =>
      verb(() => {
        const known = of(account.workspace).find(
          (other) => other.channel === account.channel && other.externalId === account.externalId
        )
        if (known !== undefined) return { account: known, created: false }
        state.accounts.set(account.id, { account, use: Budget.none, lastTouchAt: null })
        append(state, events)
        return { account, created: true }
      }),
    get: (workspace, id) =>
      verb(() => {
        const account = state.accounts.get(id)?.account
        return account?.workspace === workspace ? Option.some(account) : Option.none()
      }),
    byExternalRef: (workspace, ref) =>
      verb(() => Option.fromUndefinedOr(of(workspace).find((account) => account.externalRef === ref))),
    list: (workspace, request) => verb(() => page(of(workspace), request, (account) => [account.id])),
    modify: (ids, change) =>
      verb(() =>
        [...new Set(ids)].sort().flatMap((id) => {
          const row = state.accounts.get(id)
          if (row === undefined) return []
          const { account, events } = change(row.account)
          if (account === row.account) return [account]
          state.accounts.set(id, { ...row, account })
          append(state, events)
          return [account]
        })
      ),
    polled: (channels) =>
      verb(() =>
        all()
          .filter((account) => channels.includes(account.channel))
          .map((account) => ({ account, cursor: state.pollCursors.get(account.id)?.cursor ?? null }))
      ),
    setPollCursor: (id, cursor) => verb(() => state.pollCursors.set(id, { cursor }))
  })
}
