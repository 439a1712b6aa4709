/** Records cut at delimiters against those of csv-parse: in whatever slices a text comes, they are the same. */
import { PlainRecords } from "../../src/sources/PlainRecords.ts"
import { assert, describe, it } from "@effect/vitest"
import { parse } from "csv-parse/sync"
import { Schema } from "effect"

const words = ["a", "bc", "é", "😀", "", " ", ",", ",", "\n", "\r", "\r\n"] as const
const options = { relax_column_count: true, record_delimiter: ["\r\n", "\n", "\r"] }
const numberTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 1, maximum }))

/** What came of a text in slices of so many bytes, and of the rest by the parser where one had to go on. */
const read = (text: string, size: number, maxBytes = 1_000_000) => {
  const bytes = Buffer.from(text)
  const records: Array<ReadonlyArray<string>> = []
  const plain = new PlainRecords(",", maxBytes, (record) => records.push(record))
  for (let at = 0; at < bytes.length; at += size) {
    const rest = plain.next(bytes.subarray(at, at + size))
    if (rest === null) continue
    const left = Buffer.concat([rest, bytes.subarray(at + size)])
    return { records: [...records, ...parse(left, options)], isPlain: false }
  }
  plain.end()
  return { records, isPlain: true }
}

describe("records without quotes", () => {
  it.prop(
    "are those of the parser",
    { words: Schema.Array(Schema.Literals(words)), size: numberTo(9) },
    ({ size, words }) => {
      const text = words.join("")
      assert.deepStrictEqual(read(text, size), { records: parse(text, options), isPlain: true })
    }
  )

  it.prop(
    "are those of the parser up to where it goes on",
    {
      before: Schema.Array(Schema.Literals(words)),
      after: Schema.Array(Schema.Literals(words)),
      size: numberTo(9)
    },
    ({ after, before, size }) => {
      const text = `${before.join("")}\n"x\ny",z\n${after.join("")}`
      assert.deepStrictEqual(read(text, size), { records: parse(text, options), isPlain: false })
    }
  )

  it("leave a record that is too long to the parser, from its beginning", () => {
    const text = `a,b\n${"x".repeat(100)},c\nd,e\n`
    assert.deepStrictEqual(read(text, 10, 50), { records: parse(text, options), isPlain: false })
  })
})
