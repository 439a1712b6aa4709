/** Two engines on one PostgreSQL of their own, for what may happen in both of them at the same time. */
import * as Overture from "@overture/core/Overture"
import * as TestChannel from "@overture/core/testing/TestChannel"
import * as Seed from "@overture/core/workspace/Seed"
import { Effect, Layer } from "effect"
import pg from "pg"
import * as Scene from "../../../core/test/engine/Scene.ts"
import * as PostgresStorage from "../../src/storage/PostgresStorage.ts"
import { freshDatabase } from "../storage/TestPostgres.ts"

/** Both, until the scope ends, with a scene that the first one made and an account in it. */
export const openWith = Effect.fnUntraced(function* (channel: TestChannel.TestChannel) {
  const url = yield* Effect.promise(freshDatabase)
  const engine = Layer.build(
    Overture.layer({
      storage: PostgresStorage.layer({ url }),
      channels: [channel],
      addressHash: (address) => Seed.digest(`secret ${address}`)
    })
  )
  const engines = [yield* engine, yield* engine] as const
  const scene = yield* Effect.provideContext(Scene.make(channel), engines[0])
  const account = yield* Effect.provideContext(scene.account("a"), engines[0])
  return { url, channel, engines, scene, account, workspace: scene.workspace }
})

/** The same over a channel that takes everything. */
export const open = Effect.suspend(() => openWith(TestChannel.make()))

/** How many deadlocks a database has met. The server counts what a connection met when it ends: after the scope. */
export const deadlocks = (url: string): Effect.Effect<number> =>
  Effect.promise(async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const { rows } = await client.query<{ readonly deadlocks: string }>(
      "select deadlocks from pg_stat_database where datname = current_database()"
    )
    await client.end()
    return Number(rows[0]?.deadlocks)
  })
