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

  it.effect("waits for what is about to be freed where that is as much as is free, but for nothing less", () =>
    Effect.gen(function* () {
      const places = yield* Places.make(10)
      yield* places.take(5)
      yield* Effect.repeat(places.leave, { times: 4 })
      const large = yield* asking(places, 100)
      yield* Effect.yieldNow
      assert.strictEqual(granted(large), null)
      yield* places.release(5, 5)
      assert.strictEqual(yield* Fiber.join(large), 10)
      yield* places.release(6)
      yield* Effect.repeat(places.leave, { times: 3 })
      assert.strictEqual(yield* places.take(100), 6)
    })
  )

  it.effect("brings groups together that take turns", () =>
    Effect.gen(function* () {
      const places = yield* Places.make(32)
      const begin = Effect.tap(places.take(100), (taken) => Effect.repeat(places.leave, { times: taken - 1 }))
      // One is settled while the other, begun before, is sent.
      const one = yield* places.take(20)
      const other = yield* begin
      const next = yield* Effect.forkChild(begin, { startImmediately: true })
      yield* places.release(one)
      yield* Effect.yieldNow
      assert.strictEqual(other, 12)
      assert.strictEqual(granted(next), 20)
      const after = yield* asking(places, 100)
      yield* places.release(other, other)
      yield* Effect.yieldNow
      assert.strictEqual(granted(after), null)
      yield* places.release(20, 20)
      assert.strictEqual(yield* Fiber.join(after), 32)
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
