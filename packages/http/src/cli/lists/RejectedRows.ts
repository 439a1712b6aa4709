/**
 * Where the rows go that an import leaves out: the first few to the screen, all of them to a CSV file where one is named.
 * An import that goes on finds its file with as many rows as were committed; what came after them is told again.
 */
import { problemHeader, problemRow } from "@overture/core/contact/ContactCsv"
import type { RowProblem } from "@overture/core/contact/ContactRow"
import { Effect, type Scope } from "effect"
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs"
import type { CliFailure } from "../Failure.ts"
import * as FileProblem from "../FileProblem.ts"
import * as Output from "../Output.ts"
import { rejectedLine, rejectedShown } from "../run/Inputs.ts"

export interface RejectedRows {
  /** Takes rows in their order. In the file when it returns. */
  readonly take: (problems: ReadonlyArray<RowProblem>) => Effect.Effect<void, CliFailure>
}

/** Bytes of the header and the first `count` rows; a line break inside quotes ends none. */
const lengthOf = (bytes: Uint8Array, count: number): number => {
  let left = count + 1
  let quoted = false
  for (const [i, byte] of bytes.entries()) {
    if (byte === 34) quoted = !quoted
    if (byte !== 10 || quoted) continue
    left -= 1
    if (left === 0) return i + 1
  }
  return bytes.length
}

const attempt = <A>(path: string, use: () => A): Effect.Effect<A, CliFailure> =>
  Effect.try({
    try: use,
    catch: (cause) => FileProblem.writing(path, cause)
  })

/** Opens `path` with the `known` rows that an earlier run has committed; the scope's end closes it. */
export const toFile = (path: string, known: number): Effect.Effect<RejectedRows, CliFailure, Scope.Scope> =>
  Effect.gen(function* () {
    const file = yield* Effect.acquireRelease(
      attempt(path, () => openSync(path, "a+")),
      (descriptor) => Effect.sync(() => closeSync(descriptor))
    )
    yield* attempt(path, () => {
      const kept = known === 0 ? 0 : lengthOf(readFileSync(path), known)
      if (fstatSync(file).isFile()) ftruncateSync(file, kept)
      if (kept === 0) writeSync(file, problemHeader)
    })
    return {
      take: (problems) =>
        attempt(path, () => {
          writeSync(file, problems.map(problemRow).join(""))
          fsyncSync(file)
        })
    }
  })

/** Tells the first ones on stderr. */
export const toScreen = (source: string): RejectedRows => {
  let told = 0
  return {
    take: (problems) =>
      Effect.sync(() => {
        const shown = problems.slice(0, rejectedShown - told)
        told += shown.length
        Output.say(...shown.map((problem) => rejectedLine(source, problem)))
      })
  }
}
