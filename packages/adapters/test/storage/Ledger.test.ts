import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as CampaignSqlStore from "../../src/storage/campaign/CampaignSqlStore.ts"
import { Database } from "../../src/storage/Database.ts"
import * as Migrator from "../../src/storage/Migrator.ts"
import * as OutboxSqlStore from "../../src/storage/outbox/OutboxSqlStore.ts"
import * as Postgres from "../../src/storage/postgres/Postgres.ts"
import * as Sqlite from "../../src/storage/sqlite/Sqlite.ts"
import { firstColumns, type Plan, plans, readsAhead, refused, says, scans, walksIndexes, walksTables } from "./Plans.ts"
import { freshDatabase } from "./TestPostgres.ts"

const stores = Layer.mergeAll(Migrator.layer, OutboxSqlStore.layer, CampaignSqlStore.layer)

describe("plans of the ledger", () => {
  it.live("PostgreSQL looks everything up by an index, whatever it believes of empty tables", () =>
    Effect.gen(function* () {
      const url = yield* Effect.promise(freshDatabase)
      yield* Effect.provide(
        Effect.gen(function* () {
          const { script } = yield* Database
          const first = yield* firstColumns
          for (const state of ["fresh", "analyzed"]) {
            if (state === "analyzed") yield* script("analyze", "analyze")
            const found = yield* plans
            // Paces have two indexes of the same columns; alarms are set by people, and walk the younger until the next analyze.
            const walks = (plan: Plan) => !plan.name.startsWith("CampaignAlarms.") && walksIndexes(first)(plan)
            assert.deepStrictEqual(
              refused(found, (plan) => walksTables(plan) || readsAhead(plan) || walks(plan)),
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
        assert.deepStrictEqual(refused(yield* plans, scans), [])
      }),
      Layer.provideMerge(stores, Sqlite.layer({ path: ":memory:" }))
    )
  )
})
