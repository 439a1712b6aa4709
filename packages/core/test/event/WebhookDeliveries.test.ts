/** Deliveries over the memory storage: in whatever way receivers fail, everything arrives, once, and in the order of its chat. */
import type { DomainEvent } from "../../src/event/DomainEvent.ts"
import { maxAttempts } from "../../src/event/Delivery.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import { WebhookDeliveries } from "../../src/event/WebhookDeliveries.ts"
import { limits, status } from "../../src/event/WebhookEndpoint.ts"
import type { WebhookFormat } from "../../src/event/WebhookFormat.ts"
import { standard, WebhookFormats } from "../../src/event/WebhookFormat.ts"
import { Webhooks } from "../../src/event/Webhooks.ts"
import type { Answer } from "../../src/event/WebhookAnswer.ts"
import { type WebhookRequest, WebhookTransport } from "../../src/event/WebhookTransport.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestVault from "../../src/testing/TestVault.ts"
import { Ids } from "../../src/workspace/Id.ts"
import type { Page, PageRequest } from "../../src/workspace/Page.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import { Vault } from "../../src/workspace/Vault.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer, Redacted, Schema } from "effect"
import { TestClock } from "effect/testing"

/** A network whose receivers are functions; each request takes its time. */
const network = (
  answer: (request: WebhookRequest, index: number) => { readonly answer: Answer; readonly ms: number }
) => {
  let asked = 0
  let secrets = 0
  return Layer.effect(
    WebhookTransport,
    Effect.gen(function* () {
      const run = Effect.runForkWith(yield* Effect.context<never>())
      return WebhookTransport.of({
        isAvailable: true,
        refusal: (url) => (url.startsWith("https:") ? null : "expected https:"),
        newSecret: Effect.sync(() => Redacted.make(`whsec_${++secrets}`)),
        hmac: (key) => (text) => `${key.text}(${text.length})`,
        post: (request, answered) => {
          const { answer: given, ms } = answer(request, asked++)
          const fiber = run(
            Effect.andThen(
              Effect.sleep(ms),
              Effect.sync(() => answered(given))
            )
          )
          return () => fiber.interruptUnsafe()
        }
      })
    })
  )
}

const engine = (transport: Layer.Layer<WebhookTransport>, formats: ReadonlyArray<WebhookFormat> = [standard]) =>
  Layer.mergeAll(Webhooks.layer, WebhookDeliveries.layer).pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        Ids.layer,
        PacingTime.layer,
        transport,
        Layer.succeed(Vault, TestVault.make()),
        Layer.succeed(WebhookFormats, formats)
      )
    ),
    Layer.provideMerge(MemoryStorage.layer)
  )

const numberTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))
const listOf = (item: Schema.Codec<number>, least: number, most: number) =>
  Schema.Array(item).check(Schema.isMinLength(least), Schema.isMaxLength(most))

const ok = { status: 200, body: "", retryAfterMs: 0 } as const

const scene = Effect.gen(function* () {
  const build = Builders.make("webhooks")
  const workspace = build.workspace()
  yield* (yield* WorkspaceStore).create(workspace)
  const webhooks = yield* Webhooks
  const { append } = yield* EventStore
  const event = (chat: number, n: number) =>
    build.event(workspace.id, `msg_${n}`, { type: "message.sent", data: { chat: `cht_${chat}`, n } })
  return { append, build, event, webhooks, workspace: workspace.id }
})

/** Delivers on the test's clock until something holds, or for so many hours. */
const until = (isDone: () => boolean, hours = 80, restMs = 5_000) =>
  Effect.gen(function* () {
    const { chores } = yield* WebhookDeliveries
    const delivering = yield* Effect.forkChild(
      Effect.forever(
        Effect.gen(function* () {
          const { worked } = yield* chores[0]!.round(yield* Clock.currentTimeMillis)
          if (!worked) yield* Effect.sleep(restMs)
        })
      )
    )
    const end = (yield* Clock.currentTimeMillis) + hours * 3_600_000
    for (let step = 50; !isDone() && (yield* Clock.currentTimeMillis) < end; step = Math.min(step * 1.2, 60_000))
      yield* TestClock.adjust(Math.round(step))
    yield* TestClock.adjust("1 minute")
    yield* Fiber.interrupt(delivering)
  })

