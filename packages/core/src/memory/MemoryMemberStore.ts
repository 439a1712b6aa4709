/** Members in memory. */
import { Option } from "effect"
import type { MemberId, WorkspaceId } from "../workspace/Id.ts"
import { MemberStore } from "../workspace/MemberStore.ts"
import type { Memory } from "./Memory.ts"
import { byId, page } from "./Paging.ts"
import type { State, TeamRow } from "./State.ts"

const of = (state: State, workspace: WorkspaceId): ReadonlyArray<TeamRow> =>
  [...state.team.values()]
    .filter(({ member }) => member.workspace === workspace)
    .sort((a, b) => byId(a.member, b.member))

const get = (state: State, workspace: WorkspaceId, id: MemberId): TeamRow | undefined => {
  const row = state.team.get(id)
  return row?.member.workspace === workspace ? row : undefined
}

export const make = ({ state, verb }: Memory) =>
  MemberStore.of({
    create: (member) =>
      verb(() => {
        const known =
          state.team.get(member.id) ??
          of(state, member.workspace).find(
            (row) => member.externalRef !== null && row.member.externalRef === member.externalRef
          )
        if (known !== undefined) return { member: known.member, created: false }
        state.team.set(member.id, { member, last: 0 })
        return { member, created: true }
      }),
    get: (workspace, id) =>
      verb(() => Option.map(Option.fromUndefinedOr(get(state, workspace, id)), ({ member }) => member)),
    list: (workspace, request) =>
      verb(() =>
        page(
          of(state, workspace).map(({ member }) => member),
          request,
          ({ id }) => [id]
        )
      ),
    modify: (workspace, id, change) =>
      verb(() => {
        const row = get(state, workspace, id)
        if (row === undefined) return Option.none()
        const member = change(row.member)
        state.team.set(id, { ...row, member })
        return Option.some(member)
      }),
    takeTurns: (workspace, choose) =>
      verb(() => {
        const rows = of(state, workspace)
        const chosen = choose(rows)
        let last = Math.max(0, ...rows.map((row) => row.last))
        for (const id of chosen) state.team.set(id, { ...state.team.need(id), last: ++last })
        return chosen
      })
  })
