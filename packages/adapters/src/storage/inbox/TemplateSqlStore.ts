/** Saved contents. */
import { TemplateStore } from "@overture/core/chat/TemplateStore"
import { Effect, Layer, Option } from "effect"
import { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as EventSqlStore from "../EventSqlStore.ts"
import * as Paging from "../Paging.ts"
import * as Columns from "../rows/Columns.ts"
import * as TemplateRow from "../rows/TemplateRow.ts"

const statements = defineStatements("TemplateStore", (sql) => {
  const template = sql.t("template")
  const columns = Columns.select(TemplateRow.columns, "t")
  const rows = sql.rows("x", 1, TemplateRow.columns)
  const get = `select ${columns} from ${template} as t where t.workspace_id = $1 and t.id = $2`
  return {
    insert: `insert into ${template}(${Columns.names(TemplateRow.columns)})
      select ${Columns.select(TemplateRow.columns, "x")} from ${rows} where true on conflict (id) do nothing`,
    get,
    lock: `${get} ${sql.lock("t")}`,
    write: `update ${template} as t set ${Columns.assign(TemplateRow.columns, "x", "id", "workspace_id")}
      from ${rows} where t.id = x.id`,
    delete: `delete from ${template} where workspace_id = $1 and id = $2`,
    list: `select ${columns} from ${template} as t
      where t.workspace_id = $1 and t.id > $2 order by t.id limit $3 offset $4`,
    count: `select count(*) as total from ${template} where workspace_id = $1`
  }
})

export const make = (database: Database["Service"]): TemplateStore["Service"] => {
  const sql = database.statements(statements)
  const { affected, execute, transaction } = database
  const append = EventSqlStore.appender(database)
  const one = (rows: ReadonlyArray<TemplateRow.TemplateRow>) =>
    Option.map(Option.fromUndefinedOr(rows[0]), TemplateRow.decode)
  return TemplateStore.of({
    create: (template, events) =>
      transaction(
        Effect.gen(function* () {
          const created = (yield* affected(sql.insert, [[TemplateRow.encode(template)]])) > 0
          if (created) yield* append(events)
          return created
        })
      ),
    get: (workspace, id) => Effect.map(execute<TemplateRow.TemplateRow>(sql.get, [workspace, id]), one),
    list: Paging.byId(database, sql, TemplateRow.decode),
    modify: (workspace, id, change) =>
      transaction(
        Effect.gen(function* () {
          const before = one(yield* execute<TemplateRow.TemplateRow>(sql.lock, [workspace, id]))
          if (Option.isNone(before)) return before
          const { events, template } = change(before.value)
          yield* affected(sql.write, [[TemplateRow.encode({ ...template, id })]])
          yield* append(events)
          return Option.some(template)
        })
      ),
    delete: (workspace, id, events) =>
      transaction(
        Effect.gen(function* () {
          const deleted = (yield* affected(sql.delete, [workspace, id])) > 0
          if (deleted) yield* append(events)
          return deleted
        })
      )
  })
}

export const layer: Layer.Layer<TemplateStore, never, Database> = Layer.effect(
  TemplateStore,
  Effect.map(Database, make)
)
