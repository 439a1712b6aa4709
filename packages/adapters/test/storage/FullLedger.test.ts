/**
 * Plans on full tables, and the trap of a frozen one: statements that were prepared while the tables were empty run when
 * they are full, and what they touch stays within what they claim.
 */
import { Outreach } from "@overture/core/campaign/Outreach"
import { OutboxStore } from "@overture/core/outbox/OutboxStore"
import * as SettleRules from "@overture/core/outbox/SettleRules"
import * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import * as Scene from "@overture/core/testing/storage/Scene"
import * as TestChannel from "@overture/core/testing/TestChannel"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Database } from "../../src/storage/Database.ts"
import type { Statement } from "../../src/storage/Dialect.ts"
import * as PostgresStorage from "../../src/storage/PostgresStorage.ts"
import * as SqliteStorage from "../../src/storage/SqliteStorage.ts"
import * as FullTables from "./FullTables.ts"
import { firstColumns, plans, readsAhead, refused, scans, walksIndexes, walksTables } from "./Plans.ts"
import { freshDatabase } from "./TestPostgres.ts"

/** The engine over a storage, which it leaves open to the test. */
const engine = <E>(storage: Layer.Layer<Overture.StoragePorts | Database, E>) =>
  Layer.provideMerge(Layer.effectDiscard(Effect.void), storage).pipe((open) =>
    Layer.unwrap(
      Effect.map(Effect.context<Overture.StoragePorts>(), (ports) =>
        Overture.layer({ storage: Layer.succeedContext(ports), channels: [TestChannel.make()] })
      )
    ).pipe(Layer.provideMerge(open))
  )

/** Claims, begins and settles at most `limit` touches; tells how many. */
const round = (seed: string, limit: number) =>
  Effect.gen(function* () {
    const { reaction, source } = yield* Outreach
    const store = yield* OutboxStore
    const { ids } = Builders.make(seed)
    const now = (yield* source.nextDue) ?? 0
    const found = yield* source.claim(now, limit, { claim: ids.next("clm"), worker: "test", durationMs: 60_000 })
    if (found.claim === null) return 0
    const { id, messages } = found.claim
    const begun = yield* store.begin(
      id,
      messages.map(({ message }) => message.id),
      now
    )
    const { settled } = yield* store.settle(
      id,
      Scene.resultsOf(messages, (i) => ({ type: "accepted", externalId: `${seed} ${i}` })),
      SettleRules.conclude(ids)
    )
    yield* reaction.settled(settled, now)
    assert.strictEqual(settled.length, begun.length)
    return settled.length
  })

interface Touched {
  readonly table: string
  readonly walked: number
  readonly fetched: number
}

const plain = (name: string, text: string): Statement => ({ name, text, id: name, bind: (parameters) => parameters })

/** Rows that were read of each table so far, by walking it and by an index. */
const touched = Effect.gen(function* () {
  const { execute } = yield* Database
  // Statistics of a session are told once a second unless it is asked to.
  yield* execute(plain("flush", "select pg_stat_force_next_flush()"))
  return yield* execute<Touched>(
    plain(
      "touched",
      `select relname as table, coalesce(seq_tup_read, 0) as walked, coalesce(idx_tup_fetch, 0) as fetched
      from pg_stat_user_tables`
    )
  )
})

/** Rows that an effect read of each table. */
const reading = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const before = new Map((yield* touched).map((row) => [row.table, row]))
    const value = yield* effect
    const read = (yield* touched).map(({ fetched, table, walked }) => ({
      table,
      walked: walked - (before.get(table)?.walked ?? 0),
      fetched: fetched - (before.get(table)?.fetched ?? 0)
    }))
    return { value, read }
  })

/**
 * Batches of leads in some state, and the paces of an account: PostgreSQL reads by a bitmap what it believes to be few, and
 * so all leads of that state in a campaign for one batch of them.
 */
const batches = /^Campaign(Alarms\.ofAccounts|Change\.(pending|ready|deferred|others))$/

/** A table that SQLite knows to be tiny is walked: there are a handful of workspaces. */
const ofWorkspaces = /^Budgets\.(workspaces|returnWorkspaces)$/

/** More would mean that a statement reads what it does not need: a touch reads each of its rows a few times. */
const mostPerTouch = 20

describe("full tables", () => {
  it.live(
    "PostgreSQL looks everything up by an index, also by plans made when the tables were empty",
    () =>
      Effect.gen(function* () {
        const url = yield* Effect.promise(freshDatabase)
        // One connection: the statements that it prepared are the ones that run later.
        const storage = PostgresStorage.layer({ url, connections: 1 })
        yield* Effect.provide(
          Effect.gen(function* () {
            const { script } = yield* Database
            const walks = walksIndexes(yield* firstColumns)
            yield* FullTables.first
            assert.strictEqual(yield* round("empty", 1), 1)
            yield* FullTables.fill
            for (const state of ["frozen", "analyzed"]) {
              if (state === "analyzed") yield* script("analyze", "analyze")
              const { read, value } = yield* reading(round(state, 100))
              assert.isAbove(value, 10)
              const excessive = read.filter(({ fetched, walked }) => walked > 0 || fetched > mostPerTouch * value)
              assert.deepStrictEqual(excessive, [], state)
            }
            assert.deepStrictEqual(
              refused(
                yield* plans,
                (plan) => walksTables(plan) || walks(plan) || (readsAhead(plan) && !batches.test(plan.name))
              ),
              []
            )
          }),
          engine(storage)
        )
      }),
    120_000
  )

  it.live(
    "SQLite sorts nothing and scans no table",
    () =>
      Effect.provide(
        Effect.gen(function* () {
          const { script } = yield* Database
          yield* FullTables.first
          yield* FullTables.fill
          assert.isAbove(yield* round("full", 100), 50)
          yield* script("analyze", "analyze")
          assert.deepStrictEqual(
            refused(yield* plans, (plan) => scans(plan) && !ofWorkspaces.test(plan.name)),
            []
          )
          assert.isAbove(yield* round("analyzed", 100), 10)
        }),
        engine(SqliteStorage.layer({ path: ":memory:" }))
      ),
    120_000
  )
})