describe("deliveries", () => {
  it.effect.prop(
    "arrive once each, in the order of their chat",
    {
      chats: listOf(numberTo(4), 1, 30),
      // How often each event is refused, and how long requests take.
      refusals: listOf(numberTo(2), 30, 30),
      durations: listOf(numberTo(900), 7, 7),
      concurrency: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 }))
    },
    ({ chats, concurrency, durations, refusals }) =>
      Effect.gen(function* () {
        const taken: Array<DomainEvent> = []
        const tried = new Map<string, number>()
        const transport = network(({ body }, index) => {
          const told = JSON.parse(body) as DomainEvent
          const times = (tried.get(told.id) ?? 0) + 1
          tried.set(told.id, times)
          const isRefused = times <= refusals[Number(told.data["n"])]!
          if (!isRefused) taken.push(told)
          const answer = isRefused ? { ...ok, status: 500 } : ok
          return { answer, ms: durations[index % durations.length]! }
        })
        yield* Effect.gen(function* () {
          const { append, event, webhooks, workspace } = yield* scene
          yield* webhooks.create(workspace, { url: "https://receiver.example/", concurrency })
          const events = chats.map((chat, n) => event(chat, n))
          const half = events.length >> 1
          yield* append(events.slice(0, half))
          yield* until(() => taken.length >= half, 0.01)
          yield* append(events.slice(half))
          yield* until(() => taken.length >= events.length)
          assert.deepStrictEqual(taken.map(({ id }) => id).toSorted(), events.map(({ id }) => id).toSorted())
          for (const chat of new Set(chats)) {
            const numbers = taken
              .filter(({ data }) => data["chat"] === `cht_${chat}`)
              .map(({ data }) => Number(data["n"]))
            assert.deepStrictEqual(
              numbers,
              numbers.toSorted((a, b) => a - b)
            )
          }
        }).pipe(Effect.provide(engine(transport)))
      }),
    { arbitrary: { runs: 60 } }
  )

  it.effect("are tried ten times over about 75 hours, and then let the next of their chat go", () => {
    const at: Array<number> = []
    const passed: Array<unknown> = []
    const transport = network(({ body }) => {
      const { data } = JSON.parse(body) as DomainEvent
      if (data["chat"] === "cht_1" && data["n"] === 0) at.push(NaN)
      else passed.push(data["n"])
      return { answer: data["n"] === 0 ? { ...ok, status: 422 } : ok, ms: 1 }
    })
    return Effect.gen(function* () {
      const { append, event, webhooks, workspace } = yield* scene
      const { endpoint } = yield* webhooks.create(workspace, { url: "https://receiver.example/" })
      const began = yield* Clock.currentTimeMillis
      yield* append([event(1, 0), event(1, 1), event(2, 2)])
      yield* until(() => passed.includes(1), 90, 120_000)
      assert.strictEqual(at.length, maxAttempts)
      assert.deepStrictEqual(passed, [2, 1])
      const { data } = yield* webhooks.deliveries(workspace, endpoint.id, {})
      const failed = data.find(({ status }) => status === "failed")
      const hours = (failed!.attempts.at(-1)!.at - began) / 3_600_000
      assert.isTrue(hours > 67 && hours < 84, `${hours} hours`)
      assert.strictEqual(status(yield* webhooks.get(workspace, endpoint.id)), "enabled")
    }).pipe(Effect.provide(engine(transport)))
  })

  it.effect("are read page by page, each endpoint's by its own cursors, and so are endpoints", () => {
    const transport = network(() => ({ answer: { ...ok, status: 500 }, ms: 1 }))
    return Effect.gen(function* () {
      const { append, event, webhooks, workspace } = yield* scene
      const input = { url: "https://receiver.example/" }
      const { endpoint } = yield* webhooks.create(workspace, input)
      const { endpoint: other } = yield* webhooks.create(workspace, input)
      yield* append([event(1, 1), event(2, 2), event(3, 3)])
      yield* until(() => false, 0.01)
      const lists: ReadonlyArray<(page: PageRequest) => Effect.Effect<Page<{ readonly id: string }>, unknown>> = [
        (page) => webhooks.deliveries(workspace, endpoint.id, page),
        (page) => webhooks.deliveries(workspace, other.id, page),
        (page) => webhooks.list(workspace, page)
      ]
      const cursors: Array<string> = []
      for (const [i, read] of lists.entries()) {
        const { data, nextCursor } = yield* read({ limit: 1 })
        cursors.push(nextCursor!)
        const rest = yield* read({ cursor: nextCursor! })
        assert.lengthOf([...data, ...rest.data], [3, 3, 2][i]!)
        assert.deepStrictEqual([...data, ...rest.data], (yield* read({})).data)
      }
      for (const [i, read] of lists.entries()) {
        for (const cursor of cursors.toSpliced(i, 1)) {
          assert.include(String(yield* Effect.flip(read({ cursor }))), "page.cursor: expected the nextCursor")
        }
      }
    }).pipe(Effect.provide(engine(transport)))
  })

  it.effect("wait as long as an endpoint asks", () => {
    const asked: Array<number> = []
    let now = () => 0
    const transport = network(() => {
      asked.push(now())
      return { answer: asked.length === 1 ? { ...ok, status: 429, retryAfterMs: 3_600_000 } : ok, ms: 1 }
    })
    return Effect.gen(function* () {
      const clock = yield* Clock.Clock
      now = () => clock.currentTimeMillisUnsafe()
      const { append, event, webhooks, workspace } = yield* scene
      yield* webhooks.create(workspace, { url: "https://receiver.example/" })
      yield* append([event(1, 1)])
      yield* until(() => asked.length === 2, 3)
      assert.isAtLeast(asked[1]! - asked[0]!, 3_600_000)
    }).pipe(Effect.provide(engine(transport)))
  })

  it.effect("an endpoint that is away gets one request at a time with pauses, and then everything", () => {
    let isAway = true
    let away = 0
    const taken = new Set<unknown>()
    const transport = network(({ body }) => {
      if (isAway) away += 1
      else taken.add((JSON.parse(body) as DomainEvent).id)
      return isAway ? { answer: { status: null, problem: "no answer" }, ms: 15_000 } : { answer: ok, ms: 1 }
    })
    return Effect.gen(function* () {
      const { append, event, webhooks, workspace } = yield* scene
      const { endpoint } = yield* webhooks.create(workspace, { url: "https://receiver.example/", concurrency: 10 })
      yield* append(Array.from({ length: 500 }, (_, n) => event(n, n)))
      yield* until(() => false, 10, 30_000)
      // Ten at first, two more rounds of trust, and then one every five minutes.
      assert.isBelow(away, 10 + 20 + 12 * 10 + 20)
      isAway = false
      yield* until(() => taken.size === 500, 1)
      assert.strictEqual(taken.size, 500)
      const { health } = yield* webhooks.get(workspace, endpoint.id)
      assert.strictEqual(health.failures, 0)
    }).pipe(Effect.provide(engine(transport)))
  })

  it.effect("follow the format of their endpoint", () => {
    const got: Array<WebhookRequest> = []
    const transport = network((request) => {
      got.push(request)
      return { answer: ok, ms: 1 }
    })
    const own: WebhookFormat = {
      name: "own",
      contentType: "text/plain",
      body: ({ type }) => type,
      signer: (secrets, hmac) => {
        const hashes = secrets.map((secret) => hmac({ text: Redacted.value(secret), encoding: "utf8" }))
        return ({ body }) => ({ "x-signature": hashes.map((hash) => hash(body, "hex")).join() })
      }
    }
    return Effect.gen(function* () {
      const { append, event, webhooks, workspace } = yield* scene
      const refused = yield* Effect.flip(webhooks.create(workspace, { url: "https://a.example/", format: "other" }))
      assert.strictEqual(refused.message, `format: expected standard or own, got "other"`)
      yield* webhooks.create(workspace, { url: "https://a.example/", format: "own" })
      yield* append([event(1, 1)])
      yield* until(() => got.length === 1, 1)
      const [told] = got
      assert.deepStrictEqual(
        [told?.body, told?.headers["content-type"], told?.headers["x-signature"]],
        ["message.sent", "text/plain", "whsec_1(12)"]
      )
    }).pipe(Effect.provide(engine(transport, [standard, own])))
  })

  it.effect("one that cannot be written fails like one that was refused, and holds up no other", () => {
    const got: Array<string> = []
    const transport = network(({ body }) => {
      got.push(body)
      return { answer: ok, ms: 1 }
    })
    const picky: WebhookFormat = {
      ...standard,
      name: "picky",
      body: ({ data }) => (data["n"] === 1 ? assert.fail("not this one") : JSON.stringify(data["n"]))
    }
    return Effect.gen(function* () {
      const { append, event, webhooks, workspace } = yield* scene
      const { endpoint } = yield* webhooks.create(workspace, { url: "https://a.example/", format: "picky" })
      yield* append([event(1, 1), event(1, 2), event(2, 3), event(3, 4)])
      yield* until(() => got.length === 2, 0.001)
      assert.deepStrictEqual(got, ["3", "4"])
      const { data } = yield* webhooks.deliveries(workspace, endpoint.id, {})
      const problems = data.filter(({ status }) => status === "waiting").map(({ attempts }) => attempts[0]?.problem)
      assert.sameMembers(problems, ["the delivery could not be written", undefined])
    }).pipe(Effect.provide(engine(transport, [picky])))
  })
})

