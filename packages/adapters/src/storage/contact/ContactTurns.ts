/**
 * Whose turn it is with a person: any number may write of them at the same time, and whoever removes them is alone. An
 * erasure looks for rows before it locks them, so one that is written meanwhile would be missed, or held by who waits for
 * the erasure.
 */
import type { ContactStore } from "@overture/core/contact/ContactStore"
import type { ContactId } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import * as AdvisoryLocks from "../AdvisoryLocks.ts"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"

// They come before leads, messages and chats in the order of locks, and rows of people come after these.
const area = "person"

const statements = defineStatements("ContactTurns", (sql) => ({
  there: `select c.id from ${sql.t("contact")} as c
    where c.workspace_id = $1 and c.id in (select x.id from ${sql.rows("x", 2, { id: "id" })})`
}))

export const make = (database: Database["Service"]): Pick<ContactStore["Service"], "keep" | "awaitKeepers"> => {
  const sql = database.statements(statements)
  const { share, take } = AdvisoryLocks.make(database)
  return {
    keep: Effect.fnUntraced(function* (workspace, ids) {
      if (ids.length === 0) return new Set()
      yield* share(area, ids)
      // After the lock, so that it sees what those did who were waited for.
      const rows = Array.from(new Set(ids), (id) => ({ id }))
      const there = yield* database.execute<{ readonly id: ContactId }>(sql.there, [workspace, rows])
      return new Set(there.map(({ id }) => id))
    }),
    awaitKeepers: (contact) => take(area, [contact])
  }
}
