/**
 * Liquid within bounds: liquidjs with an allow-list of tags and filters, no files, and limits on template, loops,
 * memory and output. What a template would do is checked before it is ever run, and running it ends, with a text or an
 * error.
 */
import { Result } from "effect"
import {
  AssignTag,
  Context,
  EchoTag,
  type Emitter,
  filters as builtinFilters,
  ForTag,
  Liquid,
  LiquidError,
  Output,
  Tag,
  tags as builtinTags,
  type Template,
  type Token,
  toValue,
  toValueSync,
  TypeGuards,
  Value
} from "liquidjs"

/** The longest template and the longest text it may become, in UTF-16 units. */
export const maxLength = 65_536
/** Rounds of all loops of one rendering together, and the span of a range. */
const maxRounds = 1_000
const maxNodes = 1_000
const maxDepth = 32

const allowedTags = ["assign", "break", "case", "comment", "continue", "echo", "for", "if", "raw", "unless", "#"]

/** Filters over text and what `split` makes of it; none reads a clock, a file or chance. */
const allowedFilters: ReadonlyArray<string> = (
  "append capitalize default downcase escape first join last lstrip normalize_whitespace prepend remove remove_first " +
  "remove_last replace replace_first replace_last rstrip size slice split squish strip strip_newlines truncate " +
  "truncatewords upcase url_encode"
).split(" ")

/** What is wrong with a template, and where (both from 1). */
export interface Fault {
  readonly line: number
  readonly column: number
  readonly problem: string
}

/** Literal text, or a variable with the text that stands in for it (null: none). */
export type Piece = string | { readonly name: string; readonly fallback: string | null }

export interface Program {
  readonly templates: ReadonlyArray<Template>
  /** Every variable of the contact that is read in any way. */
  readonly names: ReadonlyArray<string>
  /** Those that may be found missing: see `Compiled.variables`. */
  readonly asked: ReadonlyArray<string>
  /** The whole template, when it is only literals, `{{ name }}` and `{{ name | default: "x" }}`. */
  readonly pieces: ReadonlyArray<Piece> | null
}

const liquid = new Liquid({ templates: {}, ownPropertyOnly: true, renderLimit: 1_000, memoryLimit: 1_000_000 })

for (const name of Object.keys(builtinTags).filter((tag) => !allowedTags.includes(tag))) {
  liquid.registerTag(
    name,
    class extends Tag {
      constructor(...[token, rest, engine]: ConstructorParameters<typeof Tag>) {
        super(token, rest, engine)
        throw new Error(`the tag "${name}" is not allowed; allowed are ${allowedTags.join(", ")}`)
      }
      override *render() {}
    }
  )
}
for (const name of Object.keys(builtinFilters).filter((filter) => !allowedFilters.includes(filter))) {
  liquid.unregisterFilter(name)
}
liquid.registerTag(
  "for",
  // liquidjs limits the time of loops only; counting rounds makes the same template end alike on every machine
  class extends ForTag {
    constructor(...args: ConstructorParameters<typeof ForTag>) {
      super(...args)
      this.templates.unshift({
        token: this.token,
        render: (context: Context) => {
          const rounds = context.getRegister("rounds", 0) + 1
          if (rounds > maxRounds) throw new Error(`the loops go round more than ${maxRounds} times`)
          context.setRegister("rounds", rounds)
        }
      })
    }
  }
)

const faultOf = (error: unknown): Fault => {
  const cause = LiquidError.is(error) ? (error.originalError ?? error) : error
  const [line = 1, column = 1] = LiquidError.is(error) ? error.token.getPosition() : []
  const message = cause instanceof Error ? cause.message.replace(/, line:\d+, col:\d+$/, "") : String(cause)
  return { line, column, problem: cause instanceof RangeError ? "it is nested too deeply" : message }
}

