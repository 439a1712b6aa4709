/** Webhooks from the feed to real receivers over HTTP, on SQLite and PostgreSQL. */
import type { DomainEvent } from "@overture/core/event/DomainEvent"
import { system } from "@overture/core/event/DomainEvent"
import { EventStore } from "@overture/core/event/EventStore"
import { WebhookDeliveries } from "@overture/core/event/WebhookDeliveries"
import * as WebhookEndpoint from "@overture/core/event/WebhookEndpoint"
import { Webhooks } from "@overture/core/event/Webhooks"
import { WebhookStore } from "@overture/core/event/WebhookStore"
import type { StoragePorts } from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, type Layer, Option, Redacted, type Scope } from "effect"
import { Webhook } from "standardwebhooks"
import type * as SafeHttp from "../../src/net/SafeHttp.ts"
import type { Database } from "../../src/storage/Database.ts"
import * as PostgresStorage from "../../src/storage/PostgresStorage.ts"
import * as SqliteStorage from "../../src/storage/SqliteStorage.ts"
import { freshDatabase } from "../storage/TestPostgres.ts"
import { engine } from "./engine.ts"
import * as Receiver from "./Receiver.ts"

/** A workspace, and what tests do in it. */
const scene = (seed: string) =>
  Effect.gen(function* () {
    const build = Builders.make(seed)
    const workspace = build.workspace()
    yield* (yield* WorkspaceStore).create(workspace)
    const feed = yield* EventStore
    const webhooks = yield* Webhooks
    const { chores } = yield* WebhookDeliveries
    /** `count` events, in turn about `chats` chats. */
    const append = (count: number, chats: number) =>
      Effect.gen(function* () {
        const events = Array.from({ length: count }, (_, i) =>
          build.event(workspace.id, `msg_${i}`, { type: "message.received", data: { chat: `cht_${i % chats}`, n: i } })
        )
        yield* feed.append(events)
        return events
      })
    const create = (url: string, more: Partial<Parameters<typeof webhooks.create>[1]> = {}) =>
      webhooks.create(workspace.id, { url, ...more })
    /** Delivers until something holds. */
    const until = (isDone: () => boolean | Effect.Effect<boolean, unknown>) =>
      Effect.gen(function* () {
        const round = Effect.gen(function* () {
          const { worked } = yield* chores[0]!.round(yield* Clock.currentTimeMillis)
          if (!worked) yield* Effect.sleep(20)
        })
        const watching = Effect.gen(function* () {
          for (;;) {
            const done = isDone()
            if (typeof done === "boolean" ? done : yield* done) return
            yield* Effect.sleep(10)
          }
        })
        yield* Effect.raceFirst(watching, Effect.forever(round)).pipe(Effect.timeout("30 seconds"))
      })
    /** The same until nobody is left to be told anything. */
    const drain = Effect.gen(function* () {
      for (;;) {
        const { worked } = yield* chores[0]!.round(yield* Clock.currentTimeMillis)
        // What others do on the same server hides the end of the feed for a moment.
        if (!worked && (yield* feed.lag).hidden === 0) return
        if (!worked) yield* Effect.sleep(20)
      }
    })
    const deliveries = (id: WebhookEndpoint.WebhookEndpoint["id"]) =>
      Effect.map(webhooks.deliveries(workspace.id, id, { limit: 500 }), ({ data }) => data)
    return { append, build, create, deliveries, drain, feed, until, webhooks, workspace }
  })

const idsOf = (got: ReadonlyArray<Receiver.Got>) => got.map(({ headers }) => String(headers["webhook-id"]))

/** What was got is these events, each once, verified, and those of a chat in their order. */
const assertTold = (
  got: ReadonlyArray<Receiver.Got>,
  events: ReadonlyArray<DomainEvent>,
  secret: Redacted.Redacted<string>
) => {
  const verifier = new Webhook(Redacted.value(secret))
  const byChat = new Map<unknown, Array<unknown>>()
  for (const { body, headers } of got) {
    const told = verifier.verify(body, headers as Record<string, string>) as DomainEvent
    assert.strictEqual(headers["content-type"], "application/json")
    assert.strictEqual(told.id, headers["webhook-id"])
    const chat = told.data["chat"]
    byChat.set(chat, [...(byChat.get(chat) ?? []), told.data["n"]])
  }
  assert.deepStrictEqual(idsOf(got).toSorted(), events.map(({ id }) => String(id)).toSorted())
  for (const [chat, numbers] of byChat) {
    const expected = events.filter(({ data }) => data["chat"] === chat).map(({ data }) => data["n"])
    assert.deepStrictEqual(numbers, expected)
  }
}

