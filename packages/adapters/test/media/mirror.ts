/** A process that fetches what is due in a database into a folder, one file after another, until it is killed. */
import { MediaUpkeep } from "@overture/core/chat/MediaUpkeep"
import * as Overture from "@overture/core/Overture"
import * as TestChannel from "@overture/core/testing/TestChannel"
import { Effect, Layer } from "effect"
import * as FileMedia from "../../src/media/FileMedia.ts"
import * as HttpMedia from "../../src/media/HttpMedia.ts"
import * as SqliteStorage from "../../src/storage/SqliteStorage.ts"

const [database = "", root = ""] = process.argv.slice(2)
const engine = Overture.layer({
  storage: SqliteStorage.layer({ path: database }),
  channels: [TestChannel.make()],
  media: Layer.mergeAll(FileMedia.layer({ root }), HttpMedia.layer({ allowHttp: true, allowInward: true }))
})
await Effect.runPromise(
  Effect.provide(
    Effect.gen(function* () {
      const [chore] = (yield* MediaUpkeep).chores
      while ((yield* chore!.round(Date.now())).worked);
    }),
    engine
  )
)
