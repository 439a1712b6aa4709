/** Trying again where trying again is safe. */
import { Effect, Schedule } from "effect"
import type { StorageError } from "../workspace/StorageError.ts"

/** Tries of what does not pass by itself: over about half a minute. */
const tries = 12

/** The failure after which people are told, some three seconds after the first: what passes sooner is none of their business. */
const toldAt = 6

/** From 50 ms, doubling, to 5 s. */
const pauses = Schedule.jittered(Schedule.min([Schedule.exponential("50 millis"), Schedule.spaced("5 seconds")]))

/**
 * For verbs that a claim fences: doing them again changes nothing, and finds nothing once another has taken the claim over.
 * So what may pass, a lost connection or a deadlock, is met by trying again for as long as `isPatient` says; any other
 * failure, and every one when it says no, by a few tries. What does not pass soon is said once.
 */
export const insist =
  (isPatient: () => boolean) =>
  <A>(effect: Effect.Effect<A, StorageError>): Effect.Effect<A, StorageError> =>
    Effect.suspend(() => {
      let failures = 0
      const counted = Effect.tapError(effect, ({ message }) =>
        ++failures === toldAt ? Effect.logWarning(`trying again: ${message}`) : Effect.void
      )
      return Effect.retry(counted, {
        schedule: pauses,
        while: ({ retryable }) => failures < tries || (retryable && isPatient())
      })
    })
