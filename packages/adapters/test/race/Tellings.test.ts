/**
 * Two engines on one PostgreSQL that are told of the same chats at the same time: each finds messages that the other is
 * recording, and comes to need them late. Nobody waits in a circle, and nothing that was told is lost.
 */
import { Workspaces } from "@overture/core/account/Workspaces"
import type { ChannelEvent } from "@overture/core/channel/ChannelEvent"
import * as Content from "@overture/core/channel/Content"
import { Chats } from "@overture/core/chat/Chats"
import { ChatStore } from "@overture/core/chat/ChatStore"
import { Inbox } from "@overture/core/chat/Inbox"
import { system } from "@overture/core/event/DomainEvent"
import { EventStore } from "@overture/core/event/EventStore"
import { Messages } from "@overture/core/outbox/Messages"
import { Outbox } from "@overture/core/outbox/Outbox"
import * as Builders from "@overture/core/testing/Builders"
import { Transaction } from "@overture/core/workspace/Transaction"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect } from "effect"
import * as TwoEngines from "./TwoEngines.ts"

const people = Array.from({ length: 8 }, (_, i) => `p${i}`)
const messages = Array.from({ length: 24 }, (_, i) => i)
const batchSize = 12

/** What is told of each message, at about the same time: that it came, what it says now, and what somebody thinks of it. */
const told = (person: string, i: number): ReadonlyArray<ChannelEvent> => {
  const of = { participant: { externalId: person, scope: "", name: person }, externalId: `${person}-${i}` }
  const at = Builders.start + i * 1_000
  return [
    { ...of, type: "messageReceived", dedupeKey: `${person}-${i}`, at, content: Builders.text("Hello") },
    { ...of, type: "messageEdited", dedupeKey: `${person}-${i}e`, at: at + 1, content: Builders.text(`Edited ${i}`) },
    { ...of, type: "reactionAdded", dedupeKey: `${person}-${i}r`, at: at + 2, emoji: "👍", fromUs: false }
  ]
}

/** In about their order, so that batches beside each other tell of the same messages; each begins with other people. */
const batches = (): ReadonlyArray<ReadonlyArray<ChannelEvent>> => {
  const each = messages.flatMap((i) =>
    [0, 1, 2].flatMap((n) => people.map((person) => ({ rank: 3 * i + 5 * n, event: told(person, i)[n]! })))
  )
  const events = each.sort((a, b) => a.rank - b.rank).map(({ event }) => event)
  return Array.from({ length: Math.ceil(events.length / batchSize) }, (_, i) => {
    const own = events.slice(i * batchSize, (i + 1) * batchSize)
    return i % 2 === 0 ? own : own.toReversed()
  })
}

describe("a race of tellings", () => {
  it.live(
    "on one PostgreSQL ends no batch as the victim of another",
    () =>
      Effect.gen(function* () {
        const database = yield* Effect.scoped(
          Effect.gen(function* () {
            const { account: sender, engines, url, workspace } = yield* TwoEngines.open
            const taken = yield* Effect.forEach(
              batches(),
              (batch, i) =>
                Effect.provideContext(
                  Effect.flatMap(Inbox, ({ receive }) => receive(sender, batch)),
                  engines[i % 2]!
                ),
              { concurrency: 6 }
            )
            const handled = taken.reduce((sum, one) => sum + one.handled, 0)
            assert.strictEqual(handled, people.length * messages.length * 3)
            const kept = Effect.gen(function* () {
              const store = yield* ChatStore
              const { data } = yield* (yield* Chats).list(workspace.id, {}, { limit: 100 })
              return yield* store.held(
                workspace.id,
                data.map(({ id }) => id)
              )
            })
            const held = yield* Effect.provideContext(kept, engines[0])
            assert.strictEqual(held.notices.length, 0)
            assert.strictEqual(held.messages.length, people.length * messages.length)
            for (const { content, details, externalId } of held.messages) {
              assert.strictEqual(Content.preview(content), `Edited ${externalId?.split("-")[1]}`)
              assert.strictEqual(details?.reactions?.length, 1)
            }
            return url
          })
        )
        assert.strictEqual(yield* TwoEngines.deadlocks(database), 0)
      }),
    60_000
  )

  it.live("are told in the order in which they were kept, also by a transaction that began before", () =>
    Effect.gen(function* () {
      const { account: sender, channel, engines, workspace } = yield* TwoEngines.open
      const [one, two] = engines
      const began = yield* Deferred.make<void>()
      const sent = yield* Deferred.make<void>()
      const hearing = Effect.gen(function* () {
        const { within } = yield* Transaction
        const hears = Effect.gen(function* () {
          yield* (yield* Workspaces).change(workspace.id, { name: "Beside it" }, system)
          yield* Deferred.succeed(began, undefined)
          yield* Deferred.await(sent)
          const [{ key, to } = assert.fail("nothing was sent")] = channel.asked
          const of = { participant: { externalId: to, scope: "" }, externalId: `x-${key}` }
          const event = { type: "messageDelivered" as const, dedupeKey: "d", at: yield* Clock.currentTimeMillis, ...of }
          yield* (yield* Inbox).receive(sender, [event])
        })
        yield* within(hears)
      })
      const sending = Effect.gen(function* () {
        yield* Deferred.await(began)
        const to = { account: sender.id, person: "p" }
        const author = { type: "api", id: null } as const
        yield* (yield* Messages).send(workspace.id, { to, content: Builders.text("Hello"), author })
        yield* (yield* Outbox).tick
        yield* Deferred.succeed(sent, undefined)
      })
      yield* Effect.all([Effect.provideContext(hearing, two), Effect.provideContext(sending, one)], { concurrency: 2 })
      const feed = Effect.flatMap(EventStore, ({ read }) => read(workspace.id, null, 1_000))
      const types = (yield* Effect.provideContext(feed, one)).map(({ event }) => event.type)
      assert.deepStrictEqual(
        types.filter((type) => type.startsWith("message.")),
        ["message.queued", "message.sent", "message.delivered"]
      )
    }).pipe(Effect.scoped)
  )
})
