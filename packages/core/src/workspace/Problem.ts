/**
 * What is wrong with JSON that a person or a program wrote: each problem by its field, with what was expected there and
 * what came. What came is shown only where it was decoded with `showing`; without it no value leaves this module.
 */
import { Result, Schema, SchemaAST, SchemaIssue } from "effect"

/** One thing that is wrong, by its field (`followUps[0].sendAfterDays`; empty = the whole). */
export interface Problem {
  readonly field: string
  readonly message: string
}

/** How input is decoded whose problems may show what came: everything that is wrong, and no field that is not known. */
export const showing = { errors: "all", onExcessProperty: "error", reportInput: true } as const

type Path = ReadonlyArray<PropertyKey>

interface Found {
  readonly path: Path
  readonly message: string
  /** A field that is missing or not known may mean that another member of a union was meant. */
  readonly kind: "value" | "missing" | "unknown"
}

/** A path as a person writes it: `steps[1].parts[0]`. */
export const fieldOf = (path: Path): string =>
  path.reduce<string>(
    (text, part) =>
      typeof part === "number" ? `${text}[${part}]` : text === "" ? String(part) : `${text}.${String(part)}`,
    ""
  )

/** The longest text of what came. */
const mostShown = 60

const shown = (input: unknown): string => {
  const text = (typeof input === "number" ? undefined : JSON.stringify(input)) ?? String(input)
  return text.length <= mostShown ? text : `${text.slice(0, mostShown)}…`
}

