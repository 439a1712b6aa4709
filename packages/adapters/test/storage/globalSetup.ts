/**
 * A PostgreSQL for each worker of a run, started when its first test file asks for it: on one server, the transactions of
 * another file would hold back the feed. The files run in other processes, so they ask over a port of the loopback interface.
 */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import pg from "pg"
import type { TestProject } from "vitest/node"
import { start, type TestPostgres } from "./TestPostgres.ts"

declare module "vitest" {
  interface ProvidedContext {
    /** Answers `/WORKER` with the URL of a new, empty database. */
    readonly testPostgres: string
  }
}

export default (project: TestProject) => {
  const servers = new Map<string, Promise<TestPostgres>>()
  let made = 0
  // One after the other: `create database` needs its template to itself.
  let last: Promise<unknown> = Promise.resolve()

  const serverOf = (worker: string): Promise<TestPostgres> => {
    const server = servers.get(worker) ?? start()
    servers.set(worker, server)
    return server
  }

  const create = async (worker: string): Promise<string> => {
    const { url } = await serverOf(worker)
    const name = `test_${++made}`
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      await client.query(`create database ${name} template template0`)
    } finally {
      await client.end()
    }
    return url.replace(/\/postgres$/, `/${name}`)
  }

  const desk = createServer(({ url = "/" }, response) => {
    last = last
      .then(() => create(url.slice(1)))
      .then(
        (url) => response.end(url),
        (cause: unknown) => {
          response.statusCode = 500
          response.end(String(cause))
        }
      )
  })
  return new Promise<() => Promise<void>>((resolve) => {
    desk.listen(0, "127.0.0.1", () => {
      project.provide("testPostgres", `http://127.0.0.1:${(desk.address() as AddressInfo).port}`)
      resolve(async () => {
        desk.closeAllConnections()
        desk.close()
        await last
        await Promise.all([...servers.values()].map(async (server) => (await server).stop()))
      })
    })
  })
}
