/**
 * The rows of `sql.rows` as each database reads them fastest. PostgreSQL takes an array per column in its binary form: no
 * text is made of a value and none is read, which costs it half of what `json_to_recordset` does; and of a column that is
 * the same in every row the value alone, for an array costs it a function call for each value. SQLite takes JSON objects
 * without their nulls, as a field that is absent is null.
 */
import type { ColumnType, Parameter } from "./Dialect.ts"

type Row = Readonly<Record<string, unknown>>

/** The number by which PostgreSQL knows the type of an array's elements. */
const elements: Readonly<Record<ColumnType, number>> = {
  id: 25,
  text: 25,
  int: 23,
  bigint: 20,
  real: 701,
  boolean: 16,
  json: 3802
}

const header = 20
const widest = 2 ** 32

const integer = (value: unknown, name: string, type: "int" | "bigint"): number => {
  if (Number.isSafeInteger(value) && (type === "bigint" || ((value as number) | 0) === value)) return value as number
  const digits = type === "int" ? " of 32 bits" : ""
  throw new TypeError(`${name} of a row must be a whole number${digits}, not ${JSON.stringify(value)}`)
}

const string = (value: unknown): string => (typeof value === "string" ? value : String(value))
const boolean = (value: unknown): boolean => value === true || value === 1

/** Grows as rows need it; what is in it is copied out before the next array. */
let scratch = Buffer.allocUnsafeSlow(65_536)
let view = new DataView(scratch.buffer)

const room = (at: number, more: number): void => {
  if (at + more <= scratch.length) return
  const larger = Buffer.allocUnsafeSlow(Math.max(scratch.length * 2, at + more))
  scratch.copy(larger, 0, 0, at)
  scratch = larger
  view = new DataView(larger.buffer)
}

/** Writes a text of ASCII, as ids are, in less time than it takes to call out for it; the length of others is -1. */
const writeAscii = (text: string, at: number): number => {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 127) return -1
    scratch[at + i] = code
  }
  return text.length
}

const shortest = 64

const writeText = (text: string, at: number, version: 0 | 1): number => {
  // A UTF-16 unit is three bytes at most.
  room(at, 5 + text.length * 3)
  const start = at + 4 + version
  if (version === 1) scratch[at + 4] = 1
  const ascii = text.length <= shortest ? writeAscii(text, start) : -1
  const length = version + (ascii < 0 ? scratch.write(text, start) : ascii)
  view.setInt32(at, length)
  return at + 4 + length
}

const writeValue = (value: unknown, name: string, type: ColumnType, at: number): number => {
  switch (type) {
    case "id":
    case "text":
      return writeText(string(value), at, 0)
    case "json":
      return writeText(JSON.stringify(value), at, 1)
    case "int":
      room(at, 8)
      view.setInt32(at, 4)
      view.setInt32(at + 4, integer(value, name, type))
      return at + 8
    case "bigint": {
      const number = integer(value, name, type)
      room(at, 12)
      view.setInt32(at, 8)
      view.setInt32(at + 4, Math.floor(number / widest))
      view.setUint32(at + 8, number >>> 0)
      return at + 12
    }
    case "real":
      room(at, 12)
      view.setInt32(at, 8)
      view.setFloat64(at + 4, Number(value))
      return at + 12
    case "boolean":
      room(at, 5)
      view.setInt32(at, 1)
      scratch[at + 4] = boolean(value) ? 1 : 0
      return at + 5
  }
}

/** A column of rows as an array in PostgreSQL's binary form. */
export const toArray = (rows: ReadonlyArray<Row>, name: string, type: ColumnType): Parameter => {
  let at = header
  for (const row of rows) {
    const value = row[name]
    if (value === null || value === undefined) {
      room(at, 4)
      view.setInt32(at, -1)
      at += 4
    } else at = writeValue(value, name, type, at)
  }
  // Dimensions (none when empty), whether there are nulls, the type; of the dimension its length and first index.
  view.setInt32(0, rows.length === 0 ? 0 : 1)
  view.setInt32(4, 1)
  view.setInt32(8, elements[type])
  view.setInt32(12, rows.length)
  view.setInt32(16, 1)
  return Buffer.from(scratch.subarray(0, rows.length === 0 ? 12 : at))
}

/** What a column has in every row, as a parameter; null where rows differ, or have nothing there. */
export const soleValue = (rows: ReadonlyArray<Row>, name: string, type: ColumnType): Parameter => {
  const value = rows[0]?.[name]
  if (value === null || value === undefined || rows.some((row) => row[name] !== value)) return null
  switch (type) {
    case "id":
    case "text":
      return string(value)
    case "json":
      return JSON.stringify(value)
    case "int":
    case "bigint":
      return integer(value, name, type)
    case "real":
      return Number(value)
    case "boolean":
      return boolean(value)
  }
}

/** Rows as a JSON array of objects. */
export const toJson = (rows: ReadonlyArray<Row>): string =>
  JSON.stringify(
    rows.map((row) => {
      const present: Record<string, unknown> = {}
      for (const name in row) if (row[name] !== null && row[name] !== undefined) present[name] = row[name]
      return present
    })
  )
