/** Receivers of webhooks on loopback, which answer as they are told and remember what they got. */
import { Effect, type Scope } from "effect"
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export interface Got {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Receiver {
  readonly port: number
  readonly url: string
  readonly got: ReadonlyArray<Got>
  /** The most requests that were open at a time. */
  readonly mostOpen: () => number
}

export type Answering = (response: ServerResponse, got: Got, index: number) => void

export const good: Answering = (response) => void response.writeHead(204).end()

/** A receiver until the scope ends. */
export const start = (answer: Answering): Effect.Effect<Receiver, never, Scope.Scope> =>
  Effect.gen(function* () {
    const got: Array<Got> = []
    let open = 0
    let most = 0
    const server = createServer((request, response) => {
      open += 1
      most = Math.max(most, open)
      response.on("close", () => {
        open -= 1
      })
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        const one = { headers: request.headers, body: Buffer.concat(chunks).toString() }
        got.push(one)
        answer(response, one, got.length - 1)
      })
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.sync(() => {
          server.close()
          server.closeAllConnections()
        })
    )
    const { port } = server.address() as AddressInfo
    return { port, url: `http://127.0.0.1:${port}/hook`, got, mostOpen: () => most }
  })
