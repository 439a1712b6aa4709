/** What the demo shows: one line for each thing that happens, and tables at the end. Plain text where it is no terminal. */
import type { DomainEvent } from "@overture/core/event/DomainEvent"
import type { Instant } from "@overture/core/workspace/Instant"
import { stripVTControlCharacters, styleText } from "node:util"

type Style = Parameters<typeof styleText>[0]

/** Coloured where the terminal likes that. */
export const styled = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout })

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" })
const isWide = (grapheme: string) => /\p{Emoji_Presentation}|\uFE0F/u.test(grapheme)

/** Columns that a text takes in a terminal. */
const width = (text: string): number =>
  Array.from(graphemes.segment(stripVTControlCharacters(text)), ({ segment }) => (isWide(segment) ? 2 : 1)).reduce(
    (sum: number, one) => sum + one,
    0
  )

/** The text in exactly so many columns, cut where it is longer. */
export const fit = (text: string, columns: number): string => {
  if (width(text) <= columns) return text + " ".repeat(columns - width(text))
  let cut = ""
  for (const { segment } of graphemes.segment(text)) {
    if (width(cut + segment) > columns - 1) break
    cut += segment
  }
  return fit(`${cut}…`, columns)
}

const clock = new Intl.DateTimeFormat("en-GB", {
  timeZone: "America/New_York",
  weekday: "short",
  hour: "2-digit",
  minute: "2-digit"
})

/** `Mon 09:05`, where the studio is. */
export const time = (at: Instant): string => clock.format(at).replace(",", "")

export interface Line {
  readonly at: Instant
  readonly account: string
  readonly arrow: "→" | "←" | "·"
  readonly who: string
  readonly what: string
  readonly style: Style
}

/** Columns of the terminal; of a pipe as many as most have. */
const terminal = process.stdout.columns ?? 120

/** What is left for the words of a line, beside time, names and the type of its webhook. */
const room = Math.min(66, Math.max(24, terminal - 57))

/** A thing that happened, with the webhook that told of it. */
export const happened = ({ account, arrow, at, style, what, who }: Line, type: DomainEvent["type"]): void => {
  const told = `${styled("dim", fit(time(at), 10))}${fit(account, 10)}${arrow} ${styled("bold", fit(who, 14))}`
  console.log(`${told}${styled(style, fit(what, room))} ${styled("dim", `${type} ✓`)}`)
}

export const note = (text: string): void => console.log(styled("dim", text))

export const title = (text: string): void => console.log(`\n${styled("bold", text)}`)

/** Rows in columns as wide as they need, the last one as wide as there is room; the first row is the head. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): void => {
  const needed = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => width(row[i] ?? ""))))
  const others = needed.slice(0, -1).reduce((sum, one) => sum + one + 2, 2)
  const columns = [...needed.slice(0, -1), Math.min(needed.at(-1) ?? 0, Math.max(12, terminal - others))]
  for (const [n, row] of rows.entries()) {
    const line = columns.map((columnWidth, i) => fit(row[i] ?? "", columnWidth)).join("  ")
    console.log(`  ${n === 0 ? styled("dim", line.trimEnd()) : line.trimEnd()}`)
  }
}
