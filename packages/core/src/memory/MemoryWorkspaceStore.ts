/** Workspaces in memory, with the switch and the pacing clock of the database. */
import { Option } from "effect"
import * as Budget from "../workspace/Budget.ts"
import { keyLifeMs, type PacingClock, WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import type { Memory } from "./Memory.ts"
import { byId } from "./Paging.ts"
import { type State, within } from "./State.ts"

/** Whether everything is stopped, and how the pacing clock runs. */
export const database = (state: State): { readonly stopped: boolean; readonly clock: PacingClock } =>
  state.database.get("database") ?? { stopped: false, clock: { type: "real" } }

export const make = ({ state, verb }: Memory) =>
  WorkspaceStore.of({
    create: (workspace) =>
      verb(() => {
        if (state.workspaces.get(workspace.id) !== undefined) return false
        state.workspaces.set(workspace.id, { workspace, use: Budget.none })
        return true
      }),
    get: (id) => verb(() => Option.fromUndefinedOr(state.workspaces.get(id)?.workspace)),
    list: verb(() => Array.from(state.workspaces.values(), (row) => row.workspace).sort(byId)),
    modify: (id, change) =>
      verb(() => {
        const row = state.workspaces.get(id)
        if (row === undefined) return Option.none()
        const workspace = change(row.workspace)
        state.workspaces.set(id, { ...row, workspace })
        return Option.some(workspace)
      }),
    idempotent: (workspace, key, fingerprint, now) =>
      verb(() => {
        const id = within(workspace, key)
        const row = state.idempotency.get(id)
        if (row === undefined || row.response === null || now - row.at >= keyLifeMs) {
          state.idempotency.set(id, { fingerprint, at: now, response: null })
          return { type: "new" }
        }
        if (row.fingerprint !== fingerprint) return { type: "mismatch" }
        return { type: "replay", response: row.response }
      }),
    remember: (workspace, key, response) =>
      verb(() => {
        const id = within(workspace, key)
        const row = state.idempotency.get(id)
        if (row !== undefined) state.idempotency.set(id, { ...row, response })
      }),
    forgetResponses: (workspace, texts) =>
      verb(() => {
        for (const [id, { response }] of state.idempotency.entries()) {
          const isMeant =
            id.startsWith(within(workspace, "")) && texts.some((text) => response?.includes(text) === true)
          if (isMeant) state.idempotency.delete(id)
        }
      }),
    purgeKeys: (workspace, before, limit) =>
      verb(() => {
        const old = state.idempotency
          .entries()
          .filter(([id, { at }]) => at < before && id.startsWith(within(workspace, "")))
          .slice(0, limit)
        for (const [id] of old) state.idempotency.delete(id)
        return old.length
      }),
    stopped: verb(() => database(state).stopped),
    stop: (stopped) => verb(() => state.database.set("database", { ...database(state), stopped })),
    pacingClock: verb(() => database(state).clock),
    setPacingClock: (clock) =>
      verb(() => {
        const stored = database(state)
        const goesBack = clock.type === "virtual" && stored.clock.type === "virtual" && clock.at < stored.clock.at
        if (!goesBack) state.database.set("database", { ...stored, clock })
      }),
    agreePacingClock: (choose) =>
      verb(() => {
        const stored = database(state)
        const clock = choose(stored.clock)
        state.database.set("database", { ...stored, clock })
        return clock
      })
  })
