import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Connections } from "../../src/account/Connections.ts"
import { Members } from "../../src/chat/Members.ts"
import { Contacts } from "../../src/contact/Contacts.ts"
import { system } from "../../src/event/DomainEvent.ts"
import type { MessageDraft } from "../../src/outbox/MessageDraft.ts"
import type { Services } from "../../src/Overture.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day, hour, minute } from "../../src/workspace/Instant.ts"
import * as Desk from "../chat/Desk.ts"

const { start } = Desk
const { text } = Builders

const desk = (body: (it: Scene) => Effect.Effect<void, unknown, Services>) => {
  const channel = TestChannel.make()
  return Effect.gen(function* () {
    const it = yield* Desk.make(channel)
    const draft = (more: object): MessageDraft =>
      ({ to: { account: it.account.id, person: "p" }, content: text("Hi"), author: Desk.api, ...more }) as MessageDraft
    const send = (more: object = {}) => it.messages.send(it.workspace, draft(more))
    yield* body({ ...it, channel, send })
  }).pipe(Effect.provide(Desk.engine(channel)))
}

type Scene = Effect.Success<ReturnType<typeof Desk.make>> & {
  readonly channel: TestChannel.TestChannel
  readonly send: (more?: object) => ReturnType<Scene["messages"]["send"]>
}

const refused = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) => ("field" in error ? `${error._tag} ${String(error.field)}` : error._tag))

const all = (it: Scene) => Effect.map(it.messages.list(it.workspace, {}, {}), ({ data }) => data)

const nonsense: ReadonlyArray<readonly [field: string, draft: object]> = [
  ["notBefore", { notBefore: NaN }],
  ["notBefore", { notBefore: start * 1e6 }],
  ["notBefore", { notBefore: 1.5 }],
  ["notBefore", { notBefore: 1e300 }],
  ["content.type", { content: { type: "nonsense" } }],
  ["content.text", { content: { type: "text", text: 5 } }],
  ["content.text", { content: { type: "text", text: "" } }],
  ["content.text", { content: { type: "text", text: " \n\t" } }],
  ["content.url", { content: { type: "media", kind: "image", url: "" } }],
  ["metadata", { metadata: "words" }],
  ["metadata", { metadata: ["words"] }],
  ["author.type", { author: { type: "system", id: "optOutReply" } }],
  ["author.type", { author: { type: "contact", id: "x" } }],
  ["author.type", { author: { type: "campaign", id: null } }],
  ["author.id", { author: { type: "member", id: "ann" } }],
  ["author.id", { author: { type: "api", id: 5 } }],
  ["to", { to: {} }],
  ["to.chat", { to: { chat: 5 } }],
  ["to.chat", { to: { chat: "chat" } }],
  ["replyTo", { replyTo: "" }],
  ["externalRef", { externalRef: "" }],
  ["takeOver", { takeOver: "yes" }],
  ["key", { key: "" }],
  ["colour", { colour: "blue" }]
]

describe("a draft that is none", () => {
  it.effect("is told what was expected, and what came", () =>
    desk((it) =>
      Effect.gen(function* () {
        const said = (draft: object) => Effect.map(Effect.flip(it.send(draft)), ({ message }) => message)
        assert.match(yield* said({ notBefore: NaN }), /^notBefore: expected an instant .*, got NaN$/)
        assert.strictEqual(yield* said({ metadata: "words" }), 'metadata: expected an object, got "words"')
        assert.strictEqual(
          yield* said({ author: {} }),
          'author: expected an object whose type is "member" or "api", got {}'
        )
      })
    )
  )

  it.effect.each(nonsense)("%s: is refused by that field, and nothing is written", ([field, draft]) =>
    desk((it) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* refused(it.send(draft)), `SendRefused ${field}`)
        assert.deepStrictEqual(yield* all(it), [])
      })
    )
  )

  it.effect("has no author but members and the API: nobody writes in spite of an opt-out as the system", () =>
    desk((it) =>
      Effect.gen(function* () {
        yield* it.says("p", "hello")
        const author = { type: "system", id: "optOutReply" }
        assert.strictEqual(yield* refused(it.send({ author, notBefore: start + minute })), "SendRefused author.type")
        yield* it.says("p", "STOP")
        yield* it.run(start + hour)
        assert.deepStrictEqual(it.channel.asked, [])
      })
    )
  )
})

