/**
 * What people said of being written to, one row for each address. It is written before what follows from it, so that two
 * who hear the same person at once agree: the second waits for the row and sees what the first heard.
 */
import type { ContactStore } from "@overture/core/contact/ContactStore"
import { keysOf, type Suppression } from "@overture/core/contact/Suppression"
import * as Wish from "@overture/core/contact/Wish"
import type { WorkspaceId } from "@overture/core/workspace/Id"
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
      )})`
}))

const decode = (row: WishRow): Wish.WishState => ({
  workspace: row.workspace_id,
  address: row.address,
  stopAt: row.stop_at,
  startAt: row.start_at
})

export const make = (database: Database["Service"]): Pick<ContactStore["Service"], "heed" | "wishes"> => {
  const sql = database.statements(statements)
  const heed: ContactStore["Service"]["heed"] = (wishes, addressHash = null) =>
    wishes.length === 0
      ? Effect.void
      : database.transaction(
          Effect.gen(function* () {
            const rows = yield* database.execute<WishRow>(sql.remember, [
              Wish.collected(wishes).map(({ address, startAt, stopAt, workspace }) => ({
                workspace_id: workspace,
                address,
                stop_at: stopAt,
                start_at: startAt
              }))
            ])
            const stopping: Array<Suppression> = []
            const lifting: Array<{
              readonly workspace_id: WorkspaceId
              readonly address: string
              readonly until: number
            }> = []
            for (const wish of rows.map(decode)) {
              const { address, workspace } = wish
              const at = Wish.stopped(wish)
              if (at !== null) stopping.push({ workspace, address, account: null, reason: "optedOut", at })
              else {
                for (const key of keysOf(addressHash, address)) {
                  lifting.push({ workspace_id: workspace, address: key, until: wish.startAt ?? 0 })
                }
              }
            }
            if (lifting.length > 0) yield* database.write(sql.lift, [lifting])
            if (stopping.length > 0) yield* database.write(sql.suppress, [stopping.map(ContactRow.encodeSuppression)])
          })
        )
  return {
    heed,
    wishes: (workspace, addresses) =>
      Effect.map(
        database.execute<WishRow>(sql.wishes, [workspace, addresses.map((address) => ({ address }))]),
        (rows) => rows.map(decode)
      )
  }
}
