/** What accounts did by day, in memory. */
import { type AccountCounts, none, plus, type TallyRow } from "../account/AccountTally.ts"
import { AccountTallyStore } from "../account/AccountTallyStore.ts"
import type { AccountId, WorkspaceId } from "../workspace/Id.ts"
import type { Memory } from "./Memory.ts"
import { by } from "./Paging.ts"

const sum = (rows: ReadonlyArray<TallyRow>): AccountCounts => rows.reduce<AccountCounts>(plus, none)

export const make = ({ state, verb }: Memory) => {
  const of = (workspace: WorkspaceId, account: AccountId, since: string) =>
    Array.from(state.tallies.values())
      .filter(({ row, workspace: home }) => home === workspace && row.account === account && row.date >= since)
      .map(({ row }) => row)
      .sort(by((row) => row.date))
  return AccountTallyStore.of({
    place: (workspace) => verb(() => state.tallyPlaces.get(workspace) ?? null),
    add: (workspace, from, to, rows) =>
      verb(() => {
        const at = state.tallyPlaces.get(workspace) ?? null
        if (at?.position !== from?.position) return false
        state.tallyPlaces.set(workspace, to)
        for (const row of rows) {
          const key = `${row.account}|${row.date}`
          const before = state.tallies.get(key)?.row
          state.tallies.set(key, { workspace, row: before === undefined ? row : { ...row, ...plus(before, row) } })
        }
        return true
      }),
    totals: (workspace, account, since) =>
      verb(() => ({ allTime: sum(of(workspace, account, "")), recent: sum(of(workspace, account, since)) })),
    days: (workspace, account, since) => verb(() => of(workspace, account, since))
  })
}
