import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Workspaces } from "../../src/account/Workspaces.ts"
import type { ParticipantProfile } from "../../src/channel/ParticipantProfile.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import { Bulks } from "../../src/job/Bulks.ts"
import { JobRunner } from "../../src/job/JobRunner.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import type { ChatId } from "../../src/workspace/Id.ts"
import { hour, minute } from "../../src/workspace/Instant.ts"
import { Members } from "../../src/chat/Members.ts"
import * as Desk from "./Desk.ts"

const { api, start } = Desk

const contactOf = (it: Effect.Success<ReturnType<typeof Desk.make>>, ...people: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const contact = it.build.contact(it.workspace, {
      addresses: people.map((externalId) => ({ channel: Builders.channel, scope: "", externalId }))
    })
    yield* (yield* ContactStore).import(it.workspace, [contact], null)
    return contact
  })

describe("a chat is found or begun", () => {
  it.effect("by a person's id, once, however often and however many ask", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Desk.make(channel)
      const party = { account: it.account.id, person: " ann ", name: "Ann" }
      const opens = Array.from({ length: 3 }, () => it.chats.open(it.workspace, party, api))
      const opened = yield* Effect.all(opens, { concurrency: "unbounded" })
      assert.deepStrictEqual(opened.filter(({ created }) => created).length, 1)
      const id = it.chatOf("ann")
      assert.isTrue(opened.every(({ chat }) => chat.id === id && chat.name === "Ann"))
      const told = yield* it.told(id)
      assert.deepStrictEqual(
        told.map(({ actor, type }) => [type, actor]),
        [["chat.created", api]]
      )
      const invalid = yield* Effect.flip(it.chats.open(it.workspace, { ...party, person: "  " }, api))
      assert.deepStrictEqual([invalid._tag, "field" in invalid && invalid.field], ["PartyInvalid", "person"])
    }).pipe(Effect.provide(Desk.engine(channel)))
  })

  it.effect("by a contact, where they talk already; a phone number must be one", () => {
    const channel = TestChannel.make({ capabilities: { phoneNumbers: true } })
    return Effect.gen(function* () {
      const it = yield* Desk.make(channel)
      const other = yield* it.connect("second")
      const contact = yield* contactOf(it, "+14155550100", "+14155550101")
      const first = yield* it.chats.open(it.workspace, { contact: contact.id, account: it.account.id }, api)
      assert.strictEqual(first.chat.id, it.chatOf("+14155550100"))
      yield* it.wait(minute)
      yield* it.says("+14155550101", "hello", other)
      const again = yield* it.chats.open(it.workspace, { contact: contact.id }, api)
      assert.deepStrictEqual([again.created, again.chat.id], [false, it.chatOf("+14155550101", other)])
      const wished = yield* it.chats.open(it.workspace, { contact: contact.id, account: it.account.id }, api)
      assert.strictEqual(wished.chat.id, first.chat.id)
      const wrong = yield* Effect.flip(it.chats.open(it.workspace, { account: it.account.id, person: "12" }, api))
      assert.match(wrong.message, /person: expected a phone number/)
      const stranger = it.build.contact(it.workspace, { addresses: [] })
      yield* (yield* ContactStore).import(it.workspace, [stranger], null)
      const unreachable = yield* Effect.flip(it.chats.open(it.workspace, { contact: stranger.id }, api))
      assert.strictEqual(unreachable._tag, "ContactUnreachable")
    }).pipe(Effect.provide(Desk.engine(channel)))
  })
})

