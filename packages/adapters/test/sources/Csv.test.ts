import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result, Stream } from "effect"
import * as fc from "fast-check"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import type { ImportRow, Rejected } from "../../src/sources/ContactRow.ts"
import type { Batch, Options } from "../../src/sources/Batches.ts"
import { CsvError, read } from "../../src/sources/Csv.ts"

const encode = (text: string) => new TextEncoder().encode(text)
const chunked = (bytes: Uint8Array, size: number) => {
  const chunks: Array<Uint8Array> = []
  for (let i = 0; i < bytes.length; i += size) chunks.push(bytes.slice(i, i + size))
  return chunks
}

interface Outcome {
  readonly rows: ReadonlyArray<ImportRow>
  readonly rejected: ReadonlyArray<Rejected>
  readonly error: CsvError | null
}

/** Everything that was emitted, and how it ended. */
const outcome = (chunks: ReadonlyArray<Uint8Array>, options?: Options): Effect.Effect<Outcome> =>
  Effect.gen(function* () {
    const batches: Array<Batch> = []
    const end = yield* read(Stream.fromIterable(chunks), options).pipe(
      Stream.runForEach((batch) => Effect.sync(() => void batches.push(batch))),
      Effect.result
    )
    return {
      rows: batches.flatMap((batch) => batch.rows),
      rejected: batches.flatMap((batch) => batch.rejected),
      error: Result.isFailure(end) ? end.failure : null
    }
  })
const ofText = (text: string, options?: Options) => outcome([encode(text)], options)

/** Checks a property whose test is an effect. */
const holds = <A>(values: fc.Arbitrary<A>, property: (value: A) => Effect.Effect<void>) =>
  fc.assert(
    fc.asyncProperty(values, (value) => Effect.runPromise(property(value))),
    { numRuns: 200 }
  )

const row = (line: number, fields: Partial<ImportRow>): ImportRow => ({ line, tags: [], attributes: {}, ...fields })

describe("what rows become", () => {
  const cases: ReadonlyArray<readonly [name: string, text: string, rows: ReadonlyArray<ImportRow>, options?: Options]> =
    [
      [
        "every known column, in any case, and attributes by their titles",
        "ExternalID,CHANNEL,Phone,name,First,LAST,TimeZone,Tags,E-Mail,Email,City \n" +
          '42,Sandbox,+49 170 1234567,Ana López,Ana,López,europe/berlin,"vip; new|x,vip",,a@b.test,Lima\n',
        [
          row(2, {
            externalId: "42",
            channel: "sandbox",
            phone: "+491701234567",
            name: "Ana López",
            first: "Ana",
            last: "López",
            timezone: "Europe/Berlin",
            tags: ["vip", "new", "x"],
            attributes: { email: "a@b.test", City: "Lima" }
          })
        ]
      ],
      ["id stands for externalId", "id\n 7 \n", [row(2, { externalId: "7" })]],
      ["no line break at the end", "id\n7", [row(2, { externalId: "7" })]],
      ["a byte order mark", "\ufeffid,city\n7,Lima\n", [row(2, { externalId: "7", attributes: { city: "Lima" } })]],
      ["semicolons", "id;city\n7;a,b\n", [row(2, { externalId: "7", attributes: { city: "a,b" } })]],
      ["tabs", "id\tcity\n7\ta;b\n", [row(2, { externalId: "7", attributes: { city: "a;b" } })]],
      [
        "delimiters inside a quoted title do not count",
        'id;"a,b,c,d"\n7;x\n',
        [row(2, { externalId: "7", attributes: { "a,b,c,d": "x" } })]
      ],
      [
        "Excel's own first line",
        "sep=;\r\nid;city\r\n7;Lima\r\n",
        [row(3, { externalId: "7", attributes: { city: "Lima" } })]
      ],
      [
        "lines are counted through breaks inside quotes and blank records, whatever the line ending",
        '\r\nid,note\r\n1,"a\r\nb\r\nc"\r\n\r\n,\r\n2,"x\ny"\n3,\rz4,',
        [
          row(3, { externalId: "1", attributes: { note: "a\r\nb\r\nc" } }),
          row(8, { externalId: "2", attributes: { note: "x\ny" } }),
          row(10, { externalId: "3" }),
          row(11, { externalId: "z4" })
        ]
      ],
      [
        "attributes keep their spaces and quotes",
        'id,a\n7," ""x"" "\n',
        [row(2, { externalId: "7", attributes: { a: ' "x" ' } })]
      ],
      [
        "a national number with a default country",
        "phone\n0170 1234567\n",
        [row(2, { phone: "+491701234567" })],
        {
          defaultCountry: "DE"
        }
      ],
      ["a column without a title, if it is empty", "id,\n7,\n", [row(2, { externalId: "7" })]],
      [
        "either identification may be missing",
        "id,phone\n7,\n,+16502530000\n",
        [row(2, { externalId: "7" }), row(3, { phone: "+16502530000" })]
      ]
    ]
  for (const [name, text, rows, options] of cases) {
    it.effect(name, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* ofText(text, options), { rows, rejected: [], error: null })
      })
    )
  }

  it.effect("attributes named like members of Object are data", () =>
    Effect.gen(function* () {
      const { rows } = yield* ofText("id,__proto__,constructor\n7,a,b\n")
      assert.deepStrictEqual(Object.entries(rows[0]?.attributes ?? {}), [
        ["__proto__", "a"],
        ["constructor", "b"]
      ])
    })
  )
})

