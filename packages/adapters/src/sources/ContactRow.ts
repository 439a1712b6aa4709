/**
 * What the columns of a contact file mean. A header names the known columns in any case, everything else is an
 * attribute; each record becomes one contact row or one reason why it cannot.
 */
import { ChannelName } from "@overture/core/channel/Address"
import * as Storable from "@overture/core/workspace/Storable"
import { ZoneName } from "@overture/core/workspace/Zone"
import { Option, Result, Schema } from "effect"
import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from "libphonenumber-js/min"

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
  /** The contact's id in the system the row comes from. */
  readonly externalRef?: string
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
  /**
   * What columns hold whose titles do not say it: a field (`phone`), an attribute (`attributes.city`), or null for a
   * column to be left out. Other columns keep the meaning of their titles.
   */
  readonly mapping?: Readonly<Record<string, string | null>> | undefined
}

const known = ["externalId", "channel", "phone", "name", "first", "last", "timezone", "externalRef", "tags"] as const
export type Known = (typeof known)[number]
const byTitle = new Map<string, Known>([
  ["id", "externalId"],
  ...known.map((field) => [field.toLowerCase(), field] as const)
])

export interface Column {
  readonly title: string
  /** What it holds; null: an attribute, or nothing. */
  readonly field: Known | null
  /** The name of the attribute that it holds. */
  readonly attribute: string | null
}

const attributePrefix = "attributes."

/** What a column of that title holds. */
export const columnOf = (cell: string, mapping: RowOptions["mapping"]): Column => {
  const title = cell.trim()
  const lower = title.toLowerCase()
  const mapped = mapping !== undefined && Object.hasOwn(mapping, title) ? mapping[title] : undefined
  if (mapped === null) return { title, field: null, attribute: null }
  if (mapped?.startsWith(attributePrefix) === true)
    return { title, field: null, attribute: mapped.slice(attributePrefix.length) }
  const field = byTitle.get(mapped === undefined ? lower : mapped.toLowerCase()) ?? null
  if (field !== null || title === "") return { title, field, attribute: null }
  const own = lower === "email" ? lower : title
  return { title: own, field, attribute: own }
}

/** What is wrong with a mapping by itself. */
export const mappingFault = ({ mapping = {} }: RowOptions): HeaderFault | null => {
  for (const [title, target] of Object.entries(mapping)) {
    if (target === null || byTitle.has(target.toLowerCase())) continue
    if (target.startsWith(attributePrefix) && target.length > attributePrefix.length) continue
    return {
      column: title,
      problem: `the mapping gives it to ${JSON.stringify(target)}, which is no field`,
      advice: `the fields are ${known.join(", ")} and attributes.NAME`
    }
  }
  return null
}

const label = (column: Column | undefined, index: number) => column?.title || `column ${index + 1}`

