import { LeaseClock } from "@overture/core/testing/storage/StorageCase"
import { Effect, Layer } from "effect"
import * as AccountSqlStore from "../../src/storage/AccountSqlStore.ts"
import * as CampaignSqlStore from "../../src/storage/campaign/CampaignSqlStore.ts"
import * as ChatSqlStore from "../../src/storage/ChatSqlStore.ts"
import * as ContactSqlStore from "../../src/storage/ContactSqlStore.ts"
import * as Databases from "../../src/storage/Database.ts"
import * as EventSqlStore from "../../src/storage/EventSqlStore.ts"
import * as Migrator from "../../src/storage/Migrator.ts"
import * as OutboxSqlStore from "../../src/storage/outbox/OutboxSqlStore.ts"
import * as Postgres from "../../src/storage/postgres/Postgres.ts"
import * as Sqlite from "../../src/storage/sqlite/Sqlite.ts"
import * as WorkspaceSqlStore from "../../src/storage/WorkspaceSqlStore.ts"
import { runSuite } from "./runSuite.ts"
import { freshDatabase } from "./TestPostgres.ts"

const stores = Layer.mergeAll(
  Migrator.layer,
  Databases.layerTransaction,
  WorkspaceSqlStore.layer,
  AccountSqlStore.layer,
  ContactSqlStore.layer,
  ChatSqlStore.layer,
  EventSqlStore.layer,
  OutboxSqlStore.layer,
  CampaignSqlStore.layer,
  Layer.effect(
    LeaseClock,
    Effect.map(Databases.Database, (database) =>
      LeaseClock.of({
        advance: (ms) =>
          Effect.orDie(database.script("advance", `update ${database.sql.t("claim")} set until = until - ${ms}`)),
        moment: Effect.sleep("30 millis")
      })
    )
  )
)
runSuite({
  name: "SQLite",
  clock: "live",
  storage: () => Layer.provideMerge(stores, Sqlite.layer({ path: ":memory:" }))
})
runSuite({
  name: "PostgreSQL",
  clock: "live",
  storage: async () => Layer.provideMerge(stores, Postgres.layer({ url: await freshDatabase(), connections: 4 }))
})