describe("records left out, with the reason", () => {
  const cases: ReadonlyArray<readonly [text: string, Rejected, options?: Options]> = [
    ["id,a\n1\n2,b\n", { line: 2, column: "a", reason: "the record has 1 field, the header 2", value: "" }],
    [
      "id,a\n1,x,y\n2,b\n",
      { line: 2, column: "column 3", reason: "the record has 3 fields, the header 2", value: "y" }
    ],
    [
      "id,a\n1.21256E+10,x\n2,b\n",
      {
        line: 2,
        column: "id",
        reason: "a spreadsheet has rounded the number; format the column as text and export again",
        value: "1.21256E+10"
      }
    ],
    [
      "id,a,\n1,x,y\n2,b,\n",
      { line: 2, column: "column 3", reason: "the column has a value but no title", value: "y" }
    ],
    ["id,a\n,x\n2,b\n", { line: 2, column: "id", reason: "neither an external id nor a phone number", value: "" }],
    [
      "id,timezone\n1,Mars/Olympus\n2,UTC\n",
      {
        line: 2,
        column: "timezone",
        reason: "not a known time zone, such as Europe/Berlin",
        value: "Mars/Olympus"
      }
    ],
    [
      "id,TZ,TimeZone\n1,,+02:00\n2,,\n",
      {
        line: 2,
        column: "TimeZone",
        reason: "not a known time zone, such as Europe/Berlin",
        value: "+02:00"
      }
    ],
    [
      "id,channel\n1,in valid\n2,\n",
      { line: 2, column: "channel", reason: "not the name of a channel", value: "in valid" }
    ],
    [
      `id\n${"x".repeat(256)}\n2\n`,
      { line: 2, column: "id", reason: "longer than 255 characters", value: "x".repeat(80) }
    ],
    [
      `phone\n${"x".repeat(79)}😀\n+16502530000\n`,
      {
        line: 2,
        column: "phone",
        reason: "not a phone number with its country, such as +491701234567; or set a default country",
        value: "x".repeat(79)
      }
    ]
  ]
  for (const [text, expected, options] of cases) {
    it.effect(JSON.stringify(text.slice(0, 60)), () =>
      Effect.gen(function* () {
        const { error, rejected, rows } = yield* ofText(text, options)
        assert.deepStrictEqual([rejected, error, rows.length], [[expected], null, 1])
      })
    )
  }

  for (const phone of [
    "0170 1234567",
    "+49 1",
    "+999123456789",
    "call +491701234567",
    "+1 650 253 0000 ext. 12",
    "x"
  ]) {
    it.effect(`no phone number: ${phone}`, () =>
      Effect.gen(function* () {
        const { rejected } = yield* ofText(`phone\n${phone}\n`)
        assert.deepStrictEqual(
          rejected.map(({ column, line, value }) => [line, column, value]),
          [[2, "phone", phone]]
        )
      })
    )
  }

  it.effect("a number that a spreadsheet rounded is called that", () =>
    Effect.gen(function* () {
      const { rejected } = yield* ofText("phone\n4.91701E+11\n", { defaultCountry: "DE" })
      assert.match(rejected[0]?.reason ?? "", /rounded/)
    })
  )
})

