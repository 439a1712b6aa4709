/** Everything the engine stores, in PostgreSQL; its tables are brought up to date when the layer is built. */
import type { StoragePorts } from "@overture/core/Overture"
import type { StorageError } from "@overture/core/workspace/StorageError"
import type { Layer } from "effect"
import type { DatabaseUnavailable } from "./Connection.ts"
import type { Database } from "./Database.ts"
import type { SchemaTooNew } from "./Migrator.ts"
import * as Postgres from "./postgres/Postgres.ts"
import * as SqlStorage from "./SqlStorage.ts"

/** The storage behind a URL or a host's pool. `Database` comes with it, for a host's own transaction. */
export const layer = (
  options: Postgres.PostgresOptions
): Layer.Layer<StoragePorts | Database, DatabaseUnavailable | SchemaTooNew | StorageError> =>
  SqlStorage.over(Postgres.layer(options))
