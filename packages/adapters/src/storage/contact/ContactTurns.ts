/**
 * Whose turn it is with a person: any number may write of them at the same time, and whoever removes them is alone. An
 * erasure looks for rows before it locks them, so one that is written meanwhile would be missed, or held by who waits for
 * the erasure. SQLite has one writer anyway.
 */
import type { ContactStore } from "@overture/core/contact/ContactStore"
import type { ContactId } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"

// Advisory locks: they come before leads, messages and chats in the order of locks, and rows of people come after these.
const statements = defineStatements("ContactTurns", (sql) => {
  const ofPersons = `hashtext('${sql.t("person")}')`
  return {
    share: sql.pick({
      postgres: `select pg_advisory_xact_lock_shared(${ofPersons}, hashtext(x.id)) from ${sql.rows("x", 1, { id: "id" })}`,
      sqlite: "select $1 as people"
    }),
    take: sql.pick({
      postgres: `select pg_advisory_xact_lock(${ofPersons}, hashtext($1))`,
      sqlite: "select $1 as person"
    }),
    // After the lock, so that it sees what those did who were waited for.
    there: `select c.id from ${sql.t("contact")} as c
      where c.workspace_id = $1 and c.id in (select x.id from ${sql.rows("x", 2, { id: "id" })})`
  }
})

export const make = (database: Database["Service"]): Pick<ContactStore["Service"], "keep" | "awaitKeepers"> => {
  const sql = database.statements(statements)
  const isAlone = database.sql.name === "sqlite"
  return {
    keep: Effect.fnUntraced(function* (workspace, ids) {
      if (ids.length === 0) return new Set()
      const rows = [...new Set(ids)].sort().map((id) => ({ id }))
      if (!isAlone) yield* database.write(sql.share, [rows])
      const there = yield* database.execute<{ readonly id: ContactId }>(sql.there, [workspace, rows])
      return new Set(there.map(({ id }) => id))
    }),
    awaitKeepers: (contact) => (isAlone ? Effect.void : database.write(sql.take, [contact]))
  }
}