const latin1 = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0))
const utf16 = (text: string) => new Uint8Array(Buffer.from(text, "utf16le"))

const refusals: ReadonlyArray<
  readonly [name: string, bytes: Uint8Array, line: number | null, column: string | null, says: RegExp, rows?: number]
> = [
  ["nothing", encode(""), null, null, /the file is empty/],
  ["a mark alone", encode("\ufeff"), null, null, /the file is empty/],
  ["blank lines", encode("\n \n,,\n"), null, null, /the file is empty/],
  ["a header alone", encode("id,name\n"), null, null, /no rows below the header/],
  ["a header and blank lines", encode("id,name\r\n,\r\n\r\n"), null, null, /no rows below the header/],
  [
    "nothing to identify by",
    encode("name,city\nAna,Lima\n"),
    1,
    null,
    /externalId, id or phone.*header read is: name, city/
  ],
  ["id twice", encode("id,name,ExternalId\n1,a,b\n"), 1, "ExternalId", /1 \("id"\) and 3 \("ExternalId"\)/],
  ["an attribute twice", encode("id,a, a\n1,2,3\n"), 1, "a", /columns 2 \("a"\) and 3 \("a"\)/],
  ["a workbook", latin1("PK\x03\x04\x14\x00\x06\x00\x08"), 1, null, /\.xlsx.*CSV UTF-8/],
  ["an old workbook", latin1("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), 1, null, /\.xls\)/],
  ["gzip", latin1("\x1f\x8b\x08\x00"), 1, null, /gzip/],
  ["a PDF", encode("%PDF-1.7\n"), 1, null, /PDF/],
  ["a web page", encode("\n <!DOCTYPE html>\n<html>"), 1, null, /web page/],
  ["XML", encode('\ufeff<?xml version="1.0"?>'), 1, null, /web page/],
  ["UTF-16 with a mark", utf16("\ufeffid,name\n1,a\n"), 1, null, /UTF-16.*UTF-8/],
  ["UTF-16 without", utf16("id,name\n1,a\n"), 1, null, /NUL.*UTF-8/],
  ["a NUL byte", encode("id,a\n1,b\n2,cc\0\n"), 3, null, /NUL/, 1],
  ["Latin-1 in the header", latin1("id,gr\xfc\xdfe\n1,a\n"), 1, null, /not UTF-8/],
  ["Latin-1 below", latin1("id,a\r\n1,b\r\n2,M\xfcller\r\n"), 3, null, /not UTF-8.*save it as UTF-8/, 1],
  ["a character cut off at the end", latin1("id,a\n1,b\n2,c\n3,\xe2\x82"), 4, null, /not UTF-8/, 2],
  ["a surrogate in UTF-8", latin1("id,a\n1,b\n2,cc\xed\xa0\x80\n"), 3, null, /not UTF-8/, 1],
  ["a quote never closed", encode('id,a\n1,b\n2,"c\n3,d\n'), 3, "a", /never ends/, 1],
  ["text behind a closing quote", encode('id,a\n1,b\n2,"c"d\n'), 3, "a", /closing quote/, 1],
  ["a quote inside a bare field", encode('id,a\n1,b\n2,c"d"\n'), 3, "a", /quote stands inside/, 1],
  ["a field over 64 KiB", encode(`id,a\n1,b\n2,${"é".repeat(32_769)}\n`), 3, "a", /64 KiB/, 1],
  ["a record over 1 MiB", encode(`id,a\n1,b\n2${`,${"x".repeat(60_000)}`.repeat(20)}\n`), 3, null, /1 MiB/, 1]
]

describe("files refused, with the place and the advice", () => {
  for (const [name, bytes, line, column, says, rows = 0] of refusals) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const result = yield* outcome([bytes], { name: "people.csv" })
        assert.instanceOf(result.error, CsvError)
        assert.match(result.error.message, says)
        assert.deepStrictEqual([result.error.line, result.error.column], [line, column])
        assert.isTrue(result.error.message.startsWith(line === null ? "people.csv: " : `people.csv, line ${line}`))
        assert.strictEqual(result.rows.length, rows, "what stood before is emitted")
      })
    )
  }

  it.effect("exactly 64 KiB is a field", () =>
    Effect.gen(function* () {
      const { error, rows } = yield* ofText(`id,a\n2,${"é".repeat(32_768)}\n`)
      assert.deepStrictEqual([error, rows.length], [null, 1])
    })
  )
})

