/**
 * Where text goes: what was asked for to stdout, everything else to stderr, so that `--json` and pipes stay clean. Colours
 * and the line that is written over are for terminals only.
 */
import { Logger } from "effect"
import * as Text from "./report/Text.ts"

const isTerminal = process.stderr.isTTY

let endsWithReader = true

/** What this command does is more than what it prints: it goes on where nobody reads that any more. */
export const outliveReader = (): void => {
  endsWithReader = false
}

/** A reader that has seen enough closes the pipe: that is no error. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") return endsWithReader ? process.exit(0) : undefined
  process.stderr.write(`overture: stdout: ${error.code === "ENOSPC" ? "the disk is full" : error.message}\n`)
  process.exit(1)
})

let overwritable = false

/** Removes the progress line, so that other text can stand there. */
const clear = () => {
  if (overwritable) process.stderr.write("\r\u001b[2K")
  overwritable = false
}

const write = (text: string): void => {
  clear()
  process.stdout.write(`${text}\n`)
}

/** The answer of a command. */
export const print = (...lines: ReadonlyArray<string>): void => write(Text.harmless(lines.join("\n")))

/** The answer as one JSON document. */
export const printJson = (value: unknown): void => write(JSON.stringify(value, null, process.stdout.isTTY ? 2 : 0))

/** One document of several: NDJSON. */
export const printLine = (value: unknown): void => write(JSON.stringify(value))

/** A remark: progress, warnings, errors. */
export const say = (...lines: ReadonlyArray<string>): void => {
  clear()
  if (lines.length > 0) process.stderr.write(`${Text.harmless(lines.join("\n"))}\n`)
}

/** The line that the next one replaces; nothing where nobody watches. */
export const sayOver = (line: string): void => {
  if (!isTerminal) return
  const width = process.stderr.columns || 80
  process.stderr.write(`\r\u001b[2K${Text.harmless(line).slice(0, width - 1)}`)
  overwritable = true
}

/** Whether a person watches stderr. */
export const isWatched = (): boolean => isTerminal

/** Whether stdout takes colours: https://no-color.org. */
export const hasColors = (): boolean =>
  process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === "" && process.env["TERM"] !== "dumb"

/** Columns of the page. */
export const pageWidth = (): number => Math.min(Math.max(process.stdout.columns || 100, 60), 120)

/** What the engine logs, as lines on stderr. */
export const logger = Logger.layer([
  Logger.make(({ logLevel, message }) => {
    const texts = (Array.isArray(message) ? message : [message]).map((part) =>
      part instanceof Error ? part.message : typeof part === "string" ? part : JSON.stringify(part)
    )
    say(`${logLevel === "Info" ? "" : `${logLevel.toLowerCase()}: `}${texts.join(" ")}`)
  })
])
