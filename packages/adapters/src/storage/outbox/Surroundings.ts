/**
 * What claims read about their candidates once these are locked: who suppressed an address, the chats, the workspaces.
 * Each is a statement of its own after the locks, so nothing that was committed before a lock was granted is missed.
 */
import * as Address from "@overture/core/channel/Address"
import { type Chat, idOf } from "@overture/core/chat/Chat"
import { type AddressHash, keysOf as keysUnder, stopping, type Suppression } from "@overture/core/contact/Suppression"
import type { AccountId, WorkspaceId } from "@overture/core/workspace/Id"
import type { StorageError } from "@overture/core/workspace/StorageError"
import type { WorkspaceState } from "@overture/core/workspace/WorkspaceStore"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as ChatRow from "../rows/ChatRow.ts"
import * as Columns from "../rows/Columns.ts"
import { decodeSuppression, suppressionColumns, type SuppressionRow } from "../rows/ContactRow.ts"
import * as WorkspaceRow from "../rows/WorkspaceRow.ts"
import { lookup } from "./Lookup.ts"

const statements = defineStatements("Surroundings", (sql) => ({
  suppressions: `select ${Columns.select(suppressionColumns, "s")}
    from ${sql.rows("x", 1, { workspace_id: "id", address: "text" })}
    ${lookup(sql, "suppression", "s", "s.workspace_id = x.workspace_id and s.address = x.address")}`,
  chats: `select ${Columns.select(ChatRow.columns, "h")} from ${sql.rows("x", 1, { id: "id" })}
    ${lookup(sql, "chat", "h", "h.id = x.id")}`,
  workspaces: `select ${Columns.select(WorkspaceRow.stateColumns, "w")} from ${sql.rows("x", 1, { id: "id" })}
    ${lookup(sql, "workspace", "w", "w.id = x.id")}`,
  capped: `select ${Columns.select(WorkspaceRow.stateColumns, "w")} from ${sql.rows("x", 1, { id: "id" })}
    ${lookup(sql, "workspace", "w", "w.id = x.id", "skip")}`
}))

/** An address of a workspace. */
const pair = (a: string, b: string) => `${a}|${b}`

/** The keys of a contact's addresses. */
export const keysOf = (addresses: ReadonlyArray<Address.Address>): ReadonlyArray<string> => addresses.map(Address.key)

export interface Surroundings {
  /**
   * The suppressions of addresses, also under their hash; the answer is asked with the account that wants to write (null =
   * none yet).
   */
  readonly suppressions: (
    wanted: ReadonlyArray<{ readonly workspace: WorkspaceId; readonly addresses: ReadonlyArray<string> }>,
    hash: AddressHash | null
  ) => Effect.Effect<
    (workspace: WorkspaceId, addresses: ReadonlyArray<string>, account: AccountId | null) => ReadonlyArray<Suppression>,
    StorageError
  >
  readonly chats: (
    wanted: ReadonlyArray<{ readonly account: AccountId; readonly address: string }>
  ) => Effect.Effect<(account: AccountId, address: string) => Chat | null, StorageError>
  /** Workspaces; with `skip` locked where they have a cap, and such a one that another holds is left out. */
  readonly workspaces: (
    ids: Iterable<WorkspaceId>,
    lock: "skip" | "none"
  ) => Effect.Effect<ReadonlyMap<WorkspaceId, WorkspaceState>, StorageError>
}

const none: ReadonlyArray<Suppression> = []

export const make = (database: Database["Service"]): Surroundings => {
  const sql = database.statements(statements)
  const { execute } = database
  return {
    suppressions: Effect.fnUntraced(function* (wanted, hash) {
      const keys = new Map<string, { readonly workspace_id: WorkspaceId; readonly address: string }>()
      const under = new Map<string, ReadonlyArray<string>>()
      for (const { addresses, workspace } of wanted) {
        for (const address of addresses) {
          const known = under.get(address) ?? keysUnder(hash, address)
          under.set(address, known)
          for (const key of known) keys.set(pair(workspace, key), { workspace_id: workspace, address: key })
        }
      }
      const rows = keys.size === 0 ? [] : yield* execute<SuppressionRow>(sql.suppressions, [[...keys.values()]])
      const found = new Map<string, Array<Suppression>>()
      for (const row of rows) {
        const key = pair(row.workspace_id, row.address)
        const known = found.get(key)
        if (known === undefined) found.set(key, [decodeSuppression(row)])
        else known.push(decodeSuppression(row))
      }
      return (workspace, addresses, account) =>
        found.size === 0
          ? none
          : addresses
              .flatMap((address) =>
                (under.get(address) ?? []).flatMap((key) =>
                  (found.get(pair(workspace, key)) ?? none).map((row) => stopping(row, address))
                )
              )
              .filter((row) => row.account === null || row.account === account)
    }),
    chats: Effect.fnUntraced(function* (wanted) {
      const ids = new Set(wanted.map(({ account, address }) => idOf(account, address)))
      const rows = ids.size === 0 ? [] : yield* execute<ChatRow.ChatRow>(sql.chats, [Array.from(ids, (id) => ({ id }))])
      const found = new Map(rows.map((row) => [row.id, ChatRow.decode(row)]))
      return (account, address) => (found.size === 0 ? null : (found.get(idOf(account, address)) ?? null))
    }),
    workspaces: Effect.fnUntraced(function* (ids, lock) {
      const keys = Array.from(new Set(ids), (id) => ({ id }))
      if (keys.length === 0) return new Map()
      const rows = yield* execute<WorkspaceRow.WorkspaceRow & WorkspaceRow.UseRow>(sql.workspaces, [keys])
      const found = new Map(rows.map((row) => [row.id, WorkspaceRow.state(row)]))
      const capped = lock === "none" ? [] : rows.flatMap((row) => (row.daily_cap === null ? [] : [{ id: row.id }]))
      if (capped.length > 0) {
        for (const { id } of capped) found.delete(id)
        const held = yield* execute<WorkspaceRow.WorkspaceRow & WorkspaceRow.UseRow>(sql.capped, [capped])
        for (const row of held) found.set(row.id, WorkspaceRow.state(row))
      }
      return found
    })
  }
}
