/**
 * Deliveries per second of the engine, from a feed in PostgreSQL to a receiver in another process, against bare undici
 * that posts the same bodies from memory with as many requests at a time, and signs nothing.
 *
 * `npm run bench -- --rows webhooks [--rounds N]`
 */
import * as HttpWebhooks from "@overture/adapters/webhooks/HttpWebhooks"
import * as PostgresStorage from "@overture/adapters/storage/PostgresStorage"
import { EventStore } from "@overture/core/event/EventStore"
import { WebhookDeliveries } from "@overture/core/event/WebhookDeliveries"
import { standard } from "@overture/core/event/WebhookFormat"
import { Webhooks } from "@overture/core/event/Webhooks"
import * as Builders from "@overture/core/testing/Builders"
import * as TestVault from "@overture/core/testing/TestVault"
import { Ids } from "@overture/core/workspace/Id"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { Vault } from "@overture/core/workspace/Vault"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Clock, Effect, Fiber, Layer } from "effect"
import { type ChildProcess, fork } from "node:child_process"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Agent, request } from "undici"
import type { Arena } from "./Arena.ts"
import * as Report from "./Report.ts"

/** Requests at a time. */
const concurrency = 32
const chats = 500
/** Of a delivery against a bare post. */
const goal = 0.8

type Task =
  | { readonly role: "receiver" }
  | { readonly role: "engine"; readonly url: string }
  | { readonly role: "bare"; readonly url: string; readonly to: string; readonly events: number }

type Said =
  | { readonly type: "listening"; readonly port: number }
  | { readonly type: "ready" }
  | { readonly type: "received" }

export interface Round {
  readonly engine: number
  readonly bare: number
}

const build = Builders.make("bench webhooks")
const workspace = build.workspace()

const engine = (url: string) =>
  Layer.mergeAll(Webhooks.layer, WebhookDeliveries.layer).pipe(
    Layer.provideMerge(
      Layer.mergeAll(Ids.layer, PacingTime.layer, HttpWebhooks.layer({ allowHttp: true, allowInward: true }))
    ),
    Layer.provideMerge(Layer.merge(PostgresStorage.layer({ url }), Layer.succeed(Vault, TestVault.make())))
  )

const say = (said: Said) => void process.send?.(said)
const told = () => new Promise<number>((resolve) => process.once("message", (n) => resolve(Number(n))))

/** Counts what it gets, and says when that is as much as it was told to wait for. */
const receive = () => {
  let left = 0
  process.on("message", (n) => {
    left = Number(n)
  })
  const server = createServer((incoming, response) => {
    incoming.resume().on("end", () => {
      response.writeHead(204).end()
      left -= 1
      if (left === 0) say({ type: "received" })
    })
  })
  server.listen(0, "127.0.0.1", () => say({ type: "listening", port: (server.address() as AddressInfo).port }))
}

const deliver = (url: string) =>
  Effect.gen(function* () {
    const { chores } = yield* WebhookDeliveries
    const go = told()
    say({ type: "ready" })
    yield* Effect.promise(() => go)
    const delivering = yield* Effect.forkChild(
      Effect.forever(
        Effect.gen(function* () {
          const { worked } = yield* chores[0]!.round(yield* Clock.currentTimeMillis)
          if (!worked) yield* Effect.sleep(5)
        })
      )
    )
    yield* Effect.promise(told)
    yield* Fiber.interrupt(delivering)
  }).pipe(Effect.provide(engine(url)))

/** The bodies of the last events of the feed. */
const bodiesOf = (url: string, events: number) =>
  Effect.gen(function* () {
    const feed = yield* EventStore
    const bodies: Array<string> = []
    let after = null as string | null
    for (;;) {
      const page = yield* feed.read(workspace.id, after, 1_000)
      bodies.push(...page.map(({ event }) => standard.body(event)))
      after = page.at(-1)?.position ?? after
      if (page.length < 1_000) return bodies.slice(-events)
    }
  }).pipe(Effect.provide(PostgresStorage.layer({ url })))

const post = async (bodies: ReadonlyArray<string>, to: string) => {
  const dispatcher = new Agent({ allowH2: false })
  const go = told()
  say({ type: "ready" })
  await go
  let next = 0
  const one = async () => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
      const headers = { "content-type": "application/json" }
      const response = await request(to, { method: "POST", headers, body, dispatcher })
      await response.body.dump()
    }
  }
  await Promise.all(Array.from({ length: concurrency }, one))
  await told()
  await dispatcher.close()
}

