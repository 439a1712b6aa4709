import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Content } from "../../src/channel/Content.ts"
import type { Outcome } from "../../src/channel/Outcome.ts"
import type { Services } from "../../src/Overture.ts"
import { Templates } from "../../src/campaign/Templates.ts"
import { ChatStore } from "../../src/chat/ChatStore.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import type { MessageDraft } from "../../src/outbox/MessageDraft.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import type { MemberId } from "../../src/workspace/Id.ts"
import { day, hour, minute } from "../../src/workspace/Instant.ts"
import * as Desk from "../chat/Desk.ts"

const { api, start } = Desk
const { text } = Builders

const byApi = { type: "api", id: "key" } as const
const by = (id: MemberId) => ({ type: "member", id }) as const

/** The chats of a desk, and a draft to one of its people. */
const desk = (options: TestChannel.Options, body: (it: Scene) => Effect.Effect<void, unknown, Services>) => {
  const channel = TestChannel.make(options)
  return Effect.gen(function* () {
    const it = yield* Desk.make(channel)
    const ann = yield* it.member("ann")
    const draft = (more: Partial<MessageDraft> = {}): MessageDraft => ({
      to: { account: it.account.id, person: "p" },
      content: text("Hi"),
      author: by(ann),
      ...more
    })
    const send = (more: Partial<MessageDraft> = {}) => it.messages.send(it.workspace, draft(more))
    const refused = (more: Partial<MessageDraft>) =>
      Effect.map(Effect.flip(send(more)), (error) =>
        error._tag === "SendRefused" ? `${error.field} ${error.reason}` : error._tag
      )
    yield* body({ ...it, ann, channel, send, refused })
  }).pipe(Effect.provide(Desk.engine(channel)))
}

type Scene = Effect.Success<ReturnType<typeof Desk.make>> & {
  readonly ann: MemberId
  readonly channel: TestChannel.TestChannel
  readonly send: (more?: Partial<MessageDraft>) => ReturnType<Scene["messages"]["send"]>
  readonly refused: (more: Partial<MessageDraft>) => Effect.Effect<string, unknown>
}

const statusOf = (it: Scene, id: Parameters<Scene["messages"]["find"]>[1]) =>
  Effect.map(it.messages.find(it.workspace, id), ({ reason, status }) => [status, reason])

describe("a member's message", () => {
  it.effect("goes out by the queue, and takes the chat over once", () =>
    desk({}, (it) =>
      Effect.gen(function* () {
        const message = yield* it.send()
        assert.deepStrictEqual([message.status, message.author], ["queued", by(it.ann)])
        yield* it.run(start + minute)
        assert.deepStrictEqual(
          it.channel.asked.map(({ text, to }) => [text, to]),
          [["Hi", "p"]]
        )
        yield* it.send({ to: { chat: message.chat }, content: text("And?") })
        const { chat } = yield* it.chats.get(it.workspace, message.chat)
        assert.strictEqual(chat.takenOverAt, start)
        const told = yield* it.told(message.chat)
        assert.deepStrictEqual(
          told.map(({ data, type }) => [type, data["by"] ?? null]),
          [
            ["chat.created", null],
            ["chat.taken_over", "member"]
          ]
        )
      })
    )
  )

  it.effect("waits until it may go, and answers a message of the same chat", () =>
    desk({}, (it) =>
      Effect.gen(function* () {
        yield* it.says("p", "Question?")
        yield* it.says("q", "Another")
        const chat = it.chatOf("p")
        const [asked] = (yield* it.chats.messages(it.workspace, chat, "newest", {})).data
        const later = yield* it.send({ to: { chat }, replyTo: asked!.id, notBefore: start + hour })
        yield* it.run(start + hour - 1)
        assert.strictEqual(it.channel.asked.length, 0)
        yield* it.run(start + hour + minute)
        assert.deepStrictEqual(
          it.channel.asked.map(({ replyTo }) => replyTo),
          [asked!.externalId ?? undefined]
        )
        assert.strictEqual(later.replyTo, asked!.externalId)
        assert.strictEqual(
          yield* it.refused({ to: { chat: it.chatOf("q") }, replyTo: asked!.id }),
          "replyTo messageNotFound"
        )
      })
    )
  )

  it.effect("must be of a member who may write", () =>
    desk({}, (it) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* it.refused({ author: by(it.build.ids.next("mbr")) }), "MemberNotFound")
        assert.strictEqual(yield* it.refused({ takeOver: true }), "author unsupported")
      })
    )
  )
})

