/** What the lists of `InboxStore` promise: what a filter says and nothing else, in whole pages, whatever it is combined with. */
import { Effect } from "effect"
import * as Chat from "../../chat/Chat.ts"
import type { ChatFilter } from "../../chat/ChatFilter.ts"
import { ChatStore } from "../../chat/ChatStore.ts"
import { InboxStore } from "../../chat/InboxStore.ts"
import type { MessageFilter } from "../../chat/MessageFilter.ts"
import { ContactStore } from "../../contact/ContactStore.ts"
import type { MemberId } from "../../workspace/Id.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import * as Scene from "./Scene.ts"
import { expectPaged, readAll, type StorageCase, storageCase } from "./StorageCase.ts"

const { start } = Builders

/** Chats of six people, each made by a rule from the one that was opened; their names are `p0` to `p5`. */
const scene = (seed: string, rules: ReadonlyArray<(chat: Chat.Chat) => Partial<Chat.Chat>> = []) =>
  Effect.gen(function* () {
    const place = yield* Scene.people(seed, { leads: 6, accounts: 2 })
    const [one, other] = place.accounts
    const store = yield* ChatStore
    const { chats: made } = yield* store.open(
      place.contacts.map((contact, i) =>
        place.build.opening(i === 5 ? other! : one!, contact, { name: `p${i}`, at: start + i })
      )
    )
    const ids = made.map(({ id }) => id)
    yield* store.modify(place.workspace.id, ids, (chat) => ({
      chat: { ...chat, ...rules[ids.indexOf(chat.id)]?.(chat) },
      events: []
    }))
    const inbox = yield* InboxStore
    const named = (filter: ChatFilter) =>
      Effect.map(
        readAll((page) => inbox.chats(place.workspace.id, filter, page), 2),
        (chats) => chats.map(({ name }) => name).join(" ")
      )
    return { ...place, workspace: place.workspace.id, store, inbox, ids, named, one: one!, other: other! }
  })

