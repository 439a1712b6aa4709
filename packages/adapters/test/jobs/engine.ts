/** An engine over a database whose jobs read files of a folder, for a test and for the processes that it kills. */
import * as Sandbox from "../../src/channels/sandbox/Sandbox.ts"
import * as ContactFiles from "../../src/sources/ContactFiles.ts"
import * as PostgresStorage from "../../src/storage/PostgresStorage.ts"
import * as SqliteStorage from "../../src/storage/SqliteStorage.ts"
import * as Overture from "@overture/core/Overture"
import { fromUuid } from "@overture/core/workspace/Id"
import { Effect, Layer } from "effect"

/** Of every test and of the processes it starts. */
export const workspace = fromUuid("wsp", "019aa000-0000-7000-8000-000000000001")

/** `postgres:…` or the path of a file. */
export const engine = (database: string, folder: string) =>
  Layer.unwrap(
    Effect.map(Sandbox.make({}), (channel) =>
      Overture.layer({
        storage: /^postgres(ql)?:/.test(database)
          ? PostgresStorage.layer({ url: database })
          : SqliteStorage.layer({ path: database }),
        channels: [channel],
        contactFiles: (files) => ContactFiles.make({ files, folder }),
        jobs: { places: 1, leaseMs: 500 }
      })
    )
  )