describe("what is done with chats", () => {
  it.effect("shows in the chat and in the feed, with who did it; nothing new tells nothing", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Desk.make(channel)
      const ann = yield* it.member("ann")
      yield* it.says("p", "hello")
      const id = it.chatOf("p")
      const unknown = it.build.ids.next("cht")
      const by = { type: "member", id: ann } as const
      const done = yield* it.chats.change(it.workspace, [unknown, id], { type: "assign", member: ann }, by)
      assert.deepStrictEqual(done, [id])
      yield* it.chats.change(it.workspace, [id], { type: "assign", member: ann }, by)
      yield* it.chats.change(it.workspace, [id], { type: "tag", add: ["vip"], remove: [] }, by)
      yield* it.chats.change(it.workspace, [id], { type: "close" }, by)
      const { chat } = yield* it.chats.get(it.workspace, id)
      assert.deepStrictEqual([chat.assignee, chat.tags, chat.closedAt], [ann, ["vip"], start])
      const told = (yield* it.told(id)).filter(({ actor }) => actor.type === "member")
      assert.deepStrictEqual(
        told.map(({ data, type }) => [type, data["assignee"] ?? data["tags"] ?? null]),
        [
          ["chat.assigned", ann],
          ["chat.changed", ["vip"]],
          ["chat.closed", null]
        ]
      )
      const nobody = it.build.ids.next("mbr")
      const refused = yield* Effect.flip(it.chats.change(it.workspace, [id], { type: "assign", member: nobody }, by))
      assert.strictEqual(refused._tag, "MemberNotFound")
      yield* it.says("p", "one more thing")
      const reopened = yield* it.chats.get(it.workspace, id)
      assert.deepStrictEqual([reopened.chat.closedAt, reopened.chat.assignee], [null, ann])
      const last = (yield* it.told(id)).filter(({ type }) => type === "chat.reopened")
      assert.deepStrictEqual(
        last.map(({ actor }) => actor),
        [{ type: "contact", id: chat.contact }]
      )
    }).pipe(Effect.provide(Desk.engine(channel)))
  })

  it.effect("a deleted chat is gone with what was said, until the person writes again", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Desk.make(channel)
      yield* it.says("p", "old")
      const id = it.chatOf("p")
      yield* it.wait(minute)
      assert.deepStrictEqual(yield* it.chats.change(it.workspace, [id], { type: "delete" }, api), [id])
      assert.deepStrictEqual(yield* it.chats.change(it.workspace, [id], { type: "delete" }, api), [])
      const list = it.chats.list(it.workspace, {}, {})
      assert.deepStrictEqual((yield* list).data, [])
      assert.strictEqual((yield* Effect.flip(it.chats.get(it.workspace, id)))._tag, "ChatNotFound")
      yield* it.wait(minute)
      yield* it.says("p", "new")
      assert.deepStrictEqual(
        (yield* list).data.map(({ lastText, unread }) => [lastText, unread]),
        [["new", 1]]
      )
      const { data } = yield* it.chats.messages(it.workspace, id, "oldest", {})
      assert.deepStrictEqual(
        data.map(({ content }) => content.type === "text" && content.text),
        ["new"]
      )
      // The ledger still has both.
      assert.strictEqual((yield* it.messages.list(it.workspace, { chat: id }, {})).data.length, 2)
    }).pipe(Effect.provide(Desk.engine(channel)))
  })

  it.effect("a hundred and more are a job with the same answer", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Desk.make(channel)
      const opened = yield* Effect.forEach(
        Array.from({ length: 101 }, (_, i) => `p${i}`),
        (person) => it.chats.open(it.workspace, { account: it.account.id, person }, api)
      )
      const ids: ReadonlyArray<ChatId> = [...opened.map(({ chat }) => chat.id), it.build.ids.next("cht")]
      const bulks = yield* Bulks
      const few = yield* bulks.run(it.chats.bulk, {
        workspace: it.workspace,
        ids: ids.slice(100),
        with: { type: "pin", pinned: true },
        actor: api
      })
      assert.deepStrictEqual(few, {
        type: "done",
        answer: { requested: 2, done: 1, notFound: [ids[101]!] }
      })
      const many = yield* bulks.run(it.chats.bulk, {
        workspace: it.workspace,
        ids,
        with: { type: "archive", archived: true },
        actor: api
      })
      assert.strictEqual(many.type, "job")
      yield* (yield* JobRunner).chores[0]!.round(start)
      const { total } = yield* it.chats.list(it.workspace, { archived: true }, { limit: 1, count: true })
      assert.strictEqual(total, 101)
    }).pipe(Effect.provide(Desk.engine(channel)))
  })
})

