/**
 * What a person reads when something does not work: what, where and what to do, in a few lines, never a stack trace and
 * never a password. Every error a command can end with is turned into one here.
 */
import { explain as explainSqlite, primaryCode } from "@overture/adapters/storage/sqlite/open"
import { DatabaseUnavailable } from "@overture/adapters/storage/Connection"
import { StorageError } from "@overture/core/workspace/StorageError"
import { Cause, Schema } from "effect"
import { CliError } from "effect/cli"

/** How a command ends. */
export const exitCode = {
  ok: 0,
  /** Refused input, or an error of the engine. */
  failure: 1,
  /** Wrong flags or arguments. */
  usage: 2,
  /** In good order, but before the campaign was finished. */
  stopped: 3,
  /** At once, by a second signal. */
  interrupted: 130
} as const

/** A refusal whose text is written already. */
export class CliFailure extends Schema.TaggedError<CliFailure>()("CliFailure", {
  lines: Schema.Array(Schema.String),
  code: Schema.Int
}) {
  override get message(): string {
    return this.lines.join("\n")
  }
}

/** The command is right, what it was given is not. */
export const refuse = (...lines: ReadonlyArray<string>): CliFailure => new CliFailure({ lines, code: exitCode.failure })

/** The command itself is wrong. */
export const misuse = (...lines: ReadonlyArray<string>): CliFailure => new CliFailure({ lines, code: exitCode.usage })

/** Nothing is wrong, but it is not finished. */
export const unfinished = (...lines: ReadonlyArray<string>): CliFailure =>
  new CliFailure({ lines, code: exitCode.stopped })

export interface Told {
  readonly lines: ReadonlyArray<string>
  readonly code: number
}

const failed = (...lines: ReadonlyArray<string>): Told => ({ lines, code: exitCode.failure })

const ofStorage = (error: StorageError, database: string): Told => {
  const { cause } = error
  if (cause instanceof DatabaseUnavailable) return failed(cause.message)
  if (cause instanceof Error && "code" in cause && (cause.code === "ENOSPC" || cause.code === "EDQUOT")) {
    return failed(`${database}: the disk is full. Free some space and start again (while: ${error.operation})`)
  }
  if (primaryCode(cause) !== 0) return failed(`${explainSqlite(database, cause).message} (while: ${error.operation})`)
  return failed(`${database}: ${error.message}`, "Started again, the same command goes on where it stopped.")
}

/** The lines and the exit code for a failed command. `database` is named where an error does not name its own. */
export const tell = (cause: Cause.Cause<unknown>, database: string): Told => {
  const error = Cause.squash(cause)
  if (Cause.hasInterruptsOnly(cause)) return { lines: ["interrupted"], code: exitCode.interrupted }
  if (error instanceof CliFailure) return { lines: error.lines, code: error.code }
  if (CliError.isCliError(error)) return { lines: [], code: exitCode.usage }
  if (error instanceof StorageError) return ofStorage(error, database)
  // Expected errors of the engine and the adapters say what to do themselves.
  if (!Cause.hasDies(cause) && error instanceof Error && error.message !== "") return failed(error.message)
  const what = error instanceof Error ? error.message : String(error)
  return failed(`this is a defect of the program: ${what}`, "OVERTURE_DEBUG=1 shows where; please report it.")
}