describe("endpoints", () => {
  const nowhere = network(() => ({ answer: ok, ms: 1 }))
  const secret = Redacted.make("zq-secret")
  const wrong: ReadonlyArray<readonly [string, Parameters<Webhooks["Service"]["create"]>[1], string]> = [
    ["url", { url: "http://a.example/" }, "expected https:"],
    ["url", { url: `https://a.example/${"x".repeat(3_000)}` }, "at most 2048"],
    ["events", { url: "https://a.example/", events: ["message.*", "msg.sent"] }, `got "msg.sent"`],
    ["events", { url: "https://a.example/", events: [] }, "expected 1 to 100"],
    ["concurrency", { url: "https://a.example/", concurrency: 65 }, "from 1 to 64"],
    ["description", { url: "https://a.example/", description: "x".repeat(501) }, "at most 500"],
    ["headers", { url: "https://a.example/", headers: { "Webhook-Id": secret } }, "webhook-id is set by the delivery"],
    ["headers", { url: "https://a.example/", headers: { "x y": secret } }, `got "x y"`],
    ["headers", { url: "https://a.example/", headers: { X: secret, x: secret } }, "each name once"],
    ["headers", { url: "https://a.example/", headers: { x: Redacted.make("zq-secret\r\nHost: b") } }, "value of x"],
    ["metadata", { url: "https://a.example/", metadata: { x: "y".repeat(9_000) } }, "at most 8192"]
  ]
  for (const [field, input, problem] of wrong) {
    it.effect(`${field}: ${problem}`, () =>
      Effect.gen(function* () {
        const { webhooks, workspace } = yield* scene
        const error = yield* Effect.flip(webhooks.create(workspace, input))
        assert.include(error.message, problem)
        assert.isTrue(error.message.startsWith(`${field}:`))
        assert.notInclude(JSON.stringify(error), "zq-secret")
        assert.deepStrictEqual((yield* webhooks.list(workspace, {})).data, [])
      }).pipe(Effect.provide(engine(nowhere)))
    )
  }

  it.effect("a workspace has at most so many", () =>
    Effect.gen(function* () {
      const { webhooks, workspace } = yield* scene
      for (let i = 0; i < limits.endpointsPerWorkspace; i++) yield* webhooks.create(workspace, { url: "https://a.b/" })
      const error = yield* Effect.flip(webhooks.create(workspace, { url: "https://a.b/" }))
      assert.strictEqual(error.message, "endpointsPerWorkspace: a workspace has at most 50 webhook endpoints")
    }).pipe(Effect.provide(engine(nowhere)))
  )

  it.effect("without a transport none can be made, and nothing is sent", () =>
    Effect.gen(function* () {
      const { webhooks, workspace } = yield* scene
      const error = yield* Effect.flip(webhooks.create(workspace, { url: "https://a.b/" }))
      assert.strictEqual(error._tag, "WebhooksUnavailable")
      assert.deepStrictEqual((yield* WebhookDeliveries).chores, [])
    }).pipe(Effect.provide(engine(Layer.succeed(WebhookTransport, WebhookTransport.without))))
  )
})
