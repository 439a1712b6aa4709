/** Where a text stops being JSON: looked for only after a parser refused it, for that one does not always say. */

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
