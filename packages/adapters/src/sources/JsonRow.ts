/** A contact out of a JSON object: its keys mean what columns of that title do, `attributes` may hold more of them. */
import { storable } from "@overture/core/workspace/Storable"
import { Result } from "effect"
import * as ContactRow from "./ContactRow.ts"

/** Characters. */
const longest = 65_536

/** JSON's whole numbers are exact up to here; the id 12345678901234567890 would be read as somebody else's. */
const isInexact = (value: unknown): boolean =>
  typeof value === "number" && !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)
const inexact = "a number too large to be read exactly; write it in quotes"

const textOf = (value: unknown): string | null => {
  switch (typeof value) {
    case "string":
      return value
    case "number":
    case "boolean":
      return String(value)
    default:
      return null
  }
}

const tagsIn = (value: unknown): ReadonlyArray<string> | null => {
  if (typeof value === "string") return ContactRow.tagsOf(value)
  if (!Array.isArray(value) || !value.every((tag) => typeof tag === "string")) return null
  return [...new Set(value.map((tag: string) => tag.trim()).filter((tag) => tag !== ""))]
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export type Decode = (
  record: Readonly<Record<string, unknown>>,
  line: number
) => Result.Result<ContactRow.ImportRow, ContactRow.Rejected>

/** The reader of the objects of a source. */
export const decoder = (options: ContactRow.RowOptions): Decode => {
  const parse = ContactRow.parsers(options)
  const columns = new Map<string, ContactRow.Column>()
  const columnOf = (key: string): ContactRow.Column => {
    const known = columns.get(key)
    if (known !== undefined) return known
    const column = ContactRow.columnOf(key, options.mapping)
    if (columns.size < 10_000) columns.set(key, column)
    return column
  }
  return (given, line) => {
    const record = storable(given)
    const reject = (column: string, reason: string, value: unknown = "") =>
      Result.fail({
        line,
        column: ContactRow.cut(column),
        reason,
        value: ContactRow.cut(
          typeof value === "number" ? String(value) : typeof value === "string" ? value : JSON.stringify(value)
        )
      })
    const fields: ContactRow.Fields = {}
    const attributes = new Map<string, string>()
    let tags: ReadonlyArray<string> | undefined
    for (const key of Object.keys(record)) {
      const value = record[key]
      const column = columnOf(key)
      if (value === null || value === "" || (column.field === null && column.attribute === null)) continue
      if (column.attribute === "attributes" && isObject(value)) {
        for (const [name, own] of Object.entries(value)) {
          const text = textOf(own)
          if (own === null || text === "") continue
          if (isInexact(own)) return reject(`attributes.${name}`, inexact, own)
          if (text === null) return reject(`attributes.${name}`, "not a text, number or boolean", own)
          if (text.length > longest) return reject(`attributes.${name}`, "longer than 65536 characters", text)
          if (attributes.has(name)) return reject(`attributes.${name}`, "given twice", text)
          attributes.set(name, text)
        }
        continue
      }
      if (column.field === "tags") {
        const read = tagsIn(value)
        if (read === null) return reject(key, "neither a text nor an array of texts", value)
        if (tags !== undefined) return reject(key, "given twice", value)
        tags = read
        continue
      }
      if (isInexact(value)) return reject(key, inexact, value)
      const text = textOf(value)
      if (text === null) return reject(key, "not a text, number or boolean", value)
      if (text.length > longest) return reject(key, "longer than 65536 characters", text)
      if (column.field === null) {
        if (attributes.has(column.attribute!)) return reject(key, "given twice", text)
        attributes.set(column.attribute!, text)
        continue
      }
      const trimmed = text.trim()
      if (trimmed === "") continue
      if (fields[column.field] !== undefined) return reject(key, `gives the ${column.field} a second time`, text)
      const parsed = parse[column.field]?.(trimmed)
      if (parsed !== undefined && Result.isFailure(parsed)) return reject(key, parsed.failure, text)
      fields[column.field] = parsed === undefined ? trimmed : parsed.success
    }
    return fields.externalId === undefined && fields.phone === undefined
      ? reject("externalId", "neither an external id nor a phone number")
      : Result.succeed({ line, ...fields, tags: tags ?? [], attributes: Object.fromEntries(attributes) })
  }
}
