/** What is wrong with JSON that people or programs wrote, each named by its field: `replies[0].rate`. */
import { fieldOf, type Problem } from "@overture/core/workspace/Problem"
import { type Schema, SchemaIssue } from "effect"

const format = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) => (issue._tag === "UnexpectedKey" ? "There is no such field" : SchemaIssue.defaultLeafHook(issue))
})

type Path = ReadonlyArray<PropertyKey | { readonly key: PropertyKey }>

const placeOf = (path: Path, whole: string): string =>
  fieldOf(path.map((step) => (typeof step === "object" ? step.key : step))) || whole

/** The problems of what stands at `within` of `whole`, without the values that were there; at least one. */
export const problemsOf = (
  error: Schema.SchemaError,
  whole: string,
  within: ReadonlyArray<string | number> = []
): readonly [Problem, ...Array<Problem>] => {
  const [first, ...rest] = format(error.issue).issues.map(({ message, path }) => ({
    field: placeOf([...within, ...(path ?? [])], whole),
    message
  }))
  return [first ?? { field: placeOf(within, whole), message: error.message }, ...rest]
}
