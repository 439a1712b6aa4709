/**
 * What the columns of a contact file mean. A header names the known columns in any case, everything else is an
 * attribute; each record becomes one contact row or one reason why it cannot.
 */
import { ChannelName } from "@overture/core/channel/Address"
import { ZoneName } from "@overture/core/workspace/Zone"
import { Option, Result, Schema } from "effect"
import { type CountryCode, parsePhoneNumberFromString } from "libphonenumber-js/min"

/** A contact as a file describes it. Empty cells are left out. */
export interface ImportRow {
  /** The line on which the record begins, from 1. */
  readonly line: number
  readonly channel?: string
  readonly externalId?: string
  /** E.164, `+491701234567`. */
  readonly phone?: string
  readonly name?: string
  readonly first?: string
  readonly last?: string
  /** An IANA zone. */
  readonly timezone?: string
  readonly tags: ReadonlyArray<string>
  /** By the column's own title; `email` whatever its case. May have any own key, `__proto__` too. */
  readonly attributes: Readonly<Record<string, string>>
}

/** A record that is left out: the first reason, in the order of the columns. */
export interface Rejected {
  readonly line: number
  /** The column's title; `column 7` where it has none. */
  readonly column: string
  readonly reason: string
  /** What stood there, at most 80 characters. */
  readonly value: string
}

/** Why no row of the file can be read. */
export interface HeaderFault {
  readonly column: string | null
  readonly problem: string
  readonly advice: string
}

export interface RowOptions {
  /** The country of phone numbers written without one, `DE`; without it only `+49…` is understood. */
  readonly defaultCountry?: CountryCode | undefined
}

const known = ["externalId", "channel", "phone", "name", "first", "last", "timezone", "tags"] as const
type Known = (typeof known)[number]
const byTitle = new Map<string, Known>([
  ["id", "externalId"],
  ...known.map((field) => [field.toLowerCase(), field] as const)
])

export interface Column {
  readonly title: string
  /** What it holds; null: an attribute named by the title, or nothing when the title is empty. */
  readonly field: Known | null
}

const columnOf = (cell: string): Column => {
  const title = cell.trim()
  const lower = title.toLowerCase()
  return { title: lower === "email" ? lower : title, field: byTitle.get(lower) ?? null }
}

const label = (column: Column | undefined, index: number) => column?.title || `column ${index + 1}`

/** Reads a header. Two columns for the same thing are refused, and so is a file whose rows nothing would identify. */
export const columnsOf = (header: ReadonlyArray<string>): Result.Result<ReadonlyArray<Column>, HeaderFault> => {
  const columns = header.map(columnOf)
  const seen = new Map<string, number>()
  for (const [index, column] of columns.entries()) {
    if (column.title === "") continue
    const meaning = column.field === null ? `attribute ${column.title}` : column.field
    const earlier = seen.get(meaning)
    if (earlier !== undefined) {
      const [one, two] = [`${earlier + 1} ("${header[earlier]?.trim()}")`, `${index + 1} ("${header[index]?.trim()}")`]
      return Result.fail({
        column: column.title,
        problem: `columns ${one} and ${two} both give the ${meaning}`,
        advice: "rename or remove one of them"
      })
    }
    seen.set(meaning, index)
  }
  return seen.has("externalId") || seen.has("phone")
    ? Result.succeed(columns)
    : Result.fail({
        column: null,
        problem: "the header has no column externalId, id or phone, so no contact could be identified",
        advice: `name one of the columns so; the header read is: ${cut(header.join(", "))}`
      })
}

/** At most 80 characters, whole ones. */
const cut = (value: string): string => (value.length <= 80 ? value : value.slice(0, 80).replace(/[\ud800-\udbff]$/, ""))

/** Whether a record says nothing, as the lines do that spreadsheets leave at the end. */
export const isBlank = (record: ReadonlyArray<string>): boolean => record.every((cell) => cell.trim() === "")

type Parsed = Result.Result<string, string>

