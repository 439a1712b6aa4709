/** The plans of the hot statements, and what no plan of them may do. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { Database } from "../../src/storage/Database.ts"

/** Statements that run in hot transactions, by the name of their set. */
const hot =
  /^(Outbox|Surroundings|Budgets|Campaign(Claim|Ready|Look|Sequences|Take|Change|Forgetting|Alarms|Counters|Pool)|AccountLogStore\.append|EventStore\.read)/
/** Of those, what lists or counts the accounts of one campaign, and what counts all claims for a report. */
const free = new Set(["CampaignPool.accounts", "CampaignPool.size", "OutboxBegin.claims"])

export interface Plan {
  readonly name: string
  readonly lines: ReadonlyArray<string>
}

/** The plans of every hot statement as they run inside a hot transaction. */
export const plans = Effect.gen(function* () {
  const database = yield* Database
  const statements = (yield* database.registered).filter(({ name }) => hot.test(name) && !free.has(name))
  assert.isAbove(statements.length, 50)
  return yield* Effect.forEach(statements, (statement) =>
    Effect.map(database.hotTransaction(database.explain(statement)), (lines): Plan => ({ name: statement.name, lines }))
  )
})

/** The plans that are bad, as text. */
export const refused = (found: ReadonlyArray<Plan>, isBad: (plan: Plan) => boolean): ReadonlyArray<string> =>
  found.filter(isBad).map(({ lines, name }) => `${name}\n${lines.join("\n")}`)

export const says =
  (bad: RegExp) =>
  ({ lines }: Plan): boolean =>
    lines.some((line) => bad.test(line))

/** What PostgreSQL must not do with a table, whatever it believes of its size. */
export const walksTables = says(/Seq Scan|\bSort\b|Hash Join|Merge Join|Materialize/)

/** Reads all that an index finds before a limit counts. */
export const readsAhead = says(/Bitmap/)

/**
 * Index scans that walk an index: without a condition, or with none on its first column. Of two indexes of an analyzed and
 * empty table PostgreSQL thinks the same, and takes the youngest.
 */
export const walksIndexes =
  (first: ReadonlyMap<string, string>) =>
  ({ lines, name }: Plan): boolean =>
    !name.endsWith(".next") &&
    lines.some((line, i) => {
      const index = /Index (?:Only )?Scan using (\w+)/.exec(line)?.[1]
      const condition = lines[i + 1] ?? ""
      return index !== undefined && !(condition.includes("Index Cond") && condition.includes(first.get(index) ?? ""))
    })

/** The same of SQLite's words. A co-routine hands on rows that were found another way. */
export const scans = ({ lines }: Plan): boolean =>
  lines.some(
    (line) =>
      /TEMP B-TREE|SCAN (?!x\b|json_each|i\b|CONSTANT|\(subquery)/.test(line) &&
      !lines.includes(line.replace(/SCAN /, "CO-ROUTINE "))
  )

/** The first column of every index of the database. */
export const firstColumns = Effect.gen(function* () {
  const { run } = yield* Database
  const indexes = yield* run("indexes", (db) =>
    db
      .selectFrom("pg_index as i")
      .innerJoin("pg_class as c", "c.oid", "i.indexrelid")
      .innerJoin("pg_attribute as a", (join) => join.onRef("a.attrelid", "=", "c.oid").on("a.attnum", "=", 1))
      .select(["c.relname as name", "a.attname as first"])
      .execute()
  )
  return new Map(indexes.map((row) => [String(row["name"]), String(row["first"])]))
})
