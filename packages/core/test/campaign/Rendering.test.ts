import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import { Liquid } from "liquidjs"
import {
  compile,
  compileContent,
  render,
  renderContent,
  type Rendered,
  TemplateError,
  type Variables,
  variablesOf
} from "../../src/campaign/Rendering.ts"
import { Content } from "../../src/channel/Content.ts"

const compiled = (template: string) => Result.getOrThrow(compile(template))
const refused = (template: string): TemplateError => {
  const result = compile(template)
  return Result.isFailure(result) ? result.failure : assert.fail(`${template.slice(0, 60)} should be refused`)
}
const say = (template: string, values: Variables, onMissing: "skip" | "blank" = "skip"): Rendered =>
  render(compiled(template), values, onMissing)
const text = (text: string): Rendered => ({ _tag: "Rendered", text })
const missing = (...names: Array<string>): Rendered => ({ _tag: "MissingVariable", names })

const ana = { first: "Ana", last: "López", name: "Ana López", city: "Lima", age: 41, vip: true, gone: false }

describe("what a template says", () => {
  const cases: ReadonlyArray<readonly [template: string, expected: string]> = [
    ["", ""],
    ["plain", "plain"],
    ["Hi {{ first }}!", "Hi Ana!"],
    ["Hi {{first}} {{ last }} 👋", "Hi Ana López 👋"],
    ["Hi {{ nick | default: 'you' }}", "Hi you"],
    ['{{ first | default: "you" }}', "Ana"],
    ["{{ nick | default: first }}", "Ana"],
    ["{{ nick | default: first | upcase }}", "ANA"],
    ["{{ gone | default: 'never' }} {{ gone }}", "never false"],
    ["{{ age }} {{ vip }}", "41 true"],
    ["{{ first | upcase }} {{ city | downcase | capitalize }}", "ANA Lima"],
    ["{% if vip %}Dear {{ first }}{% else %}Hey{% endif %}", "Dear Ana"],
    ["{% if company %}of {{ company }}{% else %}alone{% endif %}", "alone"],
    ["{% if age > 40 and city == 'Lima' %}yes{% endif %}", "yes"],
    ["{% unless blocked %}ok{% endunless %}", "ok"],
    ["{% case city %}{% when 'Lima' %}PE{% else %}?{% endcase %}", "PE"],
    ["{% assign who = nick | default: 'you' %}{{ who }} {{ who }}", "you you"],
    ["{% for i in (1..3) %}{{ i }}{% unless forloop.last %},{% endunless %}{% endfor %}", "1,2,3"],
    ["{% assign xs = 'b-a' | split: '-' %}{% for x in xs %}{{ x }}{% endfor %}{{ xs[0] }}", "bab"],
    ["{% raw %}{{ first }}{% endraw %}{% comment %}{{ oops }}{% endcomment %}", "{{ first }}"],
    ["  {{- first -}}  x", "Anax"],
    ['{{ ["city"] }} {{ first.size }}', "Lima 3"]
  ]
  for (const [template, expected] of cases) {
    it(JSON.stringify(template), () => assert.deepStrictEqual(say(template, ana), text(expected)))
  }

  it("an empty or blank value counts as absent in conditions, too", () => {
    for (const city of ["", "   ", "\u00a0\t\n"]) {
      assert.deepStrictEqual(say("{% if city %}in {{ city }}{% else %}here{% endif %}", { city }), text("here"))
      assert.deepStrictEqual(say("{{ city | default: 'here' }}", { city }), text("here"))
    }
    assert.deepStrictEqual(say("in {{ city }}", { city: " Lima " }), text("in  Lima "))
  })
})

