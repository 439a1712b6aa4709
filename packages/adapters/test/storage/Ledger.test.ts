import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as CampaignSqlStore from "../../src/storage/campaign/CampaignSqlStore.ts"
import { Database } from "../../src/storage/Database.ts"
import * as Migrator from "../../src/storage/Migrator.ts"
import * as OutboxSqlStore from "../../src/storage/outbox/OutboxSqlStore.ts"
import * as Postgres from "../../src/storage/postgres/Postgres.ts"
import * as Sqlite from "../../src/storage/sqlite/Sqlite.ts"
import { freshDatabase } from "./TestPostgres.ts"

/** Statements that run in the ledger's own transactions, by the name of their set. */
const hot =
  /^(Outbox|Surroundings|Budgets|CampaignClaim|CampaignReady|CampaignLook|CampaignTake|CampaignChange|CampaignAlarms|CampaignCounters)/
/** Those that look for leads of any state, or all that a claim row or a pace says, and may take what the planner likes. */
const free = new Set(["CampaignChange.others"])

const stores = Layer.mergeAll(Migrator.layer, OutboxSqlStore.layer, CampaignSqlStore.layer)

/** The plans of every hot statement as they run inside a hot transaction. */
const plans = Effect.gen(function* () {
  const database = yield* Database
  const statements = (yield* database.registered).filter(({ name }) => hot.test(name) && !free.has(name))
  assert.isAbove(statements.length, 40)
  return yield* Effect.forEach(statements, (statement) =>
    Effect.map(database.hotTransaction(database.explain(statement)), (lines) => ({ name: statement.name, lines }))
  )
})

/** Index scans without a condition walk the whole index. */
const walked = (found: ReadonlyArray<{ readonly name: string; readonly lines: ReadonlyArray<string> }>) =>
  found.flatMap(({ lines, name }) =>
    !name.endsWith(".next") && lines.some((line, i) => /Index (Only )?Scan/.test(line) && !/Index Cond/.test(lines[i + 1] ?? ""))
      ? [`${name}\n${lines.join("\n")}`]
      : []
  )

const refused = (found: ReadonlyArray<{ readonly name: string; readonly lines: ReadonlyArray<string> }>, bad: RegExp) =>
  found.flatMap(({ lines, name }) => (lines.some((line) => bad.test(line)) ? [`${name}\n${lines.join("\n")}`] : []))

describe("plans of the ledger", () => {
  it.live("PostgreSQL sorts nothing and scans no table, empty or analyzed", () =>
    Effect.gen(function* () {
      const url = yield* Effect.promise(freshDatabase)
      const layer = Layer.provideMerge(stores, Postgres.layer({ url, connections: 2 }))
      yield* Effect.provide(
        Effect.gen(function* () {
          const { script } = yield* Database
          const bad = /Seq Scan|\bSort\b|Hash Join|Merge Join|Materialize|Bitmap/
          for (const state of ["fresh", "analyzed"]) {
            if (state === "analyzed") yield* script("analyze", "analyze")
            const found = yield* plans
            assert.deepStrictEqual([...refused(found, bad), ...walked(found)], [], state)
          }
        }),
        layer
      )
    })
  )

  it.live("SQLite sorts nothing and scans no table", () =>
    Effect.provide(
      Effect.gen(function* () {
        const found = yield* plans
        assert.deepStrictEqual(refused(found, /TEMP B-TREE|SCAN (?!x\b|json_each|i\b|CONSTANT|\(subquery)/), [])
      }),
      Layer.provideMerge(stores, Sqlite.layer({ path: ":memory:" }))
    )
  )
})
