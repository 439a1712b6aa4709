/** Servers on loopback that end with their scope, and a certificate for them: made for these tests, good for nothing else. */
import { Effect, type Scope } from "effect"
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http"
import { createServer as createTlsServer } from "node:https"
import { connect, type AddressInfo, type Socket } from "node:net"

/** Of `localhost` and 127.0.0.1, signed by itself, from 2020 to 2120. */
export const cert = `-----BEGIN CERTIFICATE-----
MIIBRzCB7qADAgECAgEBMAoGCCqGSM49BAMCMBQxEjAQBgNVBAMMCWxvY2FsaG9z
dDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowFDESMBAGA1UEAwwJ
bG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEK3LzSdUT36+xidJK
T95Ax7TeTdN9SjBTvDWM/1AJ+Rb/9+5Jgqj7VeJ3hSyeeLEx2pORkwGhHRldAf49
9JX2aqMvMC0wGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhANj/FlAGBk9kPeUDy5gLtw4XUtZyRCjV
AWV//Z9itL61AiAsSB9p1vSTUeX9HorFH5h9D2EvJjOnsbx0CA5ojKZrqA==
-----END CERTIFICATE-----
`
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgEX2i5CdDEYIpDV0P
ndui58gwV9eeTTAoTJ/q2K/5zhWhRANCAAQrcvNJ1RPfr7GJ0kpP3kDHtN5N031K
MFO8NYz/UAn5Fv/37kmCqPtV4neFLJ54sTHak5GTAaEdGV0B/j30lfZq
-----END PRIVATE KEY-----
`

/** Listens on 127.0.0.1; its port. Whoever is still connected at the end is cut off. */
export const listening = (server: Server): Effect.Effect<number, never, Scope.Scope> =>
  Effect.gen(function* () {
    const sockets = new Set<Socket>()
    server.on("connection", (socket: Socket) => {
      sockets.add(socket)
      socket.on("error", () => undefined)
      socket.on("close", () => sockets.delete(socket))
    })
    return yield* Effect.acquireRelease(
      Effect.callback<number>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
      }),
      () =>
        Effect.sync(() => {
          server.close()
          for (const socket of sockets) socket.destroy()
        })
    )
  })

/** A page over HTTP or HTTPS. */
export const page = (scheme: "http" | "https", listener: RequestListener) =>
  Effect.map(
    listening(scheme === "http" ? createServer(listener) : createTlsServer({ cert, key }, listener)),
    (port) => `${scheme}://localhost:${port}/`
  )

export interface ProxyOptions {
  readonly scheme?: "http" | "https"
  /** The name and password that it wants, `user:password`. */
  readonly login?: string
  /** What it answers in place of going on. */
  readonly refuse?: number
}

/** A proxy that tunnels and forwards to loopback, and what it was asked for. */
export const proxy = ({ login, refuse, scheme = "http" }: ProxyOptions = {}) =>
  Effect.gen(function* () {
    const asked: Array<string> = []
    const wanted = login === undefined ? undefined : `Basic ${Buffer.from(login).toString("base64")}`
    const statusOf = (request: IncomingMessage) =>
      wanted !== undefined && request.headers["proxy-authorization"] !== wanted ? 407 : refuse
    const forward = (request: IncomingMessage, response: ServerResponse) => {
      asked.push(`${request.method} ${request.url}`)
      const status = statusOf(request)
      if (status !== undefined) return void response.writeHead(status).end("no")
      const { host, pathname } = new URL(request.url ?? "")
      void fetch(`http://${host.replace("localhost", "127.0.0.1")}${pathname}`).then(async (answer) => {
        response.writeHead(answer.status).end(await answer.text())
      })
    }
    const server = scheme === "http" ? createServer(forward) : createTlsServer({ cert, key }, forward)
    server.on("connect", (request: IncomingMessage, client: Socket) => {
      asked.push(`CONNECT ${request.url}`)
      const status = statusOf(request)
      if (status !== undefined) return void client.end(`HTTP/1.1 ${status} No\r\n\r\n`)
      const port = Number(request.url?.split(":")[1])
      const target = connect(port, "127.0.0.1", () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n")
        target.pipe(client)
        client.pipe(target)
      })
      target.on("error", () => client.destroy())
      client.on("error", () => target.destroy())
    })
    return { port: yield* listening(server), asked }
  })
