import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Redacted } from "effect"
import * as Egress from "../../src/account/Egress.ts"

const parse = (url: string) => Egress.parse(Redacted.make(url))

describe("a way out", () => {
  it.each([
    ["http://proxy.example", { protocol: "http", host: "proxy.example", port: 80, authenticated: false }],
    [
      "HTTPS://ann:p%40ss%25@Proxy.Example/",
      { protocol: "https", host: "proxy.example", port: 443, authenticated: true }
    ],
    ["http://ann@[::1]:3128", { protocol: "http", host: "[::1]", port: 3128, authenticated: true }]
  ] as const)("%s can be used", (url, shown) => assert.deepStrictEqual(parse(url), { ...shown, check: null }))

  it.each([
    ["a host that is none", "http://user:s3cret@ho^st:80"],
    ["an address that is none", "http://user:s3cret@[1::2::3]:80"],
    ["a raw % in a password", "http://user:s3cret%zz@proxy.example:80"],
    ["a % at its end", "http://user:s3cret%@proxy.example"],
    ["bytes that are no text", "http://user:s3cret%ff@proxy.example"],
    ["a path", "http://user:s3cret@proxy.example/path"],
    ["a port that is none", "http://user:s3cret@proxy.example:70000"]
  ])("with %s is refused, and nothing of its secret is said", (_, url) => {
    const said = parse(url)
    assert.isString(said)
    assert.notInclude(said as string, "s3cret")
  })

  it("that is taken is one that a client can make a URL of, and whose name and password it can read", () =>
    fc.assert(
      fc.property(
        fc.constantFrom("http", "https", "socks5"),
        fc.string({ unit: fc.constantFrom(..."aZ9%2f:@^[]#?/é \\|-_.!") }),
        fc.string({ unit: fc.constantFrom(..."aZ9-._^:[]%éß") }),
        (scheme, login, host) => {
          const text = `${scheme}://${login === "" ? "" : `${login}@`}${host}:8080`
          if (typeof parse(text) === "string") return
          const { password, username } = new URL(text)
          decodeURIComponent(username)
          decodeURIComponent(password)
        }
      ),
      { numRuns: 2_000 }
    ))
})
