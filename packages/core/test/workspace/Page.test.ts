import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { cursorOf, ofList, type PageRequest } from "../../src/workspace/Page.ts"

/** A store of the numbers from 1 to 3 that is asked for one at a time. */
const store = ({ cursor }: PageRequest) => {
  const [after] = JSON.parse(cursor ?? "[0]") as readonly [number]
  return Effect.succeed({ data: [after + 1], nextCursor: after === 2 ? null : cursorOf([after + 1]), total: 3 })
}

describe("the cursors of a list", () => {
  it.effect("lead through it, and to the store say nothing of its name", () =>
    Effect.gen(function* () {
      const first = yield* ofList("members of [1]", { limit: 1 }, store)
      const second = yield* ofList("members of [1]", { limit: 1, cursor: first.nextCursor! }, store)
      const third = yield* ofList("members of [1]", { limit: 1, cursor: second.nextCursor! }, store)
      assert.deepStrictEqual([first.data, second.data, third.data], [[1], [2], [3]])
      assert.deepStrictEqual([third.nextCursor, third.total], [null, 3])
    })
  )

  it.effect("are refused by any other, also by one whose name begins with that of this one, and without a name", () =>
    Effect.gen(function* () {
      const { nextCursor } = yield* ofList("members of 1", {}, store)
      for (const [name, cursor] of [
        ["members", nextCursor!],
        ["members of 12", nextCursor!],
        ["members of 1", cursorOf([1])]
      ] as const) {
        const { field, problem } = yield* Effect.flip(ofList(name, { cursor }, store))
        assert.strictEqual(field, "page.cursor")
        assert.include(problem, `got ${JSON.stringify(cursor)}`)
      }
    })
  )
})
