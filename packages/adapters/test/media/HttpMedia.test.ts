/** Files fetched over HTTP from servers on loopback, which the tests alone may dial. */
import type { MediaSource } from "@overture/core/chat/MediaSource"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { gzipSync } from "node:zlib"
import * as HttpMedia from "../../src/media/HttpMedia.ts"
import * as SafeHttp from "../../src/net/SafeHttp.ts"
import * as FileServer from "./FileServer.ts"

const { file, png, status } = FileServer

const server = FileServer.ofTests()
const other = FileServer.ofTests()

const loopback = { allowHttp: true, allowInward: true }

const withSource = <A, E>(
  use: (source: MediaSource["Service"]) => Effect.Effect<A, E>,
  allowance: SafeHttp.Options = loopback
) => Effect.scoped(Effect.flatMap(SafeHttp.make(allowance), (http) => use(HttpMedia.make(http, { timeoutMs: 300 }))))

const maxBytes = 10_000
const fetch = (path: string, more: { readonly headers?: Record<string, string>; readonly maxBytes?: number } = {}) =>
  withSource((source) => source.download({ url: server.url + path, maxBytes, ...more }))
const refusal = (path: string, more?: { readonly maxBytes?: number }) =>
  Effect.map(Effect.flip(fetch(path, more)), ({ detail, reason }) => `${reason}: ${detail}`)

