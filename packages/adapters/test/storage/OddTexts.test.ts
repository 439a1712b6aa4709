/** Characters that some databases refuse, told by a platform: whatever it tells is kept, and nothing is told in vain for ever. */
import { assert, describe, it } from "@effect/vitest"
import { Accounts } from "@overture/core/account/Accounts"
import type { ChannelEvent } from "@overture/core/channel/ChannelEvent"
import type { Outcome } from "@overture/core/channel/Outcome"
import { ChatStore } from "@overture/core/chat/ChatStore"
import { Inbox } from "@overture/core/chat/Inbox"
import { system } from "@overture/core/event/DomainEvent"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import { Messages } from "@overture/core/outbox/Messages"
import { Outbox } from "@overture/core/outbox/Outbox"
import * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import * as TestChannel from "@overture/core/testing/TestChannel"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Effect, type Layer } from "effect"
import * as PostgresStorage from "../../src/storage/PostgresStorage.ts"
import * as SqliteStorage from "../../src/storage/SqliteStorage.ts"
import { freshDatabase } from "./TestPostgres.ts"

type Storage = Layer.Layer<Overture.StoragePorts, unknown>

const storages: ReadonlyArray<readonly [string, () => Promise<Storage>]> = [
  ["memory", async () => MemoryStorage.layer],
  ["SQLite", async () => SqliteStorage.layer({ path: ":memory:" })],
  ["PostgreSQL", async () => PostgresStorage.layer({ url: await freshDatabase() })]
]

/** A NUL, and an emoji that was cut in two. */
const odd = "a\u0000b\ud83d"
const kept = "ab\ufffd"

const { start } = Builders
const common = (key: string, externalId = "ann") => ({
  dedupeKey: `${key}${odd}`,
  at: start,
  participant: { scope: "", externalId, name: odd }
})

const events: ReadonlyArray<ChannelEvent> = [
  {
    type: "messageReceived",
    ...common("1"),
    externalId: odd,
    content: { type: "text", text: odd },
    raw: { [odd]: odd }
  },
  { type: "messageReceived", ...common("2", odd), externalId: "2", content: { type: "text", text: odd }, button: odd },
  { type: "reactionAdded", ...common("3"), externalId: odd, emoji: odd, fromUs: false },
  { type: "reactionAdded", ...common("4"), externalId: `not here yet ${odd}`, emoji: odd, fromUs: false },
  { type: "messageFailed", ...common("5"), externalId: "nor this", code: odd, detail: odd },
  { type: "booked", ...common("6"), ref: odd },
  { type: "accountTroubled", ...common("7"), reason: "challenge", detail: odd }
]

describe.each(storages)("odd texts on %s", (_, open) => {
  it.live("of a platform are kept, as far as they are characters", () => {
    const answer: Outcome = { type: "transient", code: odd, detail: odd }
    const channel = TestChannel.make({ answer: (_, count) => (count === 1 ? answer : undefined) })
    const body = Effect.gen(function* () {
      const workspace = Builders.make("odd texts").workspace()
      yield* (yield* WorkspaceStore).create(workspace)
      const input = { workspace: workspace.id, channel: channel.name, externalId: "page" }
      const { account } = yield* (yield* Accounts).connect(input, system)
      const inbox = yield* Inbox
      const chats = yield* ChatStore
      const messages = yield* Messages
      const all = Effect.gen(function* () {
        const { data } = yield* chats.list(workspace.id, {})
        return yield* Effect.forEach(data, (chat) =>
          Effect.map(chats.messages(workspace.id, chat.id, {}), (page) => ({ chat, messages: page.data }))
        )
      })

      const sent = yield* messages.send(workspace.id, {
        to: { account: account.id, person: "ben" },
        content: { type: "text", text: "Hello" },
        author: { type: "api", id: null }
      })
      yield* (yield* Outbox).tick
      const [first] = yield* all
      assert.include(first?.messages[0], { id: sent.id, errorCode: kept, errorDetail: kept })

      for (const event of events) {
        assert.deepStrictEqual(yield* inbox.receive(account, [event]), { handled: 1, repeated: 0 }, event.dedupeKey)
      }
      const received = (yield* all).filter(({ messages: [one] }) => one?.direction === "inbound")
      assert.deepStrictEqual(
        received.map(({ chat, messages: [one] }) => [chat.name, one?.content]),
        [
          [kept, { type: "text", text: kept }],
          [kept, { type: "text", text: kept }]
        ]
      )
      assert.sameMembers(
        received.map(({ chat }) => chat.address),
        [`${channel.name}//ann`, `${channel.name}//${kept}`]
      )
    })
    return Effect.gen(function* () {
      const storage = yield* Effect.promise(open)
      const time = PacingTime.layerVirtual(start)
      yield* Effect.provide(body, Overture.layer({ storage, channels: [channel], time }))
    })
  })
})
