/** Endpoints, events and deliveries for the cases of `WebhookStore`. */
import { Effect, Option } from "effect"
import type { Delivery } from "../../event/Delivery.ts"
import type { DomainEvent } from "../../event/DomainEvent.ts"
import { EventStore, type FeedEvent } from "../../event/EventStore.ts"
import { untried, type WebhookEndpoint } from "../../event/WebhookEndpoint.ts"
import {
  type ClaimedEndpoint,
  type DeliveryRow,
  type DeliveryWrites,
  type EndpointState,
  WebhookStore
} from "../../event/WebhookStore.ts"
import type { WorkspaceId } from "../../workspace/Id.ts"
import { WorkspaceStore } from "../../workspace/WorkspaceStore.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"

export const { start } = Builders

/** An endpoint of all events that nothing was sent to. */
export const endpointOf = (
  build: Builders.Builders,
  workspace: WorkspaceId,
  overrides: Partial<WebhookEndpoint> = {}
): Omit<EndpointState, "cursor" | "replay"> => ({
  endpoint: {
    id: build.ids.next("whk"),
    workspace,
    url: "https://receiver.example/hook",
    description: null,
    events: ["*"],
    format: "standard",
    concurrency: 8,
    headerNames: [],
    metadata: {},
    createdAt: start,
    disabled: null,
    health: untried,
    formerSecretUntil: null,
    ...overrides
  },
  secret: "v1.a.n.secret",
  formerSecret: null,
  headers: null
})

/** A workspace with an endpoint, and what cases do with it. */
export const webhookScene = (seed: string) =>
  Effect.gen(function* () {
    const build = Builders.make(seed)
    const workspace = build.workspace()
    yield* (yield* WorkspaceStore).create(workspace)
    const store = yield* WebhookStore
    const feed = yield* EventStore
    const given = endpointOf(build, workspace.id)
    Expect.equal(yield* store.create(given, 9), true, "the endpoint was created")
    const { id } = given.endpoint

    const append = (subjects: ReadonlyArray<string>, overrides?: Partial<DomainEvent>) =>
      Effect.gen(function* () {
        yield* feed.append(subjects.map((subject) => build.event(workspace.id, subject, overrides)))
        const all = yield* feed.read(workspace.id, null, 1_000)
        return all.slice(-subjects.length)
      })
    const claimAll = (now = start, limit = 9) =>
      store.claim({
        now,
        formats: ["standard"],
        durationMs: 60_000,
        claims: Array.from({ length: limit }, () => build.ids.next("clm"))
      })
    const claim = (now = start) =>
      Effect.map(claimAll(now), (all) =>
        Expect.present(
          all.find(({ state }) => state.endpoint.id === id),
          "the claim"
        )
      )
    const state = Effect.map(store.get(workspace.id, id), Option.getOrThrow)
    const row = ({ event, position }: FeedEvent, overrides: Partial<Delivery> = {}): DeliveryRow => ({
      delivery: {
        id: build.ids.next("dlv"),
        endpoint: id,
        workspace: workspace.id,
        event: event.id,
        type: event.type,
        subject: event.subject,
        status: "waiting",
        attempts: [],
        dueAt: null,
        response: null,
        at: start,
        ...overrides
      },
      position,
      key: event.subject
    })
    const settle = (claimed: ClaimedEndpoint, writes: Partial<DeliveryWrites>, now = start) =>
      store.settle(claimed.lease, now, {
        cursor: claimed.state.cursor,
        cursorBefore: claimed.state.cursor,
        replay: claimed.state.replay,
        rows: [],
        health: claimed.state.endpoint.health,
        disabled: claimed.state.endpoint.disabled,
        events: [],
        recoveredSince: null,
        holdMs: 60_000,
        ...writes
      })
    const subjects = Effect.map(store.deliveries(workspace.id, id, { limit: 500 }), ({ data }) =>
      data.map(({ subject }) => subject)
    )
    return { append, build, claim, claimAll, feed, given, id, row, settle, state, store, subjects, workspace }
  })
