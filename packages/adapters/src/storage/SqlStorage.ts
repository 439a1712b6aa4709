/** The stores over one database, whichever it is. */
import type { StoragePorts } from "@overture/core/Overture"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Layer } from "effect"
import * as AccountGroupSqlStore from "./AccountGroupSqlStore.ts"
import * as AccountSqlStore from "./AccountSqlStore.ts"
import * as CampaignSqlStore from "./campaign/CampaignSqlStore.ts"
import * as ChatSqlStore from "./ChatSqlStore.ts"
import * as ContactSqlStore from "./ContactSqlStore.ts"
import type { Database } from "./Database.ts"
import { layerTransaction } from "./Database.ts"
import * as EventSqlStore from "./EventSqlStore.ts"
import * as ForecastSqlStore from "./ForecastSqlStore.ts"
import * as Migrator from "./Migrator.ts"
import * as OutboxSqlStore from "./outbox/OutboxSqlStore.ts"
import * as WorkspaceSqlStore from "./WorkspaceSqlStore.ts"

const stores = Layer.mergeAll(
  layerTransaction,
  WorkspaceSqlStore.layer,
  EventSqlStore.layer,
  AccountSqlStore.layer,
  AccountGroupSqlStore.layer,
  ContactSqlStore.layer,
  ChatSqlStore.layer,
  OutboxSqlStore.layer,
  CampaignSqlStore.layer,
  ForecastSqlStore.layer
)

/** Every port over `database`, once its tables are up to date. */
export const over = <E>(
  database: Layer.Layer<Database, E>
): Layer.Layer<StoragePorts | Database, E | Migrator.SchemaTooNew | StorageError> =>
  stores.pipe(Layer.provideMerge(Migrator.layer), Layer.provideMerge(database))
