/**
 * Contacts from CSV, as a stream: whatever the size of the file, a slice of it and a batch of rows are in memory. A bad
 * row is reported and left out; a file that cannot be trusted (encoding, quotes, header) ends the stream with an error
 * that names the line and what to do. The records before that place, but perhaps the last, have been emitted.
 */
import { Effect, Result, Schema, type Stream } from "effect"
import { CsvError as ParserError, Parser } from "csv-parse"
import * as Batches from "./Batches.ts"
import { sliceSize } from "./Bytes.ts"
import * as ContactRow from "./ContactRow.ts"
import * as PlainText from "./PlainText.ts"

/** A file that cannot be read, or not beyond that place. */
export class CsvError extends Schema.TaggedError<CsvError>()("CsvError", {
  file: Schema.String,
  /** Where the record begins, from 1; null when it is the file as a whole. */
  line: Schema.NullOr(Schema.Int),
  column: Schema.NullOr(Schema.String),
  problem: Schema.String,
  advice: Schema.String
}) {
  override get message(): string {
    const line = this.line === null ? "" : `, line ${this.line}`
    const column = this.column === null ? "" : `, column ${this.column}`
    return `${this.file}${line}${column}: ${this.problem}; ${this.advice}`
  }
}

/** Bytes. */
const maxField = 65_536
/** Bytes, within the precision of csv-parse, which counts finished fields by characters. */
const maxRecord = 1_048_576

type Fault = Batches.Fault<string>

/** The first line that says something, or null while it is not complete; a line break inside quotes does not end it. */
const firstLine = (head: string): string | null => {
  let quoted = false
  for (let i = 0; i < head.length; i++) {
    const line = !quoted && (head[i] === "\n" || head[i] === "\r") ? head.slice(0, i).trim() : ""
    if (line !== "") return line
    if (head[i] === '"') quoted = !quoted
  }
  return null
}

/** The one of comma, semicolon and tab that the line has most of, outside quotes. */
const delimiterOf = (line: string): string => {
  const bare = line.replace(/"[^"]*"?/g, "")
  const count = (delimiter: string) => bare.split(delimiter).length
  return [",", ";", "\t"].reduce((best, next) => (count(next) > count(best) ? next : best))
}

const lineBreaks = (record: ReadonlyArray<string>): number =>
  record.reduce((sum, field) => sum + field.split(/\r\n|\r|\n/).length - 1, 0)

/** What csv-parse's refusals mean for the person who has the file. */
const refusals: Readonly<Partial<Record<string, PlainText.NotText>>> = {
  CSV_MAX_RECORD_SIZE: {
    problem: "the record is longer than 1 MiB",
    advice: "a quote may be opened there and never closed"
  },
  CSV_QUOTE_NOT_CLOSED: { problem: "a quoted field never ends", advice: "close it with a quote" },
  CSV_INVALID_CLOSING_QUOTE: {
    problem: "text follows a closing quote",
    advice: 'write a quote inside a quoted field twice ("")'
  },
  INVALID_OPENING_QUOTE: {
    problem: "a quote stands inside a field that does not begin with one",
    advice: 'put the whole field in quotes, and write those inside twice ("")'
  }
}

/** One pass over one file. */
class Pass implements Batches.Pass<string> {
  private readonly check = new PlainText.Utf8Check()
  private head: Uint8Array | null = new Uint8Array(0)
  private parser: Parser | null = null
  private columns: ReadonlyArray<ContactRow.Column> | null = null
  private decode: ContactRow.Decode | null = null
  private entries: Array<Batches.Entry> = []
  private fault: Fault | null = null
  private seen = false
  /** Of the next record. */
  private line = 1
  /** csv-parse's own count of lines at the last record: it is off after a CRLF inside quotes, but tells of a break there. */
  private counted = 0
  private readonly options: Batches.Options

  constructor(options: Batches.Options) {
    this.options = options
  }

