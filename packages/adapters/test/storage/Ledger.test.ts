import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as CampaignSqlStore from "../../src/storage/campaign/CampaignSqlStore.ts"
import { Database } from "../../src/storage/Database.ts"
import * as Migrator from "../../src/storage/Migrator.ts"
import * as OutboxSqlStore from "../../src/storage/outbox/OutboxSqlStore.ts"
import * as Postgres from "../../src/storage/postgres/Postgres.ts"
import * as Sqlite from "../../src/storage/sqlite/Sqlite.ts"
import { freshDatabase } from "./TestPostgres.ts"

/** Statements that run in hot transactions, by the name of their set. */
const hot = /^(Outbox|Surroundings|Budgets|Campaign(Claim|Ready|Look|Take|Change|Alarms|Counters|Pool))/
/** Of those, what lists or counts the accounts of one campaign. */
const free = new Set(["CampaignPool.accounts", "CampaignPool.size"])

const stores = Layer.mergeAll(Migrator.layer, OutboxSqlStore.layer, CampaignSqlStore.layer)

interface Plan {
  readonly name: string
  readonly lines: ReadonlyArray<string>
}

/** The plans of every hot statement as they run inside a hot transaction. */
const plans = Effect.gen(function* () {
  const database = yield* Database
  const statements = (yield* database.registered).filter(({ name }) => hot.test(name) && !free.has(name))
  assert.isAbove(statements.length, 50)
  return yield* Effect.forEach(statements, (statement) =>
    Effect.map(database.hotTransaction(database.explain(statement)), (lines): Plan => ({ name: statement.name, lines }))
  )
})

const refused = (found: ReadonlyArray<Plan>, isBad: (plan: Plan) => boolean) =>
  found.filter(isBad).map(({ lines, name }) => `${name}\n${lines.join("\n")}`)

const says =
  (bad: RegExp) =>
  ({ lines }: Plan) =>
    lines.some((line) => bad.test(line))

/**
 * Index scans that walk an index: without a condition, or with none on its first column. Of two indexes of an analyzed and
 * empty table PostgreSQL thinks the same and may take the worse one until the next analyze, so there `first` is empty.
 */
const walks =
  (first: ReadonlyMap<string, string>) =>
  ({ lines, name }: Plan) =>
    !name.endsWith(".next") &&
    lines.some((line, i) => {
      const index = /Index (?:Only )?Scan using (\w+)/.exec(line)?.[1]
      const condition = lines[i + 1] ?? ""
      return index !== undefined && !(condition.includes("Index Cond") && condition.includes(first.get(index) ?? ""))
    })

describe("plans of the ledger", () => {
  it.live("PostgreSQL looks everything up by an index, whatever it believes of empty tables", () =>
    Effect.gen(function* () {
      const url = yield* Effect.promise(freshDatabase)
      yield* Effect.provide(
        Effect.gen(function* () {
          const { run, script } = yield* Database
          const indexes = yield* run("indexes", (db) =>
            db
              .selectFrom("pg_index as i")
              .innerJoin("pg_class as c", "c.oid", "i.indexrelid")
              .innerJoin("pg_attribute as a", (join) => join.onRef("a.attrelid", "=", "c.oid").on("a.attnum", "=", 1))
              .select(["c.relname as name", "a.attname as first"])
              .execute()
          )
          const first = new Map(indexes.map((row) => [String(row["name"]), String(row["first"])]))
          const bad = says(/Seq Scan|\bSort\b|Hash Join|Merge Join|Materialize|Bitmap/)
          for (const state of ["fresh", "analyzed"]) {
            if (state === "analyzed") yield* script("analyze", "analyze")
            const found = yield* plans
            assert.deepStrictEqual(
              refused(found, (plan) => bad(plan) || walks(state === "fresh" ? first : new Map())(plan)),
              [],
              state
            )
            const dry = found.find(({ name }) => name === "CampaignLook.dry")
            for (const index of ["lead_ready", "lead_due", "lead_parts"]) {
              assert.isTrue(dry !== undefined && says(new RegExp(index))(dry), `dry without ${index}, ${state}`)
            }
          }
        }),
        Layer.provideMerge(stores, Postgres.layer({ url, connections: 2 }))
      )
    })
  )

  it.live("SQLite sorts nothing and scans no table", () =>
    Effect.provide(
      Effect.gen(function* () {
        const found = yield* plans
        assert.deepStrictEqual(refused(found, says(/TEMP B-TREE|SCAN (?!x\b|json_each|i\b|CONSTANT|\(subquery)/)), [])
      }),
      Layer.provideMerge(stores, Sqlite.layer({ path: ":memory:" }))
    )
  )
})
