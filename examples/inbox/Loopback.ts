/** An HTTP server on a free port of this machine, as a host has one: it hands over the bytes of each POST, by path. */
import { Effect } from "effect"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer } from "node:stream/consumers"

export interface Posted {
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly url: string
}

/** What becomes of a POST: the status that is answered. */
export type Handler = (posted: Posted) => Promise<number>

/** Listens until the scope ends; answers the URL of the server. */
export const listen = (routes: Readonly<Record<string, Handler>>) =>
  Effect.gen(function* () {
    const handle = async (request: IncomingMessage): Promise<number> => {
      const handler = routes[request.url ?? ""]
      if (request.method !== "POST" || handler === undefined) return 404
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
      return handler({ headers, body: await buffer(request), url: request.url ?? "" })
    }
    const server = createServer((request, response) => {
      handle(request).then(
        (status) => response.writeHead(status).end(),
        () => response.writeHead(500).end()
      )
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