describe("the same, however the bytes arrive", () => {
  const files: ReadonlyArray<readonly [string, Uint8Array]> = [
    [
      "a file with everything",
      encode('\ufeffid;note;phone;x\r\n1;"a;\r\n""b"" 👩‍👩‍👧";+49 170 1234567;é\r\n\r\n2;;12;\n3;z;;\r4;"";;"end"')
    ],
    ...refusals.filter(([, bytes]) => bytes.length < 200).map(([name, bytes]) => [name, bytes] as const)
  ]
  for (const [name, bytes] of files) {
    it.effect(`cut at every byte: ${name}`, () =>
      Effect.gen(function* () {
        const whole = yield* outcome([bytes])
        assert.deepStrictEqual(yield* outcome(chunked(bytes, 1)), whole)
        for (let i = 0; i <= bytes.length; i++) {
          const parts = [bytes.slice(0, i), bytes.slice(i)]
          assert.deepStrictEqual(yield* outcome(parts), whole, `cut at ${i}`)
        }
      })
    )
  }

  const word = fc.constantFrom(...'id,"\r\n;\tphone1é\u{1f600}\0 ', '""', "\r\n", "id,a\n")
  const words = fc.array(word, { maxLength: 40 })
  const broken = fc.tuple(words, fc.uint8Array({ maxLength: 4 }), fc.integer({ min: 1, max: 7 }))

  it("bytes of any kind end in rows or in an error, alike", () =>
    holds(broken, ([words, tail, size]) =>
      Effect.gen(function* () {
        const bytes = new Uint8Array(Buffer.concat([encode(`id,a\n${words.join("")}`), tail]))
        assert.deepStrictEqual(yield* outcome(chunked(bytes, size)), yield* outcome([bytes]))
      })
    ))
})

describe("what is written is read", () => {
  const quote = (cell: string) => `"${cell.replaceAll('"', '""')}"`
  const awkward = fc.constantFrom('"', "\n", "\r\n", "\r", ",", ";", "\t", "👩‍👩‍👧", "ß", " ", "\u2028", "=1+1")
  const cell = fc
    .oneof(
      fc.string({ unit: "grapheme" }),
      fc.array(awkward, { maxLength: 6 }).map((parts) => parts.join(""))
    )
    .map((text) => text.replaceAll("\0", "").toWellFormed())

  const file = fc.tuple(
    fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 20 }),
    fc.constantFrom(",", ";", "\t"),
    fc.constantFrom("\n", "\r\n", "\r"),
    fc.integer({ min: 1, max: 40 })
  )

  it("attributes of any text", () =>
    holds(file, ([records, delimiter, ending, size]) =>
      Effect.gen(function* () {
        const lines = [["id", "a", "b"], ...records.map(([a, b], i) => [`${i}`, quote(a), quote(b)])]
        const bytes = encode(lines.map((line) => line.join(delimiter)).join(ending))
        const result = yield* outcome(chunked(bytes, size))
        assert.deepStrictEqual([result.error, result.rejected], [null, []])
        assert.deepStrictEqual(
          result.rows.map(({ attributes, externalId }) => [externalId, attributes["a"] ?? "", attributes["b"] ?? ""]),
          records.map(([a, b], i) => [`${i}`, a, b])
        )
      })
    ))
})

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")
/** Bytes still referenced: without collecting first, the figure says more about V8's mood than about the reader. */
const liveHeap = () => {
  collect()
  return process.memoryUsage().heapUsed
}

