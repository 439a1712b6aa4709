/** The error logs of accounts in memory. */
import { isSame, kept, sameWithinMs, tellsOf, type AccountLogEntry } from "../account/AccountLog.ts"
import { AccountLogStore } from "../account/AccountLogStore.ts"
import type { WorkspaceId } from "../workspace/Id.ts"
import type { Memory } from "./Memory.ts"

const latestFirst = (a: AccountLogEntry, b: AccountLogEntry) => b.at - a.at || (a.id < b.id ? 1 : -1)

export const make = ({ state, verb }: Memory) => {
  const of = (account: string) => [...state.accountLogByAccount.get(account).values()].sort(latestFirst)
  const about = (workspace: WorkspaceId, addresses: ReadonlyArray<string>, texts: ReadonlyArray<string> = []) =>
    [...state.accountLog.values()]
      .filter((row) => row.workspace === workspace && tellsOf(row, addresses, texts))
      .sort(latestFirst)
  return AccountLogStore.of({
    append: (entries) =>
      verb(() => {
        const fresh = entries.filter(
          (entry) => !of(entry.account).some((row) => isSame(row, entry) && row.at > entry.at - sameWithinMs)
        )
        for (const entry of fresh) state.accountLog.set(entry.id, entry)
      }),
    latest: (workspace, account) =>
      verb(() =>
        of(account)
          .filter((row) => row.workspace === workspace)
          .slice(0, kept)
      ),
    trim: (limit) =>
      verb(() => {
        const accounts = new Set(Array.from(state.accountLog.values(), ({ account }) => account))
        const old = [...accounts].flatMap((account) => of(account).slice(kept)).slice(0, limit)
        for (const { id } of old) state.accountLog.delete(id)
        return old.length
      }),
    about: (workspace, addresses, texts) => verb(() => about(workspace, addresses, texts)),
    forget: (workspace, addresses, texts) =>
      verb(() => {
        for (const { id } of about(workspace, addresses, texts)) state.accountLog.delete(id)
      })
  })
}
