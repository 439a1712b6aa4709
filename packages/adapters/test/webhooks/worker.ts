/** A process that delivers until it is killed. Takes where the database is, as JSON. */
import { WebhookDeliveries } from "@overture/core/event/WebhookDeliveries"
import { Clock, Effect, Logger } from "effect"
import * as PostgresStorage from "../../src/storage/PostgresStorage.ts"
import * as SqliteStorage from "../../src/storage/SqliteStorage.ts"
import { engine } from "./engine.ts"

export type Place = { readonly url: string } | { readonly path: string }

export const storageOf = (place: Place) =>
  "url" in place ? PostgresStorage.layer({ url: place.url }) : SqliteStorage.layer({ path: place.path })

const delivering = Effect.gen(function* () {
  const { chores } = yield* WebhookDeliveries
  for (;;) {
    const { worked } = yield* chores[0]!.round(yield* Clock.currentTimeMillis)
    if (!worked) yield* Effect.sleep(20)
  }
})

if (import.meta.main) {
  const place = JSON.parse(process.argv[2] ?? "{}") as Place
  Effect.runFork(
    Effect.provide(delivering, engine(storageOf(place))).pipe(
      Effect.provide(Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)]))
    )
  )
}
