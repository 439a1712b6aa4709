/** The wish of the outside that a long command ends: the first signal asks, the second one does not wait. */
import { Effect } from "effect"
import { exitCode } from "./Failure.ts"

const signals = ["SIGINT", "SIGTERM"] as const

/** The first SIGINT or SIGTERM. From then on another one ends the process at once. */
export const requested: Effect.Effect<NodeJS.Signals> = Effect.callback((resume) => {
  let asked = false
  const ask = (signal: NodeJS.Signals) => {
    if (asked) process.exit(exitCode.interrupted)
    asked = true
    resume(Effect.succeed(signal))
  }
  for (const signal of signals) process.on(signal, ask)
  return Effect.sync(() => {
    for (const signal of signals) process.off(signal, ask)
  })
})
