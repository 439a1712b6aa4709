/** Requests to real servers on loopback, and the addresses that are refused whatever name or spelling leads to them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Result, Scope } from "effect"
import { createServer, type IncomingMessage, type RequestListener } from "node:http"
import { createServer as createTcpServer, type AddressInfo, type Socket } from "node:net"
import * as SafeHttp from "../../src/net/SafeHttp.ts"
import * as Target from "../../src/net/Target.ts"

const listening = (
  server: { listen(port: number, host: string, done: () => void): unknown; address(): unknown; close(): unknown },
  host: string
): Effect.Effect<number, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, host, () => resume(Effect.succeed((server.address() as AddressInfo).port)))
    }),
    () => Effect.sync(() => server.close())
  )

/** A server on loopback; its port. */
const serving = (listener: RequestListener, host = "127.0.0.1") =>
  Effect.suspend(() => {
    const server = createServer(listener)
    return Effect.tap(listening(server, host), () =>
      Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
    )
  })

/** A server that says what it likes, whatever it is asked. */
const saying = (answer: (socket: Socket) => void) =>
  Effect.suspend(() => {
    const sockets = new Set<Socket>()
    const server = createTcpServer((socket) => {
      sockets.add(socket)
      socket.on("error", () => undefined)
      answer(socket)
    })
    return Effect.tap(listening(server, "127.0.0.1"), () =>
      Effect.addFinalizer(() => Effect.sync(() => sockets.forEach((socket) => socket.destroy())))
    )
  })

const loopback: SafeHttp.Options = { allowHttp: true, allowInward: true }
const get = (url: string, more: Partial<SafeHttp.SafeRequest> = {}): SafeHttp.SafeRequest => ({
  method: "GET",
  url,
  timeoutMs: 30_000,
  maxBytes: 1_000,
  ...more
})
const text = ({ body }: SafeHttp.SafeResponse) => Buffer.from(body).toString()
const failure = <A>(effect: Effect.Effect<A, Target.SafeHttpError>) => Effect.flip(effect)

const readAll = async (request: IncomingMessage) => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

