/**
 * Work that a process does beside sending: webhook deliveries, jobs, media, retention. Areas register theirs, and the driver
 * runs each in a fiber of its own, so that none of them holds up a message. Chores follow the real clock.
 */
import { Cause, Context, Effect } from "effect"
import { type Instant, minute } from "./Instant.ts"
import { isAway, type StorageError } from "./StorageError.ts"

export interface Chore {
  /** What it does, for logs. */
  readonly name: string
  /**
   * Does what is due at `now` and says whether there was anything, and when more is: null = nothing known. Several processes
   * may run it at once; interrupted or killed, it loses nothing.
   */
  round(now: Instant): Effect.Effect<{ readonly worked: boolean; readonly nextDue: Instant | null }, StorageError>
}

/** The chores of this engine. */
export class Chores extends Context.Service<Chores, ReadonlyArray<Chore>>()("@overture/core/Chores") {}

/** How long one is left alone for which something broke. */
const restMs = 10 * minute

/**
 * What is done for one of many: where it fails or breaks, `otherwise` is done in its place, so that the others have their
 * turn. Only a storage that may be back soon is everyone's trouble, and fails.
 */
export const apart = <A, E, B>(
  work: Effect.Effect<A, E>,
  otherwise: (cause: Cause.Cause<E>) => Effect.Effect<B>
): Effect.Effect<A | B, StorageError> =>
  Effect.catchCauseIf(
    work,
    (cause) => !Cause.hasInterrupts(cause) && !isAway(Cause.squash(cause)),
    otherwise
  ) as Effect.Effect<A | B, StorageError>

/**
 * How a chore goes through many that have nothing to do with each other, one after the other: that something broke for one
 * is logged, and that one is left alone for ten minutes. Says how many had their turn.
 */
export const turns = (name: string) => {
  const resting = new Map<string, Instant>()
  return <Id extends string, E>(
    ids: ReadonlyArray<Id>,
    now: Instant,
    work: (id: Id) => Effect.Effect<void, E>
  ): Effect.Effect<number, StorageError> =>
    Effect.gen(function* () {
      const due = ids.filter((id) => (resting.get(id) ?? now) <= now)
      for (const id of due) {
        resting.delete(id)
        yield* apart(work(id), (cause) => {
          resting.set(id, now + restMs)
          return Effect.logError(`${name}: ${id} is left alone for a while`, cause)
        })
      }
      return due.length
    })
}
