/** Statements whose text depends on what is asked, such as the filters of a list: one for each text, prepared like any other. */
import type { Database } from "./Database.ts"
import { defineStatements, type Parameter, type Statement } from "./Dialect.ts"

export interface Composed {
  /** The statement of a text. `name` says what it is; texts of one name are numbered. */
  statement(name: string, text: string): Statement
}

const all = new WeakMap<Database["Service"], Map<string, Map<string, Statement>>>()

/** The statements of a group: the same for everyone who asks for that group of a database. */
export const make = (database: Database["Service"], group: string): Composed => {
  const groups = all.get(database) ?? new Map<string, Map<string, Statement>>()
  all.set(database, groups)
  const known = groups.get(group) ?? new Map<string, Statement>()
  groups.set(group, known)
  return {
    statement: (name, text) => {
      const found = known.get(text)
      if (found !== undefined) return found
      const numbered = `${name}${known.size + 1}`
      const built = database.statements(defineStatements(group, () => ({ [numbered]: text })))[numbered]
      if (built === undefined) throw new Error(`there is no statement ${numbered}`)
      known.set(text, built)
      return built
    }
  }
}

/** The parameters of a text under construction. */
export interface Arguments {
  readonly values: Array<Parameter>
  /** Adds one; its place, `$3`. */
  add(value: Parameter): string
}

export const begin = (...first: ReadonlyArray<Parameter>): Arguments => {
  const values = [...first]
  return { values, add: (value) => `$${values.push(value)}` }
}