describe("as a stream", () => {
  const total = 200_000
  const generated = Stream.range(0, total / 500 - 1).pipe(
    Stream.map((n) => {
      let text = n === 0 ? "id,phone,name,timezone,city,note\n" : ""
      for (let i = n * 500; i < (n + 1) * 500; i++) {
        text += `u${i},+4917${10_000_000 + i},"Name, ${i}",Europe/Berlin,Lima,"a longer remark, number ${i}"\n`
      }
      return encode(text)
    })
  )

  it.effect(
    "200,000 rows in batches of 500, in little memory",
    () =>
      Effect.gen(function* () {
        let rows = 0
        let peak = 0
        const before = liveHeap()
        yield* read(generated).pipe(
          Stream.runForEach((batch) =>
            Effect.sync(() => {
              assert.strictEqual(batch.rows.length, 500)
              assert.strictEqual(batch.rows[0]?.line, rows + 2)
              rows += batch.rows.length
              if (rows % 20_000 === 0) peak = Math.max(peak, liveHeap() - before)
            })
          )
        )
        assert.strictEqual(rows, total)
        assert.isBelow(peak, 16 * 1024 * 1024, "kept rows would be some 80 MiB")
      }),
    60_000
  )

  it.effect("takes no more of the source than it is asked for", () =>
    Effect.gen(function* () {
      let taken = 0
      const counted = generated.pipe(
        Stream.rechunk(1),
        Stream.tap(() => Effect.sync(() => void (taken += 1)))
      )
      const [first] = yield* read(counted).pipe(Stream.take(1), Stream.runCollect)
      assert.strictEqual(first?.rows.length, 500)
      assert.isBelow(taken, 5)
    })
  )

  it.effect("may be interrupted", () =>
    Effect.gen(function* () {
      const endless = Stream.concat(Stream.succeed(encode("id\n1\n")), Stream.never)
      const fiber = yield* Effect.forkChild(Stream.runDrain(read(endless)))
      yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("an error of the source is the stream's own", () =>
    Effect.gen(function* () {
      const broken = Stream.concat(Stream.succeed(encode("id\n1\n")), Stream.fail("offline" as const))
      assert.strictEqual(yield* Effect.flip(Stream.runDrain(read(broken))), "offline")
    })
  )

  it.effect("from a path, and a path that is not there", () =>
    Effect.gen(function* () {
      const folder = mkdtempSync(join(tmpdir(), "overture-csv-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
      const path = join(folder, "people.csv")
      writeFileSync(path, `id,note\n${Array.from({ length: 3_000 }, (_, i) => `${i},"${"n".repeat(50)}"`).join("\n")}`)
      const batches = yield* Stream.runCollect(read(path))
      assert.deepStrictEqual(
        batches.map((batch) => batch.rows.length),
        [500, 500, 500, 500, 500, 500]
      )
      const absent = yield* Effect.flip(Stream.runDrain(read(join(folder, "absent.csv"))))
      assert.strictEqual(absent.message, `${join(folder, "absent.csv")}: there is no such file; check the path`)
      const directory = yield* Effect.flip(Stream.runDrain(read(folder)))
      assert.match(directory.message, /it is a directory/)
    })
  )
})
