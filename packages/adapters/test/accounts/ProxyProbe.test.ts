/** Probes through real proxies on loopback: what works reports its delay, what does not says why and nothing of its secret. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Redacted } from "effect"
import { createServer, type ServerResponse } from "node:http"
import { inspect } from "node:util"
import * as ProxyProbe from "../../src/accounts/ProxyProbe.ts"
import * as Loopback from "./loopback.ts"

const probing = (probeUrl: string, more: Partial<ProxyProbe.Options> = {}) => {
  const { probe } = ProxyProbe.make({ probeUrl, allowInward: true, ca: Loopback.cert, timeoutMs: 5_000, ...more })
  return (proxy: string) => probe(Redacted.make(proxy))
}

const greeting = (scheme: "http" | "https") => Loopback.page(scheme, (_, response) => response.end("hello"))

describe("a way out that works", () => {
  for (const beyond of ["http", "https"] as const) {
    for (const scheme of ["http", "https"] as const) {
      it.live(`goes through an ${scheme} proxy to a page over ${beyond}, and says how long it took`, () =>
        Effect.gen(function* () {
          const url = yield* greeting(beyond)
          const { asked, port } = yield* Loopback.proxy({ scheme, login: "ann:p@ss:w%rd" })
          const login = `ann:${encodeURIComponent("p@ss:w%rd")}`
          const { delayMs } = yield* probing(url)(`${scheme}://${login}@localhost:${port}`)
          assert.isAbove(delayMs, 0)
          assert.isBelow(delayMs, 5_000)
          const { host } = new URL(url)
          assert.deepStrictEqual(asked, [beyond === "http" ? `GET ${url}` : `CONNECT ${host}`])
        })
      )
    }
  }

  it.live("is not known to work before all of the page is there", () =>
    Effect.gen(function* () {
      const [asked, answer] = [yield* Deferred.make<ServerResponse>(), yield* Deferred.make<void>()]
      const url = yield* Loopback.page("http", (_, response) => {
        response.write("first half")
        Deferred.doneUnsafe(asked, Effect.succeed(response))
      })
      const { port } = yield* Loopback.proxy()
      const fiber = yield* Effect.forkChild(
        Effect.tap(probing(url)(`http://127.0.0.1:${port}`), () => Deferred.succeed(answer, undefined))
      )
      const response = yield* Deferred.await(asked)
      assert.isFalse(yield* Deferred.isDone(answer))
      response.end("second half")
      assert.isAbove((yield* Fiber.join(fiber)).delayMs, 0)
    })
  )
})

describe("a way out that does not work", () => {
  it.live("is told in words", () =>
    Effect.gen(function* () {
      const [open, secret] = [yield* greeting("http"), yield* greeting("https")]
      const locked = yield* Loopback.proxy({ login: "ann:right" })
      const closed = yield* Loopback.proxy({ refuse: 403 })
      const tls = yield* Loopback.proxy({ scheme: "https" })
      const free = yield* Loopback.proxy()
      const silent = yield* Loopback.listening(createServer(() => undefined))
      const failing = yield* Loopback.page("https", (_, response) => response.writeHead(503).end())
      const unused = yield* Effect.scoped(Loopback.listening(createServer()))
      for (const [url, proxy, reason, detail, more] of [
        [secret, `ann:wrong@127.0.0.1:${locked.port}`, "unauthorized", "the proxy wants another name or password"],
        [open, `ann:wrong@127.0.0.1:${locked.port}`, "unauthorized", "the proxy wants another name or password"],
        [secret, `127.0.0.1:${closed.port}`, "refused", "the proxy refused to go on, with status 403"],
        [open, `127.0.0.1:${unused}`, "refused", "the proxy refused the connection"],
        [
          failing,
          `127.0.0.1:${free.port}`,
          "probeUrl",
          "the page asked for through the proxy answered with status 503"
        ],
        [open, `127.0.0.1:${tls.port}`, "network", "the connection through the proxy broke"],
        [secret, `127.0.0.1:${free.port}`, "tls", /^no trusted connection could be made/, { ca: undefined }],
        [open, `127.0.0.1:${silent}`, "timeout", "nothing came through the proxy within 200 ms", { timeoutMs: 200 }],
        [
          open,
          `ann:wrong@127.0.0.1:${free.port}`,
          "forbidden",
          "the proxy is not at an address of the open internet",
          { allowInward: false }
        ]
      ] as const) {
        const error = yield* Effect.flip(probing(url, more)(`http://${proxy}`))
        assert(error._tag === "EgressFailed")
        assert.strictEqual(error.reason, reason, `${proxy} to ${url}: ${error.detail}`)
        if (typeof detail === "string") assert.strictEqual(error.detail, detail)
        else assert.match(error.detail, detail)
        assert.notInclude(JSON.stringify(error) + error.message, "wrong")
      }
    })
  )

  it.live("is told for an https proxy whose certificate nobody trusts", () =>
    Effect.gen(function* () {
      const { port } = yield* Loopback.proxy({ scheme: "https" })
      const error = yield* Effect.flip(
        probing(yield* greeting("http"), { ca: undefined })(`https://ann:secret@localhost:${port}`)
      )
      assert(error._tag === "EgressFailed")
      assert.strictEqual(error.reason, "tls", error.detail)
      assert.notInclude(error.detail, "secret")
    })
  )

  it.live("leaves no connection behind when it is interrupted", () =>
    Effect.gen(function* () {
      const [opened, closed] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const server = createServer(() => Deferred.doneUnsafe(opened, Effect.void))
      server.on("connection", (socket) => socket.on("close", () => Deferred.doneUnsafe(closed, Effect.void)))
      const port = yield* Loopback.listening(server)
      const probe = yield* Effect.forkChild(probing("http://localhost:9/")(`http://127.0.0.1:${port}`))
      yield* Deferred.await(opened)
      yield* Fiber.interrupt(probe)
      yield* Deferred.await(closed)
    })
  )

  it.live("is told for a proxy that no client can use, and nothing of its secret", () =>
    Effect.gen(function* () {
      const url = yield* greeting("http")
      for (const proxy of ["http://ann:s3cret@ho^st:80", "http://ann:s3cret%zz@127.0.0.1:9", "nothing s3cret"]) {
        const exit = yield* Effect.exit(probing(url)(proxy))
        assert.notInclude(inspect(exit, { depth: 9 }), "s3cret")
        const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : null
        assert.deepInclude(error, { _tag: "EgressFailed", reason: "network" })
      }
    })
  )
})
