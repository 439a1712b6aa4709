import { createServer } from "node:net"
import type { AddressInfo, Socket } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import pg from "pg"
import type { Connection } from "../../src/storage/Connection.ts"
import { driver } from "../../src/storage/postgres/Postgres.ts"

/** A message of the protocol: its type, its length, its body. */
const message = (type: string, body: Buffer): Buffer => {
  const head = Buffer.alloc(5)
  head.write(type)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

const ready = [message("R", Buffer.alloc(4)), message("Z", Buffer.from("I"))]
const terminated = message("E", Buffer.from("SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"))

describe("a server that is stopped", () => {
  it("in the moment in which a connection is made ends no process of ours", async () => {
    const sockets: Array<Socket> = []
    const server = createServer((socket) => {
      sockets.push(socket)
      socket.on("error", () => {})
      // One packet: the pool hands out the client while the rest of it is still being read.
      socket.once("data", () => socket.end(Buffer.concat([...ready, terminated])))
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const { port } = server.address() as AddressInfo
    const pool = new pg.Pool({ host: "127.0.0.1", port, user: "u", database: "d" })
    pool.on("error", () => {})
    const postgres = driver(pool, "d")
    try {
      const connection = await new Promise<Connection>((resolve, reject) => {
        postgres.acquire(resolve, reject)
      })
      const failure = await Promise.resolve(connection.send("select 1", [])).catch((cause: unknown) => cause)
      assert.instanceOf(failure, Error)
      assert.isTrue(postgres.isTransient(failure))
      assert.isTrue(connection.isLost())
      postgres.release(connection, true)
    } finally {
      await pool.end()
      for (const socket of sockets) socket.destroy()
      server.close()
    }
  })
})
