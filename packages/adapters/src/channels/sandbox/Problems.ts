/** What is wrong with JSON that people or programs wrote, each named by its field: `replies[0].rate`. */
import { type Schema, SchemaIssue } from "effect"

export interface Problem {
  readonly field: string
  /** In words; never the value that was there. */
  readonly message: string
}

const format = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) => (issue._tag === "UnexpectedKey" ? "There is no such field" : SchemaIssue.defaultLeafHook(issue))
})

const fieldOf = (path: ReadonlyArray<unknown>, whole: string): string =>
  path.reduce<string>((field, step) => {
    const key = typeof step === "object" && step !== null && "key" in step ? step.key : step
    return typeof key === "number" ? `${field}[${key}]` : field === "" ? String(key) : `${field}.${String(key)}`
  }, "") || whole

/** The problems of what stands at `within` of `whole`; at least one. */
export const problemsOf = (
  error: Schema.SchemaError,
  whole: string,
  within: ReadonlyArray<string | number> = []
): readonly [Problem, ...Array<Problem>] => {
  const [first, ...rest] = format(error.issue).issues.map(({ message, path }) => ({
    field: fieldOf([...within, ...(path ?? [])], whole),
    message
  }))
  return [first ?? { field: fieldOf(within, whole), message: error.message }, ...rest]
}
