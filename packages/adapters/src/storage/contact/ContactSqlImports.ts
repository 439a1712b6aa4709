/** Imports: a batch by itself, or chunk by chunk with how far it came written in the chunk's transaction. */
import type { ContactStore } from "@overture/core/contact/ContactStore"
import type { ContactId } from "@overture/core/workspace/Id"
import { Effect, Option } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as Columns from "../rows/Columns.ts"
import * as ContactRow from "../rows/ContactRow.ts"
import * as ContactImport from "./ContactImport.ts"

type Verbs = Pick<
  ContactStore["Service"],
  "import" | "beginImport" | "importChunk" | "changedLast" | "finishImport" | "getImport"
>

const statements = defineStatements("ContactStore.imports", (sql) => {
  const table = sql.t("contact_import")
  const columns = Columns.select(ContactRow.importColumns, "i")
  return {
    begin: `insert into ${table}(${Columns.names(ContactRow.importColumns)})
      select ${Columns.select(ContactRow.importColumns, "x")} from ${sql.rows("x", 1, ContactRow.importColumns)}
      where true on conflict (workspace_id, id) do nothing`,
    get: `select ${columns} from ${table} as i where i.workspace_id = $1 and i.id = $2`,
    lock: `select ${columns} from ${table} as i where i.workspace_id = $1 and i.id = $2 ${sql.lock("i")}`,
    advance: `update ${table} set records = $3, created = $4, merged = $5, rejected = $6, changed = $7
      where workspace_id = $1 and id = $2`,
    changed: `select i.changed from ${table} as i where i.workspace_id = $1 and i.id = $2`,
    finish: `update ${table} set finished_at = $3, changed = null
      where workspace_id = $1 and id = $2 and finished_at is null`
  }
})

export const make = (database: Database["Service"]): Verbs => {
  const sql = database.statements(statements)
  const { affected, execute } = database
  const take = ContactImport.make(database)
  const importOf = (rows: ReadonlyArray<ContactRow.ImportRow>) =>
    Option.map(Option.fromUndefinedOr(rows[0]), ContactRow.decodeImport)
  return {
    import: take,
    beginImport: (begin) =>
      Effect.gen(function* () {
        yield* affected(sql.begin, [[ContactRow.encodeImport(begin)]])
        const known = importOf(yield* execute<ContactRow.ImportRow>(sql.get, [begin.workspace, begin.id]))
        return Option.getOrElse(known, () => begin)
      }),
    importChunk: ({ id, records, workspace }, chunk) =>
      database.hotTransaction(
        Effect.gen(function* () {
          const stands = importOf(yield* execute<ContactRow.ImportRow>(sql.lock, [workspace, id]))
          if (Option.isNone(stands) || stands.value.finishedAt !== null || stands.value.records !== records)
            return Option.none()
          const before = stands.value
          const imported = yield* take(workspace, chunk.contacts, before.list, before.mode)
          const at = {
            ...before,
            records: before.records + chunk.records,
            created: before.created + imported.created,
            merged: before.merged + imported.merged,
            rejected: before.rejected + chunk.rejected + imported.ambiguous.length
          }
          const changed = imported.changed.length === 0 ? null : JSON.stringify(imported.changed)
          yield* affected(sql.advance, [workspace, id, at.records, at.created, at.merged, at.rejected, changed])
          return Option.some({ at, imported })
        })
      ),
    changedLast: (workspace, id) =>
      Effect.map(execute<{ readonly changed: string | null }>(sql.changed, [workspace, id]), ([row]) =>
        row?.changed == null ? [] : Columns.json<ReadonlyArray<ContactId>>(row.changed)
      ),
    finishImport: (workspace, id, at) => Effect.asVoid(affected(sql.finish, [workspace, id, at])),
    getImport: (workspace, id) => Effect.map(execute<ContactRow.ImportRow>(sql.get, [workspace, id]), importOf)
  }
}
