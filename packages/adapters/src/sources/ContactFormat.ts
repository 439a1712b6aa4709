/** The formats in which contacts come, by name or by media type. */
import type { Stream } from "effect"
import type * as Batches from "./Batches.ts"
import * as Csv from "./Csv.ts"
import * as Json from "./Json.ts"

export type ContactFormat = "csv" | "json"

/** `.json`, `.ndjson` and `.jsonl` are JSON, everything else is CSV. */
export const byName = (name: string): ContactFormat => (/\.(json|ndjson|jsonl)$/i.test(name) ? "json" : "csv")

/** What a `Content-Type` says; null where it says neither. */
export const byMediaType = (type: string): ContactFormat | null =>
  /\b(json|ndjson|jsonl)\b|\+json\b/i.test(type) ? "json" : /\bcsv\b/i.test(type) ? "csv" : null

/** Reads bytes as that format. */
export const read = <E, R>(
  format: ContactFormat,
  bytes: Stream.Stream<Uint8Array, E, R>,
  options: Batches.Options
): Stream.Stream<Batches.Batch, Csv.CsvError | Json.JsonError | E, R> =>
  format === "json" ? Json.read(bytes, options) : Csv.read(bytes, options)
