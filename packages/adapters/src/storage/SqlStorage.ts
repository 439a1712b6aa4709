/** The stores over one database, whichever it is. */
import type { StoragePorts } from "@overture/core/Overture"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Layer } from "effect"
import * as AccountGroupSqlStore from "./AccountGroupSqlStore.ts"
import * as AccountLogSqlStore from "./AccountLogSqlStore.ts"
import * as AccountSecretSqlStore from "./AccountSecretSqlStore.ts"
import * as AccountSqlStore from "./AccountSqlStore.ts"
import * as AccountTallySqlStore from "./AccountTallySqlStore.ts"
import * as CampaignSqlStore from "./campaign/CampaignSqlStore.ts"
import * as ChatSqlStore from "./ChatSqlStore.ts"
import * as ContactSqlStore from "./ContactSqlStore.ts"
import type { Database } from "./Database.ts"
import { layerTransaction } from "./Database.ts"
import * as EventSqlStore from "./EventSqlStore.ts"
import * as ForecastSqlStore from "./ForecastSqlStore.ts"
import * as InboxSqlStore from "./inbox/InboxSqlStore.ts"
import * as MemberSqlStore from "./inbox/MemberSqlStore.ts"
import * as PrivateReplySqlStore from "./inbox/PrivateReplySqlStore.ts"
import * as TemplateSqlStore from "./inbox/TemplateSqlStore.ts"
import * as MediaRecordSqlStore from "./MediaRecordSqlStore.ts"
import * as JobSqlStore from "./JobSqlStore.ts"
import * as Migrator from "./Migrator.ts"
import * as ProfileSqlStore from "./ProfileSqlStore.ts"
import * as OutboxSqlStore from "./outbox/OutboxSqlStore.ts"
import * as WebhookSqlStore from "./webhooks/WebhookSqlStore.ts"
import * as WorkspaceSqlStore from "./WorkspaceSqlStore.ts"

const accounts = Layer.mergeAll(
  AccountSqlStore.layer,
  AccountGroupSqlStore.layer,
  AccountSecretSqlStore.layer,
  AccountLogSqlStore.layer,
  AccountTallySqlStore.layer,
  ProfileSqlStore.layer
)

const stores = Layer.mergeAll(
  accounts,
  layerTransaction,
  WorkspaceSqlStore.layer,
  EventSqlStore.layer,
  WebhookSqlStore.layer,
  ContactSqlStore.layer,
  ChatSqlStore.layer,
  MediaRecordSqlStore.layer,
  InboxSqlStore.layer,
  MemberSqlStore.layer,
  PrivateReplySqlStore.layer,
  TemplateSqlStore.layer,
  OutboxSqlStore.layer,
  CampaignSqlStore.layer,
  ForecastSqlStore.layer,
  JobSqlStore.layer
)

/** Every port over `database`, once its tables are up to date. */
export const over = <E>(
  database: Layer.Layer<Database, E>
): Layer.Layer<StoragePorts | Database, E | Migrator.SchemaTooNew | StorageError> =>
  stores.pipe(Layer.provideMerge(Migrator.layer), Layer.provideMerge(database))
