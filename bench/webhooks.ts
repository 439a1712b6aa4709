/**
 * Deliveries per second of the engine, from a feed in PostgreSQL to a receiver in another process, against bare undici
 * that posts the same requests: as many bytes of headers and body, signed beforehand and held in memory, with as many
 * requests at a time. It reads no feed, signs nothing, keeps no order, and remembers nothing.
 *
 * `npm run bench -- --rows webhooks [--rounds N]`
 */
import * as HttpWebhooks from "@overture/adapters/webhooks/HttpWebhooks"
import * as PostgresStorage from "@overture/adapters/storage/PostgresStorage"
import { EventStore } from "@overture/core/event/EventStore"
import { WebhookDeliveries } from "@overture/core/event/WebhookDeliveries"
import { type Hmac, secretPrefix, standard } from "@overture/core/event/WebhookFormat"
import { Webhooks } from "@overture/core/event/Webhooks"
import * as Builders from "@overture/core/testing/Builders"
import * as TestVault from "@overture/core/testing/TestVault"
import { Ids } from "@overture/core/workspace/Id"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { Vault } from "@overture/core/workspace/Vault"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Clock, Effect, Layer, Redacted } from "effect"
import { type ChildProcess, fork } from "node:child_process"
import { createHmac } from "node:crypto"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Agent, request } from "undici"
import type { Arena } from "./Arena.ts"
import * as Report from "./Report.ts"

/** Requests at a time. */
const concurrency = 32
const chats = 500
/** Deliveries of each before anything is measured: connections are made and code is compiled. */
const warming = 5_000
/** Of a delivery against a bare post. */
const goal = 0.8

type Task =
  | { readonly role: "receiver" }
  | { readonly role: "engine"; readonly url: string }
  | { readonly role: "bare"; readonly url: string; readonly to: string; readonly events: number }

type Said =
  | { readonly type: "listening"; readonly port: number }
  | { readonly type: "ready" }
  | { readonly type: "received"; readonly ms: number }
  | { readonly type: "finished"; readonly cpuMicros: number }

interface Speed {
  readonly perSecond: number
  /** Microseconds of processor per delivery, of the sending process. */
  readonly cpu: number
}

