/**
 * Turns templates into what one contact receives. A template is compiled once, when it is saved or claimed for, and
 * rendered for each lead; rendering is pure, bounded, and says which variables it lacked instead of sending "Hi ,".
 */
import { Result, Schema } from "effect"
import type { Button, Content } from "../channel/Content.ts"
import * as LiquidTemplate from "./LiquidTemplate.ts"

/** A template that cannot be used; `field` is its place in a content, such as `buttons[0].title`. */
export class TemplateError extends Schema.TaggedError<TemplateError>()("TemplateError", {
  field: Schema.optionalKey(Schema.String),
  /** From 1. */
  line: Schema.Int,
  /** From 1. */
  column: Schema.Int,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.field ?? "template"}, line ${this.line}, column ${this.column}: ${this.problem}`
  }
}

/**
 * Values by name: text, numbers, booleans. A name that is not the object's own, null, text of blanks alone, lists and
 * objects are no value.
 */
export type Variables = Readonly<Record<string, unknown>>

/** Whether a lead that lacks a variable is left out, or the variable is written as nothing. */
export const OnMissing = Schema.Literals(["skip", "blank"])
export type OnMissing = typeof OnMissing.Type

export type Rendered =
  | { readonly _tag: "Rendered"; readonly text: string }
  | { readonly _tag: "MissingVariable"; readonly names: ReadonlyArray<string> }
  | { readonly _tag: "Failed"; readonly problem: string }

export interface Compiled {
  readonly template: string
  /**
   * The variables that `MissingVariable` may name: written out, assigned, or the argument of a filter, without a
   * `default` after them. One inside a branch or a loop is listed, and is missing only where that branch is taken. Not
   * listed: what is only tested (`{% if vip %}`), what a `default` follows, and names the template assigns itself. The
   * argument of the last `default` is listed when it is a variable, and is missing when the whole comes out empty.
   */
  readonly variables: ReadonlyArray<string>
  readonly render: (values: Variables, onMissing: OnMissing) => Rendered
}

type Value = string | number | boolean

const isBlank = (text: string): boolean => text.trim() === ""

const valueOf = (values: Variables, name: string): Value | undefined => {
  const value = Object.hasOwn(values, name) ? values[name] : undefined
  switch (typeof value) {
    case "string":
      return isBlank(value) ? undefined : value
    case "number":
      return Number.isFinite(value) ? value : undefined
    case "boolean":
      return value
    default:
      return undefined
  }
}

const rendered = (text: string): Rendered =>
  text.length > LiquidTemplate.maxLength
    ? { _tag: "Failed", problem: LiquidTemplate.tooLong }
    : { _tag: "Rendered", text }

/** Literals and plain variables need no Liquid: most messages are this, and a claim renders hundreds. */
const concatenation =
  (pieces: ReadonlyArray<LiquidTemplate.Piece>): Compiled["render"] =>
  (values, onMissing) => {
    let text = ""
    let missing: Array<string> | undefined
    for (const piece of pieces) {
      if (typeof piece === "string") {
        text += piece
        continue
      }
      const value = valueOf(values, piece.name)
      if (piece.fallback !== null) {
        text += value === undefined || value === false ? piece.fallback : value
      } else if (value !== undefined) {
        text += value
      } else if (onMissing === "skip" && missing?.includes(piece.name) !== true) {
        missing = [...(missing ?? []), piece.name]
      }
    }
    return missing === undefined ? rendered(text) : { _tag: "MissingVariable", names: missing }
  }

const program =
  (self: LiquidTemplate.Program): Compiled["render"] =>
  (values, onMissing) => {
    const present: Record<string, Value> = Object.create(null)
    for (const name of self.names) {
      const value = valueOf(values, name)
      if (value !== undefined) present[name] = value
    }
    return Result.match(LiquidTemplate.run(self, present), {
      onSuccess: ({ text, missing }) =>
        onMissing === "skip" && missing.length > 0 ? { _tag: "MissingVariable", names: missing } : rendered(text),
      onFailure: ({ line, column, problem }): Rendered => ({
        _tag: "Failed",
        problem: `line ${line}, column ${column}: ${problem}`
      })
    })
  }

/** Reads a Liquid template. `field` names it in the error. */
export const compile = (template: string, field?: string): Result.Result<Compiled, TemplateError> =>
  Result.mapBoth(LiquidTemplate.parse(template), {
    onSuccess: (parsed) => ({
      template,
      variables: parsed.asked,
      render: parsed.pieces === null ? program(parsed) : concatenation(parsed.pieces)
    }),
    onFailure: (fault) => new TemplateError({ ...fault, ...(field !== undefined && { field }) })
  })

/** What a template says to the contact with these values. */
export const render = (self: Compiled, values: Variables, onMissing: OnMissing): Rendered =>
  self.render(values, onMissing)

type Rewrite = (text: string, field: string, mayBeEmpty: boolean) => string

/** The content with each of its texts rewritten, always in the same order. */
const rewrite = (self: Content, f: Rewrite): Content => {
  const given = "buttons" in self ? self.buttons : undefined
  const buttons = () =>
    given === undefined
      ? {}
      : {
          buttons: given.map(
            (button, i): Button => ({
              ...button,
              title: f(button.title, `buttons[${i}].title`, false),
              value: f(button.value, `buttons[${i}].value`, false)
            })
          )
        }
  switch (self.type) {
    case "text":
      return { ...self, text: f(self.text, "text", false), ...buttons() }
    case "approvedTemplate":
      return self.parameters === undefined
        ? { ...self, ...buttons() }
        : {
            ...self,
            parameters: Object.fromEntries(
              Object.entries(self.parameters).map(([name, text]) => [name, f(text, `parameters.${name}`, true)])
            ),
            ...buttons()
          }
    case "media":
      return {
        ...self,
        url: f(self.url, "url", false),
        ...(self.caption !== undefined && { caption: f(self.caption, "caption", true) }),
        ...buttons()
      }
    case "preContact":
      return self.note === undefined ? self : { ...self, note: f(self.note, "note", false) }
  }
}

export interface CompiledContent {
  readonly content: Content
  /** Of all its texts: see `Compiled.variables`. */
  readonly variables: ReadonlyArray<string>
  /** In the order in which the content's texts are visited. */
  readonly templates: ReadonlyArray<Compiled>
}

export type RenderedContent =
  | { readonly _tag: "Rendered"; readonly content: Content }
  | { readonly _tag: "MissingVariable"; readonly names: ReadonlyArray<string> }
  | { readonly _tag: "Failed"; readonly field: string; readonly problem: string }

/**
 * Reads every text of a content as a template: text, caption, url, parameters, note, buttons. Fails with the first fault, and
 * where a text that must say something is blank.
 */
export const compileContent = (content: Content): Result.Result<CompiledContent, TemplateError> => {
  const results: Array<Result.Result<Compiled, TemplateError>> = []
  rewrite(content, (text, field, mayBeEmpty) => {
    results.push(
      isBlank(text) && !mayBeEmpty
        ? Result.fail(new TemplateError({ field, line: 1, column: 1, problem: "it says nothing" }))
        : compile(text, field)
    )
    return text
  })
  return Result.map(Result.all(results), (templates) => ({
    content,
    variables: [...new Set(templates.flatMap((template) => template.variables))],
    templates
  }))
}

/**
 * A content of the same shape with its texts rendered, valid as a content; `Failed` where a text that must say
 * something comes out blank. Failing wins over missing, and the names missing in all texts are told together.
 */
export const renderContent = (self: CompiledContent, values: Variables, onMissing: OnMissing): RenderedContent => {
  const missing = new Set<string>()
  let failed: RenderedContent | undefined
  let next = 0
  const content = rewrite(self.content, (_, field, mayBeEmpty) => {
    const result = self.templates[next++]?.render(values, onMissing)
    switch (result?._tag) {
      case undefined:
        return ""
      case "MissingVariable":
        result.names.forEach((name) => missing.add(name))
        return ""
      case "Failed":
        failed ??= { _tag: "Failed", field, problem: result.problem }
        return ""
      case "Rendered":
        if (isBlank(result.text) && !mayBeEmpty) failed ??= { _tag: "Failed", field, problem: "it comes out empty" }
        return result.text
    }
  })
  if (failed !== undefined) return failed
  return missing.size > 0 ? { _tag: "MissingVariable", names: [...missing] } : { _tag: "Rendered", content }
}

/** The fields of a contact that templates can name. */
export interface ContactFields {
  readonly name?: string | null | undefined
  readonly first?: string | null | undefined
  readonly last?: string | null | undefined
  readonly attributes?: Variables | undefined
}

const filled = (text: string | null | undefined): string | undefined => text?.trim() || undefined

/**
 * The values templates see: attributes, and over them `name`, `first`, `last`. Where `first` or `last` is not recorded
 * it comes from `name`: the first word, and what follows it (or follows the recorded `first`); a `name` that is not
 * recorded is both together. What stays unknown leaves an attribute of that name in place.
 */
export const variablesOf = (contact: ContactFields): Variables => {
  const name = filled(contact.name)
  const first = filled(contact.first) ?? name?.split(/\s+/, 1)[0]
  const begins = first !== undefined && `${name} `.startsWith(`${first} `)
  const rest = begins ? name?.slice(first.length) : name?.replace(/^\S+/, "")
  const last = filled(contact.last) ?? filled(rest)
  const full = name ?? filled([first, last].filter(Boolean).join(" "))
  return {
    ...contact.attributes,
    ...(full !== undefined && { name: full }),
    ...(first !== undefined && { first }),
    ...(last !== undefined && { last })
  }
}
