import { expectSame, play, type Run } from "@overture/core/testing/storage/Model"
import type { StoragePorts } from "@overture/core/testing/storage/StorageCase"
import { Effect, type Layer } from "effect"
import { TestClock } from "effect/testing"
import fc from "fast-check"
import { describe, it } from "vitest"
import { memory, postgresPrefixes, sqliteMemory } from "./backends.ts"

const length = 200

const run = (seed: string, storage: Layer.Layer<StoragePorts, unknown>): Promise<Run> =>
  Effect.runPromise(Effect.provide(play(seed, length), storage))

/** The executable specification says what every storage must answer. */
const specified = (seed: string): Promise<Run> =>
  Effect.runPromise(Effect.provide(Effect.provide(play(seed, length), memory()), TestClock.layer()))

const agrees = (name: string, numRuns: number, storage: () => Layer.Layer<StoragePorts, unknown>) =>
  it(`${name} answers ${numRuns} random sequences of ${length} verbs as memory does`, async () => {
    const seeds = fc.integer({ min: 0, max: 1_000_000 }).map((number) => `model ${number}`)
    const property = fc.asyncProperty(seeds, async (seed) =>
      expectSame(await run(seed, storage()), await specified(seed))
    )
    // A shorter sequence is another one, so there is nothing to shrink; the seed alone says where it broke.
    await fc.assert(property, { numRuns, seed: 20_260_309, endOnFailure: true })
  }, 120_000)

describe("model", () => {
  agrees("SQLite", 24, sqliteMemory)
  agrees("PostgreSQL", 8, postgresPrefixes())
})
