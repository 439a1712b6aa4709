/** Account groups. What their accounts use of a cap is counted in the group's row by claims (`outbox/Groups`). */
import type { AccountGroup } from "@overture/core/account/AccountGroup"
import { AccountGroupStore } from "@overture/core/account/AccountGroupStore"
import { Effect, Layer, Option } from "effect"
import { Database } from "./Database.ts"
import { defineStatements } from "./Dialect.ts"
import * as Paging from "./Paging.ts"
import * as AccountGroupRow from "./rows/AccountGroupRow.ts"
import * as Columns from "./rows/Columns.ts"

const statements = defineStatements("AccountGroupStore", (sql) => {
  const group = sql.t("account_group")
  const columns = Columns.select(AccountGroupRow.columns, "g")
  const rows = sql.rows("x", 1, AccountGroupRow.columns)
  return {
    create: `insert into ${group}(${Columns.names(AccountGroupRow.columns)})
      select ${Columns.select(AccountGroupRow.columns, "x")} from ${rows} where true on conflict (id) do nothing`,
    get: `select ${columns} from ${group} as g where g.workspace_id = $1 and g.id = $2`,
    list: `select ${columns} from ${group} as g where g.workspace_id = $1 and g.id > $2
      order by g.id limit $3 offset $4`,
    count: `select count(*) as total from ${group} where workspace_id = $1`,
    lock: `select ${columns} from ${group} as g where g.workspace_id = $1 and g.id = $2 ${sql.lock("g")}`,
    write: `update ${group} as g
      set ${Columns.assign(AccountGroupRow.columns, "x", "id", "workspace_id", "created_at")} from ${rows} where g.id = x.id`
  }
})

export const make = (database: Database["Service"]): AccountGroupStore["Service"] => {
  const sql = database.statements(statements)
  const { affected, execute, transaction } = database
  const one = (rows: ReadonlyArray<AccountGroupRow.AccountGroupRow>): Option.Option<AccountGroup> =>
    Option.map(Option.fromUndefinedOr(rows[0]), AccountGroupRow.decode)
  return AccountGroupStore.of({
    create: (group) => Effect.map(affected(sql.create, [[AccountGroupRow.encode(group)]]), (created) => created > 0),
    get: (workspace, id) => Effect.map(execute<AccountGroupRow.AccountGroupRow>(sql.get, [workspace, id]), one),
    list: Paging.byId(database, sql, AccountGroupRow.decode),
    modify: (workspace, id, change) =>
      transaction(
        Effect.gen(function* () {
          const before = one(yield* execute<AccountGroupRow.AccountGroupRow>(sql.lock, [workspace, id]))
          if (Option.isNone(before)) return before
          const { createdAt } = before.value
          const after = { ...change(before.value), id, workspace, createdAt }
          yield* affected(sql.write, [[AccountGroupRow.encode(after)]])
          return Option.some(after)
        })
      )
  })
}

export const layer: Layer.Layer<AccountGroupStore, never, Database> = Layer.effect(
  AccountGroupStore,
  Effect.map(Database, make)
)