describe("a message of the API", () => {
  it.effect("takes a chat over only when it is to", () =>
    desk({}, (it) =>
      Effect.gen(function* () {
        const { chat } = yield* it.send({ author: byApi })
        const takenOverAt = Effect.map(it.chats.get(it.workspace, chat), (view) => view.chat.takenOverAt)
        assert.isNull(yield* takenOverAt)
        yield* it.send({ author: byApi, takeOver: true })
        assert.strictEqual(yield* takenOverAt, start)
        yield* it.chats.change(it.workspace, [chat], { type: "resume" }, api)
        assert.isNull(yield* takenOverAt)
      })
    )
  )
})

describe("what cannot be sent is refused, and the field named", () => {
  const media: Content = { type: "media", kind: "video", url: "https://example.com/v.mp4" }
  const template: Content = { type: "approvedTemplate", name: "hi", language: "en" }

  it.effect("what the channel cannot do", () =>
    desk(
      {
        capabilities: { media: [], replies: false, privateReplies: false, text: { maxLength: 5, unit: "characters" } }
      },
      (it) =>
        Effect.gen(function* () {
          assert.strictEqual(yield* it.refused({ content: media }), "content unsupported")
          assert.strictEqual(yield* it.refused({ content: text("too long") }), "content unsupported")
          assert.strictEqual(yield* it.refused({ content: { type: "preContact" } }), "content unsupported")
          assert.strictEqual(yield* it.refused({ replyTo: "x" }), "replyTo unsupported")
          assert.strictEqual(yield* it.refused({ comment: "c" }), "comment unsupported")
          assert.deepStrictEqual((yield* it.messages.list(it.workspace, {}, {})).data, [])
          assert.deepStrictEqual((yield* it.chats.list(it.workspace, {}, {})).data, [])
        })
    )
  )

  it.effect("what the platform's policy forbids before the person wrote", () =>
    desk({ policy: { personWritesFirst: true } }, (it) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* it.refused({}), "to policy")
        yield* it.says("p", "hello")
        yield* it.send({})
      })
    )
  )

  it.effect("what a closed window forbids, unless the platform approved it; a member's is longer", () =>
    desk({ policy: { replyWindow: { automatedMs: hour, humanMs: day } } }, (it) =>
      Effect.gen(function* () {
        yield* it.says("p", "hello")
        yield* it.send({ author: byApi })
        assert.strictEqual(yield* it.refused({ author: byApi, notBefore: start + hour }), "content replyWindowClosed")
        yield* it.wait(2 * hour)
        assert.strictEqual(yield* it.refused({ author: byApi }), "content replyWindowClosed")
        yield* it.send({ author: byApi, content: template })
        yield* it.send({})
        yield* it.wait(day)
        assert.strictEqual(yield* it.refused({}), "content replyWindowClosed")
      })
    )
  )

  it.effect("a person who asked for no more: the API never, a member inside the window, and marked", () =>
    desk({ policy: { replyWindow: { automatedMs: hour, humanMs: hour } } }, (it) =>
      Effect.gen(function* () {
        yield* it.says("p", "stop")
        assert.strictEqual(yield* it.refused({ author: byApi }), "to suppressed")
        const message = yield* it.send({})
        assert.strictEqual(message.details?.optedOut, true)
        yield* it.run(start + minute)
        assert.deepStrictEqual(yield* statusOf(it, message.id), ["sent", null])
        yield* it.wait(hour)
        assert.strictEqual(yield* it.refused({}), "to suppressed")
      })
    )
  )
})

