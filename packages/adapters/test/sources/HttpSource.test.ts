/** The HTTP source against real servers on loopback. */
import type { FoundPage } from "@overture/core/contact/ContactSource"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, type Schema } from "effect"
import { randomBytes } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import * as SafeHttp from "../../src/net/SafeHttp.ts"
import * as HttpSource from "../../src/sources/HttpSource.ts"
import * as KeyVault from "../../src/vault/KeyVault.ts"

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A server on loopback; its origin, and what it was asked. */
const serving = (answer: Answer) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly origin: string; readonly asked: Array<IncomingMessage>; close(): void }>((resume) => {
      const asked: Array<IncomingMessage> = []
      const server = createServer((request, response) => {
        asked.push(request)
        answer(request, response)
      })
      server.listen(0, "127.0.0.1", () => {
        const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
        const close = () => {
          server.close()
          server.closeAllConnections()
        }
        resume(Effect.succeed({ origin, asked, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

const sourceWith = (options: Partial<HttpSource.Options> = {}) =>
  Effect.map(SafeHttp.make({ allowHttp: true, allowInward: true }), (http) => HttpSource.make({ http, ...options }))

const say =
  (body: string, headers: Readonly<Record<string, string>> = {}, status = 200): Answer =>
  (_, response) =>
    void response.writeHead(status, headers).end(body)

const pageOf = (page: FoundPage | "unchanged"): FoundPage => {
  if (page === "unchanged") throw new Error("the page is unchanged")
  return page
}

const csv = { "content-type": "text/csv" }
const json = { "content-type": "application/json" }

describe("pages", () => {
  it.live("are CSV, decoded as files are, with what is told beside the row", () =>
    Effect.gen(function* () {
      const { origin } = yield* serving(
        say(
          'id,name,city,Bio,location,country,joinedAt\nada,Ada,Köln,likes tea,"Lisbon, Portugal",pt,2026-01-02T03:04:05Z\n,nobody,,,,,\n',
          csv
        )
      )
      const source = yield* sourceWith()
      const query = yield* source.check({ url: `${origin}/people`, mapping: { Bio: "attributes.text" } })
      const page = pageOf(yield* source.page({ query, cursor: null, version: null }))
      assert.deepStrictEqual(page.people, [
        {
          row: { line: 2, externalId: "ada", name: "Ada", tags: [], attributes: { city: "Köln" } },
          text: "likes tea",
          location: "Lisbon, Portugal",
          country: "PT",
          joinedAt: Date.parse("2026-01-02T03:04:05Z")
        }
      ])
      assert.deepStrictEqual(
        page.rejected.map(({ line, reason }) => [line, reason]),
        [[3, "neither an external id nor a phone number"]]
      )
      assert.isNull(page.cursor)
    }).pipe(Effect.scoped)
  )

  it.live("follow one another by Link and by a field, and not to another origin", () =>
    Effect.gen(function* () {
      const { origin } = yield* serving(({ url }, response) => {
        if (url === "/a")
          say('[{"id":"a"}]', { ...json, link: '</b>; rel="prev first", </c?x=1>; rel="last next"' })(
            {} as never,
            response
          )
        else if (url === "/c?x=1") say('[{"id":"c"}]', json)({} as never, response)
        else if (url === "/d")
          say('{"data":{"people":[{"id":"d"}]},"paging":{"next":"e?y=2"}}', json)({} as never, response)
        else if (url === "/e?y=2") say('{"data":{"people":[]},"paging":{"next":null}}', json)({} as never, response)
        else say("[]", { ...json, link: "<https://elsewhere.example/>; rel=next" })({} as never, response)
      })
      const source = yield* sourceWith()
      const follow = Effect.fnUntraced(function* (given: unknown) {
        const query = yield* source.check(given)
        const found: Array<string | undefined> = []
        for (let cursor: string | null = null, pages = 0; pages < 5; pages++) {
          const page: FoundPage = pageOf(yield* source.page({ query, cursor, version: null }))
          found.push(...page.people.map(({ row }) => row.externalId))
          cursor = page.cursor
          if (cursor === null) break
        }
        return found
      })
      assert.deepStrictEqual(yield* follow({ url: `${origin}/a` }), ["a", "c"])
      assert.deepStrictEqual(yield* follow({ url: `${origin}/d`, items: "data.people", next: "paging.next" }), ["d"])
      assert.match((yield* Effect.flip(follow({ url: `${origin}/z` }))).message, /lies elsewhere/)
    }).pipe(Effect.scoped)
  )

  it.live("that have not changed are not read: by ETag, or by what they hold", () =>
    Effect.gen(function* () {
      const { asked, origin } = yield* serving((request, response) => {
        if (request.url === "/plain") return say("id\na\n", csv)(request, response)
        if (request.headers["if-none-match"] === 'W/"7"') return void response.writeHead(304).end()
        say("id\na\n", { ...csv, etag: 'W/"7"' })(request, response)
      })
      const source = yield* sourceWith()
      for (const path of ["/tagged", "/plain"]) {
        const query = yield* source.check({ url: origin + path })
        const { version } = pageOf(yield* source.page({ query, cursor: null, version: null }))
        assert.strictEqual(yield* source.page({ query, cursor: null, version }), "unchanged")
      }
      assert.strictEqual(asked[0]?.headers["if-none-match"], undefined)
      assert.strictEqual(asked[1]?.headers["if-none-match"], 'W/"7"')
    }).pipe(Effect.scoped)
  )
})

describe("what goes wrong", () => {
  const outcomes: ReadonlyArray<readonly [string, Answer, RegExp, boolean]> = [
    ["a busy server", say("", {}, 503), /503/, true],
    ["too many requests", say("", {}, 429), /429/, true],
    ["a missing page", say("", {}, 404), /404/, false],
    ["a redirect", say("", { location: "http://127.0.0.1:1/" }, 302), /redirects are not followed/, false],
    ["a page that is too long", say(`id\n${"x".repeat(3_000)}\n`, csv), /2000 bytes/, false],
    ["no contacts", say("<html>", { "content-type": "text/html" }), /it is a web page/, false],
    ["a broken connection", (request) => void request.socket.destroy(), /no valid answer/, true]
  ]
  for (const [name, answer, message, retryable] of outcomes) {
    it.live(`${name} is told in words, and whether it may pass`, () =>
      Effect.gen(function* () {
        const { origin } = yield* serving(answer)
        const source = yield* sourceWith({ maxBytes: 2_000 })
        const query = yield* source.check({ url: `${origin}/people?token=secret` })
        const failed = yield* Effect.flip(source.page({ query, cursor: null, version: null }))
        assert.match(failed.message, message)
        assert.strictEqual(failed.retryable, retryable)
        assert.notMatch(failed.message, /secret/)
      }).pipe(Effect.scoped)
    )
  }

  it.live("an inward address is refused where nobody allowed it", () =>
    Effect.gen(function* () {
      const { asked, origin } = yield* serving(say("id\na\n", csv))
      const source = HttpSource.make({ http: yield* SafeHttp.make({ allowHttp: true }) })
      const query = yield* source.check({ url: origin })
      const failed = yield* Effect.flip(source.page({ query, cursor: null, version: null }))
      assert.isFalse(failed.retryable)
      assert.isEmpty(asked)
    }).pipe(Effect.scoped)
  )

  it.live("a query is refused by its field", () =>
    Effect.gen(function* () {
      const source = yield* sourceWith()
      const refusals: ReadonlyArray<readonly [unknown, RegExp]> = [
        [{ url: "ftp://x.example/" }, /url: expected an https URL/],
        [{ url: "https://me:secret@x.example/" }, /password/],
        // Whoever says so himself was not checked by us.
        [{ url: "not a url", sealedHeaders: null }, /url: expected an https URL/],
        [{ url: "https://x.example/", formt: "csv" }, /formt/],
        [{ url: "https://x.example/", headers: { authorization: "x" } }, /headers:.*Vault/]
      ]
      for (const [query, message] of refusals) {
        const refused = yield* Effect.flip(source.check(query))
        assert.match(refused.message, message)
        assert.notMatch(refused.message, /secret/)
      }
    }).pipe(Effect.scoped)
  )
})

describe("headers", () => {
  it.live("are sealed before the query is stored, and open for their origin alone", () =>
    Effect.gen(function* () {
      const { asked, origin } = yield* serving(say("id\na\n", csv))
      const keys = yield* KeyVault.make(Redacted.make(`a:${randomBytes(32).toString("base64")}`))
      const source = yield* sourceWith({ vault: keys })
      const query = yield* source.check({ url: origin, headers: { authorization: "Bearer secret" } })
      assert.notMatch(JSON.stringify(query), /secret|Bearer/)
      assert.deepStrictEqual(yield* source.check(query), query)
      yield* source.page({ query, cursor: null, version: null })
      assert.strictEqual(asked[0]?.headers.authorization, "Bearer secret")
      const moved = { ...(query as Record<string, Schema.Json>), url: origin.replace("127.0.0.1", "localhost") }
      const failed = yield* Effect.flip(source.page({ query: moved, cursor: null, version: null }))
      assert.match(failed.message, /headers cannot be read/)
      assert.lengthOf(asked, 1)
      const refused = yield* Effect.flip(source.check({ url: origin, headers: { Host: "x" } }))
      assert.match(refused.message, /Host cannot be set/)
    }).pipe(Effect.scoped)
  )
})
