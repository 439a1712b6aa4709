/**
 * Where a text stops being JSON: looked for only after a parser refused it, for that one does not always say. And where it
 * is JSON that a parser takes without a word, though it cannot be what its writer meant.
 */

const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const broken = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y
const space = /[ \t\r\n]*/y

export interface SyntaxFault {
  /** Of the first character that cannot stand there; the length of the text when it only ends too soon. */
  readonly at: number
  readonly expected: string
}

type Expecting = "value" | "key" | "firstKey" | "firstValue" | "colon" | "comma" | "end"

const words: Readonly<Record<Expecting, string>> = {
  value: "a value",
  key: "a name in quotes",
  firstKey: 'a name in quotes or "}"',
  firstValue: 'a value or "]"',
  colon: '":"',
  comma: '"," or the end of the object or array',
  end: "nothing more"
}

/** The first fault of a text that should be one JSON value, or null when it is. */
export const faultIn = (text: string): SyntaxFault | null => {
  const open: Array<"{" | "["> = []
  let expecting = "value" as Expecting
  let at = 0
  const match = (pattern: RegExp): number => {
    pattern.lastIndex = at
    return pattern.test(text) ? pattern.lastIndex : at
  }
  const closed = (): Expecting => (open.length === 0 ? "end" : "comma")
  for (;;) {
    at = match(space)
    if (at === text.length) return expecting === "end" ? null : { at, expected: words[expecting] }
    const char = text[at]!
    const wrong = { at, expected: words[expecting] }
    if (expecting === "colon") {
      if (char !== ":") return wrong
      at += 1
      expecting = "value"
    } else if (expecting === "comma" || expecting === "end") {
      const inner = open.at(-1)
      if (expecting === "end" || inner === undefined) return wrong
      if (char === ",") expecting = inner === "{" ? "key" : "value"
      else if (char === (inner === "{" ? "}" : "]")) {
        open.pop()
        expecting = closed()
      } else return wrong
      at += 1
    } else if (char === '"') {
      const end = match(string)
      if (end === at) return { at: match(broken), expected: "the rest of a text in quotes" }
      at = end
      expecting = expecting === "key" || expecting === "firstKey" ? "colon" : closed()
    } else if ((char === "}" && expecting === "firstKey") || (char === "]" && expecting === "firstValue")) {
      open.pop()
      at += 1
      expecting = closed()
    } else if (expecting === "key" || expecting === "firstKey") return wrong
    else if (char === "{" || char === "[") {
      open.push(char)
      at += 1
      expecting = char === "{" ? "firstKey" : "firstValue"
    } else {
      const end = match(scalar)
      if (end === at) return wrong
      at = end
      expecting = closed()
    }
  }
}

const token = /"(?:[^"\\]|\\.)*"|[[\]{}:]/g

/** Arrays and objects within each other. */
const mostDeep = 64

export interface Doubt {
  /** Of the name, or of the bracket. */
  readonly at: number
  readonly problem: string
}

/** The first name that stands twice in one object, of which the last would win, or nesting that is no use; else null. */
export const doubtIn = (json: string): Doubt | null => {
  const open: Array<Set<unknown>> = []
  let last: RegExpExecArray | null = null
  for (const found of json.matchAll(token)) {
    const [text] = found
    if (text === "{" || text === "[") {
      if (open.length === mostDeep) return { at: found.index, problem: `it is nested more than ${mostDeep} deep` }
      open.push(new Set())
    } else if (text === "}" || text === "]") open.pop()
    else if (text === ":" && last !== null) {
      const name: unknown = JSON.parse(last[0])
      const names = open.at(-1)
      if (names?.has(name) === true) return { at: last.index, problem: `the field ${last[0]} stands twice; remove one` }
      names?.add(name)
    }
    last = found
  }
  return null
}