describe("a message into a chat of a removed account", () => {
  it.effect("is refused, by chat and by person; once the account is back it goes", () =>
    desk((it) =>
      Effect.gen(function* () {
        yield* it.says("p", "hello")
        const connections = yield* Connections
        yield* connections.remove(it.workspace, it.account.id, system)
        assert.strictEqual(yield* refused(it.send()), "AccountNotFound")
        assert.strictEqual(yield* refused(it.send({ to: { chat: it.chatOf("p") } })), "AccountNotFound")
        const open = it.chats.open(it.workspace, { account: it.account.id, person: "q" }, Desk.api)
        assert.strictEqual(yield* refused(open), "AccountNotFound")
        yield* it.connect("page")
        yield* it.send({ to: { chat: it.chatOf("p") } })
        yield* it.run(start + minute)
        assert.strictEqual(it.channel.asked.length, 1)
      })
    )
  )
})

describe("a disabled member", () => {
  it.effect("is told so who writes, and whoever gives them a chat", () =>
    desk((it) =>
      Effect.gen(function* () {
        yield* it.says("p", "hello")
        const ann = yield* it.member("ann")
        yield* Effect.flatMap(Members, ({ change }) => change(it.workspace, ann, { status: "disabled" }, Desk.api))
        assert.strictEqual(yield* refused(it.send({ author: { type: "member", id: ann } })), "MemberDisabled")
        const assign = (member: typeof ann) =>
          it.chats.change(it.workspace, [it.chatOf("p")], { type: "assign", member }, Desk.api)
        assert.strictEqual(yield* refused(assign(ann)), "MemberDisabled")
        assert.strictEqual(yield* refused(assign(it.build.ids.next("mbr"))), "MemberNotFound")
      })
    )
  )
})

describe("a message with a key", () => {
  it.effect("is one, however often it is sent and whatever it became meanwhile", () =>
    desk((it) =>
      Effect.gen(function* () {
        const once = { key: "order 1", externalRef: "1" }
        const sent = yield* it.send(once)
        assert.strictEqual((yield* it.send({ ...once, metadata: undefined })).id, sent.id)
        yield* it.run(start + minute)
        yield* it.says("p", "STOP")
        const again = yield* it.send(once)
        assert.deepStrictEqual([again.id, again.status], [sent.id, "sent"])
        yield* it.run(start + hour)
        assert.strictEqual(it.channel.asked.length, 1)
        assert.strictEqual((yield* it.told(sent.id)).filter(({ type }) => type === "message.queued").length, 1)
        assert.strictEqual(yield* refused(it.send({ ...once, key: "order 2" })), "SendRefused to")
      })
    )
  )

  it.effect("is one of two that come at the same time", () =>
    desk((it) =>
      Effect.gen(function* () {
        const sends = Array.from({ length: 8 }, () => it.send({ key: "k", author: Desk.api }))
        const sent = yield* Effect.all(sends, { concurrency: "unbounded" })
        assert.strictEqual(new Set(sent.map(({ id }) => id)).size, 1)
        assert.strictEqual((yield* all(it)).length, 1)
      })
    )
  )

  it.effect("says nothing else, and is free where it was refused, after a day, and in another workspace", () =>
    desk((it) =>
      Effect.gen(function* () {
        const other = { key: "k", content: text("Something else") }
        assert.strictEqual(
          yield* refused(it.send({ key: "k", content: text("x".repeat(1_001)) })),
          "SendRefused content"
        )
        yield* it.send({ key: "k" })
        assert.strictEqual(yield* refused(it.send(other)), "SendRefused key")
        assert.strictEqual((yield* all(it)).length, 1)
        yield* it.wait(day)
        yield* it.send(other)
        assert.strictEqual((yield* all(it)).length, 2)
      })
    )
  )

  it.effect("is forgotten with its person", () =>
    desk((it) =>
      Effect.gen(function* () {
        yield* it.says("p", "hello")
        const sent = yield* it.send({ key: "k" })
        const { contact } = sent
        yield* Effect.flatMap(Contacts, ({ remove }) => remove(it.workspace, contact!, Desk.api))
        assert.notStrictEqual((yield* it.send({ key: "k" })).id, sent.id)
      })
    )
  )
})
