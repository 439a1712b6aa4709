/** The ledger in SQL: `claimQueued`, `begin`, `settle`, `release`, `queue`, put together. */
import { OutboxStore } from "@overture/core/outbox/OutboxStore"
import { Effect, Layer } from "effect"
import { Database } from "../Database.ts"
import * as Guard from "../Guard.ts"
import * as Begin from "./begin.ts"
import * as ClaimQueued from "./claimQueued.ts"
import * as Queue from "./queue.ts"
import * as Release from "./release.ts"
import * as Settle from "./settle.ts"

export const make = (database: Database["Service"]): OutboxStore["Service"] =>
  OutboxStore.of({
    ...Guard.make(database),
    ...Begin.make(database),
    ...Release.make(database),
    ...Queue.make(database),
    claimQueued: ClaimQueued.make(database),
    settle: Settle.make(database)
  })

export const layer: Layer.Layer<OutboxStore, never, Database> = Layer.effect(OutboxStore, Effect.map(Database, make))
