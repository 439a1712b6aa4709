/** Probes through real proxies on loopback: what works reports its delay, what does not says why and nothing of its secret. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { createServer } from "node:http"
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

  it.live("takes as long as the page takes", () =>
    Effect.gen(function* () {
      const url = yield* Loopback.page("http", (_, response) => void setTimeout(() => response.end("late"), 120))
      const { port } = yield* Loopback.proxy()
      const { delayMs } = yield* probing(url)(`http://127.0.0.1:${port}`)
      assert.isAtLeast(delayMs, 119)
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
      let connections = 0
      const server = createServer(() => undefined)
      server.on("connection", (socket) => {
        connections += 1
        socket.on("close", () => (connections -= 1))
      })
      const port = yield* Loopback.listening(server)
      const probe = probing("http://localhost:9/")(`http://127.0.0.1:${port}`)
      yield* Effect.exit(Effect.timeout(probe, 100))
      for (let waits = 0; connections > 0 && waits < 100; waits++) yield* Effect.sleep(10)
      assert.strictEqual(connections, 0)
    })
  )
})