export interface Round {
  readonly engine: Speed
  readonly bare: Speed
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

const say = (said: Said) => new Promise<void>((resolve) => process.send?.(said, undefined, {}, () => resolve()))
const told = () => new Promise<number>((resolve) => process.once("message", (n) => resolve(Number(n))))

/** Counts what it gets, and says how long the last of them took, as many as it was told to measure. */
const receive = () => {
  let left = 0
  let measured = 0
  let began = 0
  process.on("message", (n) => {
    measured = Number(n)
    left = measured + warming
  })
  const server = createServer((incoming, response) => {
    incoming.resume().on("end", () => {
      response.writeHead(204).end()
      left -= 1
      if (left === measured) began = performance.now()
      if (left === 0) void say({ type: "received", ms: performance.now() - began })
    })
  })
  server.listen(0, "127.0.0.1", () => void say({ type: "listening", port: (server.address() as AddressInfo).port }))
}

/** Says that it is ready, works when it is told to, until it is told to stop, and says what that cost. */
const race = async (work: (stopped: Promise<unknown>) => Promise<void>) => {
  const go = told()
  await say({ type: "ready" })
  await go
  const before = process.cpuUsage()
  await work(told())
  const { system, user } = process.cpuUsage(before)
  await say({ type: "finished", cpuMicros: system + user })
}

const deliver = (url: string) =>
  Effect.gen(function* () {
    const { chores } = yield* WebhookDeliveries
    const delivering = Effect.forever(
      Effect.gen(function* () {
        const { worked } = yield* chores[0]!.round(yield* Clock.currentTimeMillis)
        if (!worked) yield* Effect.sleep(5)
      })
    )
    yield* Effect.promise(() =>
      race((stopped) =>
        Effect.runPromise(
          Effect.raceFirst(
            delivering,
            Effect.promise(() => stopped)
          ).pipe(Effect.orDie, Effect.asVoid)
        )
      )
    )
  }).pipe(Effect.provide(engine(url)))

/** As `standard` signs, with whatever secret. */
const hmac: Hmac = () => (text, encoding) => createHmac("sha256", "bench").update(text).digest(encoding)
const sign = standard.signer([Redacted.make(secretPrefix)], hmac)

/** The requests by which the last events of the feed are told. */
const requestsOf = (url: string, events: number) =>
  Effect.gen(function* () {
    const feed = yield* EventStore
    const requests: Array<{ readonly headers: Record<string, string>; readonly body: string }> = []
    let after = null as string | null
    for (;;) {
      const page = yield* feed.read(workspace.id, after, 1_000)
      for (const { event } of page) {
        const body = standard.body(event)
        const signed = sign({ id: event.id, at: event.at, body })
        requests.push({ headers: { "user-agent": "bare", "content-type": standard.contentType, ...signed }, body })
      }
      after = page.at(-1)?.position ?? after
      if (page.length < 1_000) return requests.slice(-events)
    }
  }).pipe(Effect.provide(PostgresStorage.layer({ url })))

const post = async (task: Extract<Task, { readonly role: "bare" }>) => {
  const requests = await Effect.runPromise(requestsOf(task.url, task.events))
  const dispatcher = new Agent({ allowH2: false })
  let next = 0
  const one = async () => {
    for (let asked = requests[next++]; asked !== undefined; asked = requests[next++]) {
      const response = await request(task.to, { method: "POST", ...asked, dispatcher })
      await response.body.dump()
    }
  }
  await race(async (stopped) => {
    await Promise.all(Array.from({ length: concurrency }, one))
    await stopped
  })
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
    for (let i = 0; i < warming + events; i += 1_000) {
      const count = Math.min(1_000, warming + events - i)
      yield* append(
        Array.from({ length: count }, (_, n) => {
          const chat = build.ids.next("cht").slice(0, -3) + String((i + n) % chats).padStart(3, "0")
          return build.event(workspace.id, build.ids.next("msg"), { data: { chat: chat.slice(-3), account: chat } })
        })
      )
    }
  })
  const time = async (task: Task): Promise<Speed> => {
    const child = start(task)
    await hear(child, "ready")
    receiver.send(events)
    const over = hear(receiver, "received")
    child.send(0)
    const { ms } = await over
    const finished = hear(child, "finished")
    const gone = ended(child)
    child.send(0)
    const { cpuMicros } = await finished
    await gone
    return { perSecond: (events / ms) * 1_000, cpu: cpuMicros / (warming + events) }
  }
  const found: Array<Round> = []
  for (let round = 0; round < rounds; round++) {
    await run(seed)
    const engine = () => time({ role: "engine", url })
    const bare = () => time({ role: "bare", url, to, events: warming + events })
    const pair =
      round % 2 === 0 ? { engine: await engine(), bare: await bare() } : { bare: await bare(), engine: await engine() }
    found.push(pair)
    process.stderr.write(
      `webhooks ${round + 1}/${rounds}  ${line("engine", pair.engine)}, ${line("bare", pair.bare)}\n`
    )
  }
  const gone = ended(receiver)
  receiver.disconnect()
  receiver.kill("SIGTERM")
  await gone
  return found
}

const line = (name: string, { cpu, perSecond }: Speed) =>
  `${name} ${Math.round(perSecond).toLocaleString("en")}/s at ${cpu.toFixed(0)} µs of processor`

/** What was found, as text. */
export const text = (rounds: ReadonlyArray<Round>): string => {
  const ratios = rounds.map(({ bare, engine: ours }) => ours.perSecond / bare.perSecond)
  const ratio = Report.median(ratios)
  const cpu = Report.median(rounds.map(({ bare, engine: ours }) => bare.cpu / ours.cpu))
  const median = (of: keyof Round): Speed => ({
    perSecond: Report.median(rounds.map((round) => round[of].perSecond)),
    cpu: Report.median(rounds.map((round) => round[of].cpu))
  })
  return [
    `webhooks, ${concurrency} at a time: ${line("from the feed", median("engine"))}, ${line("bare posts", median("bare"))}`,
    `ratio ${ratio.toFixed(2)} (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}), of processor ${cpu.toFixed(2)}, goal ≥ ${goal}: ${ratio >= goal ? "met" : "MISSED"}`
  ].join("\n")
}

if (import.meta.main) {
  const task = JSON.parse(process.argv[2] ?? "{}") as Task
  if (task.role === "receiver") receive()
  else
    await (task.role === "engine" ? Effect.runPromise(deliver(task.url)) : post(task)).then(() => process.disconnect())
}
