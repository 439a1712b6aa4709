/**
 * Locks of what has no row yet, or must be locked before its row: of keys in an area, such as people or the chats of an
 * account. Any number share a key at the same time, and whoever takes it is alone; both hold it to the end of their
 * transaction. Keys are locked in their order, so of two who want the same ones neither waits for the other in a circle.
 * SQLite has one writer anyway.
 */
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "./Database.ts"
import { defineStatements } from "./Dialect.ts"

// By hashes: keys that share one are one lock, so now and then somebody waits in vain; should it be in a circle, one begins again.
const statements = defineStatements("AdvisoryLocks", (sql) => {
  const lock = (name: string) =>
    sql.pick({
      postgres: `select ${name}(hashtext($1), hashtext(x.key)) from ${sql.rows("x", 2, { key: "id" })}`,
      sqlite: "select $1 as area, $2 as keys"
    })
  return { share: lock("pg_advisory_xact_lock_shared"), take: lock("pg_advisory_xact_lock") }
})

/** How keys of an area are locked. Statements that are sent afterwards see what those did who were waited for. */
export interface AdvisoryLocks {
  /** Beside others who share them; waits for whoever has taken one. */
  readonly share: (area: string, keys: ReadonlyArray<string>) => Effect.Effect<void, StorageError>
  /** Alone; waits for all who share or have taken one. */
  readonly take: (area: string, keys: ReadonlyArray<string>) => Effect.Effect<void, StorageError>
}

/** Areas are named for this database's prefix, as its tables are. */
export const make = (database: Database["Service"]): AdvisoryLocks => {
  const sql = database.statements(statements)
  const lock =
    (statement: (typeof sql)["take"]): AdvisoryLocks["take"] =>
    (area, keys) =>
      keys.length === 0 || database.sql.name === "sqlite"
        ? Effect.void
        : database.write(statement, [database.sql.t(area), [...new Set(keys)].sort().map((key) => ({ key }))])
  return { share: lock(sql.share), take: lock(sql.take) }
}
