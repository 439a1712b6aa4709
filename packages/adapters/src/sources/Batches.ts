/**
 * What is the same of all files of contacts, whatever their format: they are read slice by slice and come as batches of
 * rows. A pass over the file knows the format.
 */
import { type Effect, Result, Stream } from "effect"
import { bytesOf, slices } from "./Bytes.ts"
import type * as ContactRow from "./ContactRow.ts"

/** The outcome of at most 500 records, in the order of the file within each list. */
export interface Batch {
  readonly rows: ReadonlyArray<ContactRow.ImportRow>
  readonly rejected: ReadonlyArray<ContactRow.Rejected>
}

export interface Options extends ContactRow.RowOptions {
  /** What errors call the file; by default its path, or `input`. */
  readonly name?: string | undefined
}

/** What a record came to. */
export type Entry = Result.Result<ContactRow.ImportRow, ContactRow.Rejected>

/** Why a file cannot be read, or not beyond that place. */
export interface Fault<Column> {
  /** From 1; null when it is the file as a whole. */
  readonly line: number | null
  readonly column: Column | null
  readonly problem: string
  readonly advice: string
}

/** One pass over one file. */
export interface Pass<Column> {
  /** Takes the next slice, null at the end of the file, and returns what the records in it came to. */
  readonly feed: (
    slice: Uint8Array | null
  ) => Effect.Effect<{ readonly entries: ReadonlyArray<Entry>; readonly fault: Fault<Column> | null }>
  readonly close: Effect.Effect<void>
}

const batchSize = 500

/** What records came to, by what they became. */
export const batchOf = (entries: ReadonlyArray<Entry>): Batch => {
  const rows: Array<ContactRow.ImportRow> = []
  const rejected: Array<ContactRow.Rejected> = []
  for (const entry of entries) {
    if (Result.isSuccess(entry)) rows.push(entry.success)
    else rejected.push(entry.failure)
  }
  return { rows, rejected }
}

/** Reads a file, or bytes from elsewhere, by one pass; `refused` is the error of the format. */
export const read = <Column, Refused, E, R>(
  source: string | Stream.Stream<Uint8Array, E, R>,
  options: Options,
  pass: () => Pass<Column>,
  refused: (file: string, fault: Fault<Column>) => Refused
): Stream.Stream<Batch, Refused | E, R> => {
  const file = options.name ?? (typeof source === "string" ? source : "input")
  const bytes: Stream.Stream<Uint8Array, Refused | E, R> =
    typeof source === "string"
      ? bytesOf(source, (problem) => refused(file, { line: null, column: null, problem, advice: "check the path" }))
      : source
  return Stream.suspend(() => {
    const { close, feed } = pass()
    return bytes.pipe(
      Stream.flatMap(slices),
      Stream.concat(Stream.succeed(null)),
      Stream.mapEffect(feed),
      Stream.flatMap(({ entries, fault }) =>
        fault === null
          ? Stream.fromArray(entries)
          : Stream.concat(Stream.fromArray(entries), Stream.fail(refused(file, fault)))
      ),
      Stream.grouped(batchSize),
      Stream.map(batchOf),
      Stream.ensuring(close)
    )
  })
}
