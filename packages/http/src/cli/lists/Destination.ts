/**
 * Where an export goes: to stdout as fast as its reader reads, or to a file that is there whole or not at all. What is no
 * file, such as a pipe or a device, is written to as it is, and what a link leads to stays where it is.
 */
import { Effect, Stream } from "effect"
import { once } from "node:events"
import { open, realpath, rename, rm, stat } from "node:fs/promises"
import type { CliFailure } from "../Failure.ts"
import * as FileProblem from "../FileProblem.ts"
import * as Output from "../Output.ts"

const toStdout = <E, R>(pieces: Stream.Stream<string, E, R>): Effect.Effect<void, E, R> =>
  Stream.runForEach(pieces, (piece) =>
    Effect.promise(async () => {
      if (!process.stdout.write(piece)) await once(process.stdout, "drain")
    })
  )

/** The place behind links, and whether a file can be put there in one step. */
const placeOf = async (path: string): Promise<{ readonly place: string; readonly isFile: boolean }> => {
  const found = await stat(path).catch(() => null)
  // A pipe has no path of its own.
  if (found !== null && !found.isFile() && !found.isDirectory()) return { place: path, isFile: false }
  return { place: found === null ? path : await realpath(path), isFile: true }
}

const toFile = <E, R>(path: string, pieces: Stream.Stream<string, E, R>): Effect.Effect<void, E | CliFailure, R> => {
  const attempt = <A>(step: () => Promise<A>) =>
    Effect.tryPromise({ try: step, catch: (cause) => FileProblem.writing(path, cause) })
  return Effect.gen(function* () {
    const { isFile, place } = yield* attempt(() => placeOf(path))
    const partial = isFile ? `${place}.${process.pid}.partial` : place
    yield* Effect.acquireUseRelease(
      attempt(() => open(partial, "w")),
      (file) =>
        Effect.gen(function* () {
          yield* Stream.runForEach(pieces, (piece) => attempt(() => file.writeFile(piece)))
          if (!isFile) return
          yield* attempt(() => file.sync())
          yield* attempt(() => rename(partial, place))
        }),
      (file) =>
        Effect.promise(async () => {
          await file.close()
          if (isFile) await rm(partial, { force: true })
        })
    )
  })
}

/** Writes the pieces, to stdout where no file is named or `-` is. A file of that name is replaced at the end, and stays as it was where anything fails. */
export const write = <E, R>(
  path: string | undefined,
  pieces: Stream.Stream<string, E, R>
): Effect.Effect<void, E | CliFailure, R> => {
  if (path === undefined || path === "-" || path === "/dev/stdout") return toStdout(pieces)
  return Effect.tap(toFile(path, pieces), () => Effect.sync(() => Output.say(`${path} is written`)))
}
