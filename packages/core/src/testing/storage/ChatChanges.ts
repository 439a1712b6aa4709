/** What `ChatStore.modify` and `rewrite` promise: rules over locked chats, written with their events or not at all. */
import { Effect, Option } from "effect"
import type * as Chat from "../../chat/Chat.ts"
import { ChatStore } from "../../chat/ChatStore.ts"
import { InboxStore } from "../../chat/InboxStore.ts"
import * as Message from "../../chat/Message.ts"
import { EventStore } from "../../event/EventStore.ts"
import { Transaction } from "../../workspace/Transaction.ts"
import { WorkspaceStore } from "../../workspace/WorkspaceStore.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import * as Scene from "./Scene.ts"
import { Contents, fails, refuse, type StorageCase, storageCase } from "./StorageCase.ts"

const { start } = Builders

/** A workspace with a chat of each of its people. */
const chats = (seed: string, people = 3) =>
  Effect.gen(function* () {
    const place = yield* Scene.people(seed, { leads: people })
    const [account] = place.accounts
    const store = yield* ChatStore
    const { chats: made } = yield* store.open(place.contacts.map((contact) => place.build.opening(account!, contact)))
    return { ...place, account: account!, store, workspace: place.workspace.id, ids: made.map(({ id }) => id) }
  })

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("chat changes: a rule writes every field that may change, and its events with them", function* () {
    const { build, ids, store, workspace } = yield* chats("every field")
    const [first, second] = ids
    const member = build.ids.next("mbr")
    const event = build.event(workspace, first!, { type: "chat.assigned" })
    const after = (chat: Chat.Chat): Chat.Chat => ({
      ...chat,
      contact: null,
      name: "Ann",
      lastAt: start + 5,
      lastText: "Hello",
      lastDirection: "inbound",
      lastInboundAt: start + 5,
      unread: 3,
      readAt: start + 1,
      takenOverAt: start + 2,
      givenBackAt: start + 1,
      openedAt: start + 3,
      closedAt: start + 4,
      respondedAt: start + 5,
      bookedAt: start + 6,
      assignee: member,
      tags: ["a", "ü"],
      pinnedAt: start + 7,
      archivedAt: start + 8,
      deletedAt: start + 4,
      profile: { name: "Ann", metadata: { level: 2 }, refreshedAt: start + 9 },
      createdAt: start - 1
    })
    const changed = yield* store.modify(workspace, [second!, first!, first!], (chat) =>
      chat.id === first ? { chat: after(chat), events: [event] } : { chat, events: [build.event(workspace, chat.id)] }
    )
    Expect.equal(
      changed.map(({ after: { id } }) => id),
      [first!, second!].toSorted(),
      "each once, by id"
    )
    const written = Expect.present(
      changed.find(({ before }) => before.id === first),
      "the change"
    )
    const stored = Option.getOrNull(yield* store.get(workspace, first!))
    Expect.equal(stored, after(written.before), "the chat as stored")
    const told = (yield* (yield* EventStore).read(workspace, null, 100)).map(({ event: { id } }) => id)
    Expect.equal(told.slice(ids.length), [event.id], "events: none of a chat that stayed as it was")
    yield* store.modify(workspace, [first!], () => ({ chat: written.before, events: [] }))
    Expect.equal(Option.getOrNull(yield* store.get(workspace, first!)), written.before, "the chat as it was at first")
  }),

  storageCase("chat changes: what was opened is written as rules changed it since, all or nothing", function* () {
    const { account, build, contacts, ids, store, workspace } = yield* chats("rewrite")
    const { within } = yield* Transaction
    const openings = contacts.map((contact) => build.opening(account, contact))
    const changed = (chat: Chat.Chat, i: number): Chat.Chat => ({ ...chat, name: `p${i}`, tags: [`t${i}`], unread: i })
    const rewritten = Effect.gen(function* () {
      const opened = yield* store.open(openings)
      yield* store.rewrite([])
      const after = opened.chats.slice(1).map(changed)
      yield* store.rewrite(after)
      return [opened.chats[0]!, ...after]
    })
    const before = (yield* store.held(workspace, ids)).chats
    yield* fails(within(Effect.andThen(rewritten, Effect.fail("no"))), "a transaction that fails")
    Expect.equal((yield* store.held(workspace, ids)).chats, before, "the chats after it failed")
    const after = yield* within(rewritten)
    const byId = (all: ReadonlyArray<Chat.Chat>) => all.toSorted((a, b) => (a.id < b.id ? -1 : 1))
    Expect.equal((yield* store.held(workspace, ids)).chats, byId(after), "the chats")
  }),

  storageCase("chat changes: another workspace's chats, and rules that throw, change nothing", function* () {
    const { build, ids, store, workspace } = yield* chats("refused")
    const other = build.workspace()
    yield* (yield* WorkspaceStore).create(other)
    const pin = (chat: Chat.Chat) => ({ chat: { ...chat, pinnedAt: start }, events: [] })
    Expect.equal(yield* store.modify(other.id, ids, pin), [], "chats of another workspace")
    Expect.equal(yield* store.modify(workspace, [build.ids.next("cht")], pin), [], "a chat that does not exist")
    Expect.equal(yield* store.modify(workspace, [], pin), [], "no chats")
    let asked = 0
    const throwing = store.modify(workspace, ids, (chat) => (++asked === 2 ? refuse() : pin(chat)))
    yield* fails(throwing, "a rule that throws")
    const pinned = (yield* store.list(workspace, {})).data.filter(({ pinnedAt }) => pinnedAt !== null)
    Expect.equal(pinned.length, 0, "chats changed by a rule that threw")
  }),

  storageCase("chat changes: two at the same time both count", function* () {
    const { ids, store, workspace } = yield* chats("race", 4)
    const add = (tag: string) => (chat: Chat.Chat) => ({
      chat: { ...chat, tags: [...chat.tags, tag].toSorted() },
      events: []
    })
    yield* Effect.all(
      ["a", "b", "c"].map((tag, i) => store.modify(workspace, i === 1 ? ids.toReversed() : ids, add(tag))),
      { concurrency: "unbounded" }
    )
    for (const { tags } of (yield* store.list(workspace, {})).data) Expect.equal(tags, ["a", "b", "c"], "all tags")
  }),

  storageCase("chat changes: of a person who is erased nothing stays in what members made of the chat", function* () {
    const { ids, store, workspace } = yield* chats("erased")
    const [first, second] = ids
    const tend = (chat: Chat.Chat) => ({
      chat: {
        ...chat,
        name: "Quillfeather",
        tags: ["Quillfeather's"],
        profile: { name: "Quillfeather", pictureUrl: "https://example.com/Quillfeather", refreshedAt: start },
        lastText: "I am Quillfeather",
        respondedAt: start,
        pinnedAt: start
      },
      events: []
    })
    yield* store.modify(workspace, [first!], tend)
    const { rows } = yield* Contents
    const telling = Effect.map(rows, (all) => all.filter(({ text }) => text.includes("Quillfeather")).length)
    Expect.ok((yield* telling) > 0, "nothing tells of the person before")
    yield* store.erase(workspace, [first!])
    Expect.equal(yield* telling, 0, "rows that tell of the person")
    const [erased, other] = yield* (yield* InboxStore)
      .find(workspace, [first!, second!])
      .pipe(Effect.map((found) => found.toSorted((a) => (a.id === first ? -1 : 1))))
    Expect.equal([erased!.tags, erased!.profile, erased!.pinnedAt], [[], null, start], "the chat without the person")
    Expect.ok(other!.name !== "", "another chat")
  }),

  storageCase("chat changes: messages to others that show a person are found, and erased by themselves", function* () {
    const { account, build, contacts, ids, store, workspace } = yield* chats("shown")
    const [person, us] = [contacts[0]!, contacts[1]!]
    const shows = (of: string, words: string, overrides: Partial<Message.Message> = {}) =>
      build.message(account, us, {
        content: Builders.text(words),
        metadata: { test: { part: 0, as: of } },
        status: "sent",
        dueAt: null,
        ...overrides
      })
    const sent = shows(person.id, "Dear Quillfeather")
    const queued = shows(person.id, "Still, Quillfeather?", { status: "queued", dueAt: start })
    const others = shows(us.id, "Dear somebody else")
    const naming = shows("", "named in metadata alone", { metadata: { about: person.id } })
    yield* store.record([sent, queued, others, naming])
    const said = (chat: Chat.Chat) => ({ chat: { ...chat, lastText: "Dear Quillfeather" }, events: [] })
    yield* store.modify(workspace, [ids[1]!], said)
    const shown = yield* store.showing(workspace, person.id)
    const both = [sent.id, queued.id].toSorted()
    Expect.equal(
      shown.map(({ id }) => id),
      both,
      "messages that show the person"
    )
    Expect.equal(yield* store.showing(build.ids.next("wsp"), person.id), [], "in another workspace")
    Expect.equal(yield* store.erase(workspace, [], both), both, "the messages erased")
    const left = yield* store.find(workspace, [sent, queued, others, naming])
    Expect.equal(
      left.map((message) => [message?.status, Message.isErased(message!)]),
      [
        ["sent", true],
        ["cancelled", true],
        ["sent", false],
        ["sent", false]
      ],
      "what is left of them"
    )
    const [theirs] = yield* (yield* InboxStore).find(workspace, [ids[1]!])
    Expect.equal([theirs?.lastText, theirs?.address], ["", Builders.addressOf(us)], "the chat that showed one")
    Expect.equal(yield* store.showing(workspace, person.id), [], "what shows the person then")
  }),

  storageCase("chat changes: chats are found by their ids, in one workspace", function* () {
    const { build, ids, workspace } = yield* chats("find")
    const inbox = yield* InboxStore
    const found = yield* inbox.find(workspace, [ids[1]!, build.ids.next("cht"), ids[0]!, ids[1]!])
    Expect.equal(
      found.map(({ id }) => id),
      ids.slice(0, 2).toSorted(),
      "chats by id"
    )
    Expect.equal(yield* inbox.find(build.ids.next("wsp"), ids), [], "chats of another workspace")
    Expect.equal(yield* inbox.find(workspace, []), [], "no chats")
  })
]
