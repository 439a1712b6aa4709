/** What a page of the feed costs PostgreSQL where it knows nothing of the feed yet: the page, not all that comes after. */
import { EventStore } from "@overture/core/event/EventStore"
import * as Builders from "@overture/core/testing/Builders"
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Database } from "../../src/storage/Database.ts"
import * as EventSqlStore from "../../src/storage/EventSqlStore.ts"
import * as Migrator from "../../src/storage/Migrator.ts"
import * as Postgres from "../../src/storage/postgres/Postgres.ts"
import { freshDatabase } from "./TestPostgres.ts"

const build = Builders.make("feed pages")
const workspace = build.workspace().id
const page = 1_000

/** Events that an effect read out of their table. */
const reading = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { execute } = yield* Database
    const query = (name: string, text: string) => ({ name, text, id: name, bind: () => [] })
    const fetched = Effect.gen(function* () {
      // Statistics of a session are told once a second unless it is asked to.
      yield* execute(query("flush", "select pg_stat_force_next_flush()"))
      const [row] = yield* execute<{ readonly n: number }>(
        query(
          "fetched",
          "select seq_tup_read + idx_tup_fetch as n from pg_stat_user_tables where relname = 'overture_event'"
        )
      )
      return row?.n ?? 0
    })
    const before = yield* fetched
    yield* effect
    return (yield* fetched) - before
  })

it.live("a page of a feed that was never analyzed reads no more than the page", () =>
  Effect.gen(function* () {
    const url = yield* Effect.promise(freshDatabase)
    yield* Effect.provide(
      Effect.gen(function* () {
        const feed = yield* EventStore
        const database = yield* Database
        yield* database.transaction(
          feed.append(Array.from({ length: 12_000 }, (_, i) => build.event(workspace, `s${i}`, { type: "lead.sent" })))
        )
        const scan = (types: ReadonlyArray<"chat.closed"> | null) =>
          Effect.asVoid(feed.scan(workspace, { after: null, until: null, types, limit: page }))
        for (const read of [Effect.asVoid(feed.read(workspace, null, page)), scan(null), scan(["chat.closed"])]) {
          assert.isAtMost(yield* reading(read), page)
        }
      }),
      // One connection: its statistics are those that are asked for.
      Layer.provideMerge(
        Layer.provideMerge(EventSqlStore.layer, Migrator.layer),
        Postgres.layer({ url, connections: 1 })
      )
    )
  })
)
