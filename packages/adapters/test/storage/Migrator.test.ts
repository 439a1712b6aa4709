import { EventStore } from "@overture/core/event/EventStore"
import * as Builders from "@overture/core/testing/Builders"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { afterAll } from "vitest"
import type { DatabaseUnavailable } from "../../src/storage/Connection.ts"
import { Database } from "../../src/storage/Database.ts"
import * as EventSqlStore from "../../src/storage/EventSqlStore.ts"
import * as Migrator from "../../src/storage/Migrator.ts"
import * as Postgres from "../../src/storage/postgres/Postgres.ts"
import * as Sqlite from "../../src/storage/sqlite/Sqlite.ts"
import { freshDatabase } from "./TestPostgres.ts"

const home = mkdtempSync(path.join(tmpdir(), "overture-migrator-"))
afterAll(() => rmSync(home, { recursive: true, force: true }))

type Place = (prefix: string) => Layer.Layer<Database, DatabaseUnavailable>

const databases: ReadonlyArray<readonly [string, () => Promise<Place>]> = [
  [
    "SQLite",
    async () => {
      const file = path.join(mkdtempSync(path.join(home, "db-")), "overture.db")
      return (prefix) => Sqlite.layer({ path: file, prefix })
    }
  ],
  [
    "PostgreSQL",
    async () => {
      const url = await freshDatabase()
      return (prefix) => Postgres.layer({ url, prefix, connections: 4 })
    }
  ]
]

describe.each(databases)("Migrator on %s", (_, open) => {
  it.live("makes the tables once, whoever asks and however often", () =>
    Effect.gen(function* () {
      const place = yield* Effect.promise(open)
      const run = Effect.all([Migrator.migrate, Migrator.migrate], { concurrency: 2 }).pipe(
        Effect.provide(place("overture_"))
      )
      const both = yield* run
      assert.deepStrictEqual(
        both.map((steps) => steps.length).sort((a, b) => a - b),
        [0, Migrator.known]
      )
      assert.deepStrictEqual(yield* run, [[], []])
      const status = yield* Effect.provide(Migrator.status, place("overture_"))
      assert.deepStrictEqual(status, { found: Migrator.known, known: Migrator.known, pending: [] })
    })
  )

  it.live("keeps the tables of two prefixes apart", () =>
    Effect.gen(function* () {
      const place = yield* Effect.promise(open)
      yield* Effect.provide(Migrator.migrate, place("one_"))
      assert.strictEqual((yield* Effect.provide(Migrator.status, place(""))).found, 0)
      assert.strictEqual((yield* Effect.provide(Migrator.migrate, place(""))).length, Migrator.known)
    })
  )

  it.live("refuses tables that a newer program made", () =>
    Effect.gen(function* () {
      const place = yield* Effect.promise(open)
      const error = yield* Effect.gen(function* () {
        yield* Migrator.migrate
        const { script, sql } = yield* Database
        yield* script("newer", `insert into ${sql.t("migration")}(version, name, at) values (99, 'later', 0)`)
        return yield* Effect.flip(Migrator.migrate)
      }).pipe(Effect.provide(place("overture_")))
      assert.isTrue(error instanceof Migrator.SchemaTooNew)
      assert.include(error.message, "version 99")
    })
  )

  it.live("the feed passes by nothing that commits late, and expires positions of another epoch", () =>
    Effect.gen(function* () {
      const place = yield* Effect.promise(open)
      const build = Builders.make("feed")
      const workspace = build.workspace().id
      yield* Effect.gen(function* () {
        yield* Migrator.migrate
        const database = yield* Database
        const feed = yield* EventStore
        const event = (subject: string) => build.event(workspace, subject)
        const subjects = (after: string | null) =>
          Effect.map(feed.read(workspace, after, 10), (rows) => rows.map((row) => row.event.subject))
        yield* feed.append([event("a"), event("b")])
        if (database.sql.name === "postgres") {
          const written = yield* Deferred.make<void>()
          const release = yield* Deferred.make<void>()
          const late = yield* Effect.forkChild(
            database.transaction(
              Effect.gen(function* () {
                yield* feed.append([event("late")])
                yield* Deferred.succeed(written, undefined)
                yield* Deferred.await(release)
              })
            )
          )
          yield* Deferred.await(written)
          yield* feed.append([event("early")])
          assert.deepStrictEqual(yield* subjects(null), ["a", "b"])
          yield* Deferred.succeed(release, undefined)
          yield* Fiber.join(late)
        } else yield* feed.append([event("late"), event("early")])
        const rows = yield* feed.read(workspace, null, 10)
        assert.deepStrictEqual(
          rows.map((row) => row.event.subject),
          ["a", "b", "late", "early"]
        )
        assert.deepStrictEqual(rows[0]!.event.actor, { type: "system", id: null })
        assert.deepStrictEqual(yield* subjects(rows[1]!.position), ["late", "early"])
        assert.strictEqual((yield* Effect.flip(feed.read(workspace, "junk", 1)))._tag, "CursorExpired")
        yield* EventSqlStore.reopenFeed(database)
        assert.strictEqual((yield* Effect.flip(feed.read(workspace, rows[1]!.position, 1)))._tag, "CursorExpired")
        assert.deepStrictEqual(yield* subjects(null), ["a", "b", "late", "early"])
      }).pipe(Effect.provide(Layer.provideMerge(EventSqlStore.layer, place("overture_"))))
    })
  )
})