/** Walks a parsed template once: collects variables, refuses what has no bound, arms it to report what is missing. */
class Inspection {
  readonly names = new Set<string>()
  readonly asked = new Set<string>()
  fault: Fault | null = null
  private readonly locals = new Set<string>()
  private nodes = 0

  refuse(token: Token, problem: string): void {
    const [line = 1, column = 1] = token.getPosition()
    this.fault ??= { line, column, problem }
  }

  visit(templates: ReadonlyArray<Template>, depth: number): void {
    for (const template of templates) {
      this.nodes += 1
      if (this.nodes > maxNodes) this.refuse(template.token, `it has more than ${maxNodes} parts`)
      if (depth > maxDepth) this.refuse(template.token, `it is nested more than ${maxDepth} deep`)
      if (this.fault !== null) return
      this.enter(template)
      if (template.children) this.visit(toValueSync(template.children(false, true)), depth + 1)
    }
  }

  private enter(template: Template): void {
    const writes = template instanceof Output || template instanceof EchoTag || template instanceof AssignTag
    for (const argument of template.arguments?.() ?? []) {
      if (!(argument instanceof Value)) {
        this.variables(argument)
        continue
      }
      const unknown = argument.filters.find((filter) => !allowedFilters.includes(filter.name))
      if (unknown) {
        this.refuse(template.token, `there is no filter "${unknown.name}"; there are ${allowedFilters.join(", ")}`)
      }
      const before = argument.initial.postfix.flatMap((token) => this.variables(token))
      const behind = argument.filters.map((filter) =>
        filter.args.flatMap((arg) => this.variables(Array.isArray(arg) ? arg[1] : arg))
      )
      if (!writes) continue
      const tested = argument.initial.postfix.some(TypeGuards.isOperatorToken)
      const last = argument.filters.findLastIndex((filter) => filter.name === "default")
      const required = last < 0 ? [...(tested ? [] : before), ...behind.flat()] : behind.slice(last + 1).flat()
      arm(template, this.unassigned(required), last < 0 ? [] : this.unassigned(behind[last] ?? []))
    }
    for (const name of template.localScope?.() ?? []) this.locals.add(name.content)
    for (const name of template.blockScope?.() ?? []) this.locals.add(name)
  }

  private unassigned(names: ReadonlyArray<string>): ReadonlyArray<string> {
    const contact = names.filter((name) => !this.locals.has(name))
    contact.forEach((name) => this.asked.add(name))
    return contact
  }

  /** The names of the variables in a value. */
  private variables(token: Token | undefined): ReadonlyArray<string> {
    if (TypeGuards.isRangeToken(token)) {
      const ends = [token.lhs, token.rhs].map((end) => (TypeGuards.isNumberToken(end) ? end.content : NaN))
      const [low = NaN, high = NaN] = ends
      if (!ends.every((end) => Number.isInteger(end) && Math.abs(end) <= 1_000_000) || high - low >= maxRounds) {
        this.refuse(token, `the range ${token.getText()} must be of two whole numbers less than ${maxRounds} apart`)
      }
      return []
    }
    if (!TypeGuards.isPropertyAccessToken(token)) return []
    if (token.variable) {
      return [...this.variables(token.variable), ...token.props.flatMap((prop) => this.variables(prop))]
    }
    const [root, ...props] = token.props
    const name = TypeGuards.isWordToken(root) || TypeGuards.isQuotedToken(root) ? root.content : ""
    if (name === "") {
      const problem = `"${token.getText()}" names no variable; write it out, as {{ first }} or {{ ["shoe size"] }}`
      this.refuse(token, problem)
    }
    if (!this.locals.has(name) && props.length > 0 && !(props.length === 1 && props[0]?.getText() === "size")) {
      this.refuse(token, `variables have no parts; if that is an attribute's name, write {{ ["${token.getText()}"] }}`)
    }
    this.names.add(name)
    return [name, ...props.flatMap((prop) => this.variables(prop))]
  }
}

const missingOf = (context: Context): Set<string> => context.getRegister("missing", new Set<string>())

