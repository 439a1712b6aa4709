import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import * as DailyRange from "../../src/campaign/DailyRange.ts"

const refusal = (input: unknown): string => {
  const result = Schema.decodeUnknownResult(DailyRange.DailyRange)(input)
  return Result.isFailure(result) ? String(result.failure) : "accepted"
}

describe("DailyRange", () => {
  it("draws an integer of the range, the same for the same seed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(100), fc.string(), (rangeMin, width, seed) => {
        const range = { rangeMin, rangeMax: rangeMin + width }
        const drawn = DailyRange.base(range, seed)
        assert.isTrue(Number.isInteger(drawn) && drawn >= range.rangeMin && drawn <= range.rangeMax)
        assert.strictEqual(DailyRange.base(range, seed), drawn)
      })
    )
  })

  it("draws every number of the range about equally often", () => {
    const counts = new Map<number, number>()
    for (let i = 0; i < 10_000; i++) {
      const drawn = DailyRange.base({ rangeMin: 20, rangeMax: 29 }, `seed ${i}`)
      counts.set(drawn, (counts.get(drawn) ?? 0) + 1)
    }
    assert.deepStrictEqual(
      [...counts.keys()].sort((a, b) => a - b),
      [20, 21, 22, 23, 24, 25, 26, 27, 28, 29]
    )
    for (const count of counts.values()) assert.approximately(count, 1000, 150)
  })

  it.each([
    [{ rangeMin: 0, rangeMax: 5 }, "rangeMin"],
    [{ rangeMin: 1.5, rangeMax: 5 }, "rangeMin"],
    [{ rangeMin: 1, rangeMax: 100_001 }, "rangeMax"],
    [{ rangeMin: 30, rangeMax: 20 }, "rangeMax 20 is less than rangeMin 30"]
  ])("refuses %j", (input, word) => assert.include(refusal(input), word))

  it("accepts a range of one number, and the most", () => {
    assert.strictEqual(refusal({ rangeMin: 5, rangeMax: 5 }), "accepted")
    assert.strictEqual(refusal({ rangeMin: 1, rangeMax: 100_000 }), "accepted")
  })
})
