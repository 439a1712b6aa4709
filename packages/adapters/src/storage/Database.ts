/**
 * The database behind Effect. What runs inside `transaction` commits together or not at all, also when it fails, dies or
 * is interrupted; a connection is never leaked, neither by a waiter that is interrupted nor by a lost server.
 * Transactions do not nest: an inner one joins the outer, and if it fails the outer cannot commit any more.
 *
 * Two ways in: `run` hands out Kysely, for the queries of screens; `execute` sends a fixed text that is prepared once per
 * connection, for the ledger.
 *
 * @example
 * const statements = defineStatements("LeadStore", (sql) => ({
 *   stop: `update ${sql.t("lead")} as l set stop = x.why from ${sql.rows("x", 1, { id: "text", why: "text" })}
 *     where l.id = x.id returning id`
 * }))
 * const { stop } = database.statements(statements)
 * const stopped = database.execute<{ id: LeadId }>(stop, [[{ id, why: "reply" }]])
 */
import { Transaction } from "@overture/core/workspace/Transaction"
import { StorageError } from "@overture/core/workspace/StorageError"
import { Context, Effect, Exit, Layer, Schedule } from "effect"
import type { Kysely } from "kysely"
import {
  type Connection,
  type Driver,
  type HostTransaction,
  OutcomeUnknown,
  type Result,
  type Send,
  TransactionRefused
} from "./Connection.ts"
import * as Dialect from "./Dialect.ts"
import * as KyselyBridge from "./KyselyBridge.ts"

/** For a caller of `run` who does not say which tables it uses. */
export type AnyTables = Record<string, Record<string, unknown>>

export class Database extends Context.Service<Database, {
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
  /** How many rows a prepared statement changed. */
  affected(statement: Dialect.Statement, parameters?: ReadonlyArray<Dialect.Parameter>): Effect.Effect<number, StorageError>
  /** One or several texts without parameters and results, such as definitions of tables. */
  script(operation: string, text: string): Effect.Effect<void, StorageError>
  /** All of `effect` or nothing. Inside another transaction it joins that one. */
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
}>()("@overture/adapters/Database") {}

/** A transaction under way, shared by all who joined it. */
interface Session {
  readonly connection: Connection
  hot: boolean
  failed: boolean
  ended: boolean
}

// Keyed by database: one program may hold two.
const Current = Context.Reference<ReadonlyMap<Driver, Session>>("@overture/adapters/CurrentTransaction", {
  defaultValue: () => new Map()
})

/** A promise or a plain value as an effect; node:sqlite answers at once and needs no turn of the event loop. */
const settle = <A>(attempt: () => A | Promise<A>): Effect.Effect<A, unknown> =>
  Effect.callback<A, unknown>((resume) => {
    try {
      const answer = attempt()
      if (answer instanceof Promise) {
        answer.then((value) => resume(Effect.succeed(value)), (cause) => resume(Effect.fail(cause)))
      } else resume(Effect.succeed(answer))
    } catch (cause) {
      resume(Effect.fail(cause))
    }
  })

const ended = new TransactionRefused({ reason: "the transaction has ended; a fiber it forked is still using it" })
const doomed = new TransactionRefused({ reason: "an inner transaction failed, so the outer one was rolled back" })
const aborted = new TransactionRefused({ reason: "a statement failed and its failure was caught, so it was rolled back" })

