/**
 * What every row codec is made of. A table has one list of columns; the texts of statements, the row sets of
 * `sql.rows` and the codecs all come from it.
 *
 * @example
 * `insert into ${sql.t("chat")}(${Columns.names(ChatRow.columns)}) select ${Columns.select(ChatRow.columns, "x")}
 *  from ${sql.rows("x", 1, ChatRow.columns)} where true on conflict do nothing`
 */
import type { ColumnType } from "../Dialect.ts"

export type Columns = Readonly<Record<string, ColumnType>>

/** A row to be written: what `sql.rows` reads. */
export type Written<C extends Columns> = { readonly [K in keyof C]: unknown }

/** `id, name, …`: for `insert into`. */
export const names = (columns: Columns): string => Object.keys(columns).join(", ")

/**
 * `l.id, l.name, …`: for `select` and `returning`. With a prefix `l.id as l_id`, so that two tables fit in one row;
 * `unprefix` takes them apart again.
 */
export const select = (columns: Columns, alias: string, prefix = ""): string =>
  Object.keys(columns)
    .map((name) => (prefix === "" ? `${alias}.${name}` : `${alias}.${name} as ${prefix}${name}`))
    .join(", ")

/** `name = x.name, …` of all columns but `keys`: for `update … set … from` and `on conflict do update`. */
export const assign = (columns: Columns, from: string, ...keys: ReadonlyArray<string>): string =>
  Object.keys(columns)
    .filter((name) => !keys.includes(name))
    .map((name) => `${name} = ${from}.${name}`)
    .join(", ")

/** Some of the columns. */
export const pick = <C extends Columns, K extends keyof C & string>(
  columns: C,
  ...keys: ReadonlyArray<K>
): Pick<C, K> => Object.fromEntries(keys.map((key) => [key, columns[key]])) as Pick<C, K>

/** A row of one table out of a row that holds several. */
export const unprefix = <Row>(columns: Columns, prefix: string): ((row: object) => Row) => {
  const pairs = Object.keys(columns).map((name) => [name, prefix + name] as const)
  return (row) => {
    const found: Record<string, unknown> = {}
    for (const [name, prefixed] of pairs) found[name] = (row as Record<string, unknown>)[prefixed]
    return found as Row
  }
}

/** Whether two records differ in nothing but these fields: then a statement that writes only those will do. */
export const differsOnlyIn = <R extends object>(fields: ReadonlySet<string>, before: R, after: R): boolean => {
  for (const name in after) if (after[name] !== before[name] && !fields.has(name)) return false
  return true
}

/** JSON text of a column as the value it was written from. */
export const json = <A>(text: string): A => JSON.parse(text) as A

/** A record column; most are empty. */
export const record = <A extends object>(text: string): A => (text === "{}" ? {} : JSON.parse(text)) as A

/** An array column; most are empty. */
export const array = <A>(text: string): ReadonlyArray<A> =>
  text === "[]" ? [] : (JSON.parse(text) as ReadonlyArray<A>)
