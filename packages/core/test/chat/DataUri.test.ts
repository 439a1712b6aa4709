/** Data URIs by RFC 2397, beside what Node's own `fetch` reads in them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as DataUri from "../../src/chat/DataUri.ts"

const text = (uri: string): string => {
  const parsed = DataUri.parse(uri, 1_000)
  return "bytes" in parsed ? `${parsed.mime} ${Buffer.from(parsed.bytes).toString("latin1")}` : `? ${parsed.expected}`
}

describe("DataUri.parse", () => {
  it("reads both forms", () => {
    assert.strictEqual(text("data:text/plain;base64,SGVsbG8="), "text/plain Hello")
    assert.strictEqual(text("data:text/plain,Hello%2C%20world"), "text/plain Hello, world")
    assert.strictEqual(text("data:,A%20brief%20note"), "text/plain A brief note")
    assert.strictEqual(text("DATA:Image/PNG;Base64,AAEC"), "image/png \u0000\u0001\u0002")
    assert.strictEqual(text("data:text/plain;charset=utf-8;base64,SGk"), "text/plain Hi")
    assert.strictEqual(text("data:;charset=utf-8,x"), "text/plain x")
    assert.strictEqual(text("data:text/html,"), "text/html ")
    assert.strictEqual(text("data:text/plain,a,b,c"), "text/plain a,b,c")
    assert.strictEqual(text("data:text/plain;base64,SGVs\nbG8="), "text/plain Hello")
    assert.strictEqual(text("data:text/plain;base64,SGVsbG8%3D"), "text/plain Hello")
    assert.strictEqual(text("data:text/plain,%ff%FE"), "text/plain \u00ff\u00fe")
    // URLs write two digits of base64 otherwise (RFC 4648, 5).
    assert.strictEqual(text("data:x/y;base64,-_-_"), text("data:x/y;base64,+/+/"))
  })

  it("says what is wrong, and shows nothing of what came", () => {
    assert.strictEqual(text("data:text/plain"), "? data:<type>;base64,<bytes>")
    assert.strictEqual(text("https://example.org/,"), "? data:<type>;base64,<bytes>")
    assert.strictEqual(text("data:png,x"), "? a type such as image/png")
    assert.strictEqual(text("data:text/plain;base64,SGVs*G8="), "? base64 after the comma")
    assert.strictEqual(text("data:text/plain;base64,S"), "? base64 after the comma")
    assert.strictEqual(text("data:text/plain;base64,SG=Vs"), "? base64 after the comma")
    assert.strictEqual(text("data:text/plain,100%"), "? two hexadecimal digits after each %")
    assert.strictEqual(text("data:text/plain,%zz"), "? two hexadecimal digits after each %")
    assert.strictEqual(text(`data:${"x".repeat(300)}/y,`), "? a type before the comma")
  })

  it("takes no more bytes than are allowed, and decodes nothing that cannot be so few", () => {
    const parse = (uri: string) => DataUri.parse(uri, 4)
    assert.isTrue("bytes" in parse("data:,1234"))
    assert.isTrue("bytes" in parse("data:,%31%32%33%34"))
    assert.isTrue("bytes" in parse("data:;base64,MTIzNA=="))
    for (const uri of ["data:,12345", "data:;base64,MTIzNDU=", `data:,${"1".repeat(13)}`]) {
      assert.deepInclude(parse(uri), { expected: "at most 4 bytes" })
    }
  })

  it.effect.prop(
    "what was encoded in either form is read again",
    [Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 })))],
    ([numbers]) =>
      Effect.gen(function* () {
        const bytes = Uint8Array.from(numbers)
        const percent = Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("")
        for (const uri of [`data:x/y;base64,${Buffer.from(bytes).toString("base64")}`, `data:x/y,${percent}`]) {
          const parsed = DataUri.parse(uri, 10_000)
          assert.deepStrictEqual("bytes" in parsed ? [...parsed.bytes] : parsed, [...bytes])
          const read = yield* Effect.promise(() => fetch(uri).then((answer) => answer.arrayBuffer()))
          assert.deepStrictEqual([...new Uint8Array(read)], [...bytes])
        }
      })
  )
})
