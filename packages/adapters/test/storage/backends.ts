/** Fresh storages for the suite and the model: each with what the suite asks for beside the ports. */
import * as Memory from "@overture/core/memory/Memory"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import { Table } from "@overture/core/memory/Table"
import { Contents, LeaseClock, type StoragePorts } from "@overture/core/testing/storage/StorageCase"
import { Context, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { createHash } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import pg from "pg"
import { afterAll, beforeAll } from "vitest"
import { Database } from "../../src/storage/Database.ts"
import * as PostgresStorage from "../../src/storage/PostgresStorage.ts"
import * as SqliteStorage from "../../src/storage/SqliteStorage.ts"
import { freshDatabase } from "./TestPostgres.ts"

type Made = Layer.Layer<StoragePorts, unknown>

/** A database cannot be made to wait, so its leases are moved nearer to their end. */
const leaseClock = Layer.effect(
  LeaseClock,
  Effect.map(Database, (database) =>
    LeaseClock.of({
      advance: (ms) =>
        Effect.orDie(
          database.script(
            "LeaseClock.advance",
            ["claim", "job", "webhook_endpoint"]
              .map((table) => `update ${database.sql.t(table)} set until = until - ${ms};`)
              .join("\n")
          )
        ),
      moment: Effect.sleep("20 millis")
    })
  )
)

/** All tables of the prefix, as the database itself knows them. */
const contents = Layer.effect(
  Contents,
  Effect.map(Database, ({ execute, sql }) => {
    const read = <Row>(text: string) =>
      execute<Row>({
        name: "Contents",
        text,
        id: `contents ${createHash("sha1").update(text).digest("hex")}`,
        bind: (parameters) => parameters
      })
    const tables = read<{ readonly name: string }>(
      sql.pick({
        postgres: `select tablename as name from pg_tables where schemaname = current_schema()`,
        sqlite: `select name from sqlite_master where type = 'table'`
      })
    )
    return Contents.of({
      rows: Effect.gen(function* () {
        const names = (yield* tables).map(({ name }) => name).filter((name) => name.startsWith(sql.t("")))
        const rows = yield* Effect.forEach(names, (table) =>
          Effect.map(read(`select * from ${table}`), (found) =>
            found.map((row) => ({
              table,
              text: JSON.stringify(row, (_, value) => (typeof value === "bigint" ? String(value) : value))
            }))
          )
        )
        return rows.flat()
      }).pipe(Effect.orDie)
    })
  })
)

const aids = Layer.mergeAll(leaseClock, contents)

/** A storage on Effect's clock: under a `TestClock` its leases move with it. */
export const memory = (): Made =>
  Layer.merge(
    Layer.effectContext(
      Effect.map(Memory.make, (memory) =>
        Context.add(
          MemoryStorage.of(memory),
          Contents,
          Contents.of({
            rows: Effect.sync(() =>
              Object.entries(memory.state).flatMap(([table, rows]) =>
                rows instanceof Table ? rows.entries().map((row) => ({ table, text: JSON.stringify(row) })) : []
              )
            )
          })
        )
      )
    ),
    Layer.succeed(
      LeaseClock,
      LeaseClock.of({
        advance: (ms) => TestClock.adjust(ms),
        moment: Effect.forEach(Array.from({ length: 50 }), () => Effect.yieldNow, { discard: true })
      })
    )
  )

/** Each storage in a file of its own; all are removed after the test file. */
export const sqliteFiles = (): (() => Made) => {
  const home = mkdtempSync(path.join(tmpdir(), "overture-suite-"))
  afterAll(() => rmSync(home, { recursive: true, force: true }))
  let made = 0
  return () => Layer.provideMerge(aids, SqliteStorage.layer({ path: path.join(home, `${++made}.db`) }))
}

/** Storages that no file holds: for what asks many questions and does not care about the disk. */
export const sqliteMemory = (): Made => Layer.provideMerge(aids, SqliteStorage.layer({ path: ":memory:" }))

/** Each storage under a prefix of its own in one database; a missing server fails the test file. */
export const postgresPrefixes = (): (() => Made) => {
  let pool: pg.Pool
  beforeAll(async () => {
    pool = new pg.Pool({ connectionString: await freshDatabase(), max: 8 })
  }, 60_000)
  afterAll(() => pool.end())
  let made = 0
  return () => Layer.provideMerge(aids, PostgresStorage.layer({ pool, prefix: `s${++made}_` }))
}
