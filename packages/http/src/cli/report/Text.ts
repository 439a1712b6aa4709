/** The small change of a page of text: numbers, dates, bars and columns that line up, whatever the script. */
import type { Instant } from "@overture/core/workspace/Instant"
import * as LocalDate from "@overture/core/workspace/LocalDate"
import * as Zone from "@overture/core/workspace/Zone"
import { CliOutput } from "effect/cli"

/** Emphasis, where the page can show it. */
export interface Paint {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly green: (text: string) => string
  readonly yellow: (text: string) => string
  readonly red: (text: string) => string
  readonly cyan: (text: string) => string
}

const escape = (code: number) => (text: string) => (text === "" ? "" : `\u001b[${code}m${text}\u001b[0m`)
const plainText = (text: string) => text

export const colors: Paint = {
  bold: escape(1),
  dim: escape(2),
  green: escape(32),
  yellow: escape(33),
  red: escape(31),
  cyan: escape(36)
}

export const plain: Paint = {
  bold: plainText,
  dim: plainText,
  green: plainText,
  yellow: plainText,
  red: plainText,
  cyan: plainText
}

// oxlint-disable-next-line no-control-regex -- they are what it is about
const controls = /(\u001b\[(?:0|1|2|3[1236])m)|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/** What strangers wrote moves no cursor and opens nothing in a terminal: of control characters only our own colours stay. */
export const harmless = (text: string): string => text.replace(controls, (_, color?: string) => color ?? "\ufffd")

const lineBreaks = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/g

/** The lines of a text below each other, `columns` from the left, so that none looks like a line of the page. */
export const indented = (text: string, columns: number): string => text.replace(lineBreaks, `\n${" ".repeat(columns)}`)

/** All of it on one line. */
export const onOneLine = (text: string): string => text.replace(lineBreaks, " ")

const numbers = new Intl.NumberFormat("en-US")

/** `12,345` */
export const number = (value: number): string => numbers.format(value)

/** `1 reply`, `2 replies` */
export const count = (value: number, one: string, many = `${one}s`): string =>
  `${number(value)} ${value === 1 ? one : many}`

/** `18 %`, `0.4 %`; empty when there is nothing to be a part of. */
export const percent = (part: number, whole: number): string => {
  if (whole === 0) return ""
  const value = (part / whole) * 100
  return `${value === 0 || value >= 9.95 ? Math.round(value) : value.toFixed(1)} %`
}

const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

/** `Mon  2 Mar` */
export const shortDate = (date: LocalDate.LocalDate): string =>
  `${weekdays[LocalDate.weekday(date)]} ${date.slice(8).replace(/^0/, " ")} ${months[Number(date.slice(5, 7)) - 1]}`

/** `Mon 2 Mar 2026 09:14`, in the zone. */
export const dateTime = (at: Instant, zone: string): string => {
  const table = Zone.make(zone)
  const date = Zone.localDate(table, at)
  const minutes = Math.floor(Zone.localMinutes(table, at))
  const two = (value: number) => String(value).padStart(2, "0")
  return `${shortDate(date).replace("  ", " ")} ${date.slice(0, 4)} ${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}

/** `New York` for `America/New_York`. */
export const place = (zone: string): string => zone.slice(zone.lastIndexOf("/") + 1).replaceAll("_", " ")

/** Columns that `text` takes on a screen. */
export const width = (text: string): number => CliOutput.displayWidth(text)

/** Filled with spaces to `columns`; cut with an ellipsis where it is longer. */
export const fit = (text: string, columns: number): string => {
  if (width(text) <= columns) return text + " ".repeat(columns - width(text))
  let cut = ""
  for (const character of text) {
    if (width(cut + character) > columns - 1) break
    cut += character
  }
  return `${cut}…${" ".repeat(Math.max(0, columns - 1 - width(cut)))}`
}

/** Filled with spaces on the left. */
export const right = (text: string, columns: number): string => " ".repeat(Math.max(0, columns - width(text))) + text

/** The lengths of adjoining bars for `values` on a scale where `most` is `columns` long; what is not 0 is seen. */
export const lengths = (values: ReadonlyArray<number>, most: number, columns: number): ReadonlyArray<number> =>
  values.map((value) => (value === 0 || most === 0 ? 0 : Math.max(1, Math.round((value / most) * columns))))

type Side = "left" | "right"

/** Rows with columns of equal width, `most` wide at most; `align` says which stand right. */
const table = (
  rows: ReadonlyArray<ReadonlyArray<string>>,
  align: ReadonlyArray<Side>,
  most: number
): ReadonlyArray<string> => {
  const widths = align.map((_, i) => Math.min(most, Math.max(...rows.map((row) => width(row[i] ?? "")))))
  return rows.map((row) =>
    align
      .map((side, i) => (side === "left" ? fit(row[i] ?? "", widths[i] ?? 0) : right(row[i] ?? "", widths[i] ?? 0)))
      .join("  ")
      .trimEnd()
  )
}

/** A table under a line of titles; all columns stand left where `align` does not say otherwise. */
export const headed = (
  head: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>,
  paint: Pick<Paint, "dim">,
  {
    align = head.map(() => "left" as const),
    most = 28
  }: { readonly align?: ReadonlyArray<Side>; readonly most?: number } = {}
): ReadonlyArray<string> => {
  const [title = "", ...lines] = table([head, ...rows], align, most)
  return [paint.dim(title), ...lines]
}
