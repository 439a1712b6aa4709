/** What `ChatStore` promises: one chat per account and person, and messages that only move forward. */
import { Effect, Option } from "effect"
import { AccountStore } from "../../account/AccountStore.ts"
import { EventStore } from "../../event/EventStore.ts"
import type { ChatId } from "../../workspace/Id.ts"
import { Transaction } from "../../workspace/Transaction.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { expectPaged, fails, readAll, refuse, sorted, type StorageCase, storageCase } from "./StorageCase.ts"
import { twoWithPeople } from "./TwoWorkspaces.ts"

const { start } = Builders

const people = (seed: string) =>
  Effect.map(twoWithPeople(seed), ({ chats, contacts, ...place }) => {
    const [first, second] = contacts
    return { ...place, contacts, first, second, store: chats }
  })

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("chats: open makes those missing with ascending numbers and returns all", function* () {
    const { account, build, contacts, first, mine, other, second, store } = yield* people("open")
    const openings = contacts.map((contact) => build.opening(account, contact))
    const { chats: made } = yield* store.open([openings[0]!, openings[1]!, openings[0]!])
    Expect.equal(
      sorted([...new Set(made.map(({ id }) => id))]),
      sorted(openings.slice(0, 2).map(({ id }) => id)),
      "chats"
    )
    const known = Option.getOrNull(yield* store.get(mine, openings[0]!.id))
    const expected = { account: account.id, contact: first.id, name: first.name, createdAt: start, unread: 0 }
    const chat = Expect.present(known, "the chat")
    const { account: account_, contact, createdAt, name, unread } = chat
    Expect.equal({ account: account_, contact, createdAt, name, unread }, expected, "the chat as opened")
    Expect.equal([chat.lastInboundAt, chat.takenOverAt, chat.closedAt], [null, null, null], "what has not happened")
    const renamed = build.opening(account, first, { name: "changed", at: start + 1 })
    const { chats: again } = yield* store.open([renamed, openings[2]!])
    Expect.equal(
      again.find(({ id }) => id === chat.id),
      chat,
      "the chat opened again"
    )
    const foreign = build.account(other)
    yield* store.open([build.opening(foreign, second, { workspace: other, contact: null })])
    const numbers = (yield* store.list(mine, {})).data.map(({ number }) => number)
    Expect.equal(new Set(numbers).size, 3, "different numbers")
    Expect.ok(
      numbers.every((number) => number >= 1),
      "numbers count from 1",
      numbers
    )
    Expect.equal(again.find(({ id }) => id === openings[2]!.id)?.number, Math.max(...numbers), "the last chat's number")
    Expect.equal((yield* store.list(other, {})).data[0]?.number, 1, "the first number of another workspace")
  }),

  storageCase("chats: open locks others that there are, and makes none of them", function* () {
    const { account, build, contacts, mine, store } = yield* people("open others")
    const [known, made, missing] = contacts.map((contact) => build.opening(account, contact))
    yield* store.open([known!])
    const later = { ...known!, name: "known by name since" }
    const opened = yield* store.open([made!, later], [known!.id, missing!.id, made!.id, known!.id])
    Expect.equal([...opened.made], [made!.id], "those it made")
    Expect.equal(opened.others, [opened.chats[1]!, opened.chats[0]!], "the others, as they were opened, each once")
    Expect.equal(
      yield* store.open([], [missing!.id]),
      { chats: [], made: new Set<ChatId>(), others: [] },
      "only others"
    )
    Expect.ok(Option.isNone(yield* store.get(mine, missing!.id)), "another was made")
  }),

  storageCase("chats: opens at the same time make one chat, and tell of it once", function* () {
    const { account, build, contacts, mine, store } = yield* people("open race")
    const openings = contacts.map((contact) => build.opening(account, contact))
    const opens = [store.open(openings), store.open(openings.toReversed()), store.open(openings)]
    const answers = yield* Effect.all(opens, { concurrency: "unbounded" })
    for (const { chats } of answers)
      Expect.equal(new Set(chats.map(({ id }) => id)).size, openings.length, "chats of one open")
    const { data } = yield* store.list(mine, {})
    Expect.equal(data.length, openings.length, "chats stored")
    Expect.equal(new Set(data.map(({ number }) => number)).size, openings.length, "different numbers")
    const ids = sorted(openings.map(({ id }) => id))
    Expect.equal(sorted(answers.flatMap(({ made }) => [...made])), ids, "made by one of them")
    const feed = yield* (yield* EventStore).read(mine, null, 99)
    Expect.equal(sorted(feed.map(({ event }) => event.subject)), ids, "told once")
  }),

  storageCase("chats: the latest touch wins the preview, every one counts", function* () {
    const { account, build, first, mine, store } = yield* people("touch")
    const { id } = build.opening(account, first)
    yield* store.open([build.opening(account, first)])
    const touch = (at: number, text: string, direction: "inbound" | "outbound", unread: number) => ({
      chat: id,
      at: start + at,
      text,
      direction,
      unread
    })
    yield* store.touch([
      touch(30, "third", "inbound", 1),
      touch(40, "latest", "outbound", 0),
      touch(10, "first", "inbound", 1)
    ])
    yield* store.touch([touch(20, "second", "inbound", 1)])
    const chat = Expect.present(Option.getOrNull(yield* store.get(mine, id)), "the chat")
    Expect.equal(
      [chat.lastAt, chat.lastText, chat.lastDirection, chat.unread, chat.lastInboundAt],
      [start + 40, "latest", "outbound", 3, start + 30],
      "the chat's row"
    )
    yield* store.touch([])
    yield* store.touch([touch(50, "now", "inbound", 2)])
    const later = Expect.present(Option.getOrNull(yield* store.get(mine, id)), "the chat")
    Expect.equal([later.lastText, later.unread, later.lastInboundAt], ["now", 5, start + 50], "the chat's row later")
  }),

  storageCase("chats: a member takes over and gives back", function* () {
    const { account, build, first, mine, second, store } = yield* people("takeover")
    const openings = [build.opening(account, first), build.opening(account, second)]
    yield* store.open(openings)
    const taken = Effect.map(
      store.list(mine, {}),
      ({ data }) => new Map(data.map(({ id, takenOverAt }) => [id, takenOverAt]))
    )
    yield* store.setTakenOver([openings[0]!.id], start)
    Expect.equal(
      yield* taken,
      new Map([
        [openings[0]!.id, start],
        [openings[1]!.id, null]
      ]),
      "taken over"
    )
    yield* store.setTakenOver(
      openings.map(({ id }) => id),
      null
    )
    Expect.equal(yield* taken, new Map(openings.map(({ id }) => [id, null])), "given back")
  }),

  storageCase("chats: events admitted long ago are forgotten, some at a time, of one workspace", function* () {
    const { account, build, mine, other, store } = yield* people("admitted purge")
    const accounts = yield* AccountStore
    const theirs = build.account(other)
    yield* accounts.connect(theirs, [])
    const key = (dedupeKey: string, at: number, of = account.id) => ({ account: of, dedupeKey, at })
    yield* store.admit([key("a", 1), key("b", 2), key("c", 10), key("d", 1, theirs.id)])
    Expect.equal(yield* store.purgeAdmitted(mine, 10, 1), 1, "the first batch")
    Expect.equal(yield* store.purgeAdmitted(mine, 10, 9), 1, "the second batch")
    Expect.equal(yield* store.purgeAdmitted(mine, 10, 9), 0, "the third batch")
    const again = [key("a", 1), key("b", 2), key("c", 10), key("d", 1, theirs.id)]
    Expect.equal(yield* store.admit(again), [0, 1], "what is new again")
  }),

  storageCase("chats: an event is admitted once per account, and again after a rollback", function* () {
    const { account, build, mine, store } = yield* people("admit")
    const { within } = yield* Transaction
    const other = build.account(mine)
    const key = (dedupeKey: string, of = account) => ({ account: of.id, dedupeKey, at: start })
    Expect.equal(yield* store.admit([key("a"), key("b"), key("a")]), [0, 1], "the first time")
    Expect.equal(yield* store.admit([key("a"), key("c"), key("a", other)]), [1, 2], "the second time")
    yield* fails(within(Effect.andThen(store.admit([key("d")]), Effect.fail("later"))), "the transaction")
    Expect.equal(yield* store.admit([key("d"), key("c")]), [0], "after a rollback")
    Expect.equal(yield* store.admit([]), [], "no events")
    const race = [store.admit([key("x"), key("y")]), store.admit([key("y"), key("x")])]
    const both = yield* Effect.all(race, { concurrency: "unbounded" })
    Expect.equal(both.flat().length, 2, "events admitted by two at the same time")
  }),

  storageCase("chats: a message is recorded once by its external id", function* () {
    const { account, build, first, mine, second, store } = yield* people("record")
    yield* store.open([build.opening(account, first), build.opening(account, second)])
    const inbound = (externalId: string | null, contact = first) =>
      build.message(account, contact, {
        direction: "inbound",
        author: { type: "contact", id: contact.id },
        status: "received",
        dueAt: null,
        externalId,
        metadata: { raw: { a: 1 } },
        content: { type: "media", kind: "image", url: "https://example.com/a.png", caption: "hi" }
      })
    const one = inbound("x")
    const rows = [one, inbound("x"), inbound("x", second), inbound(null), inbound(null)]
    const recorded = yield* store.record(rows)
    Expect.equal(sorted(recorded), sorted([rows[0]!.id, rows[2]!.id, rows[3]!.id, rows[4]!.id]), "the new ones")
    Expect.equal(yield* store.record([{ ...inbound("x"), errorDetail: "changed" }, one]), [], "known ones")
    const { data } = yield* store.messages(mine, one.chat, {})
    Expect.equal(
      data.find(({ id }) => id === one.id),
      one,
      "the message as recorded"
    )
    Expect.equal(data.length, 3, "messages of the chat")
  }),

  storageCase("chats: advance finds messages by id or external id and applies the rule in turn", function* () {
    const { account, build, first, mine, store } = yield* people("advance")
    yield* store.open([build.opening(account, first)])
    const sent = build.message(account, first, { status: "sent", externalId: "x", dueAt: null, sentAt: start })
    const other = build.message(account, first, { status: "sent", externalId: "y", dueAt: null, sentAt: start })
    yield* store.record([sent, other])
    const refs = [
      { chat: sent.chat, externalId: "unknown" },
      { chat: sent.chat, externalId: "x" },
      { id: build.ids.next("msg") },
      { id: other.id },
      { id: sent.id }
    ]
    const indexes: Array<number> = []
    const advanced = yield* store.advance(refs, (message, index) => {
      indexes.push(index)
      if (index === 1) return { ...message, status: "delivered", deliveredAt: start + 1 }
      return index === 4 ? { ...message, status: "read", readAt: start + 2 } : message
    })
    Expect.equal(
      indexes.toSorted((a, b) => a - b),
      [1, 3, 4],
      "the references found"
    )
    const answer = new Map(advanced.map(({ after, before, index }) => [index, [before.status, after.status]]))
    Expect.equal(answer.get(1), ["sent", "delivered"], "the first of two steps")
    Expect.equal(answer.get(4), ["delivered", "read"], "the second of two steps")
    const { data } = yield* store.messages(mine, sent.chat, {})
    const stored = Expect.present(
      data.find(({ id }) => id === sent.id),
      "the message"
    )
    Expect.equal([stored.status, stored.deliveredAt, stored.readAt], ["read", start + 1, start + 2], "the message")
    Expect.equal(
      data.find(({ id }) => id === other.id),
      other,
      "the one that the rule left"
    )
    const throwing = store.advance([{ id: other.id }, { id: sent.id }], (message, index) =>
      index === 1 ? refuse() : { ...message, status: "failed" }
    )
    yield* fails(throwing, "an advance whose rule throws")
    const after = yield* store.messages(mine, sent.chat, {})
    Expect.equal(after.data, data, "the messages after a rule that threw")
  }),

  storageCase("chats: what is being sent, and what nobody knows of, is found in its chat", function* () {
    const { account, build, first, second, store } = yield* people("unproven")
    const opening = build.opening(account, first)
    yield* store.open([opening, build.opening(account, second)])
    const message = (createdAt: number, overrides: object, contact = first) =>
      build.message(account, contact, { dueAt: null, createdAt, ...overrides })
    const unknown = message(start + 2, { status: "failed", reason: "outcomeUnknown" })
    const sending = message(start + 1, { status: "sending" })
    yield* store.record([
      unknown,
      message(start, { status: "failed", reason: "unreachable" }),
      message(start, { status: "sent" }),
      sending,
      message(start, { status: "sending" }, second)
    ])
    const found = yield* store.unproven([opening.id])
    Expect.equal(
      found.map(({ id }) => id),
      [sending.id, unknown.id],
      "oldest first"
    )
    Expect.equal(found[1], unknown, "a message as it is")
  }),

  storageCase("chats: the most recent chat comes first, the oldest message first, in whole pages", function* () {
    const { account, build, contacts, mine, other, store } = yield* people("chat pages")
    const openings = contacts.map((contact, index) => build.opening(account, contact, { at: start + index }))
    yield* store.open(openings)
    const [oldest] = openings
    yield* store.touch([{ chat: oldest!.id, at: start + 99, text: "hi", direction: "inbound", unread: 1 }])
    const recent = [oldest!, ...openings.slice(1).toReversed()].map(({ id }) => id as string)
    yield* expectPaged((page) => store.list(mine, page), recent, "chats")
    const messages = Array.from({ length: 5 }, (_, index) =>
      build.message(account, contacts[0], { status: "sent", dueAt: null, createdAt: start + Math.floor(index / 2) })
    )
    yield* store.record(messages.toReversed())
    const ids = messages.map(({ id }) => id as string)
    yield* expectPaged((page) => store.messages(mine, oldest!.id, page), ids, "messages")
    const late = build.message(account, contacts[0], { status: "sent", dueAt: null, createdAt: start + 9 })
    const all = yield* readAll((page) => store.messages(mine, oldest!.id, page), 2, store.record([late]))
    Expect.equal(
      all.map(({ id }) => id as string),
      [...ids, late.id],
      "a chat that grows while it is read"
    )
    Expect.ok(Option.isNone(yield* store.get(other, oldest!.id)), "another workspace got a chat")
    Expect.equal((yield* store.messages(other, oldest!.id, {})).data, [], "another workspace's messages")
    Expect.equal((yield* store.list(other, { count: true })).total, 0, "another workspace's chats")
  })
]
