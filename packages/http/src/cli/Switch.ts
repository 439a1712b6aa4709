/** Switches of the environment. */
import { Effect } from "effect"
import { type CliFailure, refuse } from "./Failure.ts"

/** Whether the variable is 1; unset, empty and 0 are off, anything else is refused. */
export const isOn = (variable: string): Effect.Effect<boolean, CliFailure> =>
  Effect.suspend(() => {
    const value = process.env[variable] ?? ""
    return value === "" || value === "0" || value === "1"
      ? Effect.succeed(value === "1")
      : Effect.fail(refuse(`${variable}: expected 0 or 1, got ${JSON.stringify(value)}`))
  })