describe("cancelling and trying again", () => {
  it.effect("only what is queued is cancelled", () =>
    desk({}, (it) =>
      Effect.gen(function* () {
        const later = yield* it.send({ notBefore: start + hour })
        const now = yield* it.send({})
        yield* it.run(start + minute)
        yield* it.messages.cancel(it.workspace, later.id, api)
        assert.deepStrictEqual(yield* statusOf(it, later.id), ["cancelled", "cancelled"])
        const sent = yield* Effect.flip(it.messages.cancel(it.workspace, now.id, api))
        assert.match(sent.message, /is sent: only what is queued/)
        const nobody = yield* Effect.flip(it.messages.cancel(it.workspace, it.build.ids.next("msg"), api))
        assert.strictEqual(nobody._tag, "MessageNotFound")
        yield* it.run(start + 2 * hour)
        assert.strictEqual(it.channel.asked.length, 1)
        const types = (yield* it.told(later.id)).map(({ type }) => type)
        assert.deepStrictEqual(types, ["message.queued", "message.cancelled"])
      })
    )
  )

  it.effect("what failed goes again; what may have gone out only where somebody says that it did not", () => {
    const outcomes: Array<Outcome> = [
      { type: "contentRejected", detail: "no" },
      { type: "accepted", externalId: "a" },
      { type: "outcomeUnknown" },
      { type: "accepted", externalId: "b" }
    ]
    return desk({ answer: () => outcomes.shift() }, (it) =>
      Effect.gen(function* () {
        const first = yield* it.send({})
        yield* it.run(start + minute)
        assert.deepStrictEqual(yield* statusOf(it, first.id), ["failed", "contentRejected"])
        yield* it.messages.retry(it.workspace, first.id, false, api)
        yield* it.run(start + 2 * minute)
        assert.deepStrictEqual(yield* statusOf(it, first.id), ["sent", null])
        const again = yield* Effect.flip(it.messages.retry(it.workspace, first.id, true, api))
        assert.match(again.message, /only what failed/)
        const second = yield* it.send({})
        yield* it.run(start + 3 * minute)
        assert.deepStrictEqual(yield* statusOf(it, second.id), ["failed", "outcomeUnknown"])
        const unsaid = yield* Effect.flip(it.messages.retry(it.workspace, second.id, false, api))
        assert.match(unsaid.message, /nobody knows/)
        yield* it.messages.retry(it.workspace, second.id, true, api)
        yield* it.run(start + 4 * minute)
        assert.deepStrictEqual(yield* statusOf(it, second.id), ["sent", null])
        assert.strictEqual(new Set(it.channel.asked.slice(2).map(({ key }) => key)).size, 2)
      })
    )
  })
})

describe("a message of a person who was erased", () => {
  it.effect("is not tried again, whatever became of it", () => {
    let count = 0
    const answers: ReadonlyArray<Outcome> = [{ type: "contentRejected" }, { type: "outcomeUnknown" }]
    return desk({ answer: () => answers[count++] }, (it) =>
      Effect.gen(function* () {
        const sent = [yield* it.send({}), yield* it.send({})]
        yield* it.run(start + minute)
        assert.deepStrictEqual(
          yield* Effect.forEach(sent, ({ id }) => Effect.map(statusOf(it, id), ([status]) => status)),
          ["failed", "failed"]
        )
        yield* (yield* ChatStore).erase(it.workspace, [it.chatOf("p")])
        for (const { id } of sent) {
          const refused = yield* Effect.flip(it.messages.retry(it.workspace, id, true, api))
          assert.match(refused.message, /the person was erased/)
        }
        yield* it.run(start + 2 * minute)
        assert.strictEqual(it.channel.asked.length, 2)
      })
    )
  })
})

describe("a message by the platform's id", () => {
  it.effect("is the only one that has it, or the candidates are named", () =>
    desk({ answer: ({ to }) => ({ type: "accepted", externalId: to === "solo" ? "only" : "same" }) }, (it) =>
      Effect.gen(function* () {
        const second = yield* it.connect("second")
        const to = (account: typeof second, person: string) => it.send({ to: { account: account.id, person } })
        const one = yield* to(it.account, "p")
        const other = yield* to(second, "p")
        const solo = yield* to(it.account, "solo")
        yield* it.run(start + minute)
        assert.strictEqual((yield* it.messages.find(it.workspace, "only")).id, solo.id)
        assert.strictEqual((yield* it.messages.find(it.workspace, "same", second.id)).id, other.id)
        const several = yield* Effect.flip(it.messages.find(it.workspace, "same"))
        assert.deepStrictEqual(
          several._tag === "AmbiguousId" ? [...several.candidates].sort() : several._tag,
          [one.id, other.id].sort()
        )
        assert.strictEqual((yield* Effect.flip(it.messages.find(it.workspace, "none")))._tag, "MessageNotFound")
      })
    )
  )
})

