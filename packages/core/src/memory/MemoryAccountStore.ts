/** Accounts in memory. */
import { Option } from "effect"
import { type Account, availabilities, availability, isHeard } from "../account/Account.ts"
import { type AccountFilter, AccountStore } from "../account/AccountStore.ts"
import * as Budget from "../workspace/Budget.ts"
import type { WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Memory } from "./Memory.ts"
import { append } from "./MemoryEventStore.ts"
import { byId, page } from "./Paging.ts"

const matches = (account: Account, filter: AccountFilter, now: Instant): boolean => {
  const text = (filter.text ?? "").toLowerCase()
  const words = [account.name, account.externalId, account.externalRef ?? ""]
  return (
    (account.removedAt !== undefined) === (filter.removed ?? false) &&
    (filter.channel === undefined || account.channel === filter.channel) &&
    (filter.group === undefined || account.group === filter.group) &&
    (filter.enabled === undefined || account.enabled === filter.enabled) &&
    (filter.availability?.includes(availability(account, now)) ?? true) &&
    words.some((word) => word.toLowerCase().includes(text))
  )
}

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
    among: (workspace, ids) => verb(() => of(workspace).filter(({ id }) => ids.includes(id))),
    byExternalRef: (workspace, ref) =>
      verb(() => Option.fromUndefinedOr(of(workspace).find((account) => account.externalRef === ref))),
    search: (workspace, filter, now, request) =>
      verb(() =>
        page(
          of(workspace).filter((account) => matches(account, filter, now)),
          request,
          (account) => [availabilities.indexOf(availability(account, now)), account.id]
        )
      ),
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
    byExternalId: (channel, externalIds) =>
      verb(() => all().filter((account) => account.channel === channel && externalIds.includes(account.externalId))),
    polled: (channels) =>
      verb(() =>
        all()
          .filter((account) => channels.includes(account.channel) && isHeard(account))
          .map((account) => ({ account, cursor: state.pollCursors.get(account.id)?.cursor ?? null }))
      ),
    setPollCursor: (id, cursor) => verb(() => state.pollCursors.set(id, { cursor }))
  })
}