  readonly feed = Effect.fnUntraced({ self: this }, function* (this: Pass, slice: Uint8Array | null) {
    const bytes = this.open(slice)
    if (bytes !== null && this.fault === null) {
      const bad = this.check.next(bytes) ?? (slice === null ? this.check.end() : null)
      yield* this.parse((callback) => this.parser?.write(bad === null ? bytes : bytes.subarray(0, bad.at), callback))
      if (bad !== null) this.refuse({ ...bad, column: null })
    }
    if (slice === null && this.fault === null) {
      yield* this.parse((callback) => this.parser?.end(callback))
      if (!this.seen) this.refuseEmpty()
    }
    const outcome = { entries: this.entries, fault: this.fault }
    this.entries = []
    return outcome
  })

  readonly close = Effect.sync(() => this.parser?.destroy())

  /** Holds bytes back until the first line tells the kind of file and the delimiter; then: what is to be parsed now. */
  private open(slice: Uint8Array | null): Uint8Array | null {
    if (this.head === null) return slice ?? new Uint8Array(0)
    const head = slice === null ? this.head : Buffer.concat([this.head, slice])
    this.head = head
    const text = new TextDecoder().decode(head)
    const line = firstLine(text)
    if (line === null && slice !== null && head.length < sliceSize) return null
    this.head = null
    const other = PlainText.recognise(head)
    if (other !== null) this.refuse({ line: 1, column: null, ...other })
    this.parser = new Parser({
      delimiter: delimiterOf(line ?? text),
      record_delimiter: ["\r\n", "\n", "\r"],
      relax_column_count: true,
      max_record_size: maxRecord,
      // Records are taken here and none is passed on: the write callback then says that a slice is done.
      on_record: (record: Array<string>, { lines }) => {
        this.accept(record, lines > this.counted + 1)
        this.counted = lines
        return null
      }
    })
    // The write callback carries the error; without a listener Node would end the process.
    this.parser.on("error", () => {})
    return head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? head.subarray(3) : head
  }

  private accept(record: Array<string>, isBroken: boolean): void {
    if (this.fault !== null) return
    const line = this.line
    this.line += 1 + (isBroken ? lineBreaks(record) : 0)
    if (ContactRow.isBlank(record)) return
    const long = record.findIndex((field) => field.length > maxField / 3 && Buffer.byteLength(field) > maxField)
    if (long >= 0) {
      const column = this.columns?.[long]?.title ?? null
      const problem = "a field is longer than 64 KiB"
      this.refuse({ line, column, problem, advice: "a quote may be opened there and never closed" })
    } else if (this.decode !== null) {
      this.seen = true
      this.entries.push(this.decode(record, line))
    } else if (line > 1 || record[0]?.toLowerCase() !== "sep=") {
      // Excel's own line that names the delimiter
      const columns = ContactRow.columnsOf(record, this.options)
      if (Result.isFailure(columns)) return this.refuse({ line, ...columns.failure })
      this.columns = columns.success
      this.decode = ContactRow.decoder(columns.success, this.options)
    }
  }

  private parse(step: (callback: (error?: Error | null) => void) => unknown): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      step((error) => {
        if (error) this.refuseQuotes(error)
        resume(Effect.void)
      })
    })
  }

  private refuseQuotes(error: Error): void {
    const { code, column } = error instanceof ParserError ? error : { code: "", column: null }
    const title = typeof column === "number" ? this.columns?.[column]?.title : undefined
    const refusal = refusals[code] ?? { problem: error.message, advice: "compare it with the other lines" }
    this.refuse({ line: this.line, column: title ?? null, ...refusal })
  }

  private refuseEmpty(): void {
    this.refuse(
      this.decode === null
        ? { line: null, column: null, problem: "the file is empty", advice: "it needs a header and at least one row" }
        : { line: null, column: null, problem: "there are no rows below the header", advice: "add at least one" }
    )
  }

  private refuse(fault: Fault): void {
    this.fault ??= fault
  }
}

/** Reads a file, or bytes from elsewhere. */
export const read = <E = never, R = never>(
  source: string | Stream.Stream<Uint8Array, E, R>,
  options: Batches.Options = {}
): Stream.Stream<Batches.Batch, CsvError | E, R> =>
  Batches.read(
    source,
    options,
    () => new Pass(options),
    (file, fault) => new CsvError({ file, ...fault })
  )
