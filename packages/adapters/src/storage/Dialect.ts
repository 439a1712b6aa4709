/**
 * The one place where PostgreSQL and SQLite differ. A statement is written once, in PostgreSQL's dialect with `$1` for
 * parameters, and asks an `Sql` for every word the two spell differently. What both read alike: `insert … select … where
 * true on conflict … do update set x = excluded.x`, `update t as l set … from …`, `returning` with
 * bare column names (so name the columns of `rows` otherwise), `with` around selects, `is distinct from`, `true`. Not used, because SQLite lacks it: data-modifying `with`,
 * `lateral`, arrays; several statements in one transaction take their place.
 *
 * Rows come back in one shape from both: 64-bit integers as numbers, booleans as 0 and 1, JSON as its text.
 */
import { createHash } from "node:crypto"
import { soleValue, toArray, toJson } from "./RowSet.ts"

/** The types a column or parameter may have. `id` and `text` compare byte by byte in both databases. */
export type ColumnType = "id" | "text" | "int" | "bigint" | "real" | "boolean" | "json"

/** What a statement may be given. Arrays and plain objects travel as JSON text. */
export type Parameter = string | number | bigint | boolean | null | undefined | Uint8Array | object

/** A fixed text that is prepared once per connection. */
export interface Statement {
  /** `LeadStore.take`; also the operation of the StorageError when it fails. */
  readonly name: string
  readonly text: string
  /** The name PostgreSQL knows it by: changes with the text, so two versions of us may share a connection. */
  readonly id: string
  /** The parameters of the text out of those of its caller: row sets become what the database reads. */
  readonly bind: (parameters: ReadonlyArray<Parameter>) => ReadonlyArray<Parameter>
}

