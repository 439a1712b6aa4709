/** Secrets that a command is given: from a file or from stdin, never as an argument, which every process can read. */
import { Effect, Redacted } from "effect"
import { readFile } from "node:fs/promises"
import { text } from "node:stream/consumers"
import { type CliFailure, refuse } from "./Failure.ts"

/** What stands in the file, `-` = stdin, without the line end after it. The text is in no error. */
export const read = (flag: string, path: string): Effect.Effect<Redacted.Redacted<string>, CliFailure> =>
  Effect.tryPromise({
    try: async () =>
      Redacted.make((path === "-" ? await text(process.stdin) : await readFile(path, "utf8")).replace(/\r?\n$/, "")),
    catch: (cause) => {
      const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unreadable"
      return refuse(`${flag} ${path}: it cannot be read (${code})`)
    }
  })
