import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as Places from "../../src/outbox/Places.ts"

const asking = (places: Places.Places, atMost: number) =>
  Effect.forkChild(places.take(atMost), { startImmediately: true })

/** What a fiber was granted, null while it waits. */
const granted = (fiber: Fiber.Fiber<number>) => {
  const exit = fiber.pollUnsafe()
  return exit === undefined ? null : exit._tag === "Success" ? exit.value : null
}

describe("Places", () => {
  it.effect("never grants more than there are, and serves who came first", () =>
    Effect.gen(function* () {
      const places = yield* Places.make(3)
      assert.strictEqual(yield* places.take(2), 2)
      assert.strictEqual(yield* places.take(5), 1)
      const first = yield* asking(places, 2)
      const second = yield* asking(places, 1)
      yield* Effect.yieldNow
      assert.deepStrictEqual([granted(first), granted(second)], [null, null])
      yield* places.release(1)
      yield* Effect.yieldNow
      assert.deepStrictEqual([granted(first), granted(second)], [1, null])
      yield* places.release(1)
      assert.strictEqual(yield* Fiber.join(second), 1)
    })
  )

  it.effect("waits for a settle that frees more than are free, but for no smaller one", () =>
    Effect.gen(function* () {
      const places = yield* Places.make(10)
      yield* places.take(6)
      yield* places.leave(6)
      const large = yield* asking(places, 100)
      yield* Effect.yieldNow
      assert.strictEqual(granted(large), null)
      yield* places.release(6, 6)
      assert.strictEqual(yield* Fiber.join(large), 10)
      yield* places.release(7)
      yield* places.leave(3)
      assert.strictEqual(yield* places.take(100), 7)
    })
  )

  it.effect("grants nothing to who was interrupted while it waited", () =>
    Effect.gen(function* () {
      const places = yield* Places.make(1)
      yield* places.take(1)
      const gone = yield* asking(places, 1)
      yield* Fiber.interrupt(gone)
      yield* places.release(1)
      assert.strictEqual(yield* places.take(1), 1)
    })
  )
})