describe("missing variables", () => {
  const none: Variables = {
    first: "",
    last: null,
    city: undefined,
    company: "   ",
    list: ["x"],
    nested: { a: 1 },
    nan: NaN
  }
  const cases: ReadonlyArray<readonly [template: string, expected: Rendered, blank: string]> = [
    ["Hi {{ first }}, {{ last }} {{ first }}", missing("first", "last"), "Hi ,  "],
    ["{{ nobody }}", missing("nobody"), ""],
    ["Hi {{ company }}", missing("company"), "Hi "],
    ["{{ company | upcase }}", missing("company"), ""],
    ["{{ company | default: first }}", missing("first"), ""],
    ["{{ list }}{{ nested }}{{ nan }}", missing("list", "nested", "nan"), ""],
    ["{{ first | upcase }}", missing("first"), ""],
    ["{{ first | append: last }}!", missing("first", "last"), "!"],
    ["{{ first | default: last }}", missing("last"), ""],
    ["{{ first | default: last | default: 'x' }}", text("x"), "x"],
    ["{{ first | default: '' }}", text(""), ""],
    ["{% if vip %}{{ first }}{% endif %}", text(""), ""],
    ["{% unless vip %}{{ first }}{% endunless %}", missing("first"), ""],
    ["{% assign first = first | capitalize %}{{ first }}", missing("first"), ""],
    ["{% assign who = first | default: last %}{{ who }}", missing("last"), ""],
    ["{% for x in first %}{{ x }}{% endfor %}", text(""), ""]
  ]
  for (const [template, expected, blank] of cases) {
    it(JSON.stringify(template), () => {
      assert.deepStrictEqual(say(template, none, "skip"), expected)
      assert.deepStrictEqual(say(template, none, "blank"), text(blank))
    })
  }

  it("lists beforehand what may be missing", () => {
    const template = `{{ a }}{{ b | default: "x" }}{% if c %}{{ d }}{% endif %}{% assign e = f %}{{ e }}
      {{ g | default: h }}{% for i in j %}{{ i }}{{ k | append: l }}{% endfor %}{{ a }}`
    assert.deepStrictEqual(compiled(template).variables, ["a", "d", "f", "h", "k", "l"])
  })

  it("what is inherited is not there, what is owned is data", () => {
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "toLiquid"]) {
      for (const template of [`{{ ${name} }}`, `{{ ${name} | append: "" }}`]) {
        assert.deepStrictEqual(say(template, {}), missing(name))
        assert.deepStrictEqual(say(template, Object.fromEntries([[name, "X"]])), text("X"))
      }
    }
  })
})

describe("refused when read, with the place", () => {
  const ifs = (n: number) => "{% if a %}".repeat(n) + "{% endif %}".repeat(n)
  const cases: ReadonlyArray<readonly [template: string, line: number, column: number, problem: RegExp]> = [
    ["{% include 'a' %}", 1, 1, /"include" is not allowed/],
    ["hi\n {% render '/etc/passwd' %}", 2, 2, /"render" is not allowed/],
    ["{% layout 'a' %}", 1, 1, /"layout" is not allowed/],
    ["{% block a %}{% endblock %}", 1, 1, /"block" is not allowed/],
    ["{% capture a %}{% endcapture %}", 1, 1, /"capture" is not allowed/],
    ["{% increment first %}", 1, 1, /"increment" is not allowed/],
    ["{% if a %}{% include 'a' %}{% endif %}", 1, 11, /"include" is not allowed/],
    ["{% nonsense %}", 1, 1, /"nonsense" not found/],
    ["Hi {{ first", 1, 4, /not closed/],
    ["{% if a %}", 1, 1, /not closed/],
    ["a\nb {{ first | shout }}", 2, 3, /no filter "shout"; there are append, /],
    ["{{ 'now' | date: '%Y' }}", 1, 1, /no filter "date"/],
    ["{{ user.name }}", 1, 4, /\["user.name"\]/],
    ["{{ [first] }}", 1, 4, /names no variable/],
    ["{% for i in (1..100000000) %}x{% endfor %}", 1, 13, /range \(1..100000000\)/],
    ["{% for i in (1..n) %}x{% endfor %}", 1, 13, /range/],
    ["{{ (9007199254740992..9007199254740994) | join }}", 1, 4, /range/],
    ["{% assign a = (1..5000) %}", 1, 15, /range/],
    ["x".repeat(65_537), 1, 1, /65537 characters/],
    ["{{ a }}".repeat(1_001), 1, 7_001, /more than 1000 parts/],
    [ifs(40), 1, 331, /nested more than 32/]
  ]
  for (const [template, line, column, problem] of cases) {
    it(JSON.stringify(template.slice(0, 60)), () => {
      const error = refused(template)
      assert.match(error.problem, problem)
      assert.deepStrictEqual([error.line, error.column], [line, column])
      assert.strictEqual(error.message, `template, line ${line}, column ${column}: ${error.problem}`)
    })
  }

  it("nesting that exhausts the stack", () => {
    assert.match(refused(ifs(3_000)).problem, /nested/)
  })
})

