/**
 * Characters that some databases refuse, told by a platform or given by a host: whatever they say is kept, and nothing is
 * told in vain for ever.
 */
import { assert, describe, it } from "@effect/vitest"
import { AccountGroups } from "@overture/core/account/AccountGroups"
import { Accounts } from "@overture/core/account/Accounts"
import { Campaigns } from "@overture/core/campaign/Campaigns"
import { Templates } from "@overture/core/campaign/Templates"
import type { ChannelEvent } from "@overture/core/channel/ChannelEvent"
import type { Outcome } from "@overture/core/channel/Outcome"
import { Chats } from "@overture/core/chat/Chats"
import { ChatStore } from "@overture/core/chat/ChatStore"
import { Inbox } from "@overture/core/chat/Inbox"
import { Members } from "@overture/core/chat/Members"
import { ContactImports } from "@overture/core/contact/ContactImports"
import { ContactLists } from "@overture/core/contact/ContactLists"
import { Contacts } from "@overture/core/contact/Contacts"
import { system } from "@overture/core/event/DomainEvent"
import { Jobs } from "@overture/core/job/Jobs"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import { Messages } from "@overture/core/outbox/Messages"
import { Outbox } from "@overture/core/outbox/Outbox"
import * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import * as TestChannel from "@overture/core/testing/TestChannel"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Effect, type Layer, Option, Stream } from "effect"
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
  {
    type: "messageReceived",
    ...common("8", "eve"),
    externalId: "8",
    content: { type: "text", text: `${"x".repeat(199)}👍` }
  },
  {
    type: "messageEdited",
    ...common("9", "eve"),
    externalId: "8",
    content: { type: "text", text: `${"y".repeat(199)}👍` }
  },
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
        assert.deepStrictEqual(
          yield* inbox.receive(account, [event]),
          { handled: 1, repeated: 0, undecodable: 0 },
          event.dedupeKey
        )
      }
      const received = (yield* all).filter(({ messages: [one] }) => one?.direction === "inbound")
      assert.sameDeepMembers(
        received.map(({ chat, messages: [one] }) => [chat.name, one?.content]),
        [
          [kept, { type: "text", text: `${"y".repeat(199)}👍` }],
          [kept, { type: "text", text: kept }],
          [kept, { type: "text", text: kept }]
        ]
      )
      assert.sameMembers(
        received.map(({ chat }) => chat.address),
        [`${channel.name}//ann`, `${channel.name}//eve`, `${channel.name}//${kept}`]
      )
    })
    return Effect.gen(function* () {
      const storage = yield* Effect.promise(open)
      const time = PacingTime.layerVirtual(start)
      yield* Effect.provide(body, Overture.layer({ storage, channels: [channel], time }))
    })
  })

  it.live("of a host are kept likewise, by whichever verb they come", () => {
    const channel = TestChannel.make()
    const body = Effect.gen(function* () {
      const build = Builders.make("odd hosts")
      const made = build.workspace({ name: odd, metadata: { [odd]: odd } })
      yield* (yield* WorkspaceStore).create(made)
      assert.include(Option.getOrThrow(yield* (yield* WorkspaceStore).get(made.id)), { name: kept })
      const workspace = made.id
      const { account } = yield* (yield* Accounts).connect(
        { workspace, channel: channel.name, externalId: `page ${odd}`, name: odd, externalRef: odd, metadata: { odd } },
        system
      )
      assert.deepInclude(account, {
        name: kept,
        externalRef: kept,
        externalId: `page ${kept}`,
        metadata: { odd: kept }
      })
      assert.strictEqual((yield* (yield* Accounts).find(workspace, odd)).id, account.id)

      const [contacts, lists] = [yield* Contacts, yield* ContactLists]
      const list = yield* contacts.listNamed(workspace, odd)
      assert.strictEqual((yield* lists.rename(workspace, list.id, `renamed ${odd}`)).name, `renamed ${kept}`)
      const row = { externalId: odd, name: odd, externalRef: odd, tags: [odd], attributes: { [odd]: odd } }
      const rules = { channel: channel.name, accounts: [account] }
      yield* contacts.importRows(workspace, list.id, [{ line: 1, ...row }], rules)
      yield* (yield* ContactImports).run({
        workspace,
        id: odd,
        list: list.id,
        rules,
        fingerprint: odd,
        source: Stream.make({
          rows: [{ line: 1, ...row, externalId: "streamed", externalRef: undefined }],
          rejected: []
        })
      })
      const members = (yield* lists.members(workspace, list.id, {})).data
      assert.deepStrictEqual(
        members.map(({ addresses, attributes, name, tags }) => [name, addresses[0]?.externalId, tags, attributes]),
        [
          [kept, kept, [kept], { [kept]: kept }],
          [kept, "streamed", [kept], { [kept]: kept }]
        ]
      )
      const person = members[0]!
      const consent = { channel: "*", scope: "", source: odd, evidence: odd, at: start }
      yield* contacts.recordConsent(workspace, person.id, consent, { type: "api", id: odd })

      const chats = yield* Chats
      const { chat } = yield* chats.open(workspace, { contact: person.id }, system)
      yield* chats.change(workspace, [chat.id], { type: "tag", add: [odd], remove: [] }, system)
      assert.deepStrictEqual((yield* chats.get(workspace, chat.id)).chat.tags, [kept])
      const found = yield* chats.list(workspace, { search: odd, tag: odd }, {})
      assert.deepStrictEqual(
        found.data.map(({ id }) => id),
        [chat.id]
      )
      const messages = yield* Messages
      const sent = yield* messages.send(workspace, {
        to: { chat: chat.id },
        content: { type: "text", text: odd, buttons: [{ type: "reply", title: odd, value: odd }] },
        author: { type: "api", id: odd },
        externalRef: odd,
        metadata: { odd: [odd] }
      })
      const stored = yield* messages.find(workspace, sent.id)
      assert.deepInclude(stored, { externalRef: kept, metadata: { odd: [kept] }, content: sent.content })
      assert.deepInclude(stored.content, { text: kept })
      assert.strictEqual((yield* Effect.flip(messages.find(workspace, odd)))._tag, "MessageNotFound")

      const template = yield* (yield* Templates).create(
        workspace,
        { name: odd, content: { type: "text", text: odd } },
        system
      )
      assert.deepInclude(template, { name: kept, content: { type: "text", text: kept } })
      const { member } = yield* (yield* Members).add(workspace, { name: odd, email: odd, externalRef: odd }, system)
      assert.deepInclude(member, { name: kept, email: kept })
      const { campaign } = yield* (yield* Campaigns).create(
        {
          workspace,
          name: odd,
          settings: build.settings({ steps: [build.step({ parts: 1 })] }),
          accounts: [account.id],
          externalRef: odd,
          metadata: { odd }
        },
        system
      )
      assert.deepInclude(campaign, { name: kept, externalRef: kept, metadata: { odd: kept } })
      const group = yield* (yield* AccountGroups).create({ workspace, name: odd }, system)
      assert.strictEqual(group.name, kept)
      const job = yield* Effect.flip(
        (yield* Jobs).submit({ workspace, kind: odd, input: odd, actor: system, key: odd })
      )
      assert.strictEqual(job._tag, "JobKindUnknown")
    })
    return Effect.gen(function* () {
      const storage = yield* Effect.promise(open)
      const time = PacingTime.layerVirtual(start)
      yield* Effect.provide(body, Overture.layer({ storage, channels: [channel], time }))
    })
  })
})
