import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import type * as Batches from "../../src/sources/Batches.ts"
import * as Csv from "../../src/sources/Csv.ts"
import { type JsonError, read } from "../../src/sources/Json.ts"
import { doubtIn, faultIn } from "../../src/sources/JsonSyntax.ts"

const encode = (text: string) => new TextEncoder().encode(text)

const outcome = (text: string | Uint8Array, options?: Batches.Options, size = 65_536) =>
  Effect.gen(function* () {
    const bytes = typeof text === "string" ? encode(text) : text
    const pieces: Array<Uint8Array> = []
    for (let i = 0; i < bytes.length; i += size) pieces.push(bytes.slice(i, i + size))
    const rows: Array<Batches.Batch["rows"][number]> = []
    const rejected: Array<Batches.Batch["rejected"][number]> = []
    const end = yield* read(Stream.fromIterable(pieces), options).pipe(
      Stream.runForEach((batch) =>
        Effect.sync(() => {
          rows.push(...batch.rows)
          rejected.push(...batch.rejected)
        })
      ),
      Effect.result
    )
    const error: JsonError | null = Result.isFailure(end) ? end.failure : null
    return { rows, rejected, error }
  })

const array = `\ufeff[
  {"id": "ü1", "Name": "Ana", "tags": ["x", " y ", "x"], "city": "Köln", "n": 5, "ok": true, "no": null},
  {"phone": "+49 170 1234567", "attributes": {"city": "a}b\\"]", "deep": 1}, "externalRef": 7}
]
`

