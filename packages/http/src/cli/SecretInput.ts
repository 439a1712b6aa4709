/** Secrets that a command is given: from a file or from stdin, never as an argument, which every process can read. */
import { Effect, Redacted } from "effect"
import { readFile } from "node:fs/promises"
import { text } from "node:stream/consumers"
import type { CliFailure } from "./Failure.ts"
import * as FileProblem from "./FileProblem.ts"

/** What stands in the file, `-` = stdin, without the line end after it. The text is in no error. */
export const read = (flag: string, path: string): Effect.Effect<Redacted.Redacted<string>, CliFailure> =>
  Effect.tryPromise({
    try: async () =>
      Redacted.make((path === "-" ? await text(process.stdin) : await readFile(path, "utf8")).replace(/\r?\n$/, "")),
    catch: (cause) => FileProblem.reading(`${flag} ${path}`, cause)
  })
