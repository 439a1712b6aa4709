/**
 * Who holds which connection, and how a transaction begins and ends. The transaction at hand travels with the fiber; its
 * connection goes back to the driver exactly once, whatever happens to the fiber, and goes back to be thrown away when
 * nobody can say that the transaction on it is over. One that is rolled back for what passes, a deadlock above all, is
 * begun again from its beginning; a host's is not ours to begin, and fails with just that.
 */
import { isAway, StorageError } from "@overture/core/workspace/StorageError"
import { tries } from "@overture/core/workspace/Transaction"
import { Context, Effect, Exit, Schedule } from "effect"
import {
  type Connection,
  type Driver,
  type HostTransaction,
  OutcomeUnknown,
  type Result,
  TransactionRefused
} from "./Connection.ts"
import * as Session from "./Session.ts"

// Keyed by database: one program may hold two.
const Current = Context.Reference<ReadonlyMap<Driver, Session.Session>>("@overture/adapters/CurrentTransaction", {
  defaultValue: () => new Map()
})

/** A promise or a plain value as an effect; node:sqlite answers at once and needs no turn of the event loop. */
const settle = <A>(attempt: () => A | Promise<A>): Effect.Effect<A, unknown> =>
  Effect.callback<A, unknown>((resume) => {
    try {
      const answer = attempt()
      if (answer instanceof Promise) {
        answer.then(
          (value) => resume(Effect.succeed(value)),
          (cause) => resume(Effect.fail(cause))
        )
      } else resume(Effect.succeed(answer))
    } catch (cause) {
      resume(Effect.fail(cause))
    }
  })

/** Before a transaction is begun again: those in its way go on. */
const pauses = Schedule.jittered(Schedule.exponential("10 millis"))

const doomed = new TransactionRefused({ reason: "an inner transaction failed, so the outer one was rolled back" })
const inside = new TransactionRefused({ reason: "already inside a transaction of this database" })