const phone = (value: string, { defaultCountry }: RowOptions): Parsed => {
  const number = parsePhoneNumberFromString(value, { ...(defaultCountry && { defaultCountry }), extract: false })
  // Length decides, not the table of assigned prefixes: that one ages, and its author advises against refusing by it.
  if (number?.isPossible() === true && number.ext === undefined) return Result.succeed(number.number)
  if (/^\d[.,]\d+E\+?\d+$/i.test(value)) {
    return Result.fail("a spreadsheet has rounded the number; format the column as text and export again")
  }
  return Result.fail(
    defaultCountry === undefined && !value.startsWith("+")
      ? "not a phone number with its country, such as +491701234567; or set a default country"
      : "not a phone number"
  )
}

const channel = (value: string): Parsed => {
  const name = value.toLowerCase()
  return Schema.is(ChannelName)(name) ? Result.succeed(name) : Result.fail("not the name of a channel")
}

const externalId = (value: string): Parsed =>
  value.length <= 255 ? Result.succeed(value) : Result.fail("longer than 255 characters")

const zoneOf = Schema.decodeUnknownOption(ZoneName)
const timezone = (value: string): Parsed =>
  Option.match(zoneOf(value), {
    onNone: () => Result.fail("not a known time zone, such as Europe/Berlin"),
    onSome: (zone) => Result.succeed(zone)
  })

/** Remembers the latest few hundred answers: a file names the same zones over and over, and Intl takes its time. */
const remembering = (f: (value: string) => Parsed): ((value: string) => Parsed) => {
  const answers = new Map<string, Parsed>()
  return (value) => {
    const answer = answers.get(value) ?? f(value)
    if (answers.size > 500) answers.clear()
    answers.set(value, answer)
    return answer
  }
}

const tagsOf = (value: string): ReadonlyArray<string> => [
  ...new Set(
    value
      .split(/[;|,]/)
      .map((tag) => tag.trim())
      .filter((tag) => tag !== "")
  )
]

export type Decode = (record: ReadonlyArray<string>, line: number) => Result.Result<ImportRow, Rejected>

/** The reader of the records below a header. Known fields are trimmed, attributes kept as they are written. */
export const decoder = (columns: ReadonlyArray<Column>, options: RowOptions): Decode => {
  const parsers: Readonly<Partial<Record<Known, (value: string) => Parsed>>> = {
    channel: remembering(channel),
    timezone: remembering(timezone),
    externalId,
    phone: (value) => phone(value, options)
  }
  return (record, line) => {
    const reject = (index: number, reason: string) =>
      Result.fail({ line, column: label(columns[index], index), reason, value: cut(record[index] ?? "") })
    if (record.length !== columns.length) {
      const reason = `the record has ${record.length} fields, the header ${columns.length}`
      return reject(Math.min(record.length, columns.length), reason)
    }
    const fields: { -readonly [K in Exclude<Known, "tags">]?: string } = {}
    const attributes: Array<readonly [string, string]> = []
    let tags: ReadonlyArray<string> = []
    for (const [index, { field, title }] of columns.entries()) {
      const cell = record[index] ?? ""
      const value = cell.trim()
      if (field === null) {
        if (title !== "" && cell !== "") attributes.push([title, cell])
        if (title === "" && value !== "") return reject(index, "the column has a value but no title")
      } else if (field === "tags") {
        tags = tagsOf(value)
      } else if (value !== "") {
        const parsed = parsers[field]?.(value) ?? Result.succeed(value)
        if (Result.isFailure(parsed)) return reject(index, parsed.failure)
        fields[field] = parsed.success
      }
    }
    if (fields.externalId === undefined && fields.phone === undefined) {
      const index = columns.findIndex(({ field }) => field === "externalId" || field === "phone")
      return reject(index, "neither an external id nor a phone number")
    }
    return Result.succeed({ line, ...fields, tags, attributes: Object.fromEntries(attributes) })
  }
}
