/**
 * Joins that are look-ups by key, one for each row before them, whatever the planner believes of the tables. PostgreSQL
 * gets a lateral subquery that cannot be flattened, so no hash join or scan of a table that was empty when the statement
 * was planned; SQLite, a cross join, whose order it keeps. Rows come, and are locked, in the order of the rows before them.
 */
import type { Sql } from "../Dialect.ts"

/** How rows found are locked: `skip` passes by what another holds, `wait` waits for it. */
export type Lock = "skip" | "wait" | "none"

const suffix = (sql: Sql, alias: string, lock: Lock): string =>
  lock === "skip" ? sql.skipLocked(alias) : lock === "wait" ? sql.lock(alias) : "offset 0"

/**
 * That a key column equals a value of the rows before it, for updates, which cannot use `lookup`. Said as an equality,
 * PostgreSQL could as well walk the whole index of the table and filter the rows for each: it does so when it believes
 * the table to be empty, and keeps that plan. This form only fits a look-up by the index.
 */
export const matches = (sql: Sql, column: string, value: string): string =>
  sql.pick({ postgres: `${column} = any(array[${value}])`, sqlite: `${column} = ${value}` })

/** Joins the rows of `table` for which `where` holds; it may speak of every alias before. */
export const lookup = (sql: Sql, table: string, alias: string, where: string, lock: Lock = "none"): string =>
  sql.pick({
    postgres: `cross join lateral (select ${alias}.* from ${sql.t(table)} as ${alias} where ${where}
      ${suffix(sql, alias, lock)}) as ${alias}`,
    sqlite: `cross join ${sql.t(table)} as ${alias} on ${where}`
  })