/** The words that differ. */
export interface Sql {
  readonly name: "postgres" | "sqlite"
  /** The table or index with the prefix of this database: `t("lead")` is `overture_lead`. */
  t(name: string): string
  /** Parameter `n` with its type said, where the database cannot guess it. */
  p(n: number, type: ColumnType): string
  /** Rows out of an array of objects in parameter `n`, for `from`: `from ${sql.rows("x", 1, { id: "text", n: "bigint" })}`. */
  rows(alias: string, n: number, columns: Readonly<Record<string, ColumnType | "ordinal">>): string
  /** Locks the rows of `aliases` against other writers, passing by what another holds. At the end of a select. */
  skipLocked(...aliases: ReadonlyArray<string>): string
  /** Locks the rows of `aliases` against other writers, waiting for who holds them. At the end of a select. */
  lock(...aliases: ReadonlyArray<string>): string
  /** The database's own clock, epoch milliseconds. It may move inside a transaction. */
  readonly now: string
  greatest(...values: ReadonlyArray<string>): string
  least(...values: ReadonlyArray<string>): string
  /** Aggregate: the values as a JSON array, `[]` of none. Wrap nested JSON in `jsonObject`, not in a text. */
  jsonArray(value: string): string
  /** A JSON object of SQL values. */
  jsonObject(fields: Readonly<Record<string, string>>): string
  /** A field of a JSON column or value, as `type`; null when absent. */
  jsonField(value: string, field: string, type: ColumnType): string
  cast(value: string, type: ColumnType): string
  /** The type of a column in `create table`. */
  type(type: ColumnType): string
  /** An ascending integer key that the database hands out, in `create table`. */
  readonly identity: string
  /** What follows the closing bracket of `create table`. */
  table(options?: { readonly fillfactor?: number; readonly withoutRowid?: boolean }): string
  /** For the rare text that cannot be one. */
  pick(texts: { readonly postgres: string; readonly sqlite: string }): string
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`
const fields = (entries: Readonly<Record<string, string>>) =>
  Object.entries(entries)
    .map(([name, value]) => `${literal(name)}, ${value}`)
    .join(", ")

const postgresTypes: Record<ColumnType, string> = {
  id: "text",
  text: "text",
  int: "integer",
  bigint: "bigint",
  real: "double precision",
  boolean: "boolean",
  json: "jsonb"
}

const postgres = (prefix: string): Sql => ({
  name: "postgres",
  t: (name) => prefix + name,
  p: (n, type) => `$${n}::${postgresTypes[type]}`,
  rows: (alias, n, columns) => {
    const names = Object.keys(columns).filter((name) => columns[name] !== "ordinal")
    const ordinal = Object.keys(columns).filter((name) => columns[name] === "ordinal")
    const place = (name: string) => `$${n}.${name}:${columns[name]}`
    // The first column is as long as the rows are many. Any other may be one value, which is then that of every row.
    const [first, ...others] = names
    const arrays = [place(first!), ...others.map((name) => `${place(name)}?`)].join(", ")
    const found = (as: string) =>
      `unnest(${arrays})${ordinal.length > 0 ? " with ordinality" : ""} as ${as}(${[...names, ...ordinal].join(", ")})`
    if (others.length === 0) return found(alias)
    const values = others.map((name) => `coalesce(r.${name}, ${place(name)}!) as ${name}`)
    return `(select ${[`r.${first}`, ...values, ...ordinal.map((name) => `r.${name}`)].join(", ")} from ${found("r")}) as ${alias}`
  },
  skipLocked: (...aliases) => `for no key update${aliases.length > 0 ? ` of ${aliases.join(", ")}` : ""} skip locked`,
  lock: (...aliases) => `for no key update${aliases.length > 0 ? ` of ${aliases.join(", ")}` : ""}`,
  now: "(extract(epoch from clock_timestamp()) * 1000)::bigint",
  greatest: (...values) => `greatest(${values.join(", ")})`,
  least: (...values) => `least(${values.join(", ")})`,
  jsonArray: (value) => `coalesce(json_agg(${value}), '[]'::json)`,
  jsonObject: (entries) => `json_build_object(${fields(entries)})`,
  jsonField: (value, field, type) =>
    type === "json" ? `(${value}->${literal(field)})` : `(${value}->>${literal(field)})::${postgresTypes[type]}`,
  cast: (value, type) => `(${value})::${postgresTypes[type]}`,
  type: (type) => (type === "id" || type === "text" ? `text collate "C"` : postgresTypes[type]),
  identity: "bigint generated always as identity primary key",
  table: (options) => (options?.fillfactor === undefined ? "" : `with (fillfactor = ${options.fillfactor})`),
  pick: (texts) => texts.postgres
})

const sqliteTypes: Record<ColumnType, string> = {
  id: "text",
  text: "text",
  int: "integer",
  bigint: "integer",
  real: "real",
  boolean: "integer",
  json: "text"
}

// The scalar min and max of SQLite are null as soon as one value is; PostgreSQL's pass by nulls.
const extreme = (name: "max" | "min", values: ReadonlyArray<string>) =>
  values.length === 1
    ? values[0]!
    : `${name}(${values
        .map((value, i) => `coalesce(${[value, ...values.filter((_, j) => j !== i)].join(", ")})`)
        .join(", ")})`

const sqliteField = (value: string, field: string, type: ColumnType) => {
  const path = literal(`$."${field}"`)
  if (type === "json") return `nullif(${value} -> ${path}, 'null')`
  return type === "id" || type === "text"
    ? `(${value} ->> ${path})`
    : `cast(${value} ->> ${path} as ${sqliteTypes[type]})`
}

const sqlite = (prefix: string): Sql => ({
  name: "sqlite",
  t: (name) => prefix + name,
  p: (n) => `?${n}`,
  rows: (alias, n, columns) => {
    const typed = Object.entries(columns).map(([name, type]) =>
      type === "ordinal" ? `key + 1 as ${name}` : `${sqliteField("value", name, type)} as ${name}`
    )
    return `(select ${typed.join(", ")} from json_each(?${n}.rows)) as ${alias}`
  },
  skipLocked: () => "",
  lock: () => "",
  now: "cast(round(unixepoch('subsec') * 1000) as integer)",
  greatest: (...values) => extreme("max", values),
  least: (...values) => extreme("min", values),
  jsonArray: (value) => `json_group_array(${value})`,
  jsonObject: (entries) => `json_object(${fields(entries)})`,
  jsonField: sqliteField,
  cast: (value, type) => `cast(${value} as ${sqliteTypes[type]})`,
  type: (type) => sqliteTypes[type],
  identity: "integer primary key",
  table: (options) => (options?.withoutRowid === true ? "strict, without rowid" : "strict"),
  pick: (texts) => texts.sqlite
})

/** The words of one database whose tables begin with `prefix`. */
export const make = (name: "postgres" | "sqlite", prefix: string): Sql => {
  if (!/^[a-z_][a-z0-9_]{0,23}$|^$/.test(prefix)) {
    throw new RangeError(`A table prefix is at most 24 of a-z, 0-9 and _, and begins with no digit: ${prefix}`)
  }
  return name === "postgres" ? postgres(prefix) : sqlite(prefix)
}

/** A set of statements before it meets a database: `group` is the store, `build` writes the texts. */
export interface StatementSet<K extends string> {
  readonly group: string
  readonly build: (sql: Sql) => Readonly<Record<K, string>>
}

/** Declares the statements of a store. `Database.statements` builds the texts, once per database. */
export const defineStatements = <const T extends Readonly<Record<string, string>>>(
  group: string,
  build: (sql: Sql) => T
): StatementSet<Extract<keyof T, string>> => ({ group, build })

/** A parameter of the text, or a column of the rows that it gives: `?` unless it is one value, `!` if it is. */
const places = /\$(\d+)(?:\.(\w+):(\w+)([?!])?)?/g

type Slot = (parameters: ReadonlyArray<Parameter>) => Parameter

const slotOf = (at: number, name: string | undefined, type: ColumnType, kind: string | undefined): Slot => {
  if (name === undefined) return (parameters) => parameters[at]
  const rowsOf = (parameters: ReadonlyArray<Parameter>) => parameters[at] as ReadonlyArray<Row>
  if (kind === "!") return (parameters) => soleValue(rowsOf(parameters), name, type)
  if (kind === undefined) return (parameters) => toArray(rowsOf(parameters), name, type)
  return (parameters) => {
    const rows = rowsOf(parameters)
    return soleValue(rows, name, type) === null && rows.some((row) => row[name] != null)
      ? toArray(rows, name, type)
      : null
  }
}

/** Numbers the columns of row sets among the other parameters. */
const onPostgres = (source: string): Pick<Statement, "text" | "bind"> => {
  const slots = new Map<string, Slot>()
  const text = source.replaceAll(
    places,
    (place: string, digits: string, name: string | undefined, type: ColumnType, kind: string | undefined) => {
      if (!slots.has(place)) slots.set(place, slotOf(Number(digits) - 1, name, type, kind))
      const number = `$${[...slots.keys()].indexOf(place) + 1}`
      return name === undefined ? number : `${number}::${postgresTypes[type]}${kind === "!" ? "" : "[]"}`
    }
  )
  const all = [...slots.values()]
  return { text, bind: (parameters) => all.map((slot) => slot(parameters)) }
}

/** A parameter of the text, or rows in one. */
const numbers = /[$?](\d+)(\.rows)?/g

/**
 * `$1` becomes `?1`, or `?` where that means the same: a number is a name to SQLite, and to bind a parameter it walks all
 * names, which of four hundred of them takes longer than to insert the rows that they are. The planner looks at the value
 * of a parameter that is all of a limit, so every new value is a new preparation, ten times as slow as the search itself:
 * there it becomes `?1 + 0`.
 */
const onSqlite = (source: string): Pick<Statement, "text" | "bind"> => {
  const sets = new Set<number>()
  const uses = Map.groupBy(source.matchAll(numbers), ([, digits]) => digits)
  let highest = 0
  const text = source
    .replaceAll(numbers, (_, digits: string, set: string | undefined) => {
      const number = Number(digits)
      if (set !== undefined) sets.add(number - 1)
      const isNext = number === highest + 1 && uses.get(digits)?.length === 1
      highest = Math.max(highest, number)
      return isNext ? "?" : `?${digits}`
    })
    .replaceAll(/\blimit \?\d*/g, "$& + 0")
  const toRows = (value: Parameter, i: number) => (sets.has(i) ? toJson(value as ReadonlyArray<Row>) : value)
  return { text, bind: (parameters) => (sets.size === 0 ? parameters : parameters.map(toRows)) }
}

type Row = Readonly<Record<string, unknown>>

/** Builds a set for one database. */
export const buildStatements = <K extends string>(self: StatementSet<K>, sql: Sql): Readonly<Record<K, Statement>> => {
  const built: Partial<Record<K, Statement>> = {}
  for (const [key, source] of Object.entries<string>(self.build(sql))) {
    const { bind, text } = (sql.name === "sqlite" ? onSqlite : onPostgres)(source.trim())
    const name = `${self.group}.${key}`
    // PostgreSQL cuts names at 63 bytes.
    const id = `${name.slice(0, 48)}_${createHash("sha256").update(text).digest("hex").slice(0, 10)}`
    built[key as K] = { name, text, id, bind }
  }
  return built as Readonly<Record<K, Statement>>
}

/** A parameter as a driver wants it: objects as JSON, nothing as null. */
export const encodeParameter = (value: Parameter): string | number | bigint | boolean | null | Uint8Array => {
  if (value === undefined || value === null) return null
  if (typeof value !== "object" || value instanceof Uint8Array) return value
  // SQLite's driver would bind null in its place, and say nothing.
  if (value instanceof Date) throw new TypeError("an instant goes into the database as epoch milliseconds")
  return JSON.stringify(value)
}