const start = (task: Task) =>
  fork(import.meta.filename, [JSON.stringify(task)], { execArgv: [...process.execArgv], stdio: "inherit" })

const hear = <T extends Said["type"]>(child: ChildProcess, type: T) =>
  new Promise<Extract<Said, { readonly type: T }>>((resolve, reject) => {
    const listen = (said: Said) => {
      if (said.type !== type) return
      child.off("message", listen)
      resolve(said as Extract<Said, { readonly type: T }>)
    }
    child.on("message", listen)
    child.once("exit", (code) => reject(new Error(`a process ended with ${code}`)))
  })

const ended = (child: ChildProcess) => new Promise<void>((resolve) => child.once("exit", () => resolve()))

/** Each round tells as many new events, by the engine and by bare undici, in turn first. */
export const measure = async (arena: Arena, events: number, rounds: number): Promise<ReadonlyArray<Round>> => {
  const url = await arena.postgres("webhooks")
  const receiver = start({ role: "receiver" })
  const { port } = await hear(receiver, "listening")
  const to = `http://127.0.0.1:${port}/hook`
  const run = <A, E>(effect: Effect.Effect<A, E, Layer.Success<ReturnType<typeof engine>>>) =>
    Effect.runPromise(Effect.provide(effect, engine(url)))
  await run(
    Effect.gen(function* () {
      yield* (yield* WorkspaceStore).create(workspace)
      yield* (yield* Webhooks).create(workspace.id, { url: to, concurrency })
    })
  )
  const seed = Effect.gen(function* () {
    const { append } = yield* EventStore
    for (let i = 0; i < events; i += 1_000) {
      const count = Math.min(1_000, events - i)
      yield* append(
        Array.from({ length: count }, (_, n) => {
          const chat = build.ids.next("cht").slice(0, -3) + String((i + n) % chats).padStart(3, "0")
          return build.event(workspace.id, build.ids.next("msg"), { data: { chat: chat.slice(-3), account: chat } })
        })
      )
    }
  })
  const time = async (task: Task): Promise<number> => {
    const child = start(task)
    await hear(child, "ready")
    receiver.send(events)
    const over = hear(receiver, "received")
    const began = performance.now()
    child.send(0)
    await over
    const ms = performance.now() - began
    const gone = ended(child)
    child.send(0)
    await gone
    return (events / ms) * 1_000
  }
  const found: Array<Round> = []
  for (let round = 0; round < rounds; round++) {
    await run(seed)
    const speed = { engine: 0, bare: 0 }
    for (const role of round % 2 === 0 ? (["engine", "bare"] as const) : (["bare", "engine"] as const))
      speed[role] = await time(role === "engine" ? { role, url } : { role, url, to, events })
    found.push(speed)
    process.stderr.write(
      `webhooks ${round + 1}/${rounds}  ${Math.round(speed.engine)} and bare ${Math.round(speed.bare)} per second\n`
    )
  }
  const gone = ended(receiver)
  receiver.disconnect()
  receiver.kill("SIGTERM")
  await gone
  return found
}

/** What was found, as text. */
export const text = (rounds: ReadonlyArray<Round>): string => {
  const ratios = rounds.map(({ bare, engine: ours }) => ours / bare)
  const ratio = Report.median(ratios)
  const speed = (of: keyof Round) => Math.round(Report.median(rounds.map((round) => round[of]))).toLocaleString("en")
  return [
    `webhooks: ${speed("engine")} deliveries/s from the feed, ${speed("bare")} bare posts/s, ${concurrency} at a time`,
    `ratio ${ratio.toFixed(2)} (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}), goal ≥ ${goal}: ${ratio >= goal ? "met" : "MISSED"}`
  ].join("\n")
}

if (import.meta.main) {
  const task = JSON.parse(process.argv[2] ?? "{}") as Task
  if (task.role === "receiver") receive()
  else if (task.role === "engine") await Effect.runPromise(deliver(task.url)).then(() => process.disconnect())
  else await post(await Effect.runPromise(bodiesOf(task.url, task.events)), task.to).then(() => process.disconnect())
}
