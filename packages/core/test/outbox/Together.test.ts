import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import * as Together from "../../src/outbox/Together.ts"

describe("Together", () => {
  it.effect("serves all who ask meanwhile by one run, which begins after they asked", () =>
    Effect.gen(function* () {
      const gates = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      let runs = 0
      let there = 0
      let served = 0
      const ask = yield* Together.make(
        Effect.suspend(() => {
          const gate = gates[runs++]
          const taken = there
          there = 0
          return Effect.map(gate === undefined ? Effect.void : Deferred.await(gate), () => void (served += taken))
        })
      )
      const offer = Effect.suspend(() => {
        there += 1
        return ask
      })
      const first = yield* Effect.forkChild(offer, { startImmediately: true })
      while (runs === 0) yield* Effect.yieldNow
      const others = yield* Effect.forEach(Array.from({ length: 100 }), () =>
        Effect.forkChild(offer, { startImmediately: true })
      )
      assert.strictEqual(runs, 1)
      yield* Deferred.succeed(gates[0]!, undefined)
      yield* Fiber.join(first)
      assert.strictEqual(served, 1)
      yield* Deferred.succeed(gates[1]!, undefined)
      yield* Effect.forEach(others, Fiber.join)
      assert.deepStrictEqual([runs, served, there], [2, 101, 0])
    })
  )

  it.effect("fails only who began the run, and goes on", () =>
    Effect.gen(function* () {
      let runs = 0
      const ask = yield* Together.make(Effect.suspend(() => (++runs === 1 ? Effect.fail("no") : Effect.void)))
      const one = yield* Effect.forkChild(Effect.flip(ask), { startImmediately: true })
      const other = yield* Effect.forkChild(ask, { startImmediately: true })
      assert.strictEqual(yield* Fiber.join(one), "no")
      yield* Fiber.join(other)
      yield* ask
      assert.strictEqual(runs, 2)
    })
  )

  it.effect("lets another begin where the first was interrupted while it waited", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      let runs = 0
      const ask = yield* Together.make(Effect.suspend(() => (++runs === 1 ? Deferred.await(gate) : Effect.void)))
      const first = yield* Effect.forkChild(ask, { startImmediately: true })
      while (runs === 0) yield* Effect.yieldNow
      const second = yield* Effect.forkChild(ask, { startImmediately: true })
      const third = yield* Effect.forkChild(ask, { startImmediately: true })
      yield* Fiber.interrupt(second)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(first)
      yield* Fiber.join(third)
      assert.strictEqual(runs, 2)
    })
  )
})
