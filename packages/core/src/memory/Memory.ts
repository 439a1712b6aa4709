/**
 * One state and the transactions over it. Transactions run one after the other, so nobody sees what is not committed; a
 * verb called inside one joins it. What a transaction wrote is taken back step by step when it fails, dies or is
 * interrupted.
 */
import { Clock, Context, Effect, Exit, Semaphore } from "effect"
import type { Instant } from "../workspace/Instant.ts"
import { isAway, StorageError } from "../workspace/StorageError.ts"
import { tries } from "../workspace/Transaction.ts"
import * as State from "./State.ts"
import { UndoLog } from "./Table.ts"

export interface Memory {
  readonly state: State.State
  /** Runs an effect in one transaction, or in the one that is open around it, which cannot commit once this failed. */
  within<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | StorageError, R>
  /** A verb: all of it or nothing. */
  verb<A>(body: () => A): Effect.Effect<A, StorageError>
  /** A verb that needs the database's clock. */
  timed<A>(body: (clock: Instant) => A): Effect.Effect<A, StorageError>
}

/** The transaction that is open around the running fiber. */
interface Open {
  readonly log: UndoLog
  /** False once it ended: a fiber that outlives it must not write into another one unprotected. */
  isOpen: boolean
  /** True once something inside it failed, as databases have it, though its caller goes on. */
  isDoomed: boolean
}

const doomed = "an inner transaction failed, so the outer one was rolled back"

const Current = Context.Reference<Open | null>("@overture/core/memory/Current", { defaultValue: () => null })

/** A fresh, empty state. */
export const make: Effect.Effect<Memory> = Effect.gen(function* () {
  const lock = yield* Semaphore.make(1)
  const log = new UndoLog()
  const state = State.make(log)

  const once = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | StorageError, R> =>
    Effect.suspend(() => {
      const transaction: Open = { log, isOpen: true, isDoomed: false }
      return effect.pipe(
        Effect.provideService(Current, transaction),
        Effect.onExit((exit) =>
          Effect.sync(() => {
            transaction.isOpen = false
            if (Exit.isSuccess(exit) && !transaction.isDoomed) log.commit()
            else log.rollback(0)
          })
        ),
        Effect.filterOrFail(
          () => !transaction.isDoomed,
          () => new StorageError({ operation: "commit", retryable: false, cause: new Error(doomed) })
        )
      )
    })

  const join = <A, E, R>(
    effect: Effect.Effect<A, E, R>,
    outermost: (effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | StorageError, R>
  ): Effect.Effect<A, E | StorageError, R> =>
    Effect.flatMap(Current, (current) =>
      current !== null && current.log === log && current.isOpen
        ? Effect.onError(effect, () => Effect.sync(() => (current.isDoomed = true)))
        : lock.withPermit(outermost(effect))
    )

  const again = { while: isAway, times: tries - 1 }
  const within: Memory["within"] = (effect) => join(effect, () => Effect.retry(once(effect), again))
  // What is no effect meets nothing that passes.
  const verb: Memory["verb"] = (body) => join(Effect.sync(body), once)

  return {
    state,
    within,
    verb,
    timed: (body) => join(Effect.map(Clock.currentTimeMillis, body), once)
  }
})