const listed = (words: ReadonlyArray<string>, between: "or" | "and"): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} ${between} ${words.at(-1)!}`

/** The values of what takes nothing but some; null of all else. */
const literalsOf = (ast: SchemaAST.AST | undefined): ReadonlyArray<string> | null => {
  if (ast === undefined) return null
  if (SchemaAST.isLiteral(ast)) return [JSON.stringify(ast.literal)]
  if (!SchemaAST.isUnion(ast)) return null
  const values = ast.types.map(literalsOf)
  return values.every((one) => one !== null) ? values.flat() : null
}

/** The values of the field that tells the members of a union apart, such as `type`; null where there is no such field. */
const discriminator = (
  union: SchemaAST.Union
): { readonly name: PropertyKey; readonly values: ReadonlyArray<string> } | null => {
  const [first, ...others] = union.types.filter(SchemaAST.isObjects)
  for (const { name } of first?.propertySignatures ?? []) {
    const literals = [first!, ...others].map(({ propertySignatures }) =>
      literalsOf(propertySignatures.find((one) => one.name === name)?.type)
    )
    if (literals.every((values) => values !== null)) return { name, values: literals.flat() }
  }
  return null
}

/** What a schema takes, in words. */
const wanted = (ast: SchemaAST.AST): string => {
  const own = ast.annotations?.["expected"]
  if (typeof own === "string") return own
  if (SchemaAST.isString(ast)) return "a string"
  if (SchemaAST.isNumber(ast)) return "a number"
  if (SchemaAST.isBoolean(ast)) return "true or false"
  if (SchemaAST.isNull(ast)) return "null"
  if (SchemaAST.isLiteral(ast)) return JSON.stringify(ast.literal)
  if (SchemaAST.isArrays(ast)) return "a list"
  if (SchemaAST.isObjects(ast)) return objectOf(ast)
  if (SchemaAST.isUnion(ast)) return oneOf(ast)
  return "something else"
}

const isNeeded = ({ type }: SchemaAST.PropertySignature): boolean => !SchemaAST.isOptional(SchemaAST.toEncoded(type))

const objectOf = ({ propertySignatures }: SchemaAST.Objects): string => {
  const needed = propertySignatures.filter(isNeeded).map(({ name }) => String(name))
  return needed.length === 0 ? "an object" : `an object with ${listed(needed, "and")}`
}

const oneOf = (union: SchemaAST.Union): string => {
  const told = discriminator(union)
  const others = union.types.filter(
    (member) => !SchemaAST.isUndefined(member) && (told === null || !SchemaAST.isObjects(member))
  )
  const objects = told === null ? [] : [`an object whose ${String(told.name)} is ${listed(told.values, "or")}`]
  return listed([...new Set([...others.map(wanted), ...objects])], "or")
}

const got = (issue: SchemaIssue.Issue): string => (SchemaIssue.hasInput(issue) ? `, got ${shown(issue.input)}` : "")

const found = (path: Path, message: string, kind: Found["kind"] = "value"): Found => ({ path, message, kind })

/** What a check wants. A length is said in the words of what is counted. */
const wish = (check: SchemaAST.Check<unknown>, issue: SchemaIssue.InvalidValue): string => {
  const expected = issue.annotations?.["expected"] ?? check.annotations?.["expected"]
  const words = typeof expected === "string" ? expected : "something else"
  const lengths = /^a value with a length of (at least|at most) (\d+)$/.exec(words)
  if (lengths === null || !SchemaIssue.hasInput(issue)) return words
  const count = Number(lengths[2])
  const what = typeof issue.input === "string" ? ["character", "characters"] : ["entry", "entries"]
  return `${lengths[1]} ${count} ${what[count === 1 ? 0 : 1]}`
}

/** A check that failed: in its own words where it has some, else what it wants. */
const ofCheck = ({ filter, issue }: SchemaIssue.Filter, path: Path): ReadonlyArray<Found> => {
  if (issue._tag !== "InvalidValue") return walk(issue, path)
  const said = issue.annotations?.["message"]
  return [found(path, typeof said === "string" ? said : `expected ${wish(filter, issue)}${got(issue)}`)]
}

const hasFields = (input: unknown): boolean =>
  typeof input === "object" && input !== null && Object.keys(input).length > 0

/**
 * The member of a union that was meant, by what is amiss with each: one whose own fields hold something wrong, or that
 * knows every field that is there; null where it cannot be told.
 */
const meantOf = (
  members: ReadonlyArray<ReadonlyArray<Found>>,
  path: Path,
  input: unknown
): ReadonlyArray<Found> | null => {
  const depth = ({ path: at }: Found) => at.length - path.length
  const inside = members.filter((problems) => problems.every((one) => depth(one) > 0))
  const tiers = [
    inside.filter((problems) => problems.some(({ kind }) => kind === "value")),
    inside.filter((problems) => problems.every((one) => depth(one) > 1 || one.kind === "unknown")),
    inside.filter((problems) => hasFields(input) && problems.every((one) => depth(one) > 1 || one.kind === "missing")),
    members.length === 1 ? members : []
  ]
  const [first, ...rest] = tiers.find(({ length }) => length > 0) ?? []
  return first === undefined ? null : rest.reduce((least, one) => (one.length < least.length ? one : least), first)
}

const ofUnion = (issue: SchemaIssue.AnyOf, path: Path): ReadonlyArray<Found> => {
  const input: unknown = SchemaIssue.hasInput(issue) ? issue.input : undefined
  const told = discriminator(issue.ast)
  const members = issue.issues.map((one) => walk(one, path))
  const isOfTag = ({ path: at }: Found) => at.length === path.length + 1 && at.at(-1) === told?.name
  const named = members.filter((problems) => !problems.some(isOfTag))
  const tag =
    told !== null && hasFields(input) ? (input as Readonly<Record<PropertyKey, unknown>>)[told.name] : undefined
  const isOther =
    (tag !== undefined && told?.values.includes(JSON.stringify(tag)) === false) ||
    (named.length === 0 && members.flat().some((one) => isOfTag(one) && one.kind === "value"))
  if (told !== null && isOther) {
    const came = tag === undefined ? "" : `, got ${shown(tag)}`
    return [found([...path, told.name], `expected ${listed(told.values, "or")}${came}`)]
  }
  return (
    meantOf(named.length > 0 ? named : members, path, input) ?? [
      found(path, `expected ${oneOf(issue.ast)}${got(issue)}`)
    ]
  )
}

/** The parts of an object or list; a field that is missing or not known is told by what its object takes. */
const ofParts = (issue: SchemaIssue.Composite, path: Path): ReadonlyArray<Found> =>
  issue.issues.flatMap((one) => {
    if (one._tag !== "Pointer" || one.path.length !== 1) return walk(one, path)
    const [name] = one.path
    const at = [...path, name!]
    const fields = SchemaAST.isObjects(issue.ast) ? issue.ast.propertySignatures : []
    if (one.issue._tag === "MissingKey") {
      const field = fields.find((field) => field.name === name)
      return field === undefined
        ? [found(path, `expected at least ${Number(name) + 1} entries${got(issue)}`.replace(/ 1 entries/, " 1 entry"))]
        : [found(at, `is missing; expected ${wanted(field.type)}`, "missing")]
    }
    if (one.issue._tag === "UnexpectedKey") {
      const known = fields.map((field) => String(field.name))
      return [found(at, `there is no such field; there are ${listed(known, "and")}`, "unknown")]
    }
    return walk(one.issue, at)
  })

const walk = (issue: SchemaIssue.Issue, path: Path): ReadonlyArray<Found> => {
  switch (issue._tag) {
    case "Filter":
      return ofCheck(issue, path)
    case "Encoding":
      return walk(issue.issue, path)
    case "Pointer":
      return walk(issue.issue, [...path, ...issue.path])
    case "Composite":
      return ofParts(issue, path)
    case "AnyOf":
      return ofUnion(issue, path)
    case "InvalidType":
      return [found(path, `expected ${wanted(issue.ast)}${got(issue)}`)]
    default:
      return [found(path, SchemaIssue.defaultLeafHook(issue))]
  }
}

/** The problems of an input that could not be decoded, one for each field that has some; at least one. */
export const of = (error: Schema.SchemaError): readonly [Problem, ...Array<Problem>] => {
  const byField = new Map<string, Problem>()
  for (const { message, path } of walk(error.issue, [])) {
    const field = fieldOf(path)
    if (!byField.has(field)) byField.set(field, { field, message })
  }
  const [first, ...rest] = byField.values()
  return [first ?? { field: "", message: error.message }, ...rest]
}

/** What a program gave, as a schema decodes it; or the first problem of it, which shows what came. */
export const decoder = <S extends Schema.ConstraintDecoder<unknown>>(schema: S) => {
  const decode = Schema.decodeUnknownResult(schema)
  return (input: unknown): Result.Result<S["Type"], Problem> =>
    Result.mapError(decode(input, showing), (error) => of(error)[0])
}

/** The same, with the problem as the error that this kind of input has. */
export const checker = <S extends Schema.ConstraintDecoder<unknown>, E>(
  schema: S,
  Refused: new (refused: { readonly field: string; readonly problem: string }) => E
) => {
  const decode = decoder(schema)
  return (input: unknown): Result.Result<S["Type"], E> =>
    Result.mapError(decode(input), ({ field, message }) => new Refused({ field, problem: message }))
}
