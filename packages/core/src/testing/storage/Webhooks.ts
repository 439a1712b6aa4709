/** What `WebhookStore` promises: endpoints as members keep them, and one holder at a time who loses nothing. */
import { Effect, Option } from "effect"
import * as WebhookEndpoint from "../../event/WebhookEndpoint.ts"
import { type EndpointRule, WebhookStore } from "../../event/WebhookStore.ts"
import { hour } from "../../workspace/Instant.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { expectPaged, fails, LeaseClock, refuse, type StorageCase, storageCase } from "./StorageCase.ts"
import { endpointOf, start, webhookScene } from "./WebhookScene.ts"

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("webhooks: an endpoint comes back as it was given, and begins at the end of the feed", function* () {
    const { append, build, store, workspace } = yield* webhookScene("endpoint")
    const [, last] = yield* append(["one", "two"])
    const given = {
      ...endpointOf(build, workspace.id, {
        description: "ours",
        events: ["message.*", "lead.replied"],
        headerNames: ["x-token"],
        metadata: { team: ["a", null] },
        concurrency: 3,
        formerSecretUntil: start + 5
      }),
      formerSecret: "v1.a.n.former",
      headers: "v1.a.n.headers"
    }
    Expect.equal(yield* store.create(given, 9), true, "created")
    const { id } = given.endpoint
    const expected = { ...given, cursor: last!.position, replay: null }
    Expect.equal(yield* store.get(workspace.id, id), Option.some(expected), "the endpoint")
    Expect.equal(yield* store.get(build.workspace().id, id), Option.none(), "the endpoint of another workspace")
  }),

  storageCase("webhooks: a workspace has at most so many endpoints, in pages", function* () {
    const { build, given, store, workspace } = yield* webhookScene("limit")
    const second = endpointOf(build, workspace.id)
    const other = endpointOf(build, build.workspace().id)
    Expect.equal(yield* store.create(second, 2), true, "the second of two")
    Expect.equal(yield* store.create(endpointOf(build, workspace.id), 2), false, "the third of two")
    Expect.equal(yield* store.create(other, 2), true, "the first of another workspace")
    const ids = [given.endpoint.id, second.endpoint.id].toSorted()
    yield* expectPaged((page) => store.list(workspace.id, page), ids, "the endpoints")
  }),

  storageCase("webhooks: a change is whole, is told, and stays in its workspace", function* () {
    const { build, feed, given, id, state, store, workspace } = yield* webhookScene("change")
    const disabled = { at: start + 1, reason: "gone" as const }
    const event = build.event(workspace.id, id, { type: "webhook.disabled" })
    const changed = yield* store.modify(workspace.id, id, start, (before) => ({
      state: {
        ...before,
        endpoint: {
          ...before.endpoint,
          id: build.ids.next("whk"),
          workspace: build.workspace().id,
          createdAt: 1,
          url: "https://elsewhere.example/",
          disabled
        },
        secret: "v1.b.n.new",
        formerSecret: before.secret
      },
      events: [event]
    }))
    const expected = {
      ...given,
      endpoint: { ...given.endpoint, url: "https://elsewhere.example/", disabled },
      secret: "v1.b.n.new",
      formerSecret: given.secret,
      cursor: null,
      replay: null
    }
    Expect.equal(changed, Option.some(expected), "what is given back")
    Expect.equal(yield* state, expected, "what is stored")
    Expect.equal(
      (yield* feed.read(workspace.id, null, 9)).map((one) => one.event),
      [event],
      "what is told"
    )
    const rule: EndpointRule = (state) => ({ state, events: [] })
    Expect.equal(yield* store.modify(build.workspace().id, id, start, rule), Option.none(), "from another workspace")
    yield* fails(store.modify(workspace.id, id, start, refuse), "a rule that throws")
    Expect.equal(yield* state, expected, "after a rule that threw")
  }),

  storageCase("webhooks: who is removed is gone with its deliveries, for whoever holds it too", function* () {
    const { append, build, claim, id, row, settle, store, workspace } = yield* webhookScene("remove")
    const [event] = yield* append(["one"])
    const claimed = yield* claim()
    yield* settle(claimed, { rows: [row(event!)] })
    Expect.equal(yield* store.remove(build.workspace().id, id), false, "from another workspace")
    Expect.equal(yield* store.remove(workspace.id, id), true, "the first time")
    Expect.equal(yield* store.remove(workspace.id, id), false, "the second time")
    Expect.equal((yield* store.deliveries(workspace.id, id, {})).data, [], "its deliveries")
    Expect.equal(yield* settle(claimed, { rows: [row(event!)] }), "lost", "a settle after it")
    Expect.equal((yield* store.deliveries(workspace.id, id, {})).data, [], "its deliveries after that")
  }),

  storageCase("webhooks: an endpoint is claimed once, by one, and only while there is something to tell", function* () {
    const { append, claimAll, feed, id, settle, store, workspace } = yield* webhookScene("claim")
    const { advance } = yield* LeaseClock
    Expect.equal(yield* claimAll(), [], "without events")
    const [, last] = yield* append(["one", "two"])
    const other = yield* store.claim({ now: start, formats: ["another"], durationMs: 1, claims: [] })
    Expect.equal(other, [], "of another format")
    const [claimed, ...more] = yield* claimAll()
    Expect.equal([claimed?.state.endpoint.id, claimed?.state.cursor, more.length], [id, null, 0], "the claim")
    Expect.equal(yield* claimAll(), [], "while it is held")
    yield* advance(60_001)
    const [again] = yield* claimAll()
    Expect.equal(again?.state.endpoint.id, id, "after the lease ran out")
    Expect.equal(yield* settle(claimed!, { cursor: last!.position }), "lost", "by who lost it")
    Expect.equal(yield* settle(again!, { cursor: last!.position, holdMs: null }), "held", "by who holds it")
    Expect.equal(yield* claimAll(), [], "after everything was told")
    yield* feed.append([])
    yield* append(["three"])
    const [next] = yield* claimAll()
    Expect.equal(next?.state.cursor, last!.position, "where it goes on")
    Expect.equal((yield* store.get(workspace.id, id)).pipe(Option.isSome), true, "it is still there")
  }),

  storageCase("webhooks: those that waited longest come first, and nobody twice", function* () {
    const { append, build, claimAll, id, settle, store, workspace } = yield* webhookScene("turns")
    const { moment } = yield* LeaseClock
    const [second, third] = [endpointOf(build, workspace.id), endpointOf(build, workspace.id)]
    yield* store.create(second, 9)
    yield* store.create(third, 9)
    yield* append(["one"])
    const firstTwo = yield* claimAll(start, 2)
    const [rest, ...none] = yield* claimAll(start, 2)
    const ids = [...firstTwo, rest!].map(({ state }) => state.endpoint.id)
    Expect.equal(ids.toSorted(), [id, second.endpoint.id, third.endpoint.id].toSorted(), "all of them, once")
    Expect.equal(none, [], "nobody else")
    for (const claimed of [...firstTwo, rest!]) yield* settle(claimed, { holdMs: null })
    yield* moment
    const [next] = yield* claimAll(start, 1)
    Expect.ok(next!.state.endpoint.id !== rest!.state.endpoint.id, "the last one comes first again")
  }),

  storageCase("webhooks: who is disabled, or pauses, is left alone", function* () {
    const { append, claim, claimAll, id, settle, store, workspace } = yield* webhookScene("pause")
    yield* append(["one"])
    const claimed = yield* claim()
    const health = WebhookEndpoint.fail({ ...WebhookEndpoint.untried, failures: 2 }, start, start, 0.5)
    const { pausedUntil } = health
    yield* settle(claimed, { health, holdMs: null })
    Expect.equal(yield* claimAll(pausedUntil! - 1), [], "while it pauses")
    const again = yield* claim(pausedUntil!)
    Expect.equal(again.state.endpoint.health, health, "its health")
    yield* settle(again, { disabled: { at: start, reason: "gone" }, holdMs: null })
    Expect.equal(yield* claimAll(start + hour), [], "after it was disabled")
    yield* store.modify(workspace.id, id, start, (before) => ({
      state: { ...before, endpoint: { ...before.endpoint, disabled: null, health: WebhookEndpoint.untried } },
      events: []
    }))
    yield* claim()
  }),

  storageCase("webhooks: what a member changed stays, and whoever holds the endpoint is told", function* () {
    const { append, claim, id, row, settle, state, store, workspace } = yield* webhookScene("changed meanwhile")
    const [first, second, third] = yield* append(["one", "two", "three"])
    const claimed = yield* claim()
    yield* store.modify(workspace.id, id, start, (before) => ({
      state: { ...before, endpoint: { ...before.endpoint, disabled: { at: start, reason: "member" } } },
      events: []
    }))
    const health = WebhookEndpoint.fail(WebhookEndpoint.untried, start, start, 0)
    const writes = { cursor: first!.position, health, disabled: null, rows: [row(first!, { dueAt: start })] }
    Expect.equal(yield* settle(claimed, writes), "changed", "the settle")
    const after = yield* state
    Expect.equal(after.endpoint.disabled?.reason, "member", "the switch")
    Expect.equal(after.endpoint.health, WebhookEndpoint.untried, "the health")
    Expect.equal(after.cursor, first!.position, "the cursor that nobody moved")
    yield* store.modify(workspace.id, id, start, (before) => ({
      state: { ...before, cursor: third!.position },
      events: []
    }))
    yield* settle(claimed, { cursor: second!.position, cursorBefore: first!.position, holdMs: null })
    Expect.equal((yield* state).cursor, third!.position, "the cursor that a member moved")
    Expect.equal((yield* store.deliveries(workspace.id, id, {})).data.length, 1, "the deliveries")
  }),

  storageCase("webhooks: secrets sealed otherwise are found, in order", function* () {
    const { build, given, store, workspace } = yield* webhookScene("sealed")
    const made = (overrides: Partial<typeof given>) => ({ ...endpointOf(build, workspace.id), ...overrides })
    const [former, headers, present] = [
      made({ secret: "v1.b.n.x", formerSecret: "v1.a.n.y" }),
      made({ secret: "v1.b.n.x", headers: "v1.a.n.y" }),
      made({ secret: "v1.b.n.x", formerSecret: "v1.b.n.y", headers: "v1.b.n.z" })
    ]
    for (const one of [former, headers, present]) yield* store.create(one, 9)
    const expected = [given, former, headers].map(({ endpoint }) => endpoint.id).toSorted()
    const idsOf = (all: ReadonlyArray<{ readonly endpoint: { readonly id: string } }>) =>
      all.map(({ endpoint }) => endpoint.id)
    Expect.equal(idsOf(yield* store.sealedOtherwise("v1.b.", null, 9)), expected, "all")
    Expect.equal(idsOf(yield* store.sealedOtherwise("v1.b.", null, 2)), expected.slice(0, 2), "the first two")
    const [first] = yield* store.sealedOtherwise("v1.b.", null, 1)
    const rest = yield* store.sealedOtherwise("v1.b.", first!.endpoint.id, 9)
    Expect.equal(idsOf(rest), expected.slice(1), "those after the first")
  }),

  storageCase("webhooks: without an endpoint nothing is claimed and nothing kept", function* () {
    const store = yield* WebhookStore
    const build = Builders.make("nobody")
    const claims = [build.ids.next("clm")]
    Expect.equal(yield* store.claim({ now: start, formats: ["standard"], durationMs: 1, claims }), [], "the claims")
    Expect.equal(yield* store.purge(build.workspace().id, start, 9), 0, "what is purged")
    yield* Effect.void
  })
]
