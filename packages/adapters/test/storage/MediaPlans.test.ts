/** Media on a full table: what is due, of a chat or old is found by an index, and nothing is sorted. */
import * as Media from "@overture/core/chat/Media"
import { MediaRecordStore } from "@overture/core/chat/MediaRecordStore"
import * as Builders from "@overture/core/testing/Builders"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Database } from "../../src/storage/Database.ts"
import * as PostgresStorage from "../../src/storage/PostgresStorage.ts"
import * as SqliteStorage from "../../src/storage/SqliteStorage.ts"
import { type Plan, refused, says, scans } from "./Plans.ts"
import { freshDatabase } from "./TestPostgres.ts"

const count = 20_000

/** Files of 5,000 chats in two workspaces: most are stored, some wait. */
const fill = Effect.gen(function* () {
  const build = Builders.make("media plans")
  const workspaces = [build.workspace().id, build.workspace().id] as const
  const chats = Array.from({ length: 5_000 }, () => build.ids.next("cht"))
  const records = yield* MediaRecordStore
  const rows = Array.from({ length: count }, (_, i): Media.Media => {
    const isWaiting = i % 500 === 0
    return {
      ...Media.unsettled,
      id: build.ids.next("med"),
      workspace: workspaces[i % 2]!,
      kind: "image",
      status: isWaiting ? "remote" : "stored",
      source: "inbound",
      chat: chats[i % chats.length]!,
      dueAt: isWaiting ? Builders.start + i : null,
      createdAt: Builders.start + i
    }
  })
  for (let from = 0; from < count; from += 5_000) yield* records.add(rows.slice(from, from + 5_000))
})

/** The plans of all but the count, which reads what it counts. */
const plans = Effect.gen(function* () {
  const database = yield* Database
  yield* database.script("analyze", "analyze")
  const statements = (yield* database.registered).filter(
    ({ name }) => name.startsWith("MediaRecordStore.") && name !== "MediaRecordStore.count"
  )
  assert.isAtLeast(statements.length, 10)
  return yield* Effect.forEach(statements, (statement) =>
    Effect.map(database.explain(statement), (lines): Plan => ({ name: statement.name, lines }))
  )
})

const ofSets = /\.(lock|ofChats|lockOfChats)$/

describe("media on full tables", () => {
  it.live("SQLite scans nothing", () =>
    Effect.gen(function* () {
      yield* fill
      const found = yield* plans
      // Files of chats that are handed over are put into order once they are found.
      const isBad = (plan: Plan) => !ofSets.test(plan.name) && scans(plan)
      assert.deepStrictEqual(refused(found, isBad), [])
      assert.deepStrictEqual(refused(found, says(/SCAN m\b(?! USING)/)), [])
    }).pipe(Effect.provide(SqliteStorage.layer({ path: ":memory:" })))
  )

  it.live(
    "PostgreSQL scans no table",
    () =>
      Effect.gen(function* () {
        const url = yield* Effect.promise(freshDatabase)
        yield* Effect.gen(function* () {
          yield* fill
          const found = (yield* plans).filter(({ name }) => name !== "MediaRecordStore.add")
          assert.deepStrictEqual(refused(found, says(/Seq Scan on overture_media/)), [])
        }).pipe(Effect.provide(PostgresStorage.layer({ url })))
      }),
    60_000
  )
})
