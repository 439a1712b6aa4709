import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Shares from "../../src/campaign/Shares.ts"

const sum = (values: ReadonlyArray<number>) => values.reduce((total, value) => total + value, 0)

const holders = fc.array(fc.record({ given: fc.nat(60), weight: fc.integer({ min: 1, max: 9 }) }), {
  minLength: 1,
  maxLength: 6
})

/** The level at which `size` more leads stand if they could be cut: found by halving, knowing nothing of remainders. */
const levelOf = (all: ReadonlyArray<Shares.Holder>, size: number): number => {
  let [low, high] = [0, 1_000]
  for (let i = 0; i < 100; i++) {
    const level = (low + high) / 2
    const needed = sum(all.map(({ given, weight }) => Math.max(0, level * weight - given)))
    if (needed < size) low = level
    else high = level
  }
  return high
}

describe("shares", () => {
  it.each<[ReadonlyArray<Shares.Holder>, number, ReadonlyArray<number>]>([
    [
      [
        { given: 0, weight: 1 },
        { given: 0, weight: 1 },
        { given: 0, weight: 1 }
      ],
      10,
      [4, 3, 3]
    ],
    [
      [
        { given: 0, weight: 5 },
        { given: 0, weight: 3 },
        { given: 0, weight: 2 }
      ],
      9,
      [4, 3, 2]
    ],
    [
      [
        { given: 30, weight: 1 },
        { given: 60, weight: 1 }
      ],
      10,
      [10, 0]
    ],
    [
      [
        { given: 4, weight: 1 },
        { given: 0, weight: 1 },
        { given: 9, weight: 1 }
      ],
      8,
      [2, 6, 0]
    ],
    [[{ given: 7, weight: 2 }], 3, [3]],
    [
      [
        { given: 1, weight: 1 },
        { given: 2, weight: 2 }
      ],
      0,
      [0, 0]
    ]
  ])("of %j over %i are %j", (all, size, expected) => {
    assert.deepStrictEqual(Shares.fill(all, size), expected)
  })

  it("are all of it, and within one of the level", () =>
    fc.assert(
      fc.property(holders, fc.nat(300), (all, size) => {
        const got = Shares.fill(all, size)
        assert.strictEqual(sum(got), size)
        const level = levelOf(all, size)
        all.forEach(({ given, weight }, i) => {
          assert.isAtLeast(got[i]!, 0)
          assert.isBelow(Math.abs(given + got[i]! - Math.max(given, level * weight)), 1 + 1e-6)
        })
      })
    ))

  it("stay within one of the level however often they are asked for: what was taken on the way counts", () =>
    fc.assert(
      fc.property(
        holders,
        fc.nat(200),
        fc.array(fc.tuple(fc.nat(5), fc.nat(20)), { maxLength: 30 }),
        (all, size, steps) => {
          const now = all.map((holder) => ({ ...holder }))
          let left = size
          for (const [who, most] of steps) {
            const place = who % now.length
            const take = Math.min(most, Shares.fill(now, left)[place]!)
            now[place] = { ...now[place]!, given: now[place]!.given + take }
            left -= take
          }
          const rest = Shares.fill(now, left)
          const level = levelOf(all, size)
          assert.strictEqual(sum(rest), left)
          now.forEach(({ given }, i) => {
            const ideal = Math.max(all[i]!.given, level * all[i]!.weight)
            assert.isAtMost(Math.abs(given + rest[i]! - ideal), 1 + 1e-6)
          })
        }
      ),
      {
        // One that took a share rounded up stands above the level: the others divide what is left anew.
        examples: [
          [
            [
              { given: 2, weight: 8 },
              { given: 5, weight: 2 },
              { given: 0, weight: 8 },
              { given: 3, weight: 1 }
            ],
            196,
            [
              [3, 1],
              [3, 7]
            ]
          ]
        ]
      }
    ))
})
