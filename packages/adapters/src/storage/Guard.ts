/**
 * Tells whether this is the database that a worker last wrote to, or a copy of an earlier state of it, from which sends
 * that went out since would go out again.
 *
 * - PostgreSQL records where the database lives: system identifier, timeline, the number of the message table. A restore
 *   by dump changes the table's number, one by base backup the timeline, a move to another server the identifier.
 * - SQLite counts in a row and in `<file>-guard` beside the database, the file first: killed in between, the row is one
 *   behind. A restored file is further behind, or has no count beside it. The count moves twice with each check and once
 *   every few claims.
 *
 * What it cannot see: a snapshot of the volume, or a copy of the whole directory with the count in it. There everything
 * is as it was, and only a person knows. Stop everything before you take one (`overture pause --all`).
 */
import type { Guard as GuardAnswer, OutboxStore } from "@overture/core/outbox/OutboxStore"
import { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs"
import type { Database } from "./Database.ts"
import { defineStatements } from "./Dialect.ts"
import { reopenFeed } from "./EventSqlStore.ts"

const statements = defineStatements("Guard", (sql) => ({
  read: `select value from ${sql.t("meta")} where key = 'guard'`,
  record: `insert into ${sql.t("meta")}(key, value) values ('guard', ${sql.p(1, "json")}) on conflict (key) do nothing`,
  write: `insert into ${sql.t("meta")}(key, value) values ('guard', ${sql.p(1, "json")})
    on conflict (key) do update set value = excluded.value`,
  readable: sql.pick({
    postgres: `select has_function_privilege('pg_control_system()', 'execute')
      and has_function_privilege('pg_control_checkpoint()', 'execute') as readable`,
    sqlite: "select 0 as readable"
  }),
  server: sql.pick({
    postgres: `select (select system_identifier::text from pg_control_system()) as system,
      (select timeline_id::text from pg_control_checkpoint()) as timeline`,
    sqlite: "select '' as system, '' as timeline"
  }),
  place: sql.pick({
    postgres: `select '${sql.t("message")}'::regclass::oid::text as message,
      (select oid::text from pg_database where datname = current_database()) as database`,
    sqlite: "select '' as message, '' as database"
  })
}))

const same: GuardAnswer = { type: "same" }
const restored = (detail: string): GuardAnswer => ({ type: "restored", detail })

type Verbs = Pick<OutboxStore["Service"], "guard" | "acknowledge">

interface Place {
  readonly system: string
  readonly timeline: string
  readonly database: string
  readonly message: string
}

const differs = (was: Place, is: Place): string | null =>
  was.system !== is.system
    ? "it lives on another PostgreSQL server than when a worker last wrote to it"
    : was.timeline !== is.timeline
      ? `the server is on timeline ${is.timeline}, a worker last wrote on ${was.timeline}: it was restored or promoted`
      : was.database !== is.database || was.message !== is.message
        ? "its tables were made again since a worker last wrote to them, as by restoring a dump"
        : null

const onPostgres = (database: Database["Service"]): Verbs => {
  const sql = database.statements(statements)
  const { affected, execute } = database
  const place = Effect.gen(function* () {
    const [privilege] = yield* execute<{ readonly readable: number }>(sql.readable)
    const [server] = privilege?.readable === 1 ? yield* execute<Pick<Place, "system" | "timeline">>(sql.server) : []
    const [table] = yield* execute<Pick<Place, "database" | "message">>(sql.place)
    // In the order of their names: what is compared is read back from JSON.
    return { system: "", timeline: "", database: "", ...server, ...table, message: table?.message ?? "" }
  })
  return {
    guard: Effect.gen(function* () {
      const is = yield* place
      yield* affected(sql.record, [is])
      const [row] = yield* execute<{ readonly value: string }>(sql.read)
      const detail = row === undefined ? null : differs(JSON.parse(row.value) as Place, is)
      return detail === null ? same : restored(detail)
    }),
    acknowledge: Effect.flatMap(place, (is) => Effect.asVoid(affected(sql.write, [is])))
  }
}

/** The count beside the database; null without one, or when it cannot be read as a number. */
const readCount = (file: string): number | null => {
  try {
    const text = readFileSync(file, "utf8").trim()
    return /^\d{1,15}$/.test(text) ? Number(text) : null
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return null
    throw cause
  }
}

/** Replaces the file whole, and durably. */
const writeCount = (file: string, count: number): void => {
  const next = `${file}.next`
  const handle = openSync(next, "w")
  try {
    writeSync(handle, `${count}\n`)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(next, file)
}

const touchFile = <A>(use: () => A): Effect.Effect<A, StorageError> =>
  Effect.try({ try: use, catch: (cause) => new StorageError({ operation: "Guard", retryable: false, cause }) })

const onSqlite = (
  database: Database["Service"]
): Verbs & { readonly move: Effect.Effect<GuardAnswer, StorageError> } => {
  const sql = database.statements(statements)
  const { affected, execute, transaction } = database
  const file = `${database.location}-guard`
  const read = Effect.map(execute<{ readonly value: string }>(sql.read), ([row]) =>
    row === undefined ? null : Number(JSON.parse(row.value))
  )
  // In a transaction, so that of two processes the second reads what the first has written to both places.
  const write = (count: number) =>
    Effect.andThen(
      touchFile(() => writeCount(file, count)),
      affected(sql.write, [String(count)])
    )
  /** Checks, and moves both counts on by one. */
  const move = transaction(
    Effect.gen(function* () {
      const inRow = yield* read
      const inFile = yield* touchFile(() => readCount(file))
      if (inRow !== null && inFile === null) {
        return restored(`there is no ${file}, which a worker keeps beside the database: was only the database copied?`)
      }
      if (inRow !== null && inFile !== null && inFile !== inRow && inFile !== inRow + 1) {
        return restored(`the database is at ${inRow} and ${file} at ${inFile}: one of them is older than the other`)
      }
      yield* write((inRow ?? 0) + 1)
      return same
    })
  )
  return {
    move,
    guard: Effect.flatMap(move, (answer) => (answer.type === "same" ? move : Effect.succeed(answer))),
    acknowledge: Effect.asVoid(
      transaction(
        Effect.gen(function* () {
          const inFile = yield* touchFile(() => readCount(file))
          yield* write(Math.max((yield* read) ?? 0, inFile ?? 0) + 2)
        })
      )
    )
  }
}

const claimsPerMove = 16
const claims = new WeakMap<Database["Service"], number>()

/** Counts a claim; every sixteenth moves SQLite's count on. */
export const claimed = (database: Database["Service"]): Effect.Effect<void, StorageError> =>
  Effect.suspend(() => {
    if (database.sql.name !== "sqlite" || database.location === ":memory:") return Effect.void
    const count = (claims.get(database) ?? 0) + 1
    claims.set(database, count)
    return count % claimsPerMove === 0 ? Effect.asVoid(onSqlite(database).move) : Effect.void
  })

export const make = (database: Database["Service"]): Verbs => {
  if (database.location === ":memory:") return { guard: Effect.succeed(same), acknowledge: Effect.void }
  const { acknowledge, guard } = database.sql.name === "postgres" ? onPostgres(database) : onSqlite(database)
  // What readers of the feed remember is of another database now.
  const reopened = Effect.andThen(reopenFeed(database), acknowledge)
  return { guard, acknowledge: Effect.flatMap(guard, ({ type }) => (type === "restored" ? reopened : acknowledge)) }
}
