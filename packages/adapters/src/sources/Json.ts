/**
 * Contacts from JSON, as a stream: an array of objects, or one object after the other (NDJSON). Whatever the size of the
 * file, a slice of it and a batch of rows are in memory. An object that is no contact is reported and left out; a text
 * that is no JSON ends the stream with an error that names line and column. The records before it have been emitted.
 */
import { Effect, Schema, type Stream } from "effect"
import * as Batches from "./Batches.ts"
import * as ContactRow from "./ContactRow.ts"
import * as JsonRow from "./JsonRow.ts"
import { faultIn } from "./JsonSyntax.ts"
import * as PlainText from "./PlainText.ts"

/** A file that cannot be read, or not beyond that place. */
export class JsonError extends Schema.TaggedError<JsonError>()("JsonError", {
  file: Schema.String,
  /** From 1; null when it is the file as a whole. */
  line: Schema.NullOr(Schema.Int),
  /** The character in the line, from 1. */
  column: Schema.NullOr(Schema.Int),
  problem: Schema.String,
  advice: Schema.String
}) {
  override get message(): string {
    const place =
      this.line === null ? "" : `, line ${this.line}${this.column === null ? "" : `, column ${this.column}`}`
    return `${this.file}${place}: ${this.problem}; ${this.advice}`
  }
}

/** Characters. */
const maxRecord = 1_048_576
const maxDepth = 16

type Fault = Batches.Fault<number>

const [quote, backslash, comma, open, close, begin, end, newline] = [34, 92, 44, 123, 125, 91, 93, 10]
const isSpace = (code: number) => code === 32 || code === newline || code === 13 || code === 9
const compare = "compare it with the other records"

/** One pass over one file. */
class Pass implements Batches.Pass<number> {
  private readonly check = new PlainText.Utf8Check()
  private readonly decoder = new TextDecoder("utf-8")
  private readonly decode: JsonRow.Decode
  private isFirst = true
  /** What is between the records: nothing yet, an array, objects one after the other, or the end of the array. */
  private form: "unknown" | "array" | "lines" | "over" = "unknown"
  private needsComma = false
  /** The text of the record under way, as far as earlier slices had it. */
  private pending = ""
  private depth = 0
  private isText = false
  private isEscaped = false
  private line = 1
  private column = 1
  private from = { line: 1, column: 1 }
  private seen = false
  private entries: Array<Batches.Entry> = []
  private fault: Fault | null = null

  constructor(options: Batches.Options) {
    this.decode = JsonRow.decoder(options)
    const wrong = ContactRow.mappingFault(options)
    if (wrong !== null)
      this.refuse({ line: null, column: null, problem: `${wrong.column}: ${wrong.problem}`, advice: wrong.advice })
  }

  readonly feed = (slice: Uint8Array | null) =>
    Effect.sync(() => {
      if (this.fault === null) this.read(slice)
      const outcome = { entries: this.entries, fault: this.fault }
      this.entries = []
      return outcome
    })

  readonly close = Effect.void

  private read(slice: Uint8Array | null): void {
    if (slice === null) {
      const bad = this.check.end()
      if (bad !== null) return this.refuse({ ...bad, column: null })
      return this.finish()
    }
    if (this.isFirst) {
      const other = PlainText.recognise(slice)
      if (other !== null) return this.refuse({ line: 1, column: null, ...other })
    }
    this.isFirst = false
    const bad = this.check.next(slice)
    this.scan(this.decoder.decode(bad === null ? slice : slice.subarray(0, bad.at), { stream: true }))
    if (bad !== null) this.refuse({ line: bad.line, column: null, problem: bad.problem, advice: bad.advice })
  }

  private scan(text: string): void {
    let start = this.depth > 0 ? 0 : -1
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (this.depth === 0) {
        if (!isSpace(code) && !this.between(code)) return
        if (this.depth > 0) start = i
      } else if (this.isText) {
        if (this.isEscaped) this.isEscaped = false
        else if (code === backslash) this.isEscaped = true
        else if (code === quote) this.isText = false
      } else if (code === quote) this.isText = true
      else if (code === open || code === begin) {
        this.depth += 1
        if (this.depth > maxDepth) return this.refuseHere("it is nested too deeply", "a contact is an object of texts")
      } else if (code === close || code === end) {
        this.depth -= 1
        if (this.depth === 0) {
          this.accept(this.pending + text.slice(start, i + 1))
          this.pending = ""
          start = -1
          if (this.fault !== null) return
        }
      }
      if (code === newline) {
        this.line += 1
        this.column = 1
      } else this.column += 1
    }
    if (start < 0) return
    this.pending += text.slice(start)
    if (this.pending.length > maxRecord) this.refuseRecord(this.pending, "the record is longer than 1 MiB")
  }

  /** A character outside of records; false when it cannot stand there. */
  private between(code: number): boolean {
    if (this.form === "unknown" && code === begin) {
      this.form = "array"
      return true
    }
    if (this.form === "unknown" && code === open) this.form = "lines"
    if (this.form === "array" && code === end) {
      this.form = "over"
      return true
    }
    if (this.form === "array" && this.needsComma && code === comma) {
      this.needsComma = false
      return true
    }
    if (code === open && (this.form === "lines" || (this.form === "array" && !this.needsComma))) {
      this.depth = 1
      this.needsComma = true
      this.from = { line: this.line, column: this.column }
      return true
    }
    const found = JSON.stringify(String.fromCharCode(code))
    this.refuseHere(
      this.form === "over" ? `${found} follows the end of the array` : `${found} stands where an object should begin`,
      this.form === "unknown" ? "it must be an array of objects, or an object on each line" : compare
    )
    return false
  }

  private accept(text: string): void {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      return this.refuseRecord(text, "it is not JSON")
    }
    this.seen = true
    this.entries.push(this.decode(value as Record<string, unknown>, this.from.line))
  }

  private finish(): void {
    if (this.fault !== null) return
    if (this.depth > 0) this.refuseRecord(this.pending, "the record never ends")
    else if (this.form === "array") this.refuseHere("the array never ends", "the file may be cut off")
    else if (!this.seen)
      this.refuse({ line: null, column: null, problem: "there is no contact in it", advice: "add at least one" })
  }

  /** Tells the place inside a record, where there is one. */
  private refuseRecord(text: string, problem: string): void {
    const found = faultIn(text)
    if (found === null || found.at >= text.length) return this.refuse({ ...this.from, problem, advice: compare })
    const before = text.slice(0, found.at).split("\n")
    const [line, column] = [before.length, before.at(-1)!.length]
    this.refuse({
      line: this.from.line + line - 1,
      column: line === 1 ? this.from.column + column : column + 1,
      problem: `it is not JSON: ${found.expected} is missing here`,
      advice: `the record begins on line ${this.from.line}`
    })
  }

  private refuseHere(problem: string, advice: string): void {
    this.refuse({ line: this.line, column: this.column, problem, advice })
  }

  private refuse(fault: Fault): void {
    this.fault ??= fault
  }
}

/** Reads a file, or bytes from elsewhere. */
export const read = <E = never, R = never>(
  source: string | Stream.Stream<Uint8Array, E, R>,
  options: Batches.Options = {}
): Stream.Stream<Batches.Batch, JsonError | E, R> =>
  Batches.read(
    source,
    options,
    () => new Pass(options),
    (file, fault) => new JsonError({ file, ...fault })
  )
