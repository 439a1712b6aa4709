/** Fresh storages for the suite and the model: each with the hold on lease time that `LeaseClock` asks for. */
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import { LeaseClock, type StoragePorts } from "@overture/core/testing/storage/StorageCase"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
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
          database.script("LeaseClock.advance", `update ${database.sql.t("claim")} set until = until - ${ms}`)
        ),
      moment: Effect.sleep("20 millis")
    })
  )
)

/** A storage on Effect's clock: under a `TestClock` its leases move with it. */
export const memory = (): Made =>
  Layer.merge(
    MemoryStorage.layer,
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
  return () => Layer.provideMerge(leaseClock, SqliteStorage.layer({ path: path.join(home, `${++made}.db`) }))
}

/** Storages that no file holds: for what asks many questions and does not care about the disk. */
export const sqliteMemory = (): Made => Layer.provideMerge(leaseClock, SqliteStorage.layer({ path: ":memory:" }))

/** Each storage under a prefix of its own in one database; a missing server fails the test file. */
export const postgresPrefixes = (): (() => Made) => {
  let pool: pg.Pool
  beforeAll(async () => {
    pool = new pg.Pool({ connectionString: await freshDatabase(), max: 8 })
  }, 60_000)
  afterAll(() => pool.end())
  let made = 0
  return () => Layer.provideMerge(leaseClock, PostgresStorage.layer({ pool, prefix: `s${++made}_` }))
}
