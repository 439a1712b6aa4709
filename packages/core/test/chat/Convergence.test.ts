import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import * as Overture from "../../src/Overture.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as Convergence from "../../src/testing/inbox/Convergence.ts"
import * as Happenings from "../../src/testing/inbox/Happenings.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"

const { start } = Builders

/** What is left on a storage of its own when all is told in order, or not. */
const left = (seed: string, people: number, isShuffled: boolean) => {
  const channel = Convergence.channel()
  const time = PacingTime.layerVirtual(start)
  return Effect.gen(function* () {
    const world = yield* Convergence.world(channel, seed, people)
    const told = isShuffled ? Happenings.shuffled(seed, world.happenings) : world.happenings
    const handled = yield* Convergence.tell(world, told, isShuffled ? 37 : 100, isShuffled ? 7 : 11)
    return { handled, told: world.happenings.length, rows: yield* Convergence.left(world) }
  }).pipe(Effect.provide(Overture.layer({ storage: MemoryStorage.layer, channels: [channel], time })))
}

describe("what platforms tell, shuffled and three times", () => {
  for (const seed of Array.from({ length: 24 }, (_, i) => `seed ${i}`)) {
    it.effect(`leaves what it leaves in order and once (${seed})`, () =>
      Effect.gen(function* () {
        const people = 12
        const ordered = yield* left(seed, people, false)
        const shuffled = yield* left(seed, people, true)
        assert.strictEqual(shuffled.handled, ordered.handled)
        for (const name of Object.keys(ordered.rows) as ReadonlyArray<keyof Convergence.Left>) {
          assert.deepStrictEqual(shuffled.rows[name], ordered.rows[name], name)
        }
        assert.deepStrictEqual(ordered.rows.counts, ordered.rows.recounts)
        assert.deepStrictEqual(ordered.rows.notices, [])
      })
    )
  }
})
