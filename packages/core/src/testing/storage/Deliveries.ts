/** What `WebhookStore` and the feed promise of deliveries: order, retries, what is kept, and what is forgotten. */
import { Effect, Option } from "effect"
import { keptPerEndpoint } from "../../event/Delivery.ts"
import { type FeedEvent, longestWaitMs } from "../../event/EventStore.ts"
import * as WebhookEndpoint from "../../event/WebhookEndpoint.ts"
import { day, hour, minute } from "../../workspace/Instant.ts"
import * as Expect from "../Expect.ts"
import { Contents, expectPaged, type StorageCase, storageCase } from "./StorageCase.ts"
import { endpointOf, start, webhookScene } from "./WebhookScene.ts"

const attempt = { at: start, status: 500, ms: 12, problem: "answered 500" }
const dueOf = (rows: ReadonlyArray<{ readonly event: { readonly id: string } | null }>) =>
  rows.map(({ event }) => event?.id ?? null)
const idsOf = (events: ReadonlyArray<FeedEvent | undefined>) => events.map((one) => one?.event.id ?? null)

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("deliveries: come back as they were written, those that changed last first", function* () {
    const { append, build, claim, id, row, settle, store, workspace } = yield* webhookScene("rows")
    const events = yield* append(["one", "two", "three"])
    const claimed = yield* claim()
    const rows = events.map((event, i) =>
      row(event, { at: start + i, attempts: [attempt], dueAt: start + hour, response: `no ${i}` })
    )
    yield* settle(claimed, { rows })
    const expected = rows.map(({ delivery }) => delivery).toReversed()
    const { data } = yield* store.deliveries(workspace.id, id, {})
    Expect.equal(data, expected, "the deliveries")
    const inOrder = expected.map((delivery) => delivery.id)
    yield* expectPaged((page) => store.deliveries(workspace.id, id, page), inOrder, "the deliveries")
    Expect.equal((yield* store.deliveries(build.workspace().id, id, {})).data, [], "from another workspace")
    const [first] = rows
    const after = { ...first!.delivery, status: "failed" as const, attempts: [attempt, attempt], dueAt: null }
    yield* settle(claimed, { rows: [{ ...first!, delivery: { ...after, at: start + 9 } }] })
    Expect.equal(
      (yield* store.deliveries(workspace.id, id, { limit: 1 })).data,
      [{ ...after, at: start + 9 }],
      "the one that changed"
    )
  }),

  storageCase("deliveries: what is due comes with its events and those behind it, in order", function* () {
    const { append, claim, claimAll, id, row, settle, state, store } = yield* webhookScene("due")
    const [a1, b1, a2, a3, c1] = yield* append(["a", "b", "a", "a", "c"])
    const claimed = yield* claim()
    yield* settle(claimed, {
      cursor: c1!.position,
      rows: [row(a2!), row(a1!, { dueAt: start + 5 }), row(a3!), row(b1!, { dueAt: start + 4 }), row(c1!)],
      holdMs: null
    })
    Expect.equal((yield* state).cursor, c1!.position, "the cursor")
    // The first of a key is due at once where it was given no time: nothing would ever release it.
    Expect.equal(dueOf(yield* store.due(id, start, 9)), idsOf([c1]), "at first")
    Expect.equal(dueOf(yield* store.due(id, start + 4, 9)), idsOf([c1, b1]), "a little later")
    Expect.equal(dueOf(yield* store.due(id, start + 5, 9)), idsOf([c1, b1, a1, a2, a3]), "later")
    Expect.equal(dueOf(yield* store.due(id, start + 5, 3)), idsOf([c1, b1, a1, a2, a3]), "of three")
    Expect.equal(dueOf(yield* store.due(id, start + 5, 1)), idsOf([c1]), "of one")
    Expect.equal(yield* store.waiting(id, ["a", "c", "x"]), new Set(["a", "c"]), "the keys that wait")
    const again = yield* claim()
    Expect.equal(again.hasWaiting, true, "whether any waits")
    Expect.equal((yield* claimAll()).length, 0, "while it is held")
  }),

  storageCase("deliveries: the next of a key is due when the one before it has ended", function* () {
    const { append, claim, id, row, settle, store } = yield* webhookScene("release")
    const [first, second, third] = yield* append(["a", "a", "a"])
    const claimed = yield* claim()
    const rows = [row(first!, { dueAt: start + day }), row(second!), row(third!)]
    yield* settle(claimed, { rows })
    const end = (index: number, status: "delivered" | "failed", now: number) => {
      const one = rows[index]!
      const delivery = { ...one.delivery, status, dueAt: null, attempts: [attempt], at: now }
      return settle(claimed, { rows: [{ ...one, delivery }] }, now)
    }
    Expect.equal(dueOf(yield* store.due(id, start + hour, 9)), [], "while the first waits")
    yield* end(0, "failed", start + hour)
    Expect.equal(dueOf(yield* store.due(id, start + hour, 9)), idsOf([second, third]), "after the first")
    yield* end(1, "delivered", start + 2 * hour)
    Expect.equal(dueOf(yield* store.due(id, start + 2 * hour, 9)), idsOf([third]), "after the second")
    yield* end(2, "delivered", start + 3 * hour)
    Expect.equal(dueOf(yield* store.due(id, start + day, 9)), [], "after all")
    Expect.equal(yield* store.waiting(id, ["a"]), new Set(), "the keys that wait")
  }),

  storageCase("deliveries: of those that succeeded the last ones are kept", function* () {
    const { append, claim, row, settle, subjects } = yield* webhookScene("kept")
    const names = Array.from({ length: keptPerEndpoint + 10 }, (_, i) => `s${i}`)
    const events = yield* append(names)
    const claimed = yield* claim()
    const delivered = events.map((event, i) => row(event, { status: "delivered", at: start + i }))
    const failed = row(events[0]!, { status: "failed", at: start - 1 })
    yield* settle(claimed, { rows: [failed, ...delivered.slice(0, 30)] })
    yield* settle(claimed, { rows: delivered.slice(30) })
    Expect.equal(yield* subjects, [...names.slice(10).toReversed(), "s0"], "what is kept")
  }),

  storageCase("deliveries: what failed while an endpoint was away is due when it is back", function* () {
    const { append, claim, id, row, settle, store } = yield* webhookScene("recovered")
    const [before, during, later] = yield* append(["a", "b", "c"])
    const claimed = yield* claim()
    const failedAt = (event: FeedEvent | undefined, at: number) =>
      row(event!, { attempts: [{ ...attempt, at }], dueAt: start + day })
    yield* settle(claimed, { rows: [failedAt(before, start - 1), failedAt(during, start), failedAt(later, start + 9)] })
    yield* settle(claimed, { recoveredSince: start }, start + minute)
    Expect.equal(dueOf(yield* store.due(id, start + minute, 9)), idsOf([during, later]), "what is due")
  }),

  storageCase("deliveries: what ended is delivered once more when a member says so", function* () {
    const { append, build, claim, claimAll, id, row, settle, store, workspace } = yield* webhookScene("again")
    const [event] = yield* append(["a"])
    const claimed = yield* claim()
    const given = row(event!, { status: "failed", attempts: [attempt], response: "no" })
    yield* settle(claimed, { cursor: event!.position, rows: [given], holdMs: null })
    Expect.equal(yield* claimAll(), [], "before")
    const dlv = given.delivery.id
    Expect.equal(yield* store.redeliver(build.workspace().id, id, dlv, start), Option.none(), "from elsewhere")
    Expect.equal(yield* store.redeliver(workspace.id, id, build.ids.next("dlv"), start), Option.none(), "another")
    const again = yield* store.redeliver(workspace.id, id, dlv, start + 7)
    const expected = { ...given.delivery, status: "waiting" as const, attempts: [], dueAt: start + 7, at: start + 7 }
    Expect.equal(again, Option.some(expected), "what is given back")
    Expect.equal(dueOf(yield* store.due(id, start + 7, 9)), idsOf([event]), "what is due")
    yield* claim(start + 7)
  }),

  storageCase("deliveries: an endpoint that is enabled again goes on at once, or without what waits", function* () {
    const { append, claim, id, row, settle, store, workspace } = yield* webhookScene("enabled again")
    const [one, two] = yield* append(["a", "b"])
    const claimed = yield* claim()
    yield* settle(claimed, {
      rows: [row(one!, { dueAt: start + day }), row(two!, { dueAt: start + day })],
      disabled: { at: start, reason: "failing" },
      holdMs: null
    })
    const enable = store.modify(workspace.id, id, start + hour, (before) => ({
      state: { ...before, endpoint: { ...before.endpoint, disabled: null } },
      events: []
    }))
    yield* enable
    Expect.equal(dueOf(yield* store.due(id, start + hour, 9)).length, 2, "what is due")
    Expect.equal(yield* store.cancelWaiting(workspace.id, id, start + hour), 2, "what is cancelled")
    Expect.equal(dueOf(yield* store.due(id, start + day, 9)), [], "what is due then")
    const { data } = yield* store.deliveries(workspace.id, id, {})
    Expect.equal(
      data.map(({ dueAt, status }) => [status, dueAt]),
      [
        ["cancelled", null],
        ["cancelled", null]
      ],
      "what became of them"
    )
  }),

  storageCase("deliveries: what is known of a person goes, also what is answered after they were erased", function* () {
    const { append, build, claim, feed, row, settle, store, workspace } = yield* webhookScene("erased")
    const contents = yield* Contents
    const [told, other] = yield* append(["con_person", "con_other"], { data: { name: "Quillfeather" } })
    const claimed = yield* claim()
    const answered = (event: FeedEvent | undefined, response: string) => row(event!, { status: "delivered", response })
    yield* settle(claimed, { rows: [answered(told, "thanks, Quillfeather"), answered(other, "kept")] })
    const known = (yield* store.about(workspace.id, ["con_person", "con_nobody"])).map(({ response }) => response)
    Expect.equal(known, ["thanks, Quillfeather"], "what is known of them")
    Expect.equal(yield* store.about(build.workspace().id, ["con_person"]), [], "in another workspace")
    yield* feed.erase(workspace.id, ["con_person"])
    const forgotten = yield* settle(claimed, { rows: [answered(told, "once more: Quillfeather")] })
    Expect.equal(forgotten, "changed", "what whoever read ahead is told")
    const rows = (yield* contents.rows).filter(({ text }) => text.includes("con_person") || text.includes("thanks"))
    Expect.equal(
      rows.filter(({ text }) => text.includes("Quillfeather")),
      [],
      "rows that tell of them"
    )
    Expect.ok(
      (yield* contents.rows).some(({ text }) => text.includes("kept")),
      "what another answered is gone"
    )
  }),

  storageCase("deliveries: old ones are purged, and what waits stays", function* () {
    const { append, build, claim, id, row, settle, store, subjects, workspace } = yield* webhookScene("old ones")
    const events = yield* append(["a", "b", "c", "d"])
    const claimed = yield* claim()
    const rows = events.map((event, i) =>
      row(event, i === 0 ? { dueAt: start, at: start } : { status: "failed", at: start + i })
    )
    yield* settle(claimed, { rows })
    Expect.equal(yield* store.purge(build.workspace().id, start + day, 9), 0, "of another workspace")
    Expect.equal(yield* store.purge(workspace.id, start + 3, 1), 1, "one")
    Expect.equal(yield* store.purge(workspace.id, start + 3, 9), 1, "the rest")
    Expect.equal(yield* subjects, ["d", "a"], "what is left")
    Expect.equal((yield* store.due(id, start, 9)).length, 1, "what is due")
  }),

  storageCase("events: a purge takes the oldest, and positions before what is left expire", function* () {
    const { append, feed, id, store, workspace } = yield* webhookScene("purge")
    const old = yield* append(["a", "b", "c"], { at: start - day })
    const fresh = yield* append(["d"], { at: start })
    Expect.equal(yield* feed.purge(workspace.id, start, 9), 0, "what an enabled endpoint awaits")
    const claims = yield* store.claim({ now: start, formats: [], durationMs: 1, claims: [] })
    Expect.equal(claims, [], "no claim")
    yield* store.remove(workspace.id, id)
    Expect.equal(yield* feed.purge(workspace.id, start, 2), 2, "two")
    const subjects = (events: ReadonlyArray<FeedEvent>) => events.map(({ event }) => event.subject)
    Expect.equal(subjects(yield* feed.read(workspace.id, null, 9)), ["c", "d"], "from the beginning")
    Expect.equal(subjects(yield* feed.read(workspace.id, old[1]!.position, 9)), ["c", "d"], "after the last one purged")
    const expired = yield* Effect.flip(feed.read(workspace.id, old[0]!.position, 9))
    Expect.equal(expired._tag, "CursorExpired", "after one before it")
    Expect.equal(yield* feed.purge(workspace.id, start, 9), 1, "the rest")
    Expect.equal(yield* feed.purge(workspace.id, start + day, 9), 1, "all")
    Expect.equal(yield* feed.last(workspace.id, null), null, "the end of an empty feed")
    const [next] = yield* append(["e"])
    Expect.equal(subjects(yield* feed.read(workspace.id, fresh[0]!.position, 9)), ["e"], "what came later")
    Expect.equal(yield* feed.last(workspace.id, null), next!.position, "the end")
  }),

  storageCase("events: a purge leaves what a delivery waits for", function* () {
    const { append, claim, feed, row, settle, store, workspace } = yield* webhookScene("awaited")
    const events = yield* append(["a", "b", "c"], { at: start - day })
    const claimed = yield* claim()
    const waits = row(events[1]!, { dueAt: start })
    yield* settle(claimed, { cursor: events[2]!.position, rows: [waits] })
    Expect.equal(yield* feed.purge(workspace.id, start, 9), 1, "what nobody waits for")
    const ended = { ...waits, delivery: { ...waits.delivery, status: "failed" as const, dueAt: null } }
    yield* settle(claimed, { cursor: events[2]!.position, rows: [ended] })
    Expect.equal(yield* feed.purge(workspace.id, start, 9), 2, "the rest")
    const [due] = yield* store.due(claimed.state.endpoint.id, start + day, 9)
    Expect.equal(due, undefined, "what is due")
    yield* store.redeliver(workspace.id, claimed.state.endpoint.id, waits.delivery.id, start)
    Expect.equal(dueOf(yield* store.due(claimed.state.endpoint.id, start, 9)), [null], "an event that is gone")
  }),

  storageCase("events: an endpoint that nobody serves does not hold back the feed for ever", function* () {
    const { append, feed, workspace } = yield* webhookScene("unserved")
    yield* append(["a"], { at: start - 1 })
    yield* append(["b"], { at: start })
    Expect.equal(yield* feed.purge(workspace.id, start + longestWaitMs - 1, 9), 0, "while it may still come")
    Expect.equal(yield* feed.purge(workspace.id, start + longestWaitMs, 9), 1, "what it has awaited for too long")
  }),

  storageCase("events: a scan tells how far it looked, whatever it found", function* () {
    const { append, feed, workspace } = yield* webhookScene("scan")
    const types = ["lead.sent", "message.sent", "message.sent", "lead.sent", "chat.closed"] as const
    const events: Array<FeedEvent> = []
    for (const [i, type] of types.entries()) events.push(...(yield* append([`s${i}`], { type, at: start + i })))
    const at = (index: number) => events[index]!.position
    const scan = (options: {
      readonly after?: number
      readonly until?: number
      readonly types?: ReadonlyArray<(typeof types)[number]>
      readonly limit?: number
    }) =>
      Effect.map(
        feed.scan(workspace.id, {
          after: options.after === undefined ? null : at(options.after),
          until: options.until === undefined ? null : at(options.until),
          types: options.types ?? null,
          limit: options.limit ?? 9
        }),
        (found) => ({ ...found, events: found.events.map(({ event }) => event.subject) })
      )
    const all = ["s0", "s1", "s2", "s3", "s4"]
    Expect.equal(yield* scan({}), { events: all, position: at(4), looked: 5 }, "all")
    Expect.equal(yield* scan({ limit: 2 }), { events: all.slice(0, 2), position: at(1), looked: 2 }, "two")
    Expect.equal(
      yield* scan({ types: ["chat.closed"], limit: 3 }),
      { events: [], position: at(2), looked: 3 },
      "nothing among three"
    )
    Expect.equal(
      yield* scan({ types: ["lead.sent", "chat.closed"], after: 0 }),
      { events: ["s3", "s4"], position: at(4), looked: 4 },
      "two types"
    )
    Expect.equal(yield* scan({ after: 1, until: 3 }), { events: ["s2", "s3"], position: at(3), looked: 2 }, "a part")
    Expect.equal(yield* scan({ after: 3, until: 3 }), { events: [], position: at(3), looked: 0 }, "an empty part")
    Expect.equal(yield* scan({ after: 4 }), { events: [], position: at(4), looked: 0 }, "the end")
    Expect.equal(yield* feed.last(workspace.id, start + 2), at(1), "the last before an instant")
    Expect.equal(yield* feed.last(workspace.id, start), null, "none before an instant")
    const foreign = yield* Effect.flip(feed.scan(workspace.id, { after: "x", until: null, types: null, limit: 1 }))
    Expect.equal(foreign._tag, "CursorExpired", "a position that nobody gave out")
  }),

  storageCase("deliveries: of two endpoints each has its own", function* () {
    const { append, build, claimAll, id, store, workspace, ...scene } = yield* webhookScene("two endpoints")
    const second = endpointOf(build, workspace.id)
    yield* store.create(second, 9)
    const [event] = yield* append(["a"])
    const both = yield* claimAll()
    const mine = Expect.present(
      both.find(({ state }) => state.endpoint.id === id),
      "the first"
    )
    const row = scene.row(event!, { dueAt: start })
    yield* scene.settle(mine, { rows: [row], cursor: event!.position, health: WebhookEndpoint.untried })
    const other = both.find(({ state }) => state.endpoint.id === second.endpoint.id)!
    Expect.equal(yield* store.due(second.endpoint.id, start, 9), [], "what the other is due")
    Expect.equal(yield* store.waiting(second.endpoint.id, ["a"]), new Set(), "what the other waits for")
    Expect.equal(Option.getOrThrow(yield* store.get(workspace.id, other.state.endpoint.id)).cursor, null, "its cursor")
  })
]
