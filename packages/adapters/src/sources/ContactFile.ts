/** A file of contacts in any format we read, and the fingerprint by which an import knows it again. */
import { Effect, Stream } from "effect"
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { pipeline } from "node:stream/promises"
import type * as Batches from "./Batches.ts"
import { bytesOf, problemOf } from "./Bytes.ts"
import * as ContactFormat from "./ContactFormat.ts"
import * as Csv from "./Csv.ts"
import type * as Json from "./Json.ts"

const absent = (path: string, problem: string) =>
  new Csv.CsvError({ file: path, line: null, column: null, problem, advice: "check the path" })

/**
 * Reads a file as what its name says: `.json`, `.ndjson` and `.jsonl` are JSON, everything else is CSV. `onBytes` is told
 * how many more bytes were read.
 */
export const read = (
  path: string,
  options: Batches.Options = {},
  onBytes?: (count: number) => void
): Stream.Stream<Batches.Batch, Csv.CsvError | Json.JsonError> => {
  const bytes = bytesOf(path, (problem) => absent(path, problem))
  const counted = onBytes === undefined ? bytes : Stream.tap(bytes, (slice) => Effect.sync(() => onBytes(slice.length)))
  return ContactFormat.read(ContactFormat.byName(path), counted, { name: path, ...options })
}

/** Changes with the bytes of the file and with how it is read (`how`: mapping, country, channel). */
export const fingerprint = (path: string, how: unknown = null): Effect.Effect<string, Csv.CsvError> =>
  Effect.tryPromise({
    try: async () => {
      const hash = createHash("sha256").update(JSON.stringify(how) ?? "")
      await pipeline(createReadStream(path), hash)
      return hash.digest("hex")
    },
    catch: (cause) => absent(path, problemOf(cause))
  })