describe("a private reply", () => {
  it.effect("is one for each comment, needs no window, and may be tried again where it surely was not sent", () => {
    const outcomes: Array<Outcome> = [{ type: "unreachable" }, { type: "accepted", externalId: "a" }]
    return desk(
      { answer: () => outcomes.shift(), policy: { replyWindow: { automatedMs: hour, humanMs: hour } } },
      (it) =>
        Effect.gen(function* () {
          assert.strictEqual(yield* it.refused({}), "content replyWindowClosed")
          const first = yield* it.send({ comment: "c1" })
          assert.strictEqual(yield* it.refused({ comment: "c1" }), "comment alreadyAnswered")
          yield* it.run(start + minute)
          assert.deepStrictEqual(yield* statusOf(it, first.id), ["failed", "unreachable"])
          const second = yield* it.send({ comment: "c1" })
          const held = yield* Effect.flip(it.messages.retry(it.workspace, first.id, false, api))
          assert.match(held.message, /answered in private before/)
          yield* it.run(start + 2 * minute)
          assert.deepStrictEqual(yield* statusOf(it, second.id), ["sent", null])
          assert.deepStrictEqual(
            it.channel.asked.map(({ comment }) => comment),
            ["c1", "c1"]
          )
          assert.strictEqual(yield* it.refused({ comment: "c1" }), "comment alreadyAnswered")
          const cancelled = yield* it.send({ comment: "c2", notBefore: start + day })
          yield* it.messages.cancel(it.workspace, cancelled.id, api)
          yield* it.send({ comment: "c2" })
        })
    )
  })

  it.effect("keeps its place for ever where nobody knows whether it went out", () =>
    desk({ answer: () => ({ type: "outcomeUnknown" }) }, (it) =>
      Effect.gen(function* () {
        yield* it.send({ comment: "c" })
        yield* it.run(start + minute)
        assert.strictEqual(yield* it.refused({ comment: "c" }), "comment alreadyAnswered")
      })
    )
  )
})

describe("a saved content", () => {
  it.effect("is shown with what a contact lacks, and sent with what they have", () =>
    desk({}, (it) =>
      Effect.gen(function* () {
        const templates = yield* Templates
        const contact = it.build.contact(it.workspace, {
          name: "Ann Lee",
          first: "Ann",
          addresses: [{ channel: Builders.channel, scope: "", externalId: "ann" }]
        })
        yield* (yield* ContactStore).import(it.workspace, [contact], null)
        const faulty = yield* Effect.flip(templates.create(it.workspace, { content: text("Hi {{ first") }, api))
        assert.strictEqual(faulty._tag, "TemplateError")
        const { id } = yield* templates.create(it.workspace, { content: text("Hi {{ first }}, {{ city }}?") }, api)
        const preview = yield* templates.preview(it.workspace, id, contact.id)
        assert.deepStrictEqual(preview, { content: text("Hi Ann, ?"), missing: ["city"], problem: null })
        const draft = { to: { contact: contact.id }, author: byApi }
        const missing = yield* Effect.flip(templates.send(it.workspace, id, draft))
        assert.deepStrictEqual(missing._tag === "TemplateUnrendered" ? missing.missing : missing._tag, ["city"])
        const changed = yield* templates.change(
          it.workspace,
          id,
          { name: "Hello", content: text("Hi {{ first }}") },
          api
        )
        assert.strictEqual(changed.name, "Hello")
        yield* templates.send(it.workspace, id, draft)
        yield* it.run(start + minute)
        assert.deepStrictEqual(
          it.channel.asked.map((one) => one.text),
          ["Hi Ann"]
        )
        yield* templates.remove(it.workspace, id, api)
        assert.strictEqual((yield* Effect.flip(templates.send(it.workspace, id, draft)))._tag, "TemplateNotFound")
        assert.deepStrictEqual(
          (yield* it.told(id)).map(({ type }) => type),
          ["template.created", "template.changed", "template.deleted"]
        )
      })
    )
  )
})
