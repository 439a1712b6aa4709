/** Queued messages over memory, a worker that was lost with them, and how to see what became of them. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { AccountStore } from "../../src/account/AccountStore.ts"
import { ChatStore } from "../../src/chat/ChatStore.ts"
import type { Message } from "../../src/chat/Message.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import * as Overture from "../../src/Overture.ts"
import { defaults } from "../../src/outbox/OutboxConfig.ts"
import { OutboxStore, type QueuedDecision } from "../../src/outbox/OutboxStore.ts"
import * as Builders from "../../src/testing/Builders.ts"
import type * as TestChannel from "../../src/testing/TestChannel.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"

const { start } = Builders

/** A workspace with one account and `count` queued messages of a member to as many people. */
export const queued = (count: number, overrides: Partial<Message> = {}) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(start)
    const build = Builders.make("outbox")
    const workspace = build.workspace()
    const account = build.account(workspace.id)
    yield* (yield* WorkspaceStore).create(workspace)
    yield* (yield* AccountStore).connect(account, [])
    const contacts = Array.from({ length: count }, () => build.contact(workspace.id))
    yield* (yield* ContactStore).import(workspace.id, contacts, null)
    const messages = contacts.map((contact) => build.message(account, contact, overrides))
    const openings = contacts.map((contact) => build.opening(account, contact))
    yield* (yield* OutboxStore).enqueue(messages, openings, [])
    const chats = yield* ChatStore
    const rows = Effect.map(
      Effect.forEach(messages, ({ chat }) => chats.messages(workspace.id, chat, {})),
      (pages) => pages.flatMap(({ data }) => data)
    )
    return { workspace, account, messages, rows, build }
  })

const all = (candidates: ReadonlyArray<{ readonly message: Message }>): QueuedDecision => ({
  take: candidates.map(({ message }) => ({ id: message.id, reserved: null })),
  defer: [],
  cancel: [],
  events: [],
  accounts: [],
  workspaces: []
})

/** What a worker did that was lost: claimed everything, and began the first `begun` messages. */
export const lostWorker = (begun: number) =>
  Effect.gen(function* () {
    const store = yield* OutboxStore
    const found = yield* store.claimQueued({
      now: start,
      limit: 100,
      lease: { claim: Builders.ids("lost").next("clm"), worker: "lost", durationMs: defaults.leaseMs },
      decide: all
    })
    const claim = found?.claim
    assert.isDefined(claim)
    assert.isNotNull(claim)
    yield* store.begin(
      claim.id,
      claim.messages.slice(0, begun).map(({ message }) => message.id),
      start
    )
    return claim
  })

export const engine = (channel: TestChannel.TestChannel, options: Partial<typeof defaults> = {}) =>
  Overture.layer({ storage: MemoryStorage.layer, channels: [channel], outbox: options })

/** Lets other fibers go on until the channel was asked that often. */
export const asked = (channel: TestChannel.TestChannel, count: number) =>
  Effect.yieldNow.pipe(
    Effect.repeat({ until: () => channel.asked.length >= count }),
    Effect.andThen(TestClock.adjust(0))
  )

export const statuses = (rows: ReadonlyArray<Message>) =>
  rows.map(({ reason, status }) => (reason === null ? status : `${status}: ${reason}`)).sort()
