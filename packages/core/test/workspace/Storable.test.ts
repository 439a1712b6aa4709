import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { cut, storable } from "../../src/workspace/Storable.ts"

const half = "\ud83d"

describe("what comes from outside", () => {
  it("is kept without NUL, and with a mark for half a character", () => {
    const bytes = new Uint8Array([0, 1])
    const value = { text: `a\u0000b${half}`, [`k\u0000`]: [`${half}!`, "fine", null, 7], bytes, deep: { emoji: "👍" } }
    assert.deepStrictEqual(storable<unknown>(value), {
      text: "ab\ufffd",
      k: ["\ufffd!", "fine", null, 7],
      bytes,
      deep: { emoji: "👍" }
    })
  })

  it.prop("is the same afterwards, and the very value where nothing was wrong", { json: Schema.Json }, ({ json }) => {
    const once = storable(json)
    assert.strictEqual(storable(once), once)
    const written = JSON.stringify(once)
    assert.notMatch(written, /\\u0000|\\ud[89a-f]/i)
    if (!/\\u0000|\\ud[89a-f]/i.test(JSON.stringify(json))) assert.strictEqual(once, json)
  })

  it("is cut to a length, but never through a character", () => {
    assert.deepStrictEqual(
      [0, 1, 2, 3, 9].map((length) => cut("a👍b", length)),
      ["", "a", "a", "a👍", "a👍b"]
    )
  })
})
