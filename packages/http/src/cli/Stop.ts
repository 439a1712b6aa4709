/** The wish of the outside that a long command ends: the first signal asks, the second one does not wait. */
import { Deferred, Effect, type Scope } from "effect"
import { exitCode, unfinished } from "./Failure.ts"
import { say } from "./Output.ts"

const signals = ["SIGINT", "SIGTERM"] as const

/** Waits for the first SIGINT or SIGTERM. */
export type Stop = Effect.Effect<NodeJS.Signals>

/** From here to the end of the scope a first signal is kept for whoever waits; another one ends the process at once. */
export const listen: Effect.Effect<Stop, never, Scope.Scope> = Effect.gen(function* () {
  const asked = Deferred.makeUnsafe<NodeJS.Signals>()
  const ask = (signal: NodeJS.Signals) => {
    if (Deferred.doneUnsafe(asked, Effect.succeed(signal))) return
    say("stopped at once: what was being sent is looked at again by the next start")
    process.exit(exitCode.interrupted)
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      for (const signal of signals) process.on(signal, ask)
    }),
    () =>
      Effect.sync(() => {
        for (const signal of signals) process.off(signal, ask)
      })
  )
  return Deferred.await(asked)
})

/** Runs what may be cut off anywhere, as its transactions are rolled back and done again by the next run. */
export const interrupting =
  (stop: Stop) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.raceFirst(
      effect,
      Effect.flatMap(stop, (signal) => unfinished(`stopped by ${signal}`, "Start the same command again: it goes on."))
    )
