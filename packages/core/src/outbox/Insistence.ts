/** Trying again where trying again is safe. */
import { Effect, Schedule } from "effect"
import type { StorageError } from "../workspace/StorageError.ts"

/**
 * For verbs that a claim fences: doing them again changes nothing, so a lost connection, a deadlock or a commit whose
 * answer was lost is met by trying again, for about half a minute.
 */
export const insist = <A>(effect: Effect.Effect<A, StorageError>): Effect.Effect<A, StorageError> =>
  Effect.retry(effect, {
    schedule: Schedule.exponential("50 millis").pipe(Schedule.jittered),
    times: 9
  })
