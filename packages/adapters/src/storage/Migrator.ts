/**
 * Brings the tables to what this program knows. All steps that are due run in one transaction, one process at a time;
 * who comes second finds nothing to do. Steps only ever add what the program before them can live with, so old and new
 * processes may run side by side during an upgrade; a program that is older than the tables refuses to start.
 *
 * @example
 * const storage = Layer.provideMerge(Migrator.layer, Sqlite.layer({ path: "overture.db" }))
 */
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Clock, Effect, Layer, Schema } from "effect"
import { Database } from "./Database.ts"
import { defineStatements, type Sql } from "./Dialect.ts"
import { migration as first } from "./migrations/0001.ts"
import type { Migration } from "./migrations/Migration.ts"

/** Every step, in order. */
export const migrations: ReadonlyArray<Migration> = [first]

/** The version of the tables that this program writes. */
export const known: number = migrations.length

/** The tables were made by a newer program than this one. */
export class SchemaTooNew extends Schema.TaggedError<SchemaTooNew>()("SchemaTooNew", {
  /** The version of the tables, and the newest this program knows. */
  found: Schema.Int,
  known: Schema.Int,
  advice: Schema.String
}) {
  override get message(): string {
    return `the database has schema version ${this.found}, this program knows ${this.known}. ${this.advice}`
  }
}

export interface MigrationStatus {
  /** The version of the tables; 0 = there are none. */
  readonly found: number
  readonly known: number
  /** The steps that `migrate` would run. */
  readonly pending: ReadonlyArray<{ readonly version: number; readonly name: string }>
}

const statements = defineStatements("Migrator", (sql) => ({
  exists: sql.pick({
    postgres: `select 1 as found where to_regclass('${sql.t("migration")}') is not null`,
    sqlite: `select 1 as found from sqlite_schema where type = 'table' and name = '${sql.t("migration")}'`
  }),
  version: `select coalesce(max(version), 0) as version from ${sql.t("migration")}`,
  ran: `insert into ${sql.t("migration")}(version, name, at) values ($1, $2, $3)`
}))

/** One process at a time: an advisory lock of this prefix, until the transaction ends. SQLite has one writer anyway. */
const exclusive = (sql: Sql) =>
  sql.pick({
    postgres: `select pg_advisory_xact_lock(hashtextextended('overture migrator ${sql.t("")}', 0))`,
    sqlite: ""
  })

const log = (sql: Sql) =>
  `create table if not exists ${sql.t("migration")}(
  version ${sql.type("int")} primary key, name ${sql.type("text")} not null, at ${sql.type("bigint")} not null
) ${sql.table()}`

const found = Effect.fnUntraced(function* (database: Database["Service"]) {
  const sql = database.statements(statements)
  if ((yield* database.execute(sql.exists)).length === 0) return 0
  const [row] = yield* database.execute<{ readonly version: number }>(sql.version)
  return row?.version ?? 0
})

const tooNew = (version: number) =>
  new SchemaTooNew({
    found: version,
    known,
    advice: "A newer program has migrated it: run that one, or restore a backup made before the upgrade."
  })

/** What is there and what is due; changes nothing. */
export const status: Effect.Effect<MigrationStatus, StorageError, Database> = Effect.gen(function* () {
  const version = yield* found(yield* Database)
  return {
    found: version,
    known,
    pending: migrations.slice(version).map(({ name, version }) => ({ version, name }))
  }
})

/** Runs the steps that are due and returns them; none when the tables are up to date. */
export const migrate: Effect.Effect<ReadonlyArray<Migration>, StorageError | SchemaTooNew, Database> = Effect.gen(
  function* () {
    const database = yield* Database
    const { sql } = database
    const before = yield* found(database)
    if (before > known) return yield* tooNew(before)
    if (before === known) return []
    const at = yield* Clock.currentTimeMillis
    return yield* database.transaction(
      Effect.gen(function* () {
        if (exclusive(sql) !== "") yield* database.script("Migrator.lock", exclusive(sql))
        yield* database.script("Migrator.log", log(sql))
        // Another process may have been first.
        const version = yield* found(database)
        if (version > known) return yield* tooNew(version)
        const due = migrations.slice(version)
        for (const migration of due) {
          yield* database.script(`Migrator.${migration.version}`, migration.up(sql))
          yield* database.affected(database.statements(statements).ran, [migration.version, migration.name, at])
        }
        return due
      })
    )
  }
)

/** Migrates when the program starts. */
export const layer: Layer.Layer<never, StorageError | SchemaTooNew, Database> = Layer.effectDiscard(migrate)