/** Reads a header. Two columns for the same thing are refused, and so is a file whose rows nothing would identify. */
export const columnsOf = (
  header: ReadonlyArray<string>,
  options: RowOptions = {}
): Result.Result<ReadonlyArray<Column>, HeaderFault> => {
  const wrong = mappingFault(options)
  if (wrong !== null) return Result.fail(wrong)
  const columns = header.map((cell) => columnOf(cell, options.mapping))
  const titles = new Set(header.map((cell) => cell.trim()))
  const absent = Object.keys(options.mapping ?? {}).find((title) => !titles.has(title))
  if (absent !== undefined) {
    return Result.fail({
      column: absent,
      problem: "the mapping names this column, but the header does not have it",
      advice: `the header read is: ${cut(header.join(", "))}`
    })
  }
  const seen = new Map<string, number>()
  for (const [index, column] of columns.entries()) {
    if (column.field === null && column.attribute === null) continue
    const meaning = column.field ?? `attribute ${column.attribute}`
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
export const cut = (value: string): string => Storable.cut(value, 80)

/** Whether a record says nothing, as the lines do that spreadsheets leave at the end. */
export const isBlank = (record: ReadonlyArray<string>): boolean => record.every((cell) => cell.trim() === "")

export type Parsed = Result.Result<string, string>

/** A large number as spreadsheets show it. */
const rounded = /^\d[.,]\d+E\+?\d+$/i
const roundedReason = "a spreadsheet has rounded the number; format the column as text and export again"

/** Whether it is the two capital letters of a country whose phone numbers are known. */
export const isCountry = (code: string): code is CountryCode => isSupportedCountry(code)

const phone = (value: string, { defaultCountry }: RowOptions): Parsed => {
  const number = parsePhoneNumberFromString(value, { ...(defaultCountry && { defaultCountry }), extract: false })
  // Length decides, not the table of assigned prefixes: that one ages, and its author advises against refusing by it.
  if (number?.isPossible() === true && number.ext === undefined) return Result.succeed(number.number)
  if (rounded.test(value)) {
    return Result.fail(roundedReason)
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
  value.length > 255
    ? Result.fail("longer than 255 characters")
    : value.includes("+") && rounded.test(value)
      ? Result.fail(roundedReason)
      : Result.succeed(value)

const zoneOf = Schema.decodeUnknownOption(ZoneName)
const timezone = (value: string): Parsed =>
  Option.match(zoneOf(value), {
    onNone: () => Result.fail("not a known time zone, such as Europe/Berlin"),
    onSome: (zone) => Result.succeed(zone)
  })

/** Remembers the latest few hundred answers: a file names the same zones over and over, and Intl takes its time. */
const remembering = <A>(f: (value: string) => A): ((value: string) => A) => {
  const answers = new Map<string, A>()
  return (value) => {
    const known = answers.get(value)
    if (known !== undefined) return known
    if (answers.size > 500) answers.clear()
    // A copy: a part of a larger text keeps all of that in memory.
    const own = structuredClone(value)
    const answer = f(own)
    answers.set(own, answer)
    return answer
  }
}

/** The tags of a cell, separated by semicolon, bar or comma. */
export const tagsOf = (value: string): ReadonlyArray<string> => [
  ...new Set(
    value
      .split(/[;|,]/)
      .map((tag) => tag.trim())
      .filter((tag) => tag !== "")
  )
]

/** How the fields are read that are more than text; of the same kind as long as a source is read. */
export const parsers = (options: RowOptions): Readonly<Partial<Record<Known, (value: string) => Parsed>>> => ({
  channel: remembering(channel),
  timezone: remembering(timezone),
  externalId,
  externalRef: externalId,
  phone: (value) => phone(value, options)
})

/** The fields of a row while they are gathered. */
export type Fields = { -readonly [K in Exclude<Known, "tags">]?: string }

interface Draft extends Fields {
  readonly line: number
  tags: ReadonlyArray<string>
  readonly attributes: Record<string, string>
}

const none: ReadonlyArray<string> = []

// Assigned, `__proto__` would not become a key.
const setAttribute = (attributes: Record<string, string>, name: string, value: string): void => {
  if (name !== "__proto__") attributes[name] = value
  else Object.defineProperty(attributes, name, { value, configurable: true, enumerable: true, writable: true })
}

export type Decode = (record: ReadonlyArray<string>, line: number) => Result.Result<ImportRow, Rejected>

/** The reader of the records below a header. Known fields are trimmed, attributes kept as they are written. */
export const decoder = (columns: ReadonlyArray<Column>, options: RowOptions): Decode => {
  const parse = parsers(options)
  const tagsIn = remembering(tagsOf)
  return (record, line) => {
    const reject = (index: number, reason: string) =>
      Result.fail({ line, column: label(columns[index], index), reason, value: cut(record[index] ?? "") })
    if (record.length !== columns.length) {
      const reason = `the record has ${record.length} ${record.length === 1 ? "field" : "fields"}, the header ${columns.length}`
      return reject(Math.min(record.length, columns.length), reason)
    }
    const row: Draft = { line, tags: none, attributes: {} }
    for (let index = 0; index < columns.length; index++) {
      const { attribute, field, title } = columns[index]!
      const cell = record[index] ?? ""
      const value = cell.trim()
      if (field === null) {
        if (attribute !== null && cell !== "") setAttribute(row.attributes, attribute, cell)
        if (title === "" && value !== "") return reject(index, "the column has a value but no title")
      } else if (field === "tags") {
        row.tags = tagsIn(value)
      } else if (value !== "") {
        const parsed = parse[field]?.(value)
        if (parsed !== undefined && Result.isFailure(parsed)) return reject(index, parsed.failure)
        row[field] = parsed === undefined ? value : parsed.success
      }
    }
    if (row.externalId === undefined && row.phone === undefined) {
      const index = columns.findIndex(({ field }) => field === "externalId" || field === "phone")
      return reject(index, "neither an external id nor a phone number")
    }
    return Result.succeed(row)
  }
}