const [ann, bob] = ["mbr_1" as MemberId, "mbr_2" as MemberId]

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("chat lists: each filter shows its chats, most recent first", function* () {
    const wrote = { lastDirection: "inbound", respondedAt: start, lastInboundAt: start } as const
    const it = yield* scene("filters", [
      () => ({ ...wrote, unread: 2, assignee: ann }),
      () => ({ ...wrote, closedAt: start + 9, assignee: ann }),
      () => ({ tags: ["vip", "new"], pinnedAt: start }),
      () => ({ archivedAt: start, bookedAt: start, assignee: bob }),
      () => ({ ...wrote, unread: 1, tags: ["new"] }),
      () => ({})
    ])
    const { named, one, other } = it
    const shows = (filter: ChatFilter, expected: string, what: string) =>
      Effect.map(named(filter), (actual) => Expect.equal(actual, expected, what))
    yield* shows({}, "p5 p4 p3 p2 p1 p0", "all")
    yield* shows({ account: other.id }, "p5", "an account")
    yield* shows({ channel: one.channel }, "p5 p4 p3 p2 p1 p0", "a channel")
    yield* shows({ channel: `${one.channel}x` }, "", "another channel")
    yield* shows({ unread: true }, "p4 p0", "unread")
    yield* shows({ unread: false }, "p5 p3 p2 p1", "read")
    yield* shows({ assignee: ann }, "p1 p0", "of a member")
    yield* shows({ assignee: ann, open: true }, "p0", "open, of a member")
    yield* shows({ assignee: ann, open: true, unread: false }, "", "open and read, of a member")
    yield* shows({ assignee: null }, "p5 p4 p2", "of nobody")
    yield* shows({ assignee: null, unread: true }, "p4", "unread, of nobody")
    yield* shows({ tag: "new" }, "p4 p2", "a tag")
    yield* shows({ tag: "ne" }, "", "a part of a tag")
    yield* shows({ open: false }, "p1", "closed")
    yield* shows({ open: true }, "p5 p4 p3 p2 p0", "open")
    yield* shows({ archived: true }, "p3", "archived")
    yield* shows({ archived: false, responded: false }, "p5 p2", "not archived, never answered")
    yield* shows({ waiting: true }, "p4 p0", "waiting")
    yield* shows({ waiting: false }, "p5 p3 p2 p1", "not waiting")
    yield* shows({ responded: true }, "p4 p1 p0", "responded")
    yield* shows({ booked: true }, "p3", "booked")
    yield* shows({ pinned: true }, "p2", "pinned")
    yield* shows({ before: start + 3 }, "p2 p1 p0", "before")
    yield* shows({ after: start + 4 }, "p5 p4", "from")
    yield* shows({ after: start + 1, before: start + 4, unread: false }, "p3 p2 p1", "read, between")
    yield* expectPaged(
      (page) => it.inbox.chats(it.workspace, { responded: true }, page),
      [it.ids[4]!, it.ids[1]!, it.ids[0]!],
      "chats that responded"
    )
    Expect.equal(yield* it.inbox.unread(it.workspace, null), { chats: 2, messages: 3 }, "unread of all")
    Expect.equal(yield* it.inbox.unread(it.workspace, ann), { chats: 1, messages: 2 }, "unread of a member")
    const loads = yield* it.inbox.loads(it.workspace)
    Expect.equal(
      loads.toSorted((a, b) => (a.member < b.member ? -1 : 1)),
      [
        { member: ann, load: 1 },
        { member: bob, load: 1 }
      ],
      "open chats of each"
    )
    const nowhere = it.build.ids.next("wsp")
    Expect.equal((yield* it.inbox.chats(nowhere, { unread: true }, { count: true })).total, 0, "another workspace")
  }),

  storageCase("chat lists: a chat that was deleted comes back with what is said later", function* () {
    const { ids, inbox, named, store, workspace } = yield* scene("deleted", [
      () => ({ deletedAt: start, unread: 1 }),
      () => ({ deletedAt: start + 5 })
    ])
    Expect.equal(yield* named({}), "p5 p4 p3 p2", "without the deleted")
    Expect.equal((yield* inbox.chats(workspace, {}, { count: true })).total, 4, "counted")
    Expect.equal(yield* inbox.unread(workspace, null), { chats: 0, messages: 0 }, "unread")
    yield* store.touch([{ chat: ids[1]!, at: start + 9, text: "again", direction: "inbound", unread: 1 }])
    Expect.equal(yield* named({}), "p1 p5 p4 p3 p2", "with the one that goes on")
    Expect.equal((yield* inbox.find(workspace, ids)).length, 6, "all are found by id")
  }),

  storageCase(
    "chat lists: words are found in names, tags and what people wrote, whatever their capitals",
    function* () {
      const it = yield* scene("search", [
        () => ({ name: "Zoë Müller" }),
        () => ({ tags: ["Big Deal"] }),
        () => ({ name: "" }),
        () => ({ name: "100%_sure" })
      ])
      const { build, contacts, one, store, workspace } = it
      const contact = contacts[2]!
      yield* (yield* ContactStore).modify(workspace, contact.id, (before) => ({
        contact: { ...before, name: "Charlotte" },
        events: []
      }))
      const wrote = (i: number, words: string, more = {}) =>
        build.message(one, contacts[i]!, {
          status: "received",
          direction: "inbound",
          author: { type: "contact", id: null },
          dueAt: null,
          content: Builders.text(words),
          ...more
        })
      yield* store.record([
        wrote(3, "When is the DELIVERY?"),
        wrote(4, "die Übergabe ist morgen"),
        wrote(1, "", { content: { type: "media", kind: "image", url: "https://example.com/a", caption: "my Garden" } }),
        wrote(2, "", { content: { type: "preContact", note: "We met in Lisbon" } }),
        wrote(4, "of a campaign", { lead: build.ids.next("led"), step: build.ids.next("stp") })
      ])
      const finds = (search: string, expected: ReadonlyArray<number>) =>
        Effect.map(
          readAll((page) => it.inbox.chats(workspace, { search }, page), 2),
          (chats) =>
            Expect.equal(
              chats.map(({ id }) => id),
              expected.map((i) => it.ids[i]!),
              `chats with ${search}`
            )
        )
      yield* finds("müller", [0])
      yield* finds("ZOË MÜ", [0])
      yield* finds("big", [1])
      yield* finds("charlotte", [2])
      yield* finds("delivery", [3])
      yield* finds("übergabe", [4])
      yield* finds("garden", [1])
      yield* finds("lisbon", [2])
      yield* finds("of a campaign", [])
      yield* finds("0%_s", [3])
      yield* finds("%", [3])
      yield* finds("nobody", [])
      yield* finds("  ", [5, 4, 3, 2, 1, 0])
    }
  ),

  storageCase("chat lists: each member has a position, which never goes back", function* () {
    const it = yield* scene("positions", [
      () => ({ lastInboundAt: start + 10, respondedAt: start }),
      () => ({ lastInboundAt: start + 20, respondedAt: start }),
      () => ({})
    ])
    const { build, contacts, ids, inbox, named, one, store, workspace } = it
    yield* inbox.markRead(workspace, ann, [
      { chat: ids[0]!, at: start + 10 },
      { chat: ids[1]!, at: start + 5 },
      { chat: ids[1]!, at: start + 12 }
    ])
    yield* inbox.markRead(workspace, ann, [{ chat: ids[1]!, at: start + 3 }])
    Expect.equal(
      yield* inbox.readBy(workspace, ann, [ids[2]!, ids[1]!, ids[0]!]),
      [null, start + 12, start + 10],
      "positions"
    )
    Expect.equal(yield* inbox.readBy(workspace, bob, [ids[0]!]), [null], "another member's position")
    Expect.equal(yield* inbox.readBy(build.ids.next("wsp"), ann, [ids[0]!]), [null], "in another workspace")
    Expect.equal(yield* named({ unreadBy: ann }), "p1", "what the member has not read")
    Expect.equal(yield* named({ unreadBy: bob }), "p1 p0", "what the other has not read")
    const inbound = (at: number) =>
      build.message(one, contacts[1]!, { status: "received", direction: "inbound", dueAt: null, createdAt: at })
    const sent = build.message(one, contacts[1]!, { status: "sent", dueAt: null, createdAt: start + 30 })
    yield* store.record([inbound(start + 12), inbound(start + 13), inbound(start + 20), sent])
    const counts = yield* inbox.unreadAfter(workspace, [
      { chat: ids[0]!, after: null },
      { chat: ids[1]!, after: start + 12 },
      { chat: ids[1]!, after: null }
    ])
    Expect.equal(counts, [0, 2, 3], "unread messages")
    yield* store.record(Array.from({ length: 150 }, (_, i) => inbound(start + 40 + i)))
    const many = yield* inbox.unreadAfter(workspace, [{ chat: ids[1]!, after: start + 49 }])
    Expect.equal(many, [140], "unread messages of a long chat")
  }),

  storageCase("message lists: each filter shows its messages, newest first, in whole pages", function* () {
    const { build, contacts, ids, inbox, one, other, store, workspace } = yield* scene("messages")
    const campaign = build.ids.next("cmp")
    const message = (i: number, more: object = {}) => build.message(one, contacts[i]!, { dueAt: null, ...more })
    const lead = () => ({ lead: build.ids.next("led"), step: build.ids.next("stp"), campaign })
    const member = { type: "member", id: ann } as const
    const all = [
      message(0, { status: "sent", author: { type: "campaign", id: campaign }, ...lead(), externalId: "x" }),
      message(0, { status: "received", direction: "inbound", author: { type: "contact", id: null }, externalId: "y" }),
      message(1, { status: "queued", author: member, createdAt: start + 5, content: Builders.text("See you") }),
      message(1, { status: "failed", reason: "unreachable", author: { type: "api", id: "key" }, externalId: "z" }),
      message(2, { status: "failed", author: { type: "campaign", id: campaign }, ...lead(), createdAt: start + 9 }),
      build.message(other, contacts[5]!, { status: "sent", dueAt: null, externalId: "x" })
    ]
    yield* store.record(all)
    const shows = (filter: MessageFilter, ...expected: ReadonlyArray<number>) =>
      Effect.map(
        readAll((page) => inbox.messages(workspace, filter, page), 2),
        (found) =>
          Expect.equal(
            found.map(({ id }) => id),
            expected.map((i) => all[i]!.id),
            `messages by ${Expect.show(filter)}`
          )
      )
    yield* shows({}, 5, 4, 3, 2, 1, 0)
    yield* shows({ account: other.id }, 5)
    yield* shows({ chat: ids[1]! }, 3, 2)
    yield* shows({ direction: "inbound" }, 1)
    yield* shows({ status: "failed" }, 4, 3)
    yield* shows({ author: "campaign" }, 4, 0)
    yield* shows({ author: "member" }, 5, 2)
    yield* shows({ author: "member", authorId: ann }, 2)
    yield* shows({ campaign }, 4, 0)
    yield* shows({ since: start + 5 }, 4, 2)
    yield* shows({ since: start + 1, until: start + 9 }, 2)
    yield* shows({ search: "see YOU" }, 2)
    yield* shows({ search: "nothing" })
    const found = yield* inbox.message(workspace, all[2]!.id)
    Expect.equal(found._tag === "Some" ? found.value : null, all[2]!, "a message by its id")
    Expect.equal((yield* inbox.message(build.ids.next("wsp"), all[2]!.id))._tag, "None", "from another workspace")
    const named = (id: string, account: typeof one.id | null, limit = 10) =>
      Effect.map(inbox.byExternalId(workspace, id, account, limit), (rows) => rows.map((row) => row.id))
    Expect.equal(yield* named("x", null), [all[0]!.id, all[5]!.id], "an id that two accounts know")
    Expect.equal(yield* named("x", null, 1), [all[0]!.id], "at most so many")
    Expect.equal(yield* named("x", other.id), [all[5]!.id], "an id of one account")
    Expect.equal(yield* named("nobody's", null), [], "an id that nobody knows")
    Expect.equal(yield* inbox.byExternalId(build.ids.next("wsp"), "x", null, 9), [], "from another workspace")
  }),

  storageCase("threads: the messages of several chats are one, from either end, in whole pages", function* () {
    const { build, contacts, inbox, one, other, store, workspace } = yield* scene("threads")
    const contact = contacts[0]!
    const { chats: second } = yield* store.open([build.opening(other, contact)])
    const chats = [Chat.idOf(one.id, Builders.addressOf(contact)), second[0]!.id]
    const messages = [0, 1, 1, 2, 3, 4].map((at, i) =>
      build.message(i % 2 === 0 ? one : other, contact, { status: "sent", dueAt: null, createdAt: start + at })
    )
    yield* store.record(messages)
    const ids = messages.map(({ id }) => id as string)
    const parts = chats.map((chat) => ({ chat, after: null }))
    yield* expectPaged((page) => inbox.thread(workspace, parts, "oldest", page), ids, "the thread")
    yield* expectPaged(
      (page) => inbox.thread(workspace, parts, "newest", page),
      ids.toReversed(),
      "the thread backwards"
    )
    const later = [
      { chat: chats[0]!, after: start + 1 },
      { chat: chats[1]!, after: start + 3 }
    ]
    yield* expectPaged((page) => inbox.thread(workspace, later, "oldest", page), [ids[4]!, ids[5]!], "its later part")
    yield* expectPaged((page) => inbox.thread(workspace, [], "newest", page), [], "a thread of no chats")
    const nowhere = build.ids.next("wsp")
    Expect.equal((yield* inbox.thread(nowhere, parts, "oldest", {})).data, [], "from another workspace")
  })
]