describe("ends, whatever it does", () => {
  const loop = (inner: string, depth: number) =>
    "{% for i in (1..900) %}".repeat(depth) + inner + "{% endfor %}".repeat(depth)
  const cases: ReadonlyArray<readonly [name: string, template: string, problem: RegExp]> = [
    ["nested loops", loop("", 3), /go round more than 1000 times/],
    ["a long split", `{% assign xs = big | split: "" %}{% for x in xs %}{{ x }}{% endfor %}`, /more than 1000 times/],
    ["long output in a loop", loop("{{ big }}", 1), /longer than 65536 characters/],
    ["long output, plain", "{{ big }}{{ big }}", /longer than 65536 characters/],
    ["doubling", "{% assign x = big %}" + "{% assign x = x | append: x %}".repeat(60), /memory/],
    ["a filter that throws", "{{ lone | url_encode }}", /URI/]
  ]
  for (const [name, template, problem] of cases) {
    it(name, () => {
      const begun = performance.now()
      const result = say(template, { big: "y".repeat(40_000), lone: "\ud800" })
      assert.match(result._tag === "Failed" ? result.problem : result._tag, problem)
      assert.isBelow(performance.now() - begun, 2_000)
    })
  }
})

describe("the two ways of rendering agree with liquidjs", () => {
  const names = ["first", "last", "company", "shoe-size", "Straße", "constructor"]
  const value = fc.oneof(
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.constantFrom("", " \n", null, 0, 7.5, true, false)
  )
  const literal = fc.string({ unit: "grapheme", maxLength: 10 }).filter((s) => !/\{/.test(s))
  const quoted = fc.string({ unit: "grapheme", maxLength: 6 }).filter((s) => !/["\\]/.test(s))
  const trim = fc.constantFrom("", "-")
  const output = fc
    .tuple(fc.constantFrom(...names), fc.option(quoted), trim, trim)
    .map(([name, fallback, l, r]) => `{{${l} ${name}${fallback === null ? "" : `|default: "${fallback}"`} ${r}}}`)
  const template = fc.array(fc.oneof(literal, output), { maxLength: 8 }).map((parts) => parts.join(""))
  const values = fc.dictionary(fc.constantFrom(...names), value)

  it("for literals, variables and defaults", () => {
    const reference = new Liquid()
    fc.assert(
      fc.property(template, values, (source, given) => {
        const direct = say(source, given, "blank")
        const present = Object.entries(given).filter(([, one]) => typeof one !== "string" || one.trim() !== "")
        const through = `${source}{% comment %}{% endcomment %}`
        assert.deepStrictEqual(direct, text(reference.parseAndRenderSync(source, Object.fromEntries(present))))
        assert.deepStrictEqual(say(through, given, "blank"), direct)
        assert.deepStrictEqual(say(through, given), say(source, given))
      }),
      { numRuns: 500 }
    )
  })

  it("and no text whatever makes them throw", () => {
    const words = "{{ }} {% %} | default : ' \" first if for in (1..3) [ ] - . endif endfor assign x =".split(" ")
    const soup = fc.array(fc.constantFrom(...words, " ", "\n"), { maxLength: 25 }).map((parts) => parts.join(""))
    fc.assert(
      fc.property(fc.oneof(soup, fc.string({ unit: "binary" })), values, (source, given) => {
        const result = compile(source)
        if (Result.isSuccess(result)) render(result.success, given, "skip")
        else assert.instanceOf(result.failure, TemplateError)
      }),
      { numRuns: 2_000 }
    )
  })
})

describe("contents", () => {
  const button = { type: "url" as const, title: "Go {{ first }}", value: "https://x.test/{{ city | url_encode }}" }
  const contents: ReadonlyArray<readonly [Content, Content]> = [
    [
      { type: "text", text: "Hi {{ first }}" },
      { type: "text", text: "Hi Ana" }
    ],
    [
      { type: "text", text: "Hi", buttons: [button] },
      { type: "text", text: "Hi", buttons: [{ type: "url", title: "Go Ana", value: "https://x.test/Lima" }] }
    ],
    [
      { type: "approvedTemplate", name: "{{ kept }}", language: "en", parameters: { "1": "{{ first }}", x: "" } },
      { type: "approvedTemplate", name: "{{ kept }}", language: "en", parameters: { "1": "Ana", x: "" } }
    ],
    [
      { type: "approvedTemplate", name: "a", language: "en" },
      { type: "approvedTemplate", name: "a", language: "en" }
    ],
    [
      { type: "media", kind: "image", url: "https://x.test/{{ city }}.png", caption: "{{ first }}", filename: "a.png" },
      { type: "media", kind: "image", url: "https://x.test/Lima.png", caption: "Ana", filename: "a.png" }
    ],
    [
      { type: "preContact", note: "It is {{ first }}'s turn" },
      { type: "preContact", note: "It is Ana's turn" }
    ],
    [{ type: "preContact" }, { type: "preContact" }]
  ]
  for (const [content, expected] of contents) {
    it(`keeps the shape of ${JSON.stringify(content)}`, () => {
      const result = renderContent(Result.getOrThrow(compileContent(content)), ana, "skip")
      assert.deepStrictEqual(result, { _tag: "Rendered", content: expected })
      assert.deepStrictEqual(Schema.decodeUnknownSync(Content)(expected), expected)
    })
  }

  it("tells the names missing in all texts together", () => {
    const content = Result.getOrThrow(compileContent({ type: "text", text: "{{ a }}{{ b }}", buttons: [button] }))
    assert.deepStrictEqual(content.variables, ["a", "b", "first", "city"])
    assert.deepStrictEqual(renderContent(content, { b: "x" }, "skip"), {
      _tag: "MissingVariable",
      names: ["a", "first", "city"]
    })
  })

  it("names the field that comes out empty, where it may not", () => {
    const titled = { ...button, title: "Go", value: "{{ a }}" }
    const content = Result.getOrThrow(compileContent({ type: "text", text: "x", buttons: [titled] }))
    assert.deepStrictEqual(renderContent(content, {}, "blank"), {
      _tag: "Failed",
      field: "buttons[0].value",
      problem: "it comes out empty"
    })
    const caption = Result.getOrThrow(compileContent({ type: "media", kind: "image", url: "u", caption: "{{ a }}" }))
    assert.strictEqual(renderContent(caption, {}, "blank")._tag, "Rendered")
  })

  it("names the field that comes out blank, or says nothing from the start, where it may not", () => {
    const spaced = Result.getOrThrow(compileContent({ type: "text", text: " {{ a }}\n" }))
    assert.deepStrictEqual(renderContent(spaced, {}, "blank"), {
      _tag: "Failed",
      field: "text",
      problem: "it comes out empty"
    })
    const contents: ReadonlyArray<readonly [Content, string | null]> = [
      [{ type: "text", text: " \n" }, "text"],
      [{ type: "text", text: "Hi", buttons: [{ type: "reply", title: "\u00a0", value: "v" }] }, "buttons[0].title"],
      [{ type: "media", kind: "image", url: " " }, "url"],
      [{ type: "media", kind: "image", url: "u", caption: " " }, null],
      [{ type: "approvedTemplate", name: "a", language: "en", parameters: { "1": " " } }, null]
    ]
    for (const [content, field] of contents) {
      const message = Result.match(compileContent(content), {
        onSuccess: () => null,
        onFailure: (error) => error.message
      })
      assert.strictEqual(message, field === null ? null : `${field}, line 1, column 1: it says nothing`)
    }
  })

  it("names the field that cannot be read", () => {
    const result = compileContent({ type: "text", text: "ok", buttons: [{ type: "reply", title: "{{", value: "v" }] })
    assert.match(Result.isFailure(result) ? result.failure.message : "", /^buttons\[0\]\.title, line 1, column 1: /)
  })
})

describe("the values of a contact", () => {
  const cases: ReadonlyArray<readonly [Parameters<typeof variablesOf>[0], Record<string, string>]> = [
    [{}, {}],
    [{ name: "Ana" }, { name: "Ana", first: "Ana" }],
    [{ name: "  Ana  María López " }, { name: "Ana  María López", first: "Ana", last: "María López" }],
    [
      { name: "Ana María López", first: "Ana María" },
      { name: "Ana María López", first: "Ana María", last: "López" }
    ],
    [
      { name: "Ana María", first: "Ana María" },
      { name: "Ana María", first: "Ana María" }
    ],
    [
      { first: "Ana", last: "López" },
      { name: "Ana López", first: "Ana", last: "López" }
    ],
    [
      { first: " ", name: null, attributes: { first: "A", city: "Lima" } },
      { first: "A", city: "Lima" }
    ],
    [
      { first: "Ana", attributes: { first: "A" } },
      { name: "Ana", first: "Ana" }
    ]
  ]
  for (const [contact, expected] of cases) {
    it(JSON.stringify(contact), () => assert.deepStrictEqual(variablesOf(contact), expected))
  }
})
