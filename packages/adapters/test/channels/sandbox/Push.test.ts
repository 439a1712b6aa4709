import { assert, describe, it } from "@effect/vitest"
import type { ChannelEvent } from "@overture/core/channel/ChannelEvent"
import { Deferred, Effect, Redacted } from "effect"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer } from "node:stream/consumers"
import * as Sandbox from "../../../src/channels/sandbox/Sandbox.ts"
import { drive, people, sendAll, sender } from "./fixtures.ts"

const secret = Redacted.make("a secret of the platform")

/** A receiver that answers as `answer` says and has the sandbox read what it took. */
const receiver = Effect.fnUntraced(function* (sandbox: Sandbox.SandboxChannel, answer: (n: number) => number) {
  const heard: Array<readonly [account: string, event: ChannelEvent]> = []
  const first = yield* Deferred.make<void>()
  let asked = 0
  const serve = async (request: IncomingMessage): Promise<number> => {
    const status = answer((asked += 1))
    const body = await buffer(request)
    if (status !== 204) return status
    const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]))
    const told = await Effect.runPromise(sandbox.receive({ headers, body, url: request.url ?? "" }, secret))
    for (const { account, events } of told) for (const event of events) heard.push([account, event])
    Deferred.doneUnsafe(first, Effect.void)
    return status
  }
  const server = createServer((request, response) => {
    void serve(request).then(
      (status) => response.writeHead(status).end(),
      () => response.writeHead(500).end()
    )
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  )
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ingress`
  return { first, heard, target: { url, secret } }
})

const told = (event: ChannelEvent): ChannelEvent => {
  if (!("raw" in event)) return event
  const { raw: _, ...rest } = event
  return rest
}

describe("pushing", () => {
  const script = { receipts: { delivered: { delay: 10 } }, replies: [{ text: "Yes", delay: 20 }] }

  it.live("tells what polling tells, when it is due, account by account", () =>
    Effect.gen(function* () {
      let now = 0
      const sandbox = yield* Sandbox.make({ script, clock: () => now })
      const { heard, target } = yield* receiver(sandbox, () => 204)
      yield* sendAll(sandbox, people(300), sender("one"))
      yield* sendAll(sandbox, ["ann"], sender("two"))
      assert.deepStrictEqual(yield* sandbox.push(target), { taken: 0, nextAt: 10 })
      now = 10
      assert.deepStrictEqual(yield* sandbox.push(target), { taken: 301, nextAt: 20 })
      now = 1_000
      assert.deepStrictEqual(yield* sandbox.push(target), { taken: 301, nextAt: null })
      assert.deepStrictEqual(yield* sandbox.push(target), { taken: 0, nextAt: null })
      for (const account of ["one", "two"]) {
        const pushed = heard.filter(([of]) => of === account).map(([, event]) => told(event))
        assert.deepStrictEqual(pushed, yield* drive(sandbox, sender(account)))
      }
    })
  )

  it.live("tells again what was not taken, and the accounts do not wait for each other", () =>
    Effect.gen(function* () {
      let now = 0
      const sandbox = yield* Sandbox.make({ script, clock: () => now })
      const { heard, target } = yield* receiver(sandbox, (n) => (n === 1 ? 503 : 204))
      yield* sendAll(sandbox, ["ann"], sender("one"))
      yield* sendAll(sandbox, ["ben"], sender("two"))
      now = 1_000
      const refused = yield* Effect.flip(sandbox.push(target))
      assert.include(refused, { account: "one", why: 503 })
      assert.deepStrictEqual(
        heard.map(([account]) => account),
        ["two", "two"]
      )
      assert.strictEqual((yield* sandbox.push(target)).taken, 2)
      assert.deepStrictEqual(
        heard.map(([account]) => account),
        ["two", "two", "one", "one"]
      )
    })
  )

  it.live("goes on while nobody listens, and tells all of it once somebody does", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.make({ script: { replies: [{ text: "Yes" }] } })
      yield* sendAll(sandbox, ["ann"])
      const nobody = yield* Effect.flip(sandbox.push({ url: "http://127.0.0.1:1/", secret }))
      assert.strictEqual(nobody._tag, "SandboxPushError")
      const { first, heard, target } = yield* receiver(sandbox, () => 204)
      yield* Effect.raceFirst(sandbox.pushTo(target), Deferred.await(first))
      assert.deepStrictEqual(
        heard.map(([account, { type }]) => [account, type]),
        [["page", "messageReceived"]]
      )
    })
  )
})
