/** Everything the engine stores, in one SQLite file; its tables are brought up to date when the layer is built. */
import type { StoragePorts } from "@overture/core/Overture"
import type { StorageError } from "@overture/core/workspace/StorageError"
import type { Layer } from "effect"
import type { DatabaseUnavailable } from "./Connection.ts"
import type { Database } from "./Database.ts"
import type { SchemaTooNew } from "./Migrator.ts"
import * as SqlStorage from "./SqlStorage.ts"
import * as Sqlite from "./sqlite/Sqlite.ts"

/** The storage in the file at `path`. `Database` comes with it, for a host's own transaction. */
export const layer = (
  options: Sqlite.SqliteOptions
): Layer.Layer<StoragePorts | Database, DatabaseUnavailable | SchemaTooNew | StorageError> =>
  SqlStorage.over(Sqlite.layer(options))
