import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { canonical, changedFields } from "../../src/workspace/Json.ts"

/** The same value, with the fields of all its objects the other way round. */
const turned = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map(turned)
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, turned(item)])
  )
}

describe("JSON", () => {
  it("has one text for one value, whatever the order of its fields", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        assert.strictEqual(canonical(turned(value)), canonical(value))
        assert.deepStrictEqual(JSON.parse(canonical(value)), JSON.parse(JSON.stringify(value)))
      })
    )
  })

  it("has another text for lists in another order", () => {
    assert.notStrictEqual(canonical({ a: [1, 2] }), canonical({ a: [2, 1] }))
  })
})

describe("the changed fields of a record", () => {
  const record: Record<string, unknown> = { name: "a", cap: null, range: { min: 1, max: 2 } }
  const cases: ReadonlyArray<readonly [string, Record<string, unknown>, ReadonlyArray<string>]> = [
    ["nothing", record, []],
    ["the order of fields", { range: { max: 2, min: 1 }, cap: null, name: "a" }, []],
    ["null that is left out", { name: "a", range: record["range"] }, []],
    ["a field in a field", { ...record, range: { min: 1, max: 3 } }, ["range"]],
    ["a field more, and others", { more: 1, ...record, cap: 5, name: "b" }, ["name", "cap", "more"]],
    ["a field less", { cap: null, range: record["range"] }, ["name"]]
  ]
  it.each(cases)("where the other has %s", (_, other, changed) => {
    assert.deepStrictEqual(changedFields(record, other), changed)
  })
})
