/** A file of contacts in any format we read, and the fingerprint by which an import knows it again. */
import { Effect, type Stream } from "effect"
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { pipeline } from "node:stream/promises"
import { problemOf } from "./Bytes.ts"
import * as Csv from "./Csv.ts"
import * as Json from "./Json.ts"

const isJson = (path: string) => /\.(json|ndjson|jsonl)$/i.test(path)

/** Reads a file as what its name says: `.json`, `.ndjson` and `.jsonl` are JSON, everything else is CSV. */
export const read = (
  path: string,
  options: Csv.Options = {}
): Stream.Stream<Csv.Batch, Csv.CsvError | Json.JsonError> =>
  isJson(path) ? Json.read(path, options) : Csv.read(path, options)

/** Changes with the bytes of the file and with how it is read (`how`: mapping, country, channel). */
export const fingerprint = (path: string, how: unknown = null): Effect.Effect<string, Csv.CsvError> =>
  Effect.tryPromise({
    try: async () => {
      const hash = createHash("sha256").update(JSON.stringify(how) ?? "")
      await pipeline(createReadStream(path), hash)
      return hash.digest("hex")
    },
    catch: (cause) =>
      new Csv.CsvError({ file: path, line: null, column: null, problem: problemOf(cause), advice: "check the path" })
  })