describe("reading", () => {
  it.effect("up to a message leaves those after it, for all and for each member", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Desk.make(channel)
      const [ann, bob] = [yield* it.member("ann"), yield* it.member("bob")]
      const id = it.chatOf("p")
      for (const words of ["one", "two", "three"]) {
        yield* it.says("p", words)
        yield* it.wait(minute)
      }
      const view = (member?: typeof ann) =>
        Effect.map(it.chats.get(it.workspace, id, member), ({ readAt, unread }) => [readAt, unread])
      assert.deepStrictEqual(yield* view(), [null, 3])
      assert.deepStrictEqual(yield* view(ann), [null, 3])
      assert.deepStrictEqual(yield* it.chats.unread(it.workspace), { chats: 1, messages: 3 })
      const upTo = { upTo: start + minute, member: ann }
      assert.deepStrictEqual(yield* it.chats.read(it.workspace, [id], upTo, api), [id])
      assert.deepStrictEqual(yield* view(ann), [start + minute, 1])
      assert.deepStrictEqual(yield* view(bob), [null, 3])
      assert.deepStrictEqual(yield* view(), [null, 1])
      yield* it.chats.read(it.workspace, [id], {}, api)
      assert.deepStrictEqual(yield* it.chats.unread(it.workspace), { chats: 0, messages: 0 })
      assert.deepStrictEqual(yield* view(ann), [start + minute, 1])
      const told = (yield* it.told(id)).filter(({ type }) => type === "chat.read")
      assert.deepStrictEqual(
        told.map(({ data }) => data["unread"]),
        [1, 0]
      )
      yield* it.says("p", "four")
      assert.deepStrictEqual(yield* view(), [null, 1])
    }).pipe(Effect.provide(Desk.engine(channel)))
  })
})

describe("one thread", () => {
  it.effect("of a contact over the accounts of a channel, without what was deleted", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Desk.make(channel)
      const second = yield* it.connect("second")
      const contact = yield* contactOf(it, "p")
      for (const [words, account] of [
        ["1", it.account],
        ["2", second],
        ["3", it.account]
      ] as const) {
        yield* it.says("p", words, account)
        yield* it.wait(minute)
      }
      const words = (order: "oldest" | "newest") =>
        Effect.map(it.chats.thread(it.workspace, contact.id, channel.name, order, {}), ({ data }) =>
          data.map(({ content }) => (content.type === "text" ? content.text : "")).join("")
        )
      assert.deepStrictEqual([yield* words("oldest"), yield* words("newest")], ["123", "321"])
      yield* it.chats.change(it.workspace, [it.chatOf("p", second)], { type: "delete" }, api)
      assert.strictEqual(yield* words("oldest"), "13")
      const elsewhere = yield* it.chats.thread(it.workspace, contact.id, "elsewhere", "oldest", {})
      assert.deepStrictEqual(elsewhere.data, [])
    }).pipe(Effect.provide(Desk.engine(channel)))
  })
})

describe("a chat as it may be used", () => {
  it.effect("tells its windows, what may be sent instead, and what the channel can do", () => {
    const channel = TestChannel.make({ policy: { replyWindow: { automatedMs: hour, humanMs: 2 * hour } } })
    return Effect.gen(function* () {
      const it = yield* Desk.make(channel)
      yield* it.says("p", "hello")
      const id = it.chatOf("p")
      yield* it.wait(hour + minute)
      const { capabilities, windows } = yield* it.chats.get(it.workspace, id)
      assert.deepStrictEqual(windows, {
        automated: { open: false, openUntil: start + hour, instead: "approvedTemplate" },
        human: { open: true, openUntil: start + 2 * hour, instead: "approvedTemplate" }
      })
      assert.deepStrictEqual(capabilities, channel.capabilities)
    }).pipe(Effect.provide(Desk.engine(channel)))
  })

  it.effect("asks the platform about the person at most once an hour, also of those who ask at once", () => {
    let asked = 0
    const channel = TestChannel.make({
      profileOf: (_person, count): ParticipantProfile | null => {
        asked = count
        return count === 2 ? null : { name: `Ann ${count}`, pictureUrl: "https://example.com/ann.png" }
      }
    })
    return Effect.gen(function* () {
      const it = yield* Desk.make(channel)
      yield* it.says("p", "hello")
      const refresh = it.chats.refresh(it.workspace, it.chatOf("p"))
      yield* Effect.all([refresh, refresh, refresh], { concurrency: "unbounded" })
      const { chat } = yield* it.chats.get(it.workspace, it.chatOf("p"))
      assert.deepStrictEqual([asked, chat.name, chat.profile?.refreshedAt], [1, "Ann 1", start])
      yield* it.wait(hour - 1)
      yield* refresh
      assert.strictEqual(asked, 1)
      yield* it.wait(1)
      assert.strictEqual((yield* refresh).name, "Ann 1")
      assert.strictEqual(asked, 2)
      yield* it.wait(hour)
      assert.strictEqual((yield* refresh).name, "Ann 3")
    }).pipe(Effect.provide(Desk.engine(channel)))
  })
})

