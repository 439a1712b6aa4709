/** What platforms tell, shuffled and three times, into each database: it leaves what memory has of it in order and once. */
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import * as Convergence from "@overture/core/testing/inbox/Convergence"
import * as Happenings from "@overture/core/testing/inbox/Happenings"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import * as PostgresStorage from "../../src/storage/PostgresStorage.ts"
import * as SqliteStorage from "../../src/storage/SqliteStorage.ts"
import { freshDatabase } from "../storage/TestPostgres.ts"

type Storage = Layer.Layer<Overture.StoragePorts, unknown>

const storages: ReadonlyArray<readonly [string, () => Promise<Storage>]> = [
  ["SQLite", async () => SqliteStorage.layer({ path: ":memory:" })],
  ["PostgreSQL", async () => PostgresStorage.layer({ url: await freshDatabase() })]
]

const people = 160

const left = (storage: Storage, isShuffled: boolean) => {
  const channel = Convergence.channel()
  const time = PacingTime.layerVirtual(Builders.start)
  return Effect.gen(function* () {
    const world = yield* Convergence.world(channel, "databases", people)
    const told = isShuffled ? Happenings.shuffled("databases", world.happenings) : world.happenings
    const handled = yield* Convergence.tell(world, told, isShuffled ? 61 : 100, isShuffled ? 7 : 11)
    return { handled, rows: yield* Convergence.left(world) }
  }).pipe(Effect.provide(Overture.layer({ storage, channels: [channel], time })))
}

describe.each(storages)("events in any order on %s", { timeout: 300_000 }, (_, open) => {
  it.live("leave what they leave in order", () =>
    Effect.gen(function* () {
      const ordered = yield* left(MemoryStorage.layer, false)
      assert.isAtLeast(ordered.handled, 3_000)
      const shuffled = yield* left(yield* Effect.promise(open), true)
      assert.strictEqual(shuffled.handled, ordered.handled)
      for (const name of Object.keys(ordered.rows) as ReadonlyArray<keyof Convergence.Left>) {
        assert.deepStrictEqual(shuffled.rows[name], ordered.rows[name], name)
      }
    })
  )
})
