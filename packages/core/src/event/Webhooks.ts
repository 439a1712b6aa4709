/** Webhook endpoints as members keep them: what they are told, their secrets, whether they work, and what is told again. */
import { Clock, Context, Effect, Layer, Option, type Redacted, Schema } from "effect"
import type { DeliveryId, WebhookEndpointId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import { day, minute } from "../workspace/Instant.ts"
import * as Paging from "../workspace/Page.ts"
import type { Page, PageRequest } from "../workspace/Page.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import { Vault, type VaultError } from "../workspace/Vault.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { needed, type WorkspaceNotFound } from "../workspace/Workspace.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import { type Delivery, type DeliveryAttempt, DeliveryNotFound } from "./Delivery.ts"
import { type Actor, stamped, system } from "./DomainEvent.ts"
import { type CursorExpired, EventStore } from "./EventStore.ts"
import * as WebhookEndpoint from "./WebhookEndpoint.ts"
import { WebhookEndpointNotFound } from "./WebhookEndpoint.ts"
import { type Told, WebhookFormats } from "./WebhookFormat.ts"
import * as WebhookInput from "./WebhookInput.ts"
import { WebhookLimitReached } from "./WebhookInput.ts"
import * as WebhookSecrets from "./WebhookSecrets.ts"
import { type EndpointRule, type EndpointState, WebhookStore } from "./WebhookStore.ts"
import { type Answer, problemOf } from "./WebhookAnswer.ts"
import { answerTo, WebhookTransport, type WebhooksUnavailable } from "./WebhookTransport.ts"

/** An endpoint with the secret that is shown this once. */
export interface WithSecret {
  readonly endpoint: WebhookEndpoint.WebhookEndpoint
  readonly secret: Redacted.Redacted<string>
}

/** What a test came to. */
export interface Pinged extends DeliveryAttempt {
  /** The beginning of the answer's body. */
  readonly response: string | null
}

/** One replay at a time. */
export class ReplayUnderWay extends Schema.TaggedError<ReplayUnderWay>()("ReplayUnderWay", {
  endpoint: Schema.String
}) {
  override get message(): string {
    return `a replay to ${this.endpoint} is under way; another can begin when it has ended`
  }
}

type Endpoint = WebhookEndpoint.WebhookEndpoint
type NotFound = WebhookEndpointNotFound | StorageError
type Unsealed = WebhooksUnavailable | VaultError

export class Webhooks extends Context.Service<
  Webhooks,
  {
    /** An endpoint that is told what happens from now on. */
    create(
      workspace: WorkspaceId,
      input: WebhookInput.NewWebhookEndpoint
    ): Effect.Effect<
      WithSecret,
      WebhookInput.InvalidWebhook | WebhookLimitReached | WorkspaceNotFound | Unsealed | StorageError
    >
    get(workspace: WorkspaceId, id: WebhookEndpointId): Effect.Effect<Endpoint, NotFound>
    list(
      workspace: WorkspaceId,
      page: PageRequest
    ): Effect.Effect<Page<Endpoint>, StorageError | Paging.InvalidListRequest>
    /** `headers` replaces all of them. */
    update(
      workspace: WorkspaceId,
      id: WebhookEndpointId,
      change: WebhookInput.WebhookEndpointChange
    ): Effect.Effect<Endpoint, WebhookInput.InvalidWebhook | VaultError | NotFound>
    /** Removes it with its deliveries. */
    remove(workspace: WorkspaceId, id: WebhookEndpointId): Effect.Effect<void, NotFound>
    /** A new secret. The former one signs beside it for `overlapMs`, default a day, at most 30 days; 0 = it is worthless at once. */
    rotateSecret(
      workspace: WorkspaceId,
      id: WebhookEndpointId,
      overlapMs?: number
    ): Effect.Effect<WithSecret, WebhookInput.InvalidWebhook | Unsealed | NotFound>
    /** Nothing is sent until it is enabled; what is under way may still arrive. */
    disable(workspace: WorkspaceId, id: WebhookEndpointId, actor: Actor): Effect.Effect<Endpoint, NotFound>
    /**
     * `continue`: with everything since it was disabled, as far as the feed is kept (`CursorExpired` otherwise); `now`: with
     * what happens from now on, and what waited is cancelled.
     */
    enable(
      workspace: WorkspaceId,
      id: WebhookEndpointId,
      from: "continue" | "now"
    ): Effect.Effect<Endpoint, NotFound | CursorExpired>
    /** Sends a `webhook.ping` at once, outside the feed. One that succeeds ends the pause of an endpoint that failed. */
    ping(workspace: WorkspaceId, id: WebhookEndpointId): Effect.Effect<Pinged, VaultError | NotFound>
    /** Those that failed or wait, and the last 50 that succeeded: what changed last first. */
    deliveries(
      workspace: WorkspaceId,
      id: WebhookEndpointId,
      page: PageRequest
    ): Effect.Effect<Page<Delivery>, NotFound | Paging.InvalidListRequest>
    /** Sends one again, with a new schedule. */
    redeliver(
      workspace: WorkspaceId,
      id: WebhookEndpointId,
      delivery: DeliveryId
    ): Effect.Effect<Delivery, DeliveryNotFound | StorageError>
    /** Sends again what happened from `since` to before `before` (default now), beside what happens. */
    replay(
      workspace: WorkspaceId,
      id: WebhookEndpointId,
      range: WebhookInput.ReplayRange
    ): Effect.Effect<Endpoint, WebhookInput.InvalidWebhook | ReplayUnderWay | NotFound>
  }
>()("@overture/core/Webhooks") {
  static readonly layer = Layer.effect(
    Webhooks,
    Effect.suspend(() => make)
  )
}

/** How far events may be out of order in time (milliseconds): two transactions that ran beside each other. */
const disorderMs = 15 * minute

const checkDeliveries = Paging.checkerOf([0, ""])

const make = Effect.gen(function* () {
  const store = yield* WebhookStore
  const feed = yield* EventStore
  const transport = yield* WebhookTransport
  const workspaces = yield* WorkspaceStore
  const vault = yield* Vault
  const formats = yield* WebhookFormats
  const transaction = yield* Transaction
  const time = yield* PacingTime
  const makeIds = (yield* Ids).generator
  const knowledge = { formats: formats.map(({ name }) => name), refusal: transport.refusal }

  const found =
    (id: WebhookEndpointId) =>
    <A, E, R>(effect: Effect.Effect<Option.Option<A>, E, R>) =>
      Effect.flatMap(
        effect,
        Option.match({
          onNone: () => Effect.fail(new WebhookEndpointNotFound({ endpoint: id })),
          onSome: (value) => Effect.succeed(value)
        })
      )
  const stateOf = (workspace: WorkspaceId, id: WebhookEndpointId) => store.get(workspace, id).pipe(found(id))
  const modify = Effect.fnUntraced(function* (workspace: WorkspaceId, id: WebhookEndpointId, rule: EndpointRule) {
    return (yield* store.modify(workspace, id, yield* Clock.currentTimeMillis, rule).pipe(found(id))).endpoint
  })
  /** A rule that changes without telling. */
  const quietly =
    (change: (state: EndpointState) => EndpointState): EndpointRule =>
    (state) => ({ state: change(state), events: [] })

  return Webhooks.of({
    create: Effect.fn("Webhooks.create")(function* (workspace, given) {
      const input = yield* Effect.fromResult(WebhookInput.check(given, knowledge))
      yield* needed(workspace)(yield* workspaces.get(workspace))
      const id = (yield* makeIds).next("whk")
      const secret = yield* transport.newSecret
      const headers = input.headers ?? {}
      const endpoint: Endpoint = {
        id,
        workspace,
        url: input.url,
        description: input.description ?? null,
        events: input.events ?? ["*"],
        format: input.format ?? "standard",
        concurrency: input.concurrency ?? WebhookEndpoint.defaultConcurrency,
        headerNames: Object.keys(headers),
        metadata: input.metadata ?? {},
        createdAt: yield* Clock.currentTimeMillis,
        disabled: null,
        health: WebhookEndpoint.untried,
        formerSecretUntil: null
      }
      const state = {
        endpoint,
        secret: yield* WebhookSecrets.sealSecret(vault, id, secret),
        formerSecret: null,
        headers: yield* WebhookSecrets.sealHeaders(vault, id, headers)
      }
      const most = WebhookEndpoint.limits.endpointsPerWorkspace
      if (yield* store.create(state, most)) return { endpoint, secret }
      return yield* new WebhookLimitReached({ limit: "endpointsPerWorkspace", most })
    }),
    get: Effect.fn("Webhooks.get")((workspace, id) => Effect.map(stateOf(workspace, id), ({ endpoint }) => endpoint)),
    list: Effect.fn("Webhooks.list")(function* (workspace, request) {
      const { page } = yield* Effect.fromResult(Paging.checkById({ page: request }))
      return yield* Paging.ofList("endpoints", page, (own) => store.list(workspace, own))
    }),
    update: Effect.fn("Webhooks.update")(function* (workspace, id, given) {
      const { headers, ...change } = yield* Effect.fromResult(WebhookInput.check(given, knowledge))
      const sealed = headers === undefined ? undefined : yield* WebhookSecrets.sealHeaders(vault, id, headers)
      return yield* modify(
        workspace,
        id,
        quietly((state) => {
          const { endpoint } = state
          const { health } = endpoint
          const isElsewhere = change.url !== undefined && change.url !== endpoint.url
          return {
            ...state,
            headers: sealed === undefined ? state.headers : sealed,
            endpoint: {
              ...endpoint,
              url: change.url ?? endpoint.url,
              description: change.description === undefined ? endpoint.description : change.description,
              events: change.events ?? endpoint.events,
              format: change.format ?? endpoint.format,
              concurrency: change.concurrency ?? endpoint.concurrency,
              headerNames: headers === undefined ? endpoint.headerNames : Object.keys(headers),
              metadata: change.metadata ?? endpoint.metadata,
              health: isElsewhere ? { ...health, pausedUntil: null } : health
            }
          }
        })
      )
    }),
    remove: Effect.fn("Webhooks.remove")(function* (workspace, id) {
      if (!(yield* store.remove(workspace, id))) return yield* new WebhookEndpointNotFound({ endpoint: id })
    }),
    rotateSecret: Effect.fn("Webhooks.rotateSecret")(function* (workspace, id, overlapMs = day) {
      const { overlapMs: most } = WebhookEndpoint.limits
      if (!(overlapMs >= 0 && overlapMs <= most)) {
        const problem = `expected milliseconds from 0 to ${most}, got ${overlapMs}`
        return yield* new WebhookInput.InvalidWebhook({ field: "overlapMs", problem })
      }
      const secret = yield* transport.newSecret
      const sealed = yield* WebhookSecrets.sealSecret(vault, id, secret)
      const until = (yield* Clock.currentTimeMillis) + overlapMs
      const endpoint = yield* modify(
        workspace,
        id,
        quietly((state) => ({
          ...state,
          secret: sealed,
          formerSecret: overlapMs === 0 ? null : state.secret,
          endpoint: { ...state.endpoint, formerSecretUntil: overlapMs === 0 ? null : until }
        }))
      )
      return { endpoint, secret }
    }),
    disable: Effect.fn("Webhooks.disable")(function* (workspace, id, actor) {
      const at = yield* Clock.currentTimeMillis
      const event = stamped(yield* makeIds, yield* time.now, {
        workspace,
        type: "webhook.disabled",
        subject: id,
        actor,
        data: { reason: "member" }
      })
      return yield* modify(workspace, id, (state) =>
        state.endpoint.disabled !== null
          ? { state, events: [] }
          : {
              state: { ...state, endpoint: { ...state.endpoint, disabled: { at, reason: "member" } } },
              events: [event]
            }
      )
    }),
    enable: Effect.fn("Webhooks.enable")(function* (workspace, id, from) {
      return yield* transaction.within(
        Effect.gen(function* () {
          const { cursor } = yield* stateOf(workspace, id)
          const end = from === "now" ? yield* feed.last(workspace, null) : cursor
          if (from === "now") yield* store.cancelWaiting(workspace, id, yield* Clock.currentTimeMillis)
          else yield* feed.read(workspace, cursor, 1)
          return yield* modify(
            workspace,
            id,
            quietly((state) => ({
              ...state,
              ...(from === "now" && { cursor: end, replay: null }),
              endpoint: {
                ...state.endpoint,
                disabled: null,
                health: { ...WebhookEndpoint.untried, lastSuccessAt: state.endpoint.health.lastSuccessAt }
              }
            }))
          )
        })
      )
    }),
    ping: Effect.fn("Webhooks.ping")(function* (workspace, id) {
      const state = yield* stateOf(workspace, id)
      const { endpoint } = state
      const at = yield* Clock.currentTimeMillis
      const told: Told = {
        id: (yield* makeIds).next("evt"),
        workspace,
        type: "webhook.ping",
        at,
        subject: id,
        actor: system,
        cause: null,
        data: {}
      }
      const format = formats.find(({ name }) => name === endpoint.format)
      let answer: Answer = { status: null, problem: `this process does not know the format ${endpoint.format}` }
      if (format !== undefined) {
        const opened = yield* WebhookSecrets.open(vault, state)
        const request = WebhookSecrets.requests(opened, endpoint, format, transport.hmac)(told, at)
        answer = yield* answerTo(transport, request)
      }
      const problem = problemOf(answer)
      if (problem === null && endpoint.health.pausedUntil !== null) {
        const resume = (self: Endpoint): Endpoint => ({ ...self, health: { ...self.health, pausedUntil: null } })
        yield* modify(
          workspace,
          id,
          quietly((now) => ({ ...now, endpoint: resume(now.endpoint) }))
        )
      }
      const ms = (yield* Clock.currentTimeMillis) - at
      return { at, status: answer.status, ms, problem, response: answer.status === null ? null : answer.body }
    }),
    deliveries: Effect.fn("Webhooks.deliveries")(function* (workspace, id, request) {
      const { page } = yield* Effect.fromResult(checkDeliveries({ page: request }))
      yield* stateOf(workspace, id)
      return yield* Paging.ofList(`deliveries of ${id}`, page, (own) => store.deliveries(workspace, id, own))
    }),
    redeliver: Effect.fn("Webhooks.redeliver")(function* (workspace, id, delivery) {
      const again = yield* store.redeliver(workspace, id, delivery, yield* Clock.currentTimeMillis)
      return yield* Option.match(again, {
        onNone: () => Effect.fail(new DeliveryNotFound({ delivery })),
        onSome: (one) => Effect.succeed(one)
      })
    }),
    replay: Effect.fn("Webhooks.replay")(function* (workspace, id, range) {
      const { before, since } = yield* Effect.fromResult(WebhookInput.checkRange(range))
      const until = yield* feed.last(workspace, null)
      if (until === null) return (yield* stateOf(workspace, id)).endpoint
      const after = yield* feed.last(workspace, since - disorderMs)
      const replay = { after, until, since, before: before ?? (yield* time.now) + 1 }
      let isFree = true
      const endpoint = yield* modify(
        workspace,
        id,
        quietly((state) => {
          isFree = state.replay === null
          return isFree ? { ...state, replay } : state
        })
      )
      return isFree ? endpoint : yield* new ReplayUnderWay({ endpoint: id })
    })
  })
})
