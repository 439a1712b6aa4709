/** The sandbox under the engine: what its people do is in the inbox afterwards, however unreliably the platform tells of it. */
import { assert, describe, it } from "@effect/vitest"
import { Accounts } from "@overture/core/account/Accounts"
import * as Address from "@overture/core/channel/Address"
import { preview } from "@overture/core/channel/Content"
import { Chats } from "@overture/core/chat/Chats"
import { system } from "@overture/core/event/DomainEvent"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import { Driver } from "@overture/core/outbox/Driver"
import { Messages } from "@overture/core/outbox/Messages"
import * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import { day, hour } from "@overture/core/workspace/Instant"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Effect } from "effect"
import * as Sandbox from "../../../src/channels/sandbox/Sandbox.ts"
import type { ScriptInput } from "../../../src/channels/sandbox/Script.ts"

const { start } = Builders
const within = { maxMs: hour }

const script: ScriptInput = {
  echoes: true,
  receipts: { delivered: { delay: 1_000 }, read: { rate: 0.7, delay: within } },
  visitors: [{ account: "page", person: "guest", count: 40, at: start, every: 1_000, text: "Hello" }],
  replies: [
    { rate: 0.6, delay: within, text: "Yse", edit: { rate: 0.8, delay: within, text: "Yes" } },
    { rate: 0.4, delay: within, text: "Oops", deletion: { rate: 0.7, delay: within } },
    { rate: 0.4, delay: within, media: [{ url: "https://files.example/a.jpg" }], quotes: true }
  ],
  reactions: [{ rate: 0.7, delay: within, removal: { rate: 0.5, delay: within } }],
  takeovers: [{ rate: 0.3, delay: within, text: "By hand" }],
  bookings: [{ rate: 0.3, delay: within, ref: "table" }],
  lateFailures: [{ rate: 0.1, delay: within }]
}

/** What is in the inbox once everyone was answered and everything was told, but for ids and when we heard of it. */
const inboxAfter = (telling: ScriptInput["telling"]) =>
  Effect.gen(function* () {
    let now = () => start
    const sandbox = yield* Sandbox.make({
      script: { ...script, ...(telling !== undefined && { telling }) },
      clock: () => now()
    })
    const time = PacingTime.layerVirtual(start)
    const story = Effect.gen(function* () {
      const pacing = yield* PacingTime
      now = () => Effect.runSync(pacing.now)
      const workspace = Builders.make("sandbox engine").workspace()
      yield* (yield* WorkspaceStore).create(workspace)
      const input = { workspace: workspace.id, channel: "sandbox", externalId: "page", minGapMs: 0 }
      const { account } = yield* (yield* Accounts).connect(input, system)
      const { send } = yield* Messages
      for (let i = 1; i <= 40; i++) {
        yield* send(workspace.id, {
          to: { account: account.id, person: `guest-${i}` },
          content: { type: "text", text: "Welcome" },
          author: { type: "api", id: null },
          notBefore: start + 2 * day
        })
      }
      const { runUntil } = yield* Driver
      yield* runUntil(Effect.map(pacing.now, (at) => at > start + 4 * day))
      const chats = yield* Chats
      const { data } = yield* chats.list(workspace.id, {}, { limit: 100 })
      return yield* Effect.forEach(data, (chat) =>
        Effect.map(chats.messages(workspace.id, chat.id, "oldest", { limit: 100 }), (page) => ({
          person: Address.parse(chat.address).externalId,
          bookedAt: chat.bookedAt,
          lastText: chat.lastText,
          takenOverAt: chat.takenOverAt,
          messages: page.data.map(({ content, deliveredAt, details, direction, readAt, status }) => ({
            direction,
            text: preview(content),
            status,
            deliveredAt,
            readAt,
            editedAt: details?.editedAt,
            deletedAt: details?.deletedAt,
            reactions: details?.reactions?.map(({ emoji }) => emoji)
          }))
        }))
      )
    })
    return yield* Effect.provide(story, Overture.layer({ storage: MemoryStorage.layer, channels: [sandbox], time }))
  })

describe("an inbox that the sandbox fills", () => {
  it.live("has what its people did", () =>
    Effect.gen(function* () {
      const inbox = yield* inboxAfter(undefined)
      assert.lengthOf(inbox, 40)
      const messages = inbox.flatMap((chat) => chat.messages)
      const some = (what: string, holds: (message: (typeof messages)[number]) => boolean) =>
        assert.isAbove(messages.filter(holds).length, 2, what)
      some("edited", ({ editedAt, text }) => editedAt !== undefined && text === "Yes")
      some("deleted", ({ deletedAt }) => deletedAt !== undefined)
      some("reacted to", ({ direction, reactions }) => direction === "outbound" && (reactions ?? []).includes("👍"))
      some("files", ({ text }) => text === "[image]")
      some("read", ({ status }) => status === "read")
      some("failed late", ({ status, direction }) => direction === "outbound" && status === "failed")
      some("by hand", ({ direction, text }) => direction === "outbound" && text === "By hand")
      assert.isAbove(inbox.filter(({ bookedAt }) => bookedAt !== null).length, 2)
      assert.isAbove(inbox.filter(({ takenOverAt }) => takenOverAt !== null).length, 2)
    })
  )

  it.live("is the same where the platform tells late and twice", () =>
    Effect.gen(function* () {
      const late = { rate: 0.4, delay: { maxMs: day } }
      const by = (chats: Effect.Success<ReturnType<typeof inboxAfter>>) =>
        chats.toSorted((a, b) => (a.person < b.person ? -1 : 1))
      const orderly = by(yield* inboxAfter(undefined))
      const unruly = by(yield* inboxAfter({ late, twice: late }))
      assert.deepStrictEqual(unruly, orderly)
    })
  )
})