describe("HttpMedia", () => {
  it.live("brings a file with the type and the name that the server gives it", () =>
    Effect.gen(function* () {
      const disposition = `attachment; filename="a.png"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%2F..%2Fb.png`
      server.at.set("/a", file(png, { "content-type": "Image/PNG; q=1", "content-disposition": disposition }))
      const { bytes, filename, mime } = yield* fetch("/a")
      assert.deepStrictEqual(Buffer.from(bytes), png)
      assert.deepStrictEqual([mime, filename], ["image/png", "b.png"])
    })
  )

  it.live("an answer without a file is told apart by what it means", () =>
    Effect.gen(function* () {
      const meanings = {
        404: "gone",
        410: "gone",
        401: "refused",
        403: "refused",
        413: "tooLarge",
        429: "unreachable",
        500: "unreachable",
        503: "unreachable",
        504: "timeout",
        204: "unreachable"
      }
      for (const [code, reason] of Object.entries(meanings)) {
        server.at.set("/x", status(Number(code), {}, Number(code) === 204 ? "" : "<html>secret"))
        assert.strictEqual(yield* refusal("/x"), `${reason}: the server answered ${code}`)
      }
    })
  )

  it.live("a body that is huge, slow, cut off or of another length than announced is no file", () =>
    Effect.gen(function* () {
      server.at.set("/huge", file(Buffer.alloc(maxBytes + 1)))
      assert.match(yield* refusal("/huge"), /^tooLarge: /)
      // Without a length, and for ever.
      server.at.set("/endless", (_request, response) => {
        response.writeHead(200)
        const more = () => {
          while (response.writable && response.write(Buffer.alloc(1_000)));
        }
        response.on("drain", more)
        more()
      })
      assert.match(yield* refusal("/endless"), /^tooLarge: /)
      server.at.set("/slow", (_request, response) => {
        response.writeHead(200, { "content-length": "100" })
        const timer = setInterval(() => response.write("x"), 50)
        response.on("close", () => clearInterval(timer))
      })
      assert.match(yield* refusal("/slow"), /^timeout: /)
      server.at.set("/short", (_request, response) => {
        response.writeHead(200, { "content-length": "100" })
        response.write("only this")
        setImmediate(() => response.destroy())
      })
      assert.match(yield* refusal("/short"), /^unreachable: /)
      server.at.set("/reset", (request) => void request.socket.destroy())
      assert.match(yield* refusal("/reset"), /^unreachable: /)
    })
  )

  it.live("follows redirects, at most five, and sends what lets us in to the first host alone", () =>
    Effect.gen(function* () {
      server.at.set("/1", status(302, { location: "/2?a=b" }))
      server.at.set("/2", status(307, { location: `${other.url}/3` }))
      other.at.set("/3", status(301, { location: `${other.url}/4` }))
      other.at.set("/4", file(png))
      const { bytes } = yield* fetch("/1", { headers: { authorization: "Bearer secret" } })
      assert.strictEqual(bytes.length, png.length)
      assert.deepStrictEqual(server.asked, ["/1 Bearer secret", "/2 Bearer secret"])
      assert.deepStrictEqual(other.asked, ["/3 -", "/4 -"])
      server.at.set("/loop", status(302, { location: "/loop" }))
      server.asked.length = 0
      assert.strictEqual(yield* refusal("/loop"), "unreachable: more than 5 redirects")
      assert.strictEqual(server.asked.length, 6)
    })
  )

  it.live("a redirect inward, or to what is no HTTP, is not followed", () =>
    Effect.gen(function* () {
      for (const location of ["file:///etc/passwd", "gopher://127.0.0.1/", "http://"]) {
        server.at.set("/out", status(302, { location }))
        assert.match(yield* refusal("/out"), /^forbidden: /)
      }
      // Without the allowance of the tests this very server is where nobody may send us.
      const error = yield* Effect.flip(
        withSource((source) => source.download({ url: `${server.url}/a`, maxBytes }), { allowHttp: true })
      )
      assert.strictEqual(error.reason, "forbidden")
      const named = yield* Effect.flip(
        withSource((source) => source.download({ url: "http://files.example/a", maxBytes }), {
          allowHttp: true,
          lookup: async () => ["127.0.0.1"]
        })
      )
      assert.strictEqual(named.reason, "forbidden")
      assert.strictEqual(server.asked.filter((path) => path.startsWith("/a")).length, 0)
    })
  )

  it.live("what a server compressed unasked is undone, within the limit", () =>
    Effect.gen(function* () {
      server.at.set("/gzip", file(gzipSync(png), { "content-encoding": "gzip" }))
      assert.deepStrictEqual(Buffer.from((yield* fetch("/gzip")).bytes), png)
      server.at.set("/bomb", file(gzipSync(Buffer.alloc(1_000_000)), { "content-encoding": "gzip" }))
      assert.match(yield* refusal("/bomb"), /^tooLarge: /)
      server.at.set("/broken", file(Buffer.from("no gzip"), { "content-encoding": "gzip" }))
      assert.match(yield* refusal("/broken"), /^mismatch: /)
      server.at.set("/odd", file(png, { "content-encoding": "odd" }))
      assert.match(yield* refusal("/odd"), /^mismatch: /)
    })
  )

  it.live("no error tells the URL: it may hold a token", () =>
    Effect.gen(function* () {
      server.at.set("/token-abc", status(403))
      const error = yield* Effect.flip(fetch("/token-abc?sig=def"))
      assert.notMatch(JSON.stringify(error) + error.message, /abc|def/)
    })
  )
})

describe("filenameOf", () => {
  it("is a name alone", () => {
    const names: ReadonlyArray<readonly [string | undefined, string | null]> = [
      [undefined, null],
      ["inline", null],
      [`attachment; filename=plain.txt`, "plain.txt"],
      [`attachment; filename="with \\"quotes\\" and; more.txt"`, `with "quotes" and; more.txt`],
      [`attachment; filename="../../etc/passwd"`, "passwd"],
      [`attachment; filename="C:\\\\dir\\\\a.exe"`, "a.exe"],
      [`attachment; filename=".."`, null],
      [`attachment; filename="a\u0000b\u202e.txt"`, "ab.txt"],
      [`attachment; filename*=UTF-8''%E2%82%AC.pdf; filename=x.pdf`, "€.pdf"],
      [`attachment; filename*=UTF-8''%zz`, null]
    ]
    for (const [given, name] of names) assert.strictEqual(HttpMedia.filenameOf(given), name)
  })
})
