/** What a host attaches to its records, plain JSON that rules never read; and when two values of JSON say the same. */
import { Schema, Struct } from "effect"

export const Metadata = Schema.Record(Schema.String, Schema.Json)
export type Metadata = typeof Metadata.Type

/** The same text for what says the same, in whichever order its fields stand: databases keep them in orders of their own. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item
  )

/** The fields in which two records differ, in the order in which these stand; what is absent says the same as null. */
export const changedFields = <A extends object>(before: A, after: A): ReadonlyArray<keyof A & string> =>
  Struct.keys({ ...before, ...after }).filter(
    (field) => canonical(before[field] ?? null) !== canonical(after[field] ?? null)
  )
