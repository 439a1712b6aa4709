/** Where an export goes: to stdout as fast as its reader reads, or to a file that is there whole or not at all. */
import { Effect, Stream } from "effect"
import { once } from "node:events"
import { open, rename, rm } from "node:fs/promises"
import { type CliFailure, refuse } from "../Failure.ts"
import * as Output from "../Output.ts"

const toStdout = <E, R>(pieces: Stream.Stream<string, E, R>): Effect.Effect<void, E, R> =>
  Stream.runForEach(pieces, (piece) =>
    Effect.promise(async () => {
      if (!process.stdout.write(piece)) await once(process.stdout, "drain")
    })
  )

const reasons: Readonly<Partial<Record<string, string>>> = {
  ENOENT: "its directory does not exist",
  EISDIR: "it is a directory",
  EACCES: "writing it is not permitted",
  EROFS: "writing it is not permitted",
  ENOSPC: "the disk is full"
}

const problem = (path: string, cause: unknown): CliFailure => {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
  return refuse(`${path}: ${reasons[code] ?? String(cause)}`)
}

const toFile = <E, R>(path: string, pieces: Stream.Stream<string, E, R>): Effect.Effect<void, E | CliFailure, R> => {
  const partial = `${path}.${process.pid}.partial`
  const attempt = <A>(step: () => Promise<A>) =>
    Effect.tryPromise({ try: step, catch: (cause) => problem(path, cause) })
  return Effect.acquireUseRelease(
    attempt(() => open(partial, "w")),
    (file) =>
      Effect.gen(function* () {
        yield* Stream.runForEach(pieces, (piece) => attempt(() => file.writeFile(piece)))
        yield* attempt(() => file.sync())
        yield* attempt(() => rename(partial, path))
      }),
    (file) =>
      Effect.promise(async () => {
        await file.close()
        await rm(partial, { force: true })
      })
  )
}

/** Writes the pieces. A file of that name is replaced at the end, and stays as it was where anything fails. */
export const write = <E, R>(
  path: string | undefined,
  pieces: Stream.Stream<string, E, R>
): Effect.Effect<void, E | CliFailure, R> => {
  if (path === undefined) return toStdout(pieces)
  return Effect.tap(toFile(path, pieces), () => Effect.sync(() => Output.say(`${path} is written`)))
}