describe("the name of a participant", () => {
  it.effect("is the last that the platform told, in whatever order, and another one is told of", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Desk.make(channel)
      const called = (name: string, at: number) =>
        it.tell((common) => ({
          type: "messageReceived",
          ...common,
          at: start + at,
          participant: { externalId: "p", scope: "", name },
          externalId: `in-${at}`,
          content: Builders.text("hello")
        }))
      yield* it.chats.open(it.workspace, { account: it.account.id, person: "p", name: "As we know them" }, api)
      const chat = Effect.map(it.chats.get(it.workspace, it.chatOf("p")), (view) => view.chat)
      const names: Array<string> = []
      for (const [name, at] of [
        ["Ann", 10],
        ["", 40],
        ["Ann Married", 30],
        ["Ann Child", 5],
        ["Ann Married", 31]
      ] as const) {
        yield* called(name, at)
        names.push((yield* chat).name)
      }
      assert.deepStrictEqual(names, ["Ann", "Ann", "Ann Married", "Ann Married", "Ann Married"])
      const told = (yield* it.told(it.chatOf("p"))).filter(({ type }) => type === "chat.changed")
      assert.deepStrictEqual(
        told.map(({ actor, data }) => [actor.type, data["renamed"], JSON.stringify(data).includes("Married")]),
        [["channel", true, false]]
      )
    }).pipe(Effect.provide(Desk.engine(channel)))
  })
})

describe("chats that nobody has", () => {
  it.effect("go round the active members when their person writes, and stay with whom they are", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Desk.make(channel)
      const members = yield* Members
      const [ann, bob, eve] = [yield* it.member("ann"), yield* it.member("bob"), yield* it.member("eve")]
      yield* it.says("early", "hello")
      yield* (yield* Workspaces).change(it.workspace, { assignment: "roundRobin" }, api)
      yield* members.change(it.workspace, eve, { status: "away" }, api)
      for (const person of ["p1", "p2", "p3", "p1", "p4"]) yield* it.says(person, "hello")
      const assignee = (person: string) =>
        Effect.map(it.chats.get(it.workspace, it.chatOf(person)), ({ chat }) => chat.assignee)
      assert.isNull(yield* assignee("early"))
      const round = yield* Effect.forEach(["p1", "p2", "p3", "p4"], assignee)
      assert.deepStrictEqual(new Set(round.slice(0, 2)), new Set([ann, bob]))
      assert.deepStrictEqual(round.slice(2), round.slice(0, 2))
      const told = yield* it.told(it.chatOf("p1"))
      assert.strictEqual(told.filter(({ type }) => type === "chat.assigned").length, 1)
    }).pipe(Effect.provide(Desk.engine(channel)))
  })

  it.effect("go to who has the fewest open ones", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Desk.make(channel, { assignment: "leastLoad" })
      const [ann, bob] = [yield* it.member("ann"), yield* it.member("bob")]
      for (const person of ["p1", "p2", "p3", "p4"]) yield* it.says(person, "hello")
      const of = (member: typeof ann) =>
        Effect.map(it.chats.list(it.workspace, { assignee: member }, {}), ({ data }) => data.map(({ id }) => id))
      const his = yield* of(bob)
      assert.deepStrictEqual([(yield* of(ann)).length, his.length], [2, 2])
      yield* it.chats.change(it.workspace, his, { type: "close" }, api)
      yield* it.says("p5", "hello")
      yield* it.says("p6", "hello")
      assert.strictEqual((yield* of(bob)).length, 4)
    }).pipe(Effect.provide(Desk.engine(channel)))
  })
})