describe("contacts from JSON", () => {
  it.effect("keeps only what every database can keep: no NUL, no half of a character", () =>
    Effect.gen(function* () {
      const { rows } = yield* outcome(String.raw`[{"id": "a\u0000", "attributes": {"bio\u0000": "cut \ud83d"}}]`)
      assert.deepInclude(rows[0], { externalId: "a", attributes: { bio: "cut \ufffd" } })
    })
  )

  it.effect("leaves out whom a number would turn into somebody else", () =>
    Effect.gen(function* () {
      const { rejected, rows } = yield* outcome(
        '[{"id":9007199254740991},{"id":12345678901234567},{"id":1e400},{"id":"12345678901234567"},{"id":"a","attributes":{"n":1e17}}]'
      )
      assert.deepEqual(
        rows.map(({ externalId }) => externalId),
        ["9007199254740991", "12345678901234567"]
      )
      assert.deepEqual(
        rejected.map(({ column }) => column),
        ["id", "id", "attributes.n"]
      )
      for (const { reason } of rejected) assert.match(reason, /in quotes/)
    })
  )

  for (const size of [1, 7, 65_536]) {
    it.effect(`an array, in slices of ${size}`, () =>
      Effect.gen(function* () {
        const { error, rejected, rows } = yield* outcome(array, undefined, size)
        assert.isNull(error)
        assert.deepEqual(rejected, [])
        assert.deepEqual(rows, [
          {
            line: 2,
            externalId: "ü1",
            name: "Ana",
            tags: ["x", "y"],
            attributes: { city: "Köln", n: "5", ok: "true" }
          },
          {
            line: 3,
            phone: "+491701234567",
            externalRef: "7",
            tags: [],
            attributes: { city: 'a}b"]', deep: "1" }
          }
        ])
      })
    )
  }

  it.effect("an object on each line, with those that are no contact told by line and column", () =>
    Effect.gen(function* () {
      const lines = [
        '{"id":"1"}',
        '{"id":"2","timezone":"Mars/One"}',
        "",
        '{"name":"x"}',
        '{"id":"3","city":{"a":1}}',
        '{"id":"4","externalId":"5"}'
      ]
      const { error, rejected, rows } = yield* outcome(lines.join("\r\n"))
      assert.isNull(error)
      assert.deepEqual(
        rows.map(({ externalId }) => externalId),
        ["1"]
      )
      assert.deepEqual(
        rejected.map(({ column, line }) => [line, column]),
        [
          [2, "timezone"],
          [4, "externalId"],
          [5, "city"],
          [6, "externalId"]
        ]
      )
    })
  )

  for (const [name, text, line, column] of [
    ["a comma too many", '[\n{"id": "1"},\n{"id": "2",}\n]', 3, 12],
    ["a missing comma", '[{"id": "1"} {"id": "2"}]', 1, 14],
    ["a name without quotes", '{"id": "1"}\n{\n  id: "2"}', 3, 3],
    ["no end of the object", '[{"id": "1"}, {"id": "2"', 1, 15],
    ["no end of the array", '[{"id": "1"}', 1, 13],
    ["no objects", "[1, 2]", 1, 2],
    ["a text", "hello", 1, 1],
    ["more after the array", '[{"id": "1"}] x', 1, 15],
    ["a line break in a text", '{"id": "a\nb"}', 1, 10],
    ["nothing", " \n ", null, null],
    ["an empty array", "[]", null, null],
    ["a web page", "<!doctype html><p>", 1, null]
  ] as const) {
    it.effect(`${name} is refused with its place`, () =>
      Effect.gen(function* () {
        const { error } = yield* outcome(text)
        assert.deepEqual([error?.line, error?.column], [line, column], error?.message)
      })
    )
  }

  it.effect("NUL bytes, other encodings, deep nesting and records without end are refused", () =>
    Effect.gen(function* () {
      const problems: Array<string | undefined> = []
      const texts = [
        '{"id":"1\u0000"}',
        new Uint8Array([0x7b, 0x22, 0xe4, 0x22]),
        `{"id":${"[".repeat(99)}`,
        `{"id":"${"x".repeat(2e6)}"}`,
        new Uint8Array([0x50, 0x4b, 3, 4])
      ]
      for (const text of texts) problems.push((yield* outcome(text)).error?.problem)
      assert.match(problems[0]!, /NUL/)
      assert.match(problems[1]!, /UTF-8/)
      assert.match(problems[2]!, /deep/)
      assert.match(problems[3]!, /1 MiB/)
      assert.match(problems[4]!, /spreadsheet/)
    })
  )

  it("the place of a fault is found in any text", () => {
    for (const good of ['{"a":[1,-2.5e3,true,null,"\\u00e4",{}],"b":[]}', " 1 ", '""']) assert.isNull(faultIn(good))
    for (const bad of ["", "{", '{"a"}', '{"a":01}', "[1,]", '["\\x"]', "{} {}", "nul", '{"a":1,}', "[}"]) {
      assert.throws(() => JSON.parse(bad) as unknown)
      assert.isNotNull(faultIn(bad), bad)
    }
  })

  it("a name that stands twice in one object is found, and nesting that is no use", () => {
    for (const good of ['{"a":{"a":[{"a":":"},{"a":"\\"a\\":"}]},"b":"a"}', "[".repeat(64) + "]".repeat(64), "5"]) {
      assert.isNull(doubtIn(good), good)
    }
    assert.deepEqual(doubtIn('{"a":1,"b":{"c":2},"a":3}'), {
      at: 19,
      problem: 'the field "a" stands twice; remove one'
    })
    assert.strictEqual(doubtIn('[{"b":[{"a":1,"\\u0061":{}}]}]')?.at, 14)
    assert.match(doubtIn("[".repeat(65) + "]".repeat(65))?.problem ?? "", /64 deep/)
  })
})

describe("the mapping of columns", () => {
  const mapping = { Handy: "phone", Stadt: "attributes.city", Notiz: null }
  it.effect("holds for CSV and JSON alike", () =>
    Effect.gen(function* () {
      const wanted = [{ line: 2, phone: "+491701234567", tags: [], attributes: { city: "Köln", Rest: "r" } }]
      const csv = Csv.read(Stream.succeed(encode("Handy,Stadt,Notiz,Rest\n+491701234567,Köln,geheim,r\n")), { mapping })
      assert.deepEqual(
        (yield* Stream.runCollect(csv)).flatMap(({ rows }) => rows),
        wanted
      )
      const json = yield* outcome('\n{"Handy":"+491701234567","Stadt":"Köln","Notiz":{"x":1},"Rest":"r"}', { mapping })
      assert.deepEqual(json.rows, wanted)
    })
  )
  for (const [name, header, given, column] of [
    ["a field that does not exist", "a,id", { a: "fon" }, "a"],
    ["a column that does not exist", "a,id", { b: "phone" }, "b"],
    ["two columns for one field", "a,id", { a: "externalId" }, "id"]
  ] as const) {
    it.effect(`${name} is refused`, () =>
      Effect.gen(function* () {
        const csv = Csv.read(Stream.succeed(encode(`${header}\n1,2\n`)), { mapping: { ...given } })
        const error = yield* Effect.flip(Stream.runDrain(csv))
        assert.strictEqual(error.column, column, error.message)
      })
    )
  }
})