/**
 * Has a writing template note, when it is run, which of `required` have no value, and of `fallbacks` (the argument of
 * its last `default`) when all it wrote is nothing. Branches that are not taken therefore miss nothing.
 */
const arm = (template: Template, required: ReadonlyArray<string>, fallbacks: ReadonlyArray<string>): void => {
  if (required.length === 0 && fallbacks.length === 0) return
  const render = template.render.bind(template)
  const [assigned] = template instanceof AssignTag ? template.localScope() : []
  template.render = function* (context: Context, emitter: Emitter): Generator<unknown, unknown, unknown> {
    const missing = missingOf(context)
    for (const name of required) if (!(name in context.environments)) missing.add(name)
    const length = emitter.buffer.length
    const result: unknown = yield render(context, emitter)
    const nothing = assigned ? (context.bottom()[assigned.content] ?? "") === "" : emitter.buffer.length === length
    if (nothing) for (const name of fallbacks) if (!(name in context.environments)) missing.add(name)
    return result
  }
}

const pieceOf = (template: Template): Piece | null => {
  if (TypeGuards.isHTMLToken(template.token)) return template.token.getContent()
  if (!(template instanceof Output) || template.value.initial.postfix.length !== 1) return null
  const token = template.value.initial.postfix[0]
  if (!TypeGuards.isPropertyAccessToken(token) || token.variable || token.props.length !== 1) return null
  const root = token.props[0]
  if (!TypeGuards.isWordToken(root) && !TypeGuards.isQuotedToken(root)) return null
  const [filter, ...others] = template.value.filters
  if (filter === undefined) return { name: root.content, fallback: null }
  const [fallback, ...options] = filter.args
  return others.length === 0 && options.length === 0 && filter.name === "default" && TypeGuards.isQuotedToken(fallback)
    ? { name: root.content, fallback: fallback.content }
    : null
}

/** Reads a template; everything that can be known to be wrong with it is found here. */
export const parse = (source: string): Result.Result<Program, Fault> => {
  if (source.length > maxLength) {
    return Result.fail({
      line: 1,
      column: 1,
      problem: `it has ${source.length} characters, at most ${maxLength} are allowed`
    })
  }
  return Result.flatMap(Result.try({ try: () => liquid.parse(source), catch: faultOf }), (templates) => {
    const pieces = templates.map(pieceOf)
    const inspection = new Inspection()
    inspection.visit(templates, 0)
    return inspection.fault !== null
      ? Result.fail(inspection.fault)
      : Result.succeed({
          templates,
          names: [...inspection.names],
          asked: [...inspection.asked],
          pieces: pieces.every((piece) => piece !== null) ? pieces : null
        })
  })
}

/** As liquidjs writes values, but nothing for objects such as `forloop`. */
const text = (value: unknown): string => {
  const plain: unknown = toValue(value)
  if (Array.isArray(plain)) return plain.map(text).join("")
  return typeof plain === "string" || typeof plain === "number" || typeof plain === "boolean" ? String(plain) : ""
}

export const tooLong = `the text is longer than ${maxLength} characters`

/** Runs a program over values without prototype, those present only; tells what it wrote and which values it lacked. */
export const run = (
  self: Program,
  values: Readonly<Record<string, unknown>>
): Result.Result<{ readonly text: string; readonly missing: ReadonlyArray<string> }, Fault> =>
  Result.try({
    try: () => {
      const context = new Context(values, liquid.options, { sync: true }, { liquid })
      const emitter: Emitter = {
        buffer: "",
        write(value: unknown) {
          this.buffer += text(value)
          if (this.buffer.length > maxLength) throw new Error(tooLong)
        }
      }
      const missing = missingOf(context)
      toValueSync(liquid.renderer.renderTemplates([...self.templates], context, emitter))
      return { text: emitter.buffer, missing: [...missing] }
    },
    catch: faultOf
  })
