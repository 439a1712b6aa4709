/**
 * The database behind Effect. What runs inside `transaction` commits together or not at all, also when it fails, dies or
 * is interrupted; a connection is never leaked, neither by a waiter that is interrupted nor by a lost server.
 * Transactions do not nest: an inner one joins the outer, and if it fails the outer cannot commit any more. One that the
 * database rolls back for what passes (a deadlock) is begun again, so its effect must keep nothing outside of it.
 *
 * Two ways in: `run` hands out Kysely, for the queries of screens; `execute` sends a fixed text that is prepared once per
 * connection, for the ledger.
 *
 * @example
 * const statements = defineStatements("LeadStore", (sql) => ({
 *   stop: `update ${sql.t("lead")} as l set stop = x.why from ${sql.rows("x", 1, { lead: "text", why: "text" })}
 *     where l.id = x.lead returning id`
 * }))
 * const { stop } = database.statements(statements)
 * const stopped = database.execute<{ id: LeadId }>(stop, [[{ lead: id, why: "reply" }]])
 */
import { Transaction } from "@overture/core/workspace/Transaction"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Context, Effect, Layer } from "effect"
import type { Kysely } from "kysely"
import type { Driver, HostTransaction } from "./Connection.ts"
import * as Dialect from "./Dialect.ts"
import * as KyselyBridge from "./KyselyBridge.ts"
import type * as Session from "./Session.ts"
import * as Sessions from "./Sessions.ts"

/** For a caller of `run` who does not say which tables it uses. */
export type AnyTables = Record<string, Record<string, unknown>>

export class Database extends Context.Service<
  Database,
  {
    /** The words of this database, with its prefix. For texts that are not hot: definitions of tables. */
    readonly sql: Dialect.Sql
    /** Where it is, for messages; without a password. */
    readonly location: string
    /** The texts of a store for this database, built at the first call. */
    statements<K extends string>(set: Dialect.StatementSet<K>): Readonly<Record<K, Dialect.Statement>>
    /** Every statement built so far, so that a test can explain each. */
    readonly registered: Effect.Effect<ReadonlyArray<Dialect.Statement>>
    /** A Kysely query or several, all on one connection; in the ambient transaction if there is one. */
    run<A, T = AnyTables>(operation: string, query: (db: Kysely<T>) => Promise<A>): Effect.Effect<A, StorageError>
    /** The rows of a prepared statement; in the ambient transaction if there is one. */
    execute<Row>(
      statement: Dialect.Statement,
      parameters?: ReadonlyArray<Dialect.Parameter>
    ): Effect.Effect<ReadonlyArray<Row>, StorageError>
    /**
     * The rows of a prepared statement that is a hot transaction by itself, in one round trip. When it fails it may be done
     * all the same: only for what may be asked again.
     */
    executeAlone<Row>(
      statement: Dialect.Statement,
      parameters?: ReadonlyArray<Dialect.Parameter>
    ): Effect.Effect<ReadonlyArray<Row>, StorageError>
    /** How many rows a prepared statement changed. */
    affected(
      statement: Dialect.Statement,
      parameters?: ReadonlyArray<Dialect.Parameter>
    ): Effect.Effect<number, StorageError>
    /**
     * A write whose answer nobody needs. In a transaction it costs no round trip: the next statement, or the commit, fails
     * with its failure.
     */
    write(
      statement: Dialect.Statement,
      parameters?: ReadonlyArray<Dialect.Parameter>
    ): Effect.Effect<void, StorageError>
    /** One or several texts without parameters and results, such as definitions of tables. */
    script(operation: string, text: string): Effect.Effect<void, StorageError>
    /**
     * All of `effect` or nothing. Inside another transaction it joins that one; otherwise it is run again, a few times, when
     * it was rolled back with a failure that is `retryable` and the connection is still there.
     */
    transaction<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | StorageError, R>
    /** The same with the plans of prepared statements pinned to index look-ups, whatever the tables hold at the moment. */
    hotTransaction<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | StorageError, R>
    /**
     * Runs `effect` inside a transaction the host began and will end: nothing of it commits before the host does. When this
     * fails, the host must roll back. The settings that `hotTransaction` makes are undone when it ends.
     */
    withHostTransaction(
      host: HostTransaction
    ): <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | StorageError, R>
    /** The plan of a statement as it runs in the ambient transaction, a line per step. */
    explain(statement: Dialect.Statement): Effect.Effect<ReadonlyArray<string>, StorageError>
  }
>()("@overture/adapters/Database") {}

/** The service over a driver. */
export const make = (driver: Driver, prefix: string): Database["Service"] => {
  const sql = Dialect.make(driver.name, prefix)
  const sets = new Map<Dialect.StatementSet<string>, Readonly<Record<string, Dialect.Statement>>>()
  const byName = new Map<string, Dialect.Statement>()

  const { alone, host, sending, using, within } = Sessions.make(driver)

  // Plans are kept with the name: a text that ran unpinned must not leave its plan to the pinned one.
  const sent =
    (statement: Dialect.Statement, parameters: ReadonlyArray<Dialect.Parameter>) =>
    (connection: Session.Sender, hot: boolean) =>
      connection.send(statement.text, statement.bind(parameters), hot ? `${statement.id}!` : statement.id)
  const send = (statement: Dialect.Statement, parameters: ReadonlyArray<Dialect.Parameter>) =>
    using(statement.name, sent(statement, parameters))

  return Database.of({
    sql,
    location: driver.database,
    statements: <K extends string>(set: Dialect.StatementSet<K>) => {
      const known = sets.get(set)
      if (known !== undefined) return known
      const built = Dialect.buildStatements(set, sql)
      for (const statement of Object.values<Dialect.Statement>(built)) {
        if (byName.has(statement.name)) throw new Error(`two statements are named ${statement.name}`)
        byName.set(statement.name, statement)
      }
      sets.set(set, built)
      return built
    },
    registered: Effect.sync(() => [...byName.values()]),
    run: <A, T>(operation: string, query: (db: Kysely<T>) => Promise<A>) =>
      using(operation, (connection) => query(KyselyBridge.over(driver.name, prefix, connection.send) as Kysely<T>)),
    execute: <Row>(statement: Dialect.Statement, parameters: ReadonlyArray<Dialect.Parameter> = []) =>
      Effect.map(send(statement, parameters), (result) => result.rows as ReadonlyArray<Row>),
    executeAlone: <Row>(statement: Dialect.Statement, parameters: ReadonlyArray<Dialect.Parameter> = []) =>
      Effect.map(
        alone(statement.name, (connection, hot) => Promise.resolve(sent(statement, parameters)(connection, hot))),
        (result) => result.rows as ReadonlyArray<Row>
      ),
    affected: (statement, parameters = []) => Effect.map(send(statement, parameters), (result) => result.affected),
    write: (statement, parameters = []) => sending(statement.name, sent(statement, parameters)),
    script: (operation, text) => using(operation, (connection) => connection.script(text)),
    transaction: within(false),
    hotTransaction: within(true),
    withHostTransaction: host,
    explain: (statement) =>
      Effect.map(
        using(statement.name, (connection) => connection.send(sql.pick(explained(statement.text)), [])),
        (result) => result.rows.map((row) => String(Object.values(row as object).at(-1)))
      )
  })
}

const explained = (text: string) => ({
  postgres: `explain (generic_plan) ${text}`,
  sqlite: `explain query plan ${text}`
})

/** The port of the core that this database implements. */
export const layerTransaction: Layer.Layer<Transaction, never, Database> = Layer.effect(
  Transaction,
  Effect.map(Database, (database) => Transaction.of({ within: database.transaction }))
)
