/** The error logs of accounts. Entries are only added and removed, so that whoever settles waits for nobody. */
import { type AccountLogEntry, kept, sameWithinMs } from "@overture/core/account/AccountLog"
import { AccountLogStore } from "@overture/core/account/AccountLogStore"
import type { AccountId, AccountLogEntryId, WorkspaceId } from "@overture/core/workspace/Id"
import { Effect, Layer } from "effect"
import { Database } from "./Database.ts"
import { defineStatements } from "./Dialect.ts"
import * as Columns from "./rows/Columns.ts"

const columns = {
  id: "id",
  workspace_id: "id",
  account_id: "id",
  at: "bigint",
  level: "text",
  title: "text",
  description: "text",
  code: "text",
  address: "text"
} as const satisfies Columns.Columns

interface Row {
  readonly id: AccountLogEntryId
  readonly workspace_id: WorkspaceId
  readonly account_id: AccountId
  readonly at: number
  readonly level: AccountLogEntry["level"]
  readonly title: string
  readonly description: string
  readonly code: string | null
  readonly address: string | null
}

const decode = ({ account_id, workspace_id, ...row }: Row): AccountLogEntry => ({
  ...row,
  workspace: workspace_id,
  account: account_id
})

const encode = ({ account, workspace, ...entry }: AccountLogEntry): Columns.Written<typeof columns> => ({
  ...entry,
  account_id: account,
  workspace_id: workspace
})

const statements = defineStatements("AccountLogStore", (sql) => {
  const log = sql.t("account_log")
  const of = (alias: string) => Columns.select(columns, alias)
  const isIn = (column: string) =>
    sql.pick({ postgres: `strpos(${column}, y.text)`, sqlite: `instr(${column}, y.text)` })
  const tells = `(l.address in (select x.address from ${sql.rows("x", 2, { address: "text" })})
    or exists (select 1 from ${sql.rows("y", 3, { text: "text" })}
      where ${isIn("l.description")} > 0 or ${isIn("coalesce(l.code, '')")} > 0))`
  return {
    // Counted, as an anti join over a table known to be empty would be planned to walk all of it later.
    append: `insert into ${log}(${Columns.names(columns)}) select ${of("x")} from ${sql.rows("x", 1, columns)}
      where (select count(*) from ${log} as l where l.account_id = x.account_id and l.at > x.at - ${sameWithinMs}
        and l.title = x.title and l.description = x.description) = 0`,
    latest: `select ${of("l")} from ${log} as l where l.workspace_id = $1 and l.account_id = $2
      order by l.at desc, l.id desc limit ${kept}`,
    trim: `delete from ${log} where (account_id, id) in (
      select o.account_id, o.id from (select l.account_id, l.id,
        row_number() over (partition by l.account_id order by l.at desc, l.id desc) as place from ${log} as l) as o
      where o.place > ${kept} limit $1)`,
    about: `select ${of("l")} from ${log} as l
      where l.workspace_id = $1 and ${tells} order by l.at desc, l.id desc`,
    forget: `delete from ${log} as l where l.workspace_id = $1 and ${tells}`
  }
})

export const make = (database: Database["Service"]): AccountLogStore["Service"] => {
  const sql = database.statements(statements)
  const { affected, execute, write } = database
  const told = (workspace: WorkspaceId, addresses: ReadonlyArray<string>, texts: ReadonlyArray<string> = []) => [
    workspace,
    addresses.map((address) => ({ address })),
    texts.map((text) => ({ text }))
  ]
  const decoded = (rows: ReadonlyArray<Row>) => rows.map(decode)
  return AccountLogStore.of({
    append: (entries) => (entries.length === 0 ? Effect.void : write(sql.append, [entries.map(encode)])),
    latest: (workspace, account) => Effect.map(execute<Row>(sql.latest, [workspace, account]), decoded),
    trim: (limit) => affected(sql.trim, [limit]),
    about: (workspace, addresses, texts) =>
      Effect.map(execute<Row>(sql.about, told(workspace, addresses, texts)), decoded),
    forget: (workspace, addresses, texts) => Effect.asVoid(affected(sql.forget, told(workspace, addresses, texts)))
  })
}

export const layer: Layer.Layer<AccountLogStore, never, Database> = Layer.effect(
  AccountLogStore,
  Effect.map(Database, make)
)