/** The sessions of one driver. */
export const make = (driver: Driver) => {
  const failed =
    (operation: string) =>
    (cause: unknown): StorageError =>
      cause instanceof StorageError
        ? cause
        : new StorageError({ operation, retryable: driver.isTransient(cause), cause })

  // Runs in an uninterruptible region: a connection granted in the moment of an interruption is given back.
  const acquire = (restore: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      let held: Connection | undefined
      const waiting = Effect.callback<Connection, unknown>((resume) => {
        const cancel = driver.acquire(
          (connection) => {
            held = connection
            resume(Effect.succeed(connection))
          },
          (cause) => resume(Effect.fail(cause))
        )
        return Effect.sync(cancel)
      })
      return Effect.onExit(restore(waiting), (exit) =>
        Effect.sync(() => {
          if (Exit.isFailure(exit) && held !== undefined) driver.release(held, false)
        })
      )
    })

  // A statement settles before anything else happens on its connection: it is never abandoned in mid-flight.
  const using = <A>(
    operation: string,
    use: (connection: Session.Sender, hot: boolean) => A | Promise<A>
  ): Effect.Effect<A, StorageError> =>
    Effect.flatMap(Current, (sessions) => {
      const session = sessions.get(driver)
      if (session !== undefined) {
        return Effect.uninterruptible(
          Effect.mapError(
            settle(() => use(Session.guarded(session), session.hot)),
            (cause) => {
              const error = session.refusal ?? failed(operation)(cause)
              if (error.retryable) session.refusal = error
              return error
            }
          )
        )
      }
      return Effect.mapError(
        Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(acquire(restore), (connection) =>
            Effect.onExit(
              settle(() => use(connection, false)),
              () => Effect.sync(() => driver.release(connection, false))
            )
          )
        ),
        failed(operation)
      )
    })

  const sending = (
    operation: string,
    use: (connection: Session.Sender, hot: boolean) => unknown
  ): Effect.Effect<void, StorageError> =>
    Effect.flatMap(Current, (sessions) => {
      const session = sessions.get(driver)
      // Before `begin` has answered a write is held back, and nothing may end before it is sent.
      const waits = session === undefined || session.isHosts || session.opening !== undefined
      if (waits || !session.connection.pipelined) return Effect.asVoid(using(operation, use))
      if (session.ended) return Effect.fail(failed(operation)(Session.ended))
      return Effect.sync(() => {
        const refuse = (cause: unknown) => {
          session.refusal ??= failed(operation)(cause)
        }
        try {
          Promise.resolve(use(Session.guarded(session), session.hot)).catch(refuse)
        } catch (cause) {
          // The server never heard of it, and would commit the rest.
          refuse(cause)
        }
      })
    })

  const join = <A, E, R>(
    session: Session.Session,
    hot: boolean,
    effect: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | StorageError, R> => {
    const pinned = hot && !session.hot && driver.pin !== null ? pin(session, driver.pin, effect) : effect
    return Effect.onExit(pinned, (exit) =>
      Effect.sync(() => {
        if (Exit.isFailure(exit)) session.failed = true
      })
    )
  }

  /** Pins plans to the end of a transaction of ours; in a host's, only as long as `effect` runs. */
  const pin = <A, E, R>(
    session: Session.Session,
    pinning: NonNullable<Driver["pin"]>,
    effect: Effect.Effect<A, E, R>
  ) =>
    session.isHosts
      ? Effect.acquireUseRelease(
          Effect.mapError(
            settle(async () => {
              const restore = await pinning.read(session.connection)
              await session.connection.script(pinning.settings)
              session.hot = true
              return restore
            }),
            failed("pin")
          ),
          () => effect,
          (restore) =>
            // In an aborted transaction nothing can be sent; its rollback restores the settings as well.
            Effect.ignore(
              settle(() => {
                session.hot = false
                return session.connection.script(restore)
              })
            )
        )
      : Effect.suspend(() => {
          if (!session.hot) {
            session.hot = true
            // Not waited for: if it fails, so does everything after it, and the commit.
            const pinned = Session.afterBegin(session, false, () => session.connection.script(pinning.settings))
            Promise.resolve(pinned).catch(() => {})
          }
          return effect
        })

  const commit = (session: Session.Session): Effect.Effect<void, StorageError> =>
    Effect.suspend(() => {
      const wasLost = session.connection.isLost()
      return Effect.flatMap(
        settle(() => Session.afterBegin(session, true, () => session.connection.send("commit", []))),
        (result: Result) =>
          result.command === "ROLLBACK" ? Effect.fail(session.refusal ?? Session.aborted) : Effect.void
      ).pipe(
        Effect.mapError((cause) =>
          failed("commit")(session.connection.isLost() && !wasLost ? new OutcomeUnknown({ cause }) : cause)
        )
      )
    })

  const rollback = (session: Session.Session): Effect.Effect<boolean> =>
    session.connection.isLost()
      ? Effect.succeed(false)
      : Effect.match(
          settle(() => session.connection.send("rollback", [])),
          { onFailure: () => false, onSuccess: () => true }
        )

  /** One try on a connection: how it ended, and whether the transaction is surely over. */
  const attempt = Effect.fnUntraced(function* <A, E, R>(
    connection: Connection,
    sessions: ReadonlyMap<Driver, Session.Session>,
    hot: boolean,
    effect: Effect.Effect<A, E, R>
  ): Effect.fn.Return<{ readonly exit: Exit.Exit<A, E | StorageError>; readonly isOver: boolean }, never, R> {
    const session = Session.make(connection, { hot, isHosts: false })
    const opened = yield* Effect.exit(
      Effect.mapError(
        settle(() => Session.open(session, hot ? driver.beginHot : driver.begin)),
        failed("begin")
      )
    )
    if (Exit.isFailure(opened)) return { exit: Exit.failCause(opened.cause), isOver: false }
    const exit = yield* Effect.exit(Effect.provideService(effect, Current, new Map(sessions).set(driver, session)))
    session.ended = true
    if (Exit.isSuccess(exit) && !session.failed && session.refusal === undefined) {
      const committed = yield* Effect.exit(commit(session))
      if (Exit.isSuccess(committed)) return { exit, isOver: true }
      // A refused commit may leave SQLite's transaction open (the disk is full).
      const isOver = driver.name === "sqlite" ? yield* rollback(session) : !connection.isLost()
      return { exit: Exit.failCause(committed.cause), isOver }
    }
    const isOver = yield* rollback(session)
    // Whatever the effect made of the failure of a statement.
    const { refusal } = session
    const isRefused = Exit.isSuccess(exit) || (refusal !== undefined && !Exit.hasInterrupts(exit))
    return { exit: isRefused ? Exit.fail(refusal ?? failed("commit")(doomed)) : exit, isOver }
  })

  const begin = <A, E, R>(
    sessions: ReadonlyMap<Driver, Session.Session>,
    hot: boolean,
    effect: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | StorageError, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const connection = yield* Effect.mapError(acquire(restore), failed("begin"))
        let isOver = false
        const trying = Effect.suspend(() => {
          isOver = false
          return Effect.flatMap(attempt(connection, sessions, hot, restore(effect)), (tried) => {
            isOver = tried.isOver
            return tried.exit
          })
        })
        return yield* Effect.retry(trying, {
          while: (error) => isOver && isAway(error),
          times: tries - 1,
          schedule: pauses
        }).pipe(Effect.ensuring(Effect.sync(() => driver.release(connection, !isOver))))
      })
    )

  const within =
    (hot: boolean) =>
    <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | StorageError, R> =>
      Effect.flatMap(Current, (sessions) => {
        const outer = sessions.get(driver)
        return outer === undefined ? begin(sessions, hot, effect) : join(outer, hot, effect)
      })

  const alone = <A>(
    operation: string,
    use: (connection: Session.Sender, hot: boolean) => A | Promise<A>
  ): Effect.Effect<A, StorageError> =>
    Effect.flatMap(Current, (sessions) => {
      if (sessions.has(driver) || (driver.pin !== null && !driver.pipelined)) return within(true)(using(operation, use))
      // Without plans to pin, a statement outside a transaction is one by itself.
      if (driver.pin === null) return using(operation, use)
      return Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const connection = yield* Effect.mapError(acquire(restore), failed("begin"))
          const all = settle(() =>
            Promise.all([
              connection.script(driver.beginHot),
              use(connection, true),
              // The last to answer: when it has, the transaction is over.
              Promise.resolve(connection.send("commit", [])).finally(() => driver.release(connection, false))
            ])
          )
          const [, answer] = yield* Effect.mapError(all, failed(operation))
          return answer
        })
      )
    })

  const host =
    (transaction: HostTransaction) =>
    <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | StorageError, R> =>
      Effect.gen(function* () {
        const sessions = yield* Current
        if (sessions.has(driver)) return yield* failed("join")(inside)
        const connection = yield* Effect.mapError(
          settle(() => driver.adopt(transaction)),
          failed("join")
        )
        const session = Session.make(connection, { hot: false, isHosts: true })
        const result = yield* effect.pipe(
          Effect.provideService(Current, new Map(sessions).set(driver, session)),
          Effect.ensuring(
            Effect.sync(() => {
              session.ended = true
              driver.forget(connection)
            })
          )
        )
        const { refusal } = session
        return session.failed || refusal !== undefined ? yield* refusal ?? failed("join")(doomed) : result
      })

  return {
    /** Runs `use` on the connection of the transaction at hand, or on one of its own. */
    using,
    /**
     * The same for what nobody needs an answer of: inside a transaction of ours that pipelines, the answer is waited for no
     * earlier than the one to the next statement or to `commit`, which fail with its failure.
     */
    sending,
    /** Runs `use` as a hot transaction by itself, in one round trip where texts need not wait for each other. */
    alone,
    /** Runs an effect in a transaction; `hot` pins the plans of prepared statements. */
    within,
    /** Runs an effect in a transaction that a host began and will end. */
    host
  }
}