const storages: ReadonlyArray<readonly [string, () => Promise<Layer.Layer<StoragePorts | Database, unknown>>]> = [
  ["SQLite", () => Promise.resolve(SqliteStorage.layer({ path: ":memory:" }))],
  ["PostgreSQL", async () => PostgresStorage.layer({ url: await freshDatabase() })]
]

describe.each(storages)("webhooks on %s", (_, storage) => {
  const within = <A, E>(
    effect: Effect.Effect<A, E, Layer.Success<ReturnType<typeof engine>> | Scope.Scope>,
    http?: SafeHttp.Options
  ) => Effect.flatMap(Effect.promise(storage), (layer) => Effect.scoped(Effect.provide(effect, engine(layer, http))))

  it.live("one that fails, hangs, redirects, answers garbage, is gone or leads inward delays no other", () =>
    within(
      Effect.gen(function* () {
        let asked = 0
        const aim = yield* Receiver.start((response) => {
          asked += 1
          response.writeHead(200, { connection: "close" }).end()
        })
        const good = yield* Receiver.start(Receiver.good)
        const failing = yield* Receiver.start((response) => void response.writeHead(500).end("broken\u0000 here"))
        const hanging = yield* Receiver.start(() => undefined)
        const redirecting = yield* Receiver.start(
          (response) => void response.writeHead(302, { location: aim.url }).end()
        )
        const garbage = yield* Receiver.start((response) => void response.socket?.end("SMTP ready\r\n\r\n"))
        const gone = yield* Receiver.start((response) => void response.writeHead(410).end())
        const { append, build, create, deliveries, feed, until, webhooks, workspace } = yield* scene("six receivers")
        const nowhere = yield* Effect.flip(webhooks.create(build.workspace().id, { url: good.url }))
        assert.strictEqual(nowhere._tag, "WorkspaceNotFound")
        const refused = yield* Effect.flip(create("http://127.0.0.2:9/"))
        assert.strictEqual(refused._tag, "InvalidWebhook")

        const urls = {
          good: good.url,
          failing: failing.url,
          hanging: hanging.url,
          redirecting: redirecting.url,
          garbage: garbage.url,
          gone: gone.url,
          inward: `http://inward.example:${aim.port}/`,
          later: `http://rebinding.example:${aim.port}/`
        }
        const made = yield* Effect.all(
          Object.fromEntries(Object.entries(urls).map(([name, url]) => [name, create(url)])) as {
            readonly [K in keyof typeof urls]: ReturnType<typeof create>
          }
        )
        const events = yield* append(120, 7)
        const { id } = made.gone.endpoint
        const isGone = Effect.map(webhooks.get(workspace.id, id), ({ disabled }) => disabled !== null)
        yield* until(() =>
          good.got.length < 121 || failing.got.length < 3 || asked === 0 || hanging.got.length === 0 ? false : isGone
        )
        const all = yield* feed.read(workspace.id, null, 500)
        const disabled = all.map(({ event }) => event).filter(({ type }) => type === "webhook.disabled")
        assert.deepStrictEqual(
          disabled.map(({ data, subject }) => [subject, data]),
          [[id, { reason: "gone" }]]
        )
        assertTold(good.got, [...events, ...disabled], made.good.secret)
        assert.isAtMost(good.mostOpen(), WebhookEndpoint.defaultConcurrency)
        // The name led to loopback once, where it was allowed, and then elsewhere.
        assert.strictEqual(asked, 1)

        const first = Effect.fnUntraced(function* (endpoint: WebhookEndpoint.WebhookEndpoint) {
          const [delivery] = (yield* deliveries(endpoint.id)).filter(({ attempts }) => attempts.length > 0)
          const [attempt] = delivery?.attempts ?? []
          return {
            status: delivery?.status,
            code: attempt?.status,
            problem: attempt?.problem,
            said: delivery?.response
          }
        })
        assert.deepStrictEqual(yield* first(made.failing.endpoint), {
          status: "waiting",
          code: 500,
          problem: "answered 500",
          said: "broken here"
        })
        assert.include((yield* first(made.redirecting.endpoint)).problem, "redirects are not followed")
        assert.strictEqual((yield* first(made.garbage.endpoint)).code, null)
        assert.include((yield* first(made.inward.endpoint)).problem, "forbiddenAddress")
        const failed = yield* webhooks.get(workspace.id, made.failing.endpoint.id)
        assert.strictEqual(WebhookEndpoint.status(failed), "failing")
        const kept = (yield* deliveries(made.good.endpoint.id)).filter(({ status }) => status === "delivered")
        assert.strictEqual(kept.length, 50)
        assert.isTrue(kept.every(({ attempts }) => attempts[0]?.status === 204 && attempts[0].ms >= 0))
      }),
      {
        allowHttp: true,
        allowInward: ["127.0.0.1/32"],
        lookup: (() => {
          let looks = 0
          return (name: string) =>
            Promise.resolve([name.startsWith("rebinding") && looks++ === 0 ? "127.0.0.1" : "127.0.0.2"])
        })()
      }
    )
  )

  it.live("what failed is tried again, and nothing of its chat overtakes it", () =>
    within(
      Effect.gen(function* () {
        // Every event of one chat fails once; those of others pass.
        const tried = new Set<string>()
        const receiver = yield* Receiver.start((response, { body }) => {
          const { data, id } = JSON.parse(body) as DomainEvent
          const isFirst = !tried.has(id)
          tried.add(id)
          response.writeHead(data["chat"] === "cht_1" && isFirst ? 503 : 200).end()
        })
        const { append, build, create, deliveries, drain, feed, until, workspace } = yield* scene("order")
        const { endpoint, secret } = yield* create(receiver.url)
        const events = yield* append(9, 3)
        const one = events.filter(({ data }) => data["chat"] === "cht_1")
        // Whoever is stopped while the last answer comes in would ask again.
        yield* drain
        assert.strictEqual(receiver.got.length, 7)
        const more = build.event(workspace.id, "msg_late", { data: { chat: "cht_1", n: 99 } })
        yield* feed.append([more])
        const store = yield* WebhookStore
        const hasten = Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          for (const { dueAt, id, status } of yield* deliveries(endpoint.id))
            if (status === "waiting" && dueAt !== null && dueAt > now + 1_000)
              yield* store.redeliver(workspace.id, endpoint.id, id, now)
          return receiver.got.length === 14
        })
        yield* until(() => hasten)
        const accepted = receiver.got.filter(
          ({ headers }, i, all) =>
            !all.slice(i + 1).some((later) => later.headers["webhook-id"] === headers["webhook-id"])
        )
        assertTold(accepted, [...events, more], secret)
        assert.deepStrictEqual(
          idsOf(receiver.got).filter((id) => [...one, more].some((event) => event.id === id)),
          [...one, more].flatMap(({ id }) => [id, id])
        )
      })
    )
  )

  it.live("a secret that is rotated signs beside the former one, and then alone", () =>
    within(
      Effect.gen(function* () {
        const receiver = yield* Receiver.start(Receiver.good)
        const { append, create, drain, webhooks, workspace } = yield* scene("rotation")
        const { endpoint, secret: former } = yield* create(receiver.url)
        const verifies = (secret: Redacted.Redacted<string>, { body, headers }: Receiver.Got) => {
          try {
            new Webhook(Redacted.value(secret)).verify(body, headers as Record<string, string>)
            return true
          } catch {
            return false
          }
        }
        const { endpoint: overlapping, secret } = yield* webhooks.rotateSecret(workspace.id, endpoint.id, 60_000)
        assert.isNotNull(overlapping.formerSecretUntil)
        yield* append(1, 1)
        yield* drain
        const { secret: third } = yield* webhooks.rotateSecret(workspace.id, endpoint.id, 0)
        yield* append(1, 1)
        yield* drain
        const [both, alone] = receiver.got
        assert.deepStrictEqual(
          [former, secret, third].map((one) => [verifies(one, both!), verifies(one, alone!)]),
          [
            [true, false],
            [true, false],
            [false, true]
          ]
        )
        const shown = JSON.stringify(yield* webhooks.list(workspace.id, {}))
        for (const one of [former, secret, third]) assert.notInclude(shown, Redacted.value(one).slice(6, 20))
      })
    )
  )

  it.live("only the types that were asked for arrive, with headers of its own", () =>
    within(
      Effect.gen(function* () {
        const receiver = yield* Receiver.start(Receiver.good)
        const { build, create, drain, feed, webhooks, workspace } = yield* scene("filter")
        const headers = { Authorization: Redacted.make("Bearer zq-token") }
        const { endpoint } = yield* create(receiver.url, { events: ["lead.*", "chat.closed"], headers })
        const types = ["lead.sent", "message.sent", "chat.closed", "chat.created", "lead.replied"] as const
        yield* feed.append(types.map((type) => build.event(workspace.id, type, { type })))
        yield* drain
        const told = receiver.got.map(({ body }) => (JSON.parse(body) as DomainEvent).type)
        assert.deepStrictEqual(told.toSorted(), ["chat.closed", "lead.replied", "lead.sent"])
        assert.strictEqual(receiver.got[0]?.headers.authorization, "Bearer zq-token")
        assert.deepStrictEqual(endpoint.headerNames, ["authorization"])
        yield* webhooks.update(workspace.id, endpoint.id, { events: ["message.*"], headers: {} })
        yield* feed.append(types.map((type) => build.event(workspace.id, type, { type })))
        yield* drain
        const last = receiver.got.at(-1)
        assert.deepStrictEqual(
          [receiver.got.length, JSON.parse(last!.body).type, last!.headers.authorization],
          [4, "message.sent", undefined]
        )
        const stored = JSON.stringify(yield* webhooks.get(workspace.id, endpoint.id))
        assert.notInclude(stored, "zq-token")
      })
    )
  )

  it.live("what is disabled waits, and goes on from where it was or from now", () =>
    within(
      Effect.gen(function* () {
        const receiver = yield* Receiver.start(Receiver.good)
        const { append, create, drain, webhooks, workspace } = yield* scene("switch")
        const { endpoint } = yield* create(receiver.url)
        const { id } = endpoint
        yield* webhooks.disable(workspace.id, id, system)
        const waited = yield* append(3, 3)
        yield* drain
        assert.strictEqual(receiver.got.length, 0)
        yield* webhooks.enable(workspace.id, id, "continue")
        yield* drain
        const told = idsOf(receiver.got)
        for (const event of waited) assert.include(told, event.id)
        yield* webhooks.disable(workspace.id, id, system)
        const missed = yield* append(3, 3)
        yield* webhooks.enable(workspace.id, id, "now")
        const after = yield* append(1, 1)
        yield* drain
        const all = idsOf(receiver.got)
        for (const event of missed) assert.notInclude(all, event.id)
        assert.include(all, after[0]!.id)
      })
    )
  )

  it.live("a test is answered at once, and a part of the feed or one delivery is told again", () =>
    within(
      Effect.gen(function* () {
        const receiver = yield* Receiver.start((response) => void response.writeHead(200).end("thanks"))
        const { append, create, deliveries, drain, webhooks, workspace } = yield* scene("again")
        const { endpoint, secret } = yield* create(receiver.url)
        const { id } = endpoint
        const { response, status } = yield* webhooks.ping(workspace.id, id)
        assert.deepStrictEqual([status, response], [200, "thanks"])
        assert.strictEqual((JSON.parse(receiver.got[0]!.body) as { readonly type: string }).type, "webhook.ping")
        const events = yield* append(20, 4)
        yield* drain
        const wrong = yield* Effect.flip(webhooks.replay(workspace.id, id, { since: NaN }))
        assert.match(wrong.message, /^since: /)
        yield* webhooks.replay(workspace.id, id, { since: 0 })
        yield* drain
        assertTold(receiver.got.slice(21), events, secret)
        const [delivery] = yield* deliveries(id)
        yield* webhooks.redeliver(workspace.id, id, delivery!.id)
        yield* drain
        assert.deepStrictEqual(idsOf(receiver.got.slice(41)), [delivery!.event])
        const later = (yield* Clock.currentTimeMillis) + 60_000
        yield* webhooks.replay(workspace.id, id, { since: later })
        yield* drain
        assert.strictEqual(receiver.got.length, 42)
        assert.isTrue(Option.isSome(Option.some(yield* webhooks.get(workspace.id, id))))
      })
    )
  )

  it.live("five days without a success disable an endpoint, and one that comes back is told all that waits", () =>
    within(
      Effect.gen(function* () {
        let isBack = false
        const receiver = yield* Receiver.start((response) => void response.writeHead(isBack ? 200 : 500).end())
        const { append, create, until, webhooks, workspace } = yield* scene("five days")
        const { endpoint, secret } = yield* create(receiver.url)
        const store = yield* WebhookStore
        const events = yield* append(40, 40)
        const isFailing = Effect.map(
          webhooks.get(workspace.id, endpoint.id),
          ({ health }) => health.failures >= WebhookEndpoint.trusting
        )
        yield* until(() => isFailing)
        const health = (change: (self: WebhookEndpoint.EndpointHealth) => WebhookEndpoint.EndpointHealth) =>
          store.modify(workspace.id, endpoint.id, 0, (state) => ({
            state: { ...state, endpoint: { ...state.endpoint, health: change(state.endpoint.health) } },
            events: []
          }))
        const days = 5 * 86_400_000
        yield* health((self) => ({ ...self, pausedUntil: null, failingSince: self.failingSince! - days }))
        const isDisabled = Effect.map(webhooks.get(workspace.id, endpoint.id), ({ disabled }) => disabled !== null)
        yield* until(() => isDisabled)
        assert.strictEqual((yield* webhooks.get(workspace.id, endpoint.id)).disabled?.reason, "failing")
        isBack = true
        const before = receiver.got.length
        yield* webhooks.enable(workspace.id, endpoint.id, "continue")
        yield* until(() => receiver.got.length === before + 41)
        const told = receiver.got.slice(before).filter(({ body }) => !body.includes("webhook.disabled"))
        assertTold(told, events, secret)
      })
    )
  )
})
