import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { AccountGroups } from "../../src/account/AccountGroups.ts"
import { Accounts } from "../../src/account/Accounts.ts"
import { Templates } from "../../src/campaign/Templates.ts"
import type { ChatChange } from "../../src/chat/ChatChange.ts"
import { Members } from "../../src/chat/Members.ts"
import type { Consent } from "../../src/contact/Contact.ts"
import { Contacts } from "../../src/contact/Contacts.ts"
import type { Services } from "../../src/Overture.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import * as Desk from "./Desk.ts"

const { api, start } = Desk

type Scene = Effect.Success<ReturnType<typeof Desk.make>>

const desk = (body: (it: Scene) => Effect.Effect<void, unknown, Services>) => {
  const channel = TestChannel.make()
  return Effect.flatMap(Desk.make(channel), body).pipe(Effect.provide(Desk.engine(channel)))
}

const refused = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) => ("field" in error ? `${error._tag} ${String(error.field)}` : error._tag))

const letters = "x".repeat(65)
const many = Array.from({ length: 51 }, (_, i) => `tag ${i}`)

describe("a change of chats that is none", () => {
  it.effect.each<readonly [string, object]>([
    ["add[0]", { type: "tag", add: [letters], remove: [] }],
    ["add[0]", { type: "tag", add: [""], remove: [] }],
    ["add[1]", { type: "tag", add: ["a", 5], remove: [] }],
    ["add", { type: "tag", add: many, remove: [] }],
    ["remove", { type: "tag", add: ["a"] }],
    ["remove[0]", { type: "tag", add: [], remove: [letters] }],
    ["member", { type: "assign", member: "ann" }],
    ["pinned", { type: "pin", pinned: 1 }],
    ["type", { type: "explode" }]
  ])("%s: is refused by that field", ([field, change]) =>
    desk((it) =>
      Effect.gen(function* () {
        yield* it.says("p", "hello")
        const chat = it.chatOf("p")
        const { chat: before } = yield* it.chats.get(it.workspace, chat)
        const changed = it.chats.change(it.workspace, [chat], change as ChatChange, api)
        assert.strictEqual(yield* refused(changed), `InvalidChatChange ${field}`)
        assert.deepStrictEqual((yield* it.chats.get(it.workspace, chat)).chat, before)
      })
    )
  )

  it.effect("is no position of a reader, either", () =>
    desk((it) =>
      Effect.gen(function* () {
        yield* it.says("p", "hello")
        const read = (upTo: number) => it.chats.read(it.workspace, [it.chatOf("p")], { upTo }, api)
        for (const upTo of [NaN, start * 1e6, 0.5]) {
          assert.strictEqual(yield* refused(read(upTo)), "InvalidChatChange upTo")
        }
        assert.strictEqual((yield* read(start)).length, 1)
      })
    )
  )

  it.effect("nor a party to begin a chat with", () =>
    desk((it) =>
      Effect.gen(function* () {
        const open = (party: object) => it.chats.open(it.workspace, party as { chat: never }, api)
        assert.strictEqual(yield* refused(open({})), "PartyInvalid ")
        assert.strictEqual(yield* refused(open({ chat: 5 })), "PartyInvalid chat")
        assert.strictEqual(yield* refused(open({ account: it.account.id, person: 5 })), "PartyInvalid person")
      })
    )
  )
})

describe("a member that is none", () => {
  it.effect("is refused by its field, new or changed", () =>
    desk((it) =>
      Effect.gen(function* () {
        const { add, change, list } = yield* Members
        const ann = yield* it.member("ann")
        for (const [field, member] of [
          ["name", { name: "" }],
          ["name", {}],
          ["role", { name: "Mia", role: "king" }],
          ["email", { name: "Mia", email: 5 }],
          ["externalRef", { name: "Mia", externalRef: "" }],
          ["age", { name: "Mia", age: 5 }]
        ] as const) {
          assert.strictEqual(yield* refused(add(it.workspace, member as never, api)), `InvalidMember ${field}`)
        }
        for (const [field, wish] of [
          ["name", { name: "" }],
          ["role", { role: "king" }],
          ["status", { status: "asleep" }]
        ] as const) {
          assert.strictEqual(yield* refused(change(it.workspace, ann, wish as never, api)), `InvalidMember ${field}`)
        }
        assert.deepStrictEqual(
          (yield* list(it.workspace, {})).data.map(({ name, role, status }) => [name, role, status]),
          [["ann", "agent", "active"]]
        )
      })
    )
  )
})

describe("a consent that is none", () => {
  it.effect("is refused by its field, given or taken back", () =>
    desk((it) =>
      Effect.gen(function* () {
        yield* it.says("p", "hello")
        const { export: all, recordConsent, withdrawConsent } = yield* Contacts
        const contact = (yield* it.chats.get(it.workspace, it.chatOf("p"))).chat.contact!
        const given = { channel: "sandbox", scope: "", source: "form", at: start }
        for (const [field, consent] of [
          ["at", { ...given, at: NaN }],
          ["at", { ...given, at: start * 1e6 }],
          ["expiresAt", { ...given, expiresAt: Infinity }],
          ["source", { ...given, source: "" }],
          ["scope", { channel: "sandbox", source: "form", at: start }],
          ["channel", { ...given, channel: "" }]
        ] as const) {
          const record = recordConsent(it.workspace, contact, consent as Consent, api)
          assert.strictEqual(yield* refused(record), `InvalidConsent ${field}`)
        }
        const withdraw = (channel: string, at: number) =>
          withdrawConsent(it.workspace, contact, channel, { at, source: "form" }, api)
        assert.strictEqual(yield* refused(withdraw("sandbox", NaN)), "InvalidConsent at")
        assert.strictEqual(yield* refused(withdraw("", start)), "InvalidConsent channel")
        assert.deepStrictEqual((yield* all(it.workspace, contact)).contact.consents, [])
        yield* recordConsent(it.workspace, contact, { ...given, channel: "*" }, api)
        yield* withdraw("*", start + 1)
      })
    )
  )
})

describe("a workspace that does not exist", () => {
  it.effect("gets no account, group, member or template", () =>
    desk((it) =>
      Effect.gen(function* () {
        const workspace = it.build.ids.next("wsp")
        const accounts = yield* Accounts
        const connect = accounts.connect({ workspace, channel: "sandbox", externalId: "q" }, api)
        const group = (yield* AccountGroups).create({ workspace, name: "g" }, api)
        const member = (yield* Members).add(workspace, { name: "Mia" }, api)
        const template = (yield* Templates).create(workspace, { content: { type: "text", text: "Hi" } }, api)
        for (const made of [connect, group, member, template]) {
          assert.strictEqual(yield* refused<unknown, { readonly _tag: string }, Services>(made), "WorkspaceNotFound")
        }
        assert.deepStrictEqual((yield* accounts.list(workspace, {}, {})).data, [])
      })
    )
  )
})
