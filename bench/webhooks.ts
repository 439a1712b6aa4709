/**
 * Deliveries per second of the engine, from a feed in PostgreSQL to a receiver in another process, against bare undici
 * that posts the same requests: as many bytes of headers and body, signed beforehand and held in memory, with as many
 * requests at a time. It reads no feed, signs nothing, keeps no order, and remembers nothing. Both are processes that live
 * as long as the measurement, and take turns of about a second: what else the machine does falls on both.
 *
 * `npm run bench -- --rows webhooks [--rounds N]`, four turns a round
 */
import * as HttpWebhooks from "@overture/adapters/webhooks/HttpWebhooks"
import * as PostgresStorage from "@overture/adapters/storage/PostgresStorage"
import { EventStore, type Position } from "@overture/core/event/EventStore"
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
/** Deliveries of each before anything is measured: code is compiled. */
const compiling = 20_000
/** Deliveries at the beginning of each turn that are not measured: connections are made. */
const warming = 1_000
/** Of a delivery against a bare post. */
const goal = 0.8

type Task =
  | { readonly role: "receiver" }
  | { readonly role: "engine"; readonly url: string }
  | { readonly role: "bare"; readonly url: string; readonly to: string }

type Said =
  | { readonly type: "listening"; readonly port: number }
  | { readonly type: "counting" }
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
    void say({ type: "counting" })
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

/**
 * Takes turns: when told that there is something to tell, prepares it and says that it is ready; works when it is told
 * to, until it is told to stop, and says what that cost. Ends when there is nothing more.
 */
const race = async (prepare: () => Promise<(stopped: Promise<unknown>) => Promise<void>>) => {
  let isMore = told()
  while ((await isMore) > 0) {
    const work = await prepare()
    const go = told()
    await say({ type: "ready" })
    await go
    const before = process.cpuUsage()
    await work(told())
    const { system, user } = process.cpuUsage(before)
    isMore = told()
    await say({ type: "finished", cpuMicros: system + user })
  }
}

const deliver = (url: string) =>
  Effect.gen(function* () {
    const { chores } = yield* WebhookDeliveries
    const untilThen = async (stopped: Promise<unknown>) => {
      let isOver = false
      void stopped.then(() => (isOver = true))
      const round = Effect.gen(function* () {
        const { worked } = yield* chores[0]!.round(yield* Clock.currentTimeMillis)
        if (!worked) yield* Effect.sleep(5)
        return worked
      })
      await Effect.runPromise(Effect.repeat(round, { while: (worked) => worked || !isOver }))
    }
    yield* Effect.promise(() => race(() => Promise.resolve(untilThen)))
  }).pipe(Effect.provide(engine(url)))

/** As `standard` signs, with whatever secret. */
const hmac: Hmac = () => (text, encoding) => createHmac("sha256", "bench").update(text).digest(encoding)
const sign = standard.signer([Redacted.make(secretPrefix)], hmac)

interface Page {
  readonly requests: ReadonlyArray<{ readonly headers: Record<string, string>; readonly body: string }>
  readonly end: Position | null
}

/** The requests by which the events after a place of the feed are told. */
const requestsAfter = (url: string, place: Position | null) =>
  Effect.gen(function* () {
    const feed = yield* EventStore
    const requests: Array<Page["requests"][number]> = []
    let end = place
    for (;;) {
      const page = yield* feed.read(workspace.id, end, 1_000)
      for (const { event } of page) {
        const body = standard.body(event)
        const signed = sign({ id: event.id, at: event.at, body })
        requests.push({ headers: { "user-agent": "bare", "content-type": standard.contentType, ...signed }, body })
      }
      end = page.at(-1)?.position ?? end
      if (page.length < 1_000) return { requests, end } satisfies Page
    }
  }).pipe(Effect.provide(PostgresStorage.layer({ url })))

const post = async (task: Extract<Task, { readonly role: "bare" }>) => {
  const dispatcher = new Agent({ allowH2: false })
  let page: Page = { requests: [], end: null }
  await race(async () => {
    page = await Effect.runPromise(requestsAfter(task.url, page.end))
    let next = 0
    const one = async () => {
      for (let asked = page.requests[next++]; asked !== undefined; asked = page.requests[next++]) {
        const response = await request(task.to, { method: "POST", ...asked, dispatcher })
        await response.body.dump()
      }
    }
    return async (stopped) => {
      await Promise.all(Array.from({ length: concurrency }, one))
      await stopped
    }
  })
  await dispatcher.close()
}

const start = (task: Task) =>
  fork(import.meta.filename, [JSON.stringify(task)], { execArgv: [...process.execArgv], stdio: "inherit" })

const hear = <T extends Said["type"]>(child: ChildProcess, type: T) =>
  new Promise<Extract<Said, { readonly type: T }>>((resolve, reject) => {
    const listen = (said: Said) => {
      if (said.type !== type) return
      child.off("message", listen).off("exit", fail)
      resolve(said as Extract<Said, { readonly type: T }>)
    }
    const fail = (code: number | null) => reject(new Error(`a process ended with ${code}`))
    child.on("message", listen).once("exit", fail)
  })

const ended = (child: ChildProcess) => new Promise<void>((resolve) => child.once("exit", () => resolve()))

/** In each round both tell as many new events, in turn first. */
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
  const seed = (count: number) =>
    Effect.gen(function* () {
      const { append } = yield* EventStore
      for (let i = 0; i < count; i += 1_000) {
        yield* append(
          Array.from({ length: Math.min(1_000, count - i) }, (_, n) => {
            const chat = build.ids.next("cht").slice(0, -3) + String((i + n) % chats).padStart(3, "0")
            return build.event(workspace.id, build.ids.next("msg"), { data: { chat: chat.slice(-3), account: chat } })
          })
        )
      }
    })
  const engineProcess = start({ role: "engine", url })
  const bareProcess = start({ role: "bare", url, to })
  const turn = async (child: ChildProcess, count: number): Promise<Speed> => {
    const ready = hear(child, "ready")
    child.send(count)
    await ready
    const counting = hear(receiver, "counting")
    receiver.send(count)
    await counting
    const over = hear(receiver, "received")
    child.send(0)
    const { ms } = await over
    const finished = hear(child, "finished")
    child.send(0)
    const { cpuMicros } = await finished
    return { perSecond: (count / ms) * 1_000, cpu: cpuMicros / (warming + count) }
  }
  const both = async (count: number, isEngineFirst: boolean): Promise<Round> => {
    await run(seed(warming + count))
    if (isEngineFirst) return { engine: await turn(engineProcess, count), bare: await turn(bareProcess, count) }
    return { bare: await turn(bareProcess, count), engine: await turn(engineProcess, count) }
  }
  await both(compiling, true)
  const found: Array<Round> = []
  for (let round = 0; round < rounds; round++) {
    const { bare, engine } = await both(events, round % 2 === 0)
    found.push({ bare, engine })
    process.stderr.write(`webhooks ${round + 1}/${rounds}  ${line("engine", engine)}, ${line("bare", bare)}\n`)
  }
  for (const child of [engineProcess, bareProcess]) {
    const gone = ended(child)
    child.send(0)
    await gone
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
