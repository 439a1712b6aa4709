/** One step of the schema. Steps only add what the program before them can live with: expand first, contract later. */
import type { Sql } from "../Dialect.ts"

export interface Migration {
  /** Counts from 1 without gaps. */
  readonly version: number
  readonly name: string
  /** The texts of the step, run in one transaction with all the others that are due. */
  readonly up: (sql: Sql) => string
}
