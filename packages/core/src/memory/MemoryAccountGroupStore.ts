/** Account groups in memory. */
import { Option } from "effect"
import { AccountGroupStore } from "../account/AccountGroupStore.ts"
import * as Budget from "../workspace/Budget.ts"
import type { AccountGroupId, WorkspaceId } from "../workspace/Id.ts"
import type { Memory } from "./Memory.ts"
import { page } from "./Paging.ts"

export const make = ({ state, verb }: Memory) => {
  const rowOf = (workspace: WorkspaceId, id: AccountGroupId) => {
    const row = state.groups.get(id)
    return row?.group.workspace === workspace ? row : undefined
  }
  return AccountGroupStore.of({
    create: (group) =>
      verb(() => {
        if (state.groups.get(group.id) !== undefined) return false
        state.groups.set(group.id, { group, use: Budget.none })
        return true
      }),
    get: (workspace, id) => verb(() => Option.fromUndefinedOr(rowOf(workspace, id)?.group)),
    list: (workspace, request) =>
      verb(() => {
        const groups = Array.from(state.groups.values(), (row) => row.group).filter(
          (one) => one.workspace === workspace
        )
        return page(groups, request, (group) => [group.id])
      }),
    modify: (workspace, id, change) =>
      verb(() => {
        const row = rowOf(workspace, id)
        if (row === undefined) return Option.none()
        const group = { ...change(row.group), id, workspace, createdAt: row.group.createdAt }
        state.groups.set(id, { ...row, group })
        return Option.some(group)
      })
  })
}
