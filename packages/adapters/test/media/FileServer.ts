/** A platform's file server on loopback that behaves as such servers do: well, slowly, wrongly and not at all. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, beforeAll, beforeEach } from "vitest"

export const png = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), Buffer.alloc(2_000, 7)])

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

export interface FileServer {
  readonly url: string
  /** What is at a path. */
  readonly at: Map<string, Answer>
  /** The paths that were asked for, with what was sent to be let in. */
  readonly asked: Array<string>
}

/** A file that is simply there. */
export const file =
  (body: Uint8Array, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_request, response) => {
    response.writeHead(200, { "content-type": "image/png", ...headers }).end(body)
  }

export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}, body = ""): Answer =>
  (_request, response) => {
    response.writeHead(code, headers).end(body)
  }

/** The server of a test file, from its first test to its last; before each it has nothing and was asked for nothing. */
export const ofTests = (): FileServer => {
  const at: FileServer["at"] = new Map()
  const asked: FileServer["asked"] = []
  const server = createServer((request, response) => {
    const path = (request.url ?? "").split("?")[0] ?? ""
    asked.push(`${path} ${request.headers.authorization ?? "-"}`)
    ;(at.get(path) ?? status(404))(request, response)
  })
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)))
  afterAll(
    () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      })
  )
  beforeEach(() => {
    at.clear()
    asked.length = 0
  })
  return {
    get url() {
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    },
    at,
    asked
  }
}