describe("addresses", () => {
  const inward =
    `0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 127.9.9.9 169.254.169.254 172.16.0.1 192.0.0.8 192.0.2.7 192.168.1.1
    198.18.0.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 fe80::1 fe80::1%eth0 fec0::1 fc00::1 fd12:3456::1
    ff02::1 100::1 2001:db8::1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:10.0.0.1 ::ffff:0:127.0.0.1 ::127.0.0.1 64:ff9b::10.0.0.1
    64:ff9b:1::8.8.8.8 2002:7f00:1:: 2001:0:7f00:1:: 5f00::1 example.com 300.1.1.1`.split(/\s+/)
  for (const address of inward) it(`refuses ${address}`, () => assert.isFalse(Target.isOutward(address)))
  for (const address of ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"])
    it(`takes ${address}`, () => assert.isTrue(Target.isOutward(address)))

  it("takes ranges that the operator allows, also as mapped addresses", () => {
    const { mayDial } = Target.make({ allowInward: ["10.1.0.0/16", "fd00:1::/32"] })
    for (const address of ["10.1.2.3", "::ffff:10.1.2.3", "fd00:1::9", "8.8.8.8"])
      assert.isTrue(mayDial(address), address)
    for (const address of ["10.2.0.1", "::ffff:10.2.0.1", "fd00:2::9", "127.0.0.1"])
      assert.isFalse(mayDial(address), address)
    assert.throws(() => Target.make({ allowInward: ["ten"] }), /allowInward/)
  })
})

describe("URLs", () => {
  const refusal = (url: string, allowance: Target.Allowance = {}) =>
    Result.match(Target.make(allowance).parse(url), { onFailure: ({ kind }) => kind, onSuccess: () => "none" })
  const table: ReadonlyArray<readonly [string, string]> = [
    ["https://example.com/hook?x=1", "none"],
    ["http://example.com/hook", "forbiddenUrl"],
    ["ftp://example.com/hook", "forbiddenUrl"],
    ["file:///etc/passwd", "forbiddenUrl"],
    ["/hook", "forbiddenUrl"],
    ["https://user@example.com/", "forbiddenUrl"],
    ["https://user:word@example.com/", "forbiddenUrl"],
    ["https://127.0.0.1/", "forbiddenAddress"],
    ["https://2130706433/", "forbiddenAddress"],
    ["https://0x7f.1/", "forbiddenAddress"],
    ["https://0177.0.0.1/", "forbiddenAddress"],
    ["https://①②⑦.0.0.1/", "forbiddenAddress"],
    ["https://[::1]/", "forbiddenAddress"],
    ["https://[::ffff:127.0.0.1]/", "forbiddenAddress"],
    ["https://169.254.169.254/latest/meta-data", "forbiddenAddress"]
  ]
  for (const [url, expected] of table) it(`${url}: ${expected}`, () => assert.strictEqual(refusal(url), expected))
  it("are http where the operator allows it", () => {
    assert.strictEqual(refusal("http://example.com/", { allowHttp: true }), "none")
    assert.strictEqual(refusal("http://127.0.0.1/", { allowHttp: true }), "forbiddenAddress")
  })
})

describe("SafeHttp", () => {
  it.live("sends what it is given and gives back status, headers and body", () =>
    Effect.gen(function* () {
      const port = yield* serving((request, response) => {
        void readAll(request).then((body) => {
          response.writeHead(207, { "X-Answer": ["a", "b"] })
          response.end(`${request.method} ${request.url} ${String(request.headers["x-ask"])} ${body}`)
        })
      })
      const http = yield* SafeHttp.make(loopback)
      const response = yield* http.request(
        get(`http://127.0.0.1:${port}/hook?a=b#part`, { method: "POST", headers: { "x-ask": "1" }, body: "grüße" })
      )
      assert.strictEqual(response.status, 207)
      assert.strictEqual(response.headers["x-answer"], "a, b")
      assert.strictEqual(text(response), "POST /hook?a=b 1 grüße")
    })
  )

  it.live("follows no redirect", () =>
    Effect.gen(function* () {
      let asked = 0
      const aim = yield* serving((_, response) => {
        asked += 1
        response.end()
      })
      const port = yield* serving((_, response) => {
        response.writeHead(307, { location: `http://127.0.0.1:${aim}/` }).end("elsewhere")
      })
      const http = yield* SafeHttp.make(loopback)
      const response = yield* http.request(get(`http://127.0.0.1:${port}/`))
      assert.strictEqual(response.status, 307)
      assert.strictEqual(asked, 0)
    })
  )

  it.live("uses no proxy of the environment", () =>
    Effect.gen(function* () {
      let proxied = 0
      const proxy = yield* serving((_, response) => {
        proxied += 1
        response.end("proxied")
      })
      const names = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "NODE_USE_ENV_PROXY"]
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          const before = names.map((name) => [name, process.env[name]] as const)
          for (const name of names) process.env[name] = name.startsWith("NODE") ? "1" : `http://127.0.0.1:${proxy}`
          return before
        }),
        (before) =>
          Effect.sync(() => {
            for (const [name, value] of before) {
              if (value === undefined) delete process.env[name]
              else process.env[name] = value
            }
          })
      )
      const port = yield* serving((_, response) => response.end("direct"))
      const http = yield* SafeHttp.make(loopback)
      assert.strictEqual(text(yield* http.request(get(`http://127.0.0.1:${port}/`))), "direct")
      assert.strictEqual(proxied, 0)
    })
  )

  it.live("a name that leads inward is not dialled, also when it led elsewhere before", () =>
    Effect.gen(function* () {
      let asked = 0
      const port = yield* serving((_, response) => {
        asked += 1
        response.setHeader("connection", "close")
        response.end()
      }, "0.0.0.0")
      const answers = [["127.0.0.1"], ["127.0.0.2"], ["127.0.0.2", "::1", "10.0.0.1"], []]
      const http = yield* SafeHttp.make({
        allowHttp: true,
        allowInward: ["127.0.0.1/32"],
        lookup: () => Promise.resolve(answers.shift() ?? ["127.0.0.2"])
      })
      const url = `http://rebinding.example:${port}/token-in-path?key=secret`
      assert.strictEqual((yield* http.request(get(url))).status, 200)
      for (let look = 0; look < 4; look++) {
        const error = yield* failure(http.request(get(url)))
        assert.strictEqual(error.kind, "forbiddenAddress")
        assert.include(error.message, "rebinding.example")
        assert.notMatch(JSON.stringify(error), /token|secret/)
      }
      assert.strictEqual(asked, 1)
    })
  )

  it.live("a name that has no address, or a port that nobody listens on, is an error of the network", () =>
    Effect.gen(function* () {
      const unknown = Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" })
      const http = yield* SafeHttp.make({ ...loopback, lookup: () => Promise.reject(unknown) })
      const nowhere = yield* failure(http.request(get("http://nowhere.example/")))
      assert.deepStrictEqual([nowhere.kind, nowhere.detail], ["network", "no valid answer (ENOTFOUND)"])
      const port = yield* Effect.scoped(serving(() => undefined))
      const closed = yield* failure(http.request(get(`http://127.0.0.1:${port}/`)))
      assert.deepStrictEqual([closed.kind, closed.detail], ["network", "no valid answer (ECONNREFUSED)"])
    })
  )

  it.live("a certificate that nobody vouches for is refused", () =>
    Effect.gen(function* () {
      const port = yield* saying((socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n"))
      const http = yield* SafeHttp.make(loopback)
      assert.strictEqual((yield* failure(http.request(get(`https://127.0.0.1:${port}/`)))).kind, "network")
    })
  )

  describe("ends in time", () => {
    const hanging: ReadonlyArray<readonly [string, (socket: Socket) => void]> = [
      ["without headers", () => undefined],
      ["in the middle of the headers", (socket) => socket.write("HTTP/1.1 200 OK\r\nx-a: ")],
      ["in the middle of the body", (socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")],
      [
        "drop by drop",
        (socket) => {
          socket.write("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n")
          const timer = setInterval(() => socket.write("a"), 20)
          socket.on("close", () => clearInterval(timer))
        }
      ]
    ]
    for (const [name, answer] of hanging) {
      it.live(name, () =>
        Effect.gen(function* () {
          const port = yield* saying(answer)
          const http = yield* SafeHttp.make(loopback)
          const error = yield* failure(http.request(get(`http://127.0.0.1:${port}/`, { timeoutMs: 200 })))
          assert.strictEqual(error.kind, "timeout")
        })
      )
    }

    it.live("when it is interrupted, and closes the connection", () =>
      Effect.gen(function* () {
        const asked = Promise.withResolvers<void>()
        const closed = Promise.withResolvers<void>()
        const port = yield* serving((request) => {
          request.socket.on("close", () => closed.resolve())
          asked.resolve()
        })
        const http = yield* SafeHttp.make(loopback)
        const fiber = yield* Effect.forkChild(http.request(get(`http://127.0.0.1:${port}/`)))
        yield* Effect.promise(() => asked.promise)
        yield* Fiber.interrupt(fiber)
        yield* Effect.promise(() => closed.promise)
      })
    )
  })

  it.live("reads no more of a body than was asked for", () =>
    Effect.gen(function* () {
      const port = yield* serving((request, response) => {
        if (request.url === "/told") response.setHeader("content-length", 5_000)
        response.end("a".repeat(5_000))
      })
      const http = yield* SafeHttp.make(loopback)
      const url = `http://127.0.0.1:${port}`
      for (const path of ["/told", "/chunked"]) {
        assert.strictEqual((yield* failure(http.request(get(url + path)))).kind, "tooLarge")
        const cut = yield* http.request(get(url + path, { overflow: "cut" }))
        assert.deepStrictEqual([cut.status, text(cut)], [200, "a".repeat(1_000)])
        const whole = yield* http.request(get(url + path, { maxBytes: 5_000 }))
        assert.strictEqual(whole.body.length, 5_000)
      }
    })
  )

  describe("connections", () => {
    /** A server that counts its connections, and answers `/held` when it is let go. */
    const counting = Effect.gen(function* () {
      const sockets = new Set<unknown>()
      const released = Promise.withResolvers<void>()
      const held = Promise.withResolvers<void>()
      const port = yield* serving((request, response) => {
        sockets.add(request.socket)
        if (request.url !== "/held") return void response.end("ok")
        held.resolve()
        void released.promise.then(() => response.end("ok"))
      })
      return { sockets, released, held: Effect.promise(() => held.promise), url: `http://127.0.0.1:${port}` }
    })

    it.live("are used again", () =>
      Effect.gen(function* () {
        const { sockets, url } = yield* counting
        const http = yield* SafeHttp.make(loopback)
        for (let i = 0; i < 20; i++) assert.strictEqual(text(yield* http.request(get(`${url}/${i}`))), "ok")
        // Whoever asks again as soon as it is told takes another one: the one before is not at rest yet.
        assert.isAtMost(sockets.size, 2)
      })
    )

    it.live("have one request each at a time", () =>
      Effect.gen(function* () {
        const { held, released, sockets, url } = yield* counting
        const http = yield* SafeHttp.make(loopback)
        const first = yield* Effect.forkChild(http.request(get(`${url}/held`)))
        yield* held
        assert.strictEqual(text(yield* http.request(get(url))), "ok")
        assert.strictEqual(sockets.size, 2)
        released.resolve()
        assert.strictEqual(text(yield* Fiber.join(first)), "ok")
      })
    )

    it.live("are made anew where the other side closed them, or a request was given up", () =>
      Effect.gen(function* () {
        const port = yield* saying((socket) => {
          socket.once("data", (asked) => {
            if (asked.includes("/silent")) return
            socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            if (asked.includes("/closed")) socket.end()
          })
        })
        const http = yield* SafeHttp.make(loopback)
        const ask = (path: string, timeoutMs = 10_000) =>
          http.request(get(`http://127.0.0.1:${port}${path}`, { timeoutMs }))
        for (let i = 0; i < 3; i++) {
          assert.strictEqual((yield* failure(ask("/silent", 100))).kind, "timeout")
          assert.strictEqual(text(yield* ask("/closed")), "ok")
        }
      })
    )

    it.live("close with the scope, and then nothing is asked any more", () =>
      Effect.gen(function* () {
        const { held, url } = yield* counting
        const scope = yield* Scope.make()
        const http = yield* Scope.provide(SafeHttp.make(loopback), scope)
        const before = yield* Effect.forkChild(failure(http.request(get(`${url}/held`))))
        yield* held
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual((yield* Fiber.join(before)).kind, "network")
        assert.strictEqual((yield* failure(http.request(get(url)))).kind, "network")
      })
    )
  })

  const garbage: ReadonlyArray<readonly [string, string, Target.SafeHttpError["kind"]]> = [
    ["that is no HTTP", "SSH-2.0-OpenSSH_9.6\r\n", "network"],
    ["whose headers have no end", `HTTP/1.1 200 OK\r\nx: ${"a".repeat(40_000)}\r\n\r\n`, "tooLarge"],
    ["that closes at once", "", "network"],
    ["that breaks off", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", "network"]
  ]
  for (const [name, answer, kind] of garbage) {
    it.live(`an answer ${name} is ${kind}`, () =>
      Effect.gen(function* () {
        const port = yield* saying((socket) => socket.end(answer))
        const http = yield* SafeHttp.make(loopback)
        const error = yield* failure(http.request(get(`http://127.0.0.1:${port}/`)))
        assert.strictEqual(error.kind, kind)
        assert.notInclude(error.message, "SSH")
      })
    )
  }
})