/** The service over a driver. */
export const make = (driver: Driver, prefix: string): Database["Service"] => {
  const sql = Dialect.make(driver.name, prefix)
  const sets = new Map<Dialect.StatementSet<string>, Readonly<Record<string, Dialect.Statement>>>()
  const byName = new Map<string, Dialect.Statement>()

  const failed = (operation: string) => (cause: unknown): StorageError =>
    cause instanceof StorageError ? cause : new StorageError({ operation, retryable: driver.isTransient(cause), cause })

  // A statement settles before anything else happens on its connection: it is never abandoned in mid-flight.
  const using = <A>(operation: string, use: (send: Send, hot: boolean) => A | Promise<A>): Effect.Effect<A, StorageError> =>
    Effect.flatMap(Current, (sessions) => {
      const session = sessions.get(driver)
      if (session !== undefined) {
        const send: Send = (text, parameters, id) => {
          if (session.ended) throw ended
          return session.connection.send(text, parameters, id)
        }
        return Effect.uninterruptible(Effect.mapError(settle(() => use(send, session.hot)), failed(operation)))
      }
      return Effect.mapError(
        Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(restore(driver.acquire), (connection) =>
            Effect.onExit(settle(() => use(connection.send, false)), () =>
              Effect.sync(() => driver.release(connection, false))))
        ),
        failed(operation)
      )
    })

  // Plans are kept with the name: a text that ran unpinned must not leave its plan to the pinned one.
  const send = (statement: Dialect.Statement, parameters: ReadonlyArray<Dialect.Parameter>) =>
    using(statement.name, (send, hot) => send(statement.text, parameters, hot ? `${statement.id}!` : statement.id))

  const join = <A, E, R>(session: Session, hot: boolean, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | StorageError, R> => {
    const pinned = hot && !session.hot && driver.pin !== null ? pin(session, driver.pin, effect) : effect
    return Effect.onExit(pinned, (exit) =>
      Effect.sync(() => {
        if (Exit.isFailure(exit)) session.failed = true
      }))
  }

  const pin = <A, E, R>(session: Session, change: NonNullable<Driver["pin"]>, effect: Effect.Effect<A, E, R>) =>
    Effect.acquireUseRelease(
      Effect.mapError(settle(() => change(session.connection)), failed("pin")),
      () => {
        session.hot = true
        return effect
      },
      (restore) =>
        // In an aborted transaction nothing can be sent; its rollback restores the settings as well.
        Effect.ignore(settle(() => {
          session.hot = false
          return session.connection.send(restore, [])
        }))
    )

  const commit = (session: Session): Effect.Effect<void, StorageError> =>
    Effect.flatMap(settle(() => session.connection.send("commit", [])), (result: Result) =>
      result.command === "ROLLBACK" ? Effect.fail(aborted) : Effect.void).pipe(
        Effect.mapError((cause) => failed("commit")(session.connection.isLost() ? new OutcomeUnknown({ cause }) : cause))
      )

  const rollback = (session: Session): Effect.Effect<boolean> =>
    session.connection.isLost()
      ? Effect.succeed(false)
      : Effect.match(settle(() => session.connection.send("rollback", [])), { onFailure: () => false, onSuccess: () => true })

  const begin = <A, E, R>(
    sessions: ReadonlyMap<Driver, Session>,
    hot: boolean,
    effect: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | StorageError, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function*() {
        const connection = yield* Effect.mapError(restore(driver.acquire), failed("begin"))
        const session: Session = { connection, hot, failed: false, ended: false }
        let clean = false
        return yield* Effect.gen(function*() {
          yield* Effect.mapError(settle(() => connection.send(hot ? driver.beginHot : driver.begin, [])), failed("begin"))
          const exit = yield* Effect.exit(
            restore(Effect.provideService(effect, Current, new Map(sessions).set(driver, session)))
          )
          session.ended = true
          if (Exit.isSuccess(exit) && !session.failed) {
            const committed = yield* Effect.exit(commit(session))
            // A refused commit may leave SQLite's transaction open (the disk is full).
            clean = Exit.isSuccess(committed) || (driver.name === "sqlite" ? yield* rollback(session) : !connection.isLost())
            yield* committed
          } else {
            clean = yield* rollback(session)
            if (Exit.isSuccess(exit)) return yield* failed("commit")(doomed)
          }
          return yield* exit
        }).pipe(Effect.ensuring(Effect.sync(() => driver.release(connection, !clean))))
      })
    )

  const within = (hot: boolean) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | StorageError, R> =>
    Effect.flatMap(Current, (sessions) => {
      const outer = sessions.get(driver)
      return outer === undefined ? begin(sessions, hot, effect) : join(outer, hot, effect)
    })

  return Database.of({
    sql,
    location: driver.database,
    statements: <K extends string>(set: Dialect.StatementSet<K>) => {
      const known = sets.get(set)
      if (known !== undefined) return known as Readonly<Record<K, Dialect.Statement>>
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
      using(operation, (send) => query(KyselyBridge.over(driver.name, prefix, send) as Kysely<T>)),
    execute: <Row>(statement: Dialect.Statement, parameters: ReadonlyArray<Dialect.Parameter> = []) =>
      Effect.map(send(statement, parameters), (result) => result.rows as ReadonlyArray<Row>),
    affected: (statement, parameters = []) => Effect.map(send(statement, parameters), (result) => result.affected),
    script: (operation, text) => Effect.asVoid(using(operation, (send) => send(text, []))),
    transaction: within(false),
    hotTransaction: within(true),
    withHostTransaction: (host) => (effect) =>
      Effect.gen(function*() {
        const sessions = yield* Current
        if (sessions.has(driver)) {
          return yield* failed("join")(new TransactionRefused({ reason: "already inside a transaction of this database" }))
        }
        const connection = yield* Effect.mapError(settle(() => driver.adopt(host)), failed("join"))
        const session: Session = { connection, hot: false, failed: false, ended: false }
        const result = yield* effect.pipe(
          Effect.provideService(Current, new Map(sessions).set(driver, session)),
          Effect.ensuring(Effect.sync(() => session.ended = true))
        )
        return session.failed ? yield* failed("join")(doomed) : result
      }),
    explain: (statement) =>
      Effect.map(
        using(statement.name, (send) => send(sql.pick(explained(statement.text)), [])),
        (result) => result.rows.map((row) => String(Object.values(row as object).at(-1)))
      )
  })
}

const explained = (text: string) => ({ postgres: `explain (generic_plan) ${text}`, sqlite: `explain query plan ${text}` })

/** The port of the core that this database implements. */
export const layerTransaction: Layer.Layer<Transaction, never, Database> = Layer.effect(
  Transaction,
  Effect.map(Database, (database) => Transaction.of({ within: database.transaction }))
)

/**
 * Does `effect` again, up to `times` times with growing pauses, after a deadlock, a lost connection or a busy file. Inside
 * a transaction it does not: there the whole transaction must run again.
 */
export const retryTransient = (times: number) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Current, (sessions) =>
    sessions.size > 0 ? effect : Effect.retry(effect, {
      while: (error) => error instanceof StorageError && error.retryable,
      times,
      schedule: Schedule.jittered(Schedule.exponential("20 millis", 2))
    }))
