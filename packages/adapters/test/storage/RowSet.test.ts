/** Rows that are given to a statement are the rows that the database reads, whatever they have in common. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import fc from "fast-check"
import type { DatabaseUnavailable } from "../../src/storage/Connection.ts"
import { Database } from "../../src/storage/Database.ts"
import { defineStatements } from "../../src/storage/Dialect.ts"
import * as RowSet from "../../src/storage/RowSet.ts"
import * as Postgres from "../../src/storage/postgres/Postgres.ts"
import * as Sqlite from "../../src/storage/sqlite/Sqlite.ts"
import { freshDatabase } from "./TestPostgres.ts"

const columns = {
  id: "id",
  word: "text",
  small: "int",
  large: "bigint",
  part: "real",
  flag: "boolean",
  value: "json"
} as const
const names = Object.keys(columns) as ReadonlyArray<keyof typeof columns>

const statements = defineStatements("RowSetTest", (sql) => ({
  read: `select ${names.map((name) => `x.${name}`).join(", ")}, x.i from ${sql.rows("x", 1, { ...columns, i: "ordinal" })}
    where x.id <> $2 order by x.i`,
  // The same rows twice: each time another column comes first.
  both: `select count(*) as n from ${sql.rows("x", 1, { id: "id", small: "int" })}
    join ${sql.rows("y", 1, { small: "int", id: "id" })} on y.small = x.small and y.id = x.id`
}))

const object = { shared: "é" }
const text = fc.constantFrom("", "a", "é😀", "a'\"\\{}", "x".repeat(65), "é".repeat(40))
const rare = <A>(values: fc.Arbitrary<A>) => fc.option(values, { freq: 3, nil: null })
const rows = fc.array(
  fc.record({
    id: fc.string({ unit: "binary-ascii", minLength: 1 }).map((id) => `id ${id.replaceAll("\0", "")}`),
    word: rare(text),
    small: rare(fc.constantFrom(0, -1, 2 ** 31 - 1, -(2 ** 31))),
    large: rare(fc.constantFrom(0, -1, 2 ** 32, 2 ** 53 - 1, 1 - 2 ** 53)),
    part: rare(fc.constantFrom(0, 0.5, -1e300)),
    flag: rare(fc.constantFrom(true, false, 1, 0)),
    value: rare(fc.constantFrom<unknown>(object, [], { list: [1, null] }, "word", 7))
  }),
  { maxLength: 6 }
)

const databases: Record<string, () => Promise<Layer.Layer<Database, DatabaseUnavailable>>> = {
  PostgreSQL: async () => Postgres.layer({ url: await freshDatabase(), connections: 1 }),
  SQLite: () => Promise.resolve(Sqlite.layer({ path: ":memory:" }))
}

for (const [name, layer] of Object.entries(databases)) {
  describe(`rows on ${name}`, () => {
    it("are read as they were given", async () => {
      const check = Effect.gen(function* () {
        const database = yield* Database
        const sql = database.statements(statements)
        yield* Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(rows, async (given) => {
              const found = await Effect.runPromise(
                database.execute<Record<string, unknown> & { readonly value: string | null }>(sql.read, [given, ""])
              )
              assert.deepStrictEqual(
                found.map(({ value, ...row }) => ({
                  ...row,
                  value: value === null ? null : JSON.parse(value)
                })),
                given.map((row, i) => ({ ...row, flag: row.flag === null ? null : Number(row.flag), i: i + 1 }))
              )
              const [twice] = await Effect.runPromise(database.execute<{ readonly n: number }>(sql.both, [given]))
              const wanted = given.flatMap((row) =>
                given.filter((y) => row.small !== null && y.id === row.id && y.small === row.small)
              )
              assert.strictEqual(twice?.n, wanted.length)
            }),
            { numRuns: 200 }
          )
        )
      })
      await Effect.runPromise(Effect.provide(check, await layer()))
    })
  })
}

describe("a column of numbers", () => {
  it("refuses what it cannot hold, naming the column", () => {
    for (const [type, value] of [
      ["int", 2 ** 31],
      ["int", 0.5],
      ["bigint", 2 ** 53],
      ["bigint", "1"]
    ] as const) {
      const refusal = /^n of a row must be a whole number/
      assert.throws(() => RowSet.toArray([{ n: value }, { n: 1 }], "n", type), refusal)
      assert.throws(() => RowSet.soleValue([{ n: value }], "n", type), refusal)
    }
  })
})
