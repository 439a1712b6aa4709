/**
 * What people said of being written to, one row for each address. It is written before what follows from it, so that two
 * who hear the same person at once agree: the second waits for the row and sees what the first heard. An address that
 * becomes one of a person who said stop has that wish, too.
 */
import type { ContactStore } from "@overture/core/contact/ContactStore"
import { keysOf, type Suppression } from "@overture/core/contact/Suppression"
import * as Wish from "@overture/core/contact/Wish"
import type { WorkspaceId } from "@overture/core/workspace/Id"
import type { Instant } from "@overture/core/workspace/Instant"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import { lookup } from "../outbox/Lookup.ts"
import * as Columns from "../rows/Columns.ts"
import * as ContactRow from "../rows/ContactRow.ts"

const columns = {
  workspace_id: "id",
  address: "text",
  stop_at: "bigint",
  start_at: "bigint"
} as const satisfies Columns.Columns

interface WishRow {
  readonly workspace_id: WorkspaceId
  readonly address: string
  readonly stop_at: number | null
  readonly start_at: number | null
}

const statements = defineStatements("Wishes", (sql) => ({
  remember: `insert into ${sql.t("wish")} as w (${Columns.names(columns)})
    select ${Columns.select(columns, "x")} from ${sql.rows("x", 1, columns)} where true
    order by x.workspace_id, x.address on conflict (workspace_id, address) do update set
      stop_at = ${sql.greatest("w.stop_at", "excluded.stop_at")},
      start_at = ${sql.greatest("w.start_at", "excluded.start_at")}
    returning workspace_id, address, stop_at, start_at`,
  wishes: `select ${Columns.select(columns, "w")} from ${sql.t("wish")} as w
    where w.workspace_id = $1 and w.address in (select x.address from ${sql.rows("x", 2, { address: "text" })})`,
  suppress: `insert into ${sql.t("suppression")} as s (${Columns.names(ContactRow.suppressionColumns)})
    select ${Columns.select(ContactRow.suppressionColumns, "x")} from ${sql.rows("x", 1, ContactRow.suppressionColumns)}
    where true order by x.workspace_id, x.address on conflict (workspace_id, address, account_id) do update set
      reason = excluded.reason, at = excluded.at where s.at < excluded.at`,
  lift: `delete from ${sql.t("suppression")} where (workspace_id, address, account_id) in
    (select s.workspace_id, s.address, s.account_id
      from ${sql.rows("x", 1, { workspace_id: "id", address: "text", until: "bigint" })}
      ${lookup(
        sql,
        "suppression",
        "s",
        "s.workspace_id = x.workspace_id and s.address = x.address and s.account_id = '' and s.at <= x.until"
      )}) returning workspace_id, address`,
  standing: `select s.address, s.at from ${sql.rows("x", 2, { address: "text" })}
    ${lookup(
      sql,
      "suppression",
      "s",
      "s.workspace_id = $1 and s.address = x.address and s.account_id = '' and s.reason = 'optedOut'"
    )}
    where coalesce((select w.opt_out_scope from ${sql.t("workspace")} as w where w.id = $1), 'contact') = 'contact'`
}))

const within = (workspace: WorkspaceId, address: string) => `${workspace}|${address}`

const decode = (row: WishRow): Wish.WishState => ({
  workspace: row.workspace_id,
  address: row.address,
  stopAt: row.stop_at,
  startAt: row.start_at
})

export interface Wishes extends Pick<ContactStore["Service"], "heed" | "wishes"> {
  /** Has a stop that stands at one of the addresses of a person, of each of these people, stand at all of them. */
  readonly share: (
    workspace: WorkspaceId,
    people: ReadonlyArray<ReadonlyArray<string>>
  ) => Effect.Effect<void, StorageError>
}

export const make = (database: Database["Service"]): Wishes => {
  const sql = database.statements(statements)
  const { execute } = database
  const heed: Wishes["heed"] = (wishes, addressHash = null) =>
    wishes.length === 0
      ? Effect.succeed([])
      : database.transaction(
          Effect.gen(function* () {
            const rows = yield* execute<WishRow>(sql.remember, [
              Wish.collected(wishes).map(({ address, startAt, stopAt, workspace }) => ({
                workspace_id: workspace,
                address,
                stop_at: stopAt,
                start_at: startAt
              }))
            ])
            const states = rows.map(decode)
            const stopping: Array<Suppression> = []
            const lifting: Array<{
              readonly workspace_id: WorkspaceId
              readonly address: string
              readonly until: number
            }> = []
            for (const wish of states) {
              const { address, workspace } = wish
              const at = Wish.stopped(wish)
              if (at !== null) stopping.push({ workspace, address, account: null, reason: "optedOut", at })
              else {
                for (const key of keysOf(addressHash, address)) {
                  lifting.push({ workspace_id: workspace, address: key, until: wish.startAt ?? 0 })
                }
              }
            }
            const freed =
              lifting.length === 0 ? [] : yield* execute<Pick<WishRow, "workspace_id" | "address">>(sql.lift, [lifting])
            if (stopping.length > 0) yield* database.write(sql.suppress, [stopping.map(ContactRow.encodeSuppression)])
            const lifted = new Set(freed.map(({ address, workspace_id }) => within(workspace_id, address)))
            return states.map((wish) => ({
              ...wish,
              lifted: keysOf(addressHash, wish.address).some((key) => lifted.has(within(wish.workspace, key)))
            }))
          })
        )
  return {
    heed,
    share: (workspace, people) =>
      Effect.gen(function* () {
        const rows = yield* execute<{ readonly address: string; readonly at: Instant }>(sql.standing, [
          workspace,
          people.flat().map((address) => ({ address }))
        ])
        if (rows.length === 0) return
        yield* heed(Wish.shared(workspace, people, new Map(rows.map(({ address, at }) => [address, at]))))
      }),
    wishes: (workspace, addresses) =>
      Effect.map(execute<WishRow>(sql.wishes, [workspace, addresses.map((address) => ({ address }))]), (rows) =>
        rows.map(decode)
      )
  }
}
