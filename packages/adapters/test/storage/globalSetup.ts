/**
 * One PostgreSQL for a whole run, started when the first test file asks for it. The files run in other processes, so they
 * ask over a port of the loopback interface.
 */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import pg from "pg"
import type { TestProject } from "vitest/node"
import { start, type TestPostgres } from "./TestPostgres.ts"

declare module "vitest" {
  interface ProvidedContext {
    /** Answers every request with the URL of a new, empty database. */
    readonly testPostgres: string
  }
}

export default (project: TestProject) => {
  let server: Promise<TestPostgres> | undefined
  let made = 0
  // One after the other: `create database` needs its template to itself.
  let last: Promise<unknown> = Promise.resolve()

  const create = async (): Promise<string> => {
    server ??= start()
    const { url } = await server
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

  const desk = createServer((_, response) => {
    last = last.then(create).then(
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
        if (server !== undefined) await (await server).stop()
      })
    })
  })
}
