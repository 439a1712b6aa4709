import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Chat from "../../src/chat/Chat.ts"
import * as ChatChange from "../../src/chat/ChatChange.ts"
import * as ChatChoice from "../../src/chat/ChatChoice.ts"
import * as SearchText from "../../src/chat/SearchText.ts"
import * as Builders from "../../src/testing/Builders.ts"
import type { MemberId } from "../../src/workspace/Id.ts"
import { hour } from "../../src/workspace/Instant.ts"

const { start } = Builders
const build = Builders.make("chat rules")
const workspace = build.workspace()
const account = build.account(workspace.id)
const ann = "mbr_1" as MemberId

const chat = (more: Partial<Chat.Chat> = {}): Chat.Chat => ({
  ...Chat.untended,
  id: build.ids.next("cht"),
  workspace: workspace.id,
  number: 1,
  account: account.id,
  address: "sandbox//p",
  contact: null,
  name: "",
  lastAt: start,
  lastText: "",
  lastDirection: "outbound",
  lastInboundAt: null,
  unread: 0,
  openedAt: start,
  createdAt: start,
  ...more
})

describe("what a person writes", () => {
  it("opens the next session and brings the chat back from wherever it was put", () => {
    const put = chat({ closedAt: start + 5, archivedAt: start + 5, deletedAt: start + 5, takenOverAt: null })
    const after = Chat.received(put, start + 6, start + 7)
    assert.isTrue(Chat.isOpen(after))
    assert.deepStrictEqual(
      [after.openedAt, after.respondedAt, after.archivedAt, after.deletedAt],
      [start + 7, start + 6, null, start + 5]
    )
    assert.isFalse(Chat.isDeleted({ ...after, lastAt: start + 6 }))
  })

  it("is seen also where it came before the deletion and is told after it", () => {
    const deleted = Chat.deleted(chat({ lastAt: start + 9 }), start + 10)
    assert.isTrue(Chat.isDeleted(deleted))
    const after = Chat.received(deleted, start + 8, start + 11)
    assert.isFalse(Chat.isDeleted(after))
    assert.isBelow(after.deletedAt ?? 0, start + 8)
  })

  it("leaves the same in any order, but for when the session opened", () => {
    const times = fc.array(fc.integer({ min: -5, max: 20 }), { minLength: 1, maxLength: 6 })
    const states = fc.record({
      closedAt: fc.option(fc.integer({ min: 0, max: 10 }).map((n) => start + n)),
      deletedAt: fc.option(fc.integer({ min: 0, max: 10 }).map((n) => start + n)),
      archivedAt: fc.option(fc.constant(start + 3))
    })
    fc.assert(
      fc.property(states, times, (state, all) => {
        const from = chat(state)
        const run = (order: ReadonlyArray<number>) => {
          const { openedAt: _openedAt, ...rest } = order.reduce(
            (one, at) => Chat.received(one, start + at, start + 30),
            from
          )
          return rest
        }
        assert.deepStrictEqual(run(all), run(all.toReversed()))
      })
    )
  })
})

describe("a change of a chat", () => {
  const pinned = chat({ pinnedAt: start })
  const tagged = chat({ tags: ["a", "b"] })
  const closed = chat({ closedAt: start + 1 })
  const taken = chat({ takenOverAt: start })
  const cases: ReadonlyArray<readonly [string, Chat.Chat, ChatChange.ChatChange, Partial<Chat.Chat> | null, string]> = [
    ["tags", tagged, { type: "tag", add: ["c", "a", "c"], remove: ["b"] }, { tags: ["a", "c"] }, "chat.changed"],
    ["removes a tag it also adds", tagged, { type: "tag", add: ["b"], remove: ["b"] }, { tags: ["a"] }, "chat.changed"],
    ["tags it has", tagged, { type: "tag", add: ["a"], remove: ["x"] }, null, "chat.changed"],
    ["pins", chat(), { type: "pin", pinned: true }, { pinnedAt: start + 9 }, "chat.changed"],
    ["pins what is pinned", pinned, { type: "pin", pinned: true }, null, "chat.changed"],
    ["unpins", pinned, { type: "pin", pinned: false }, { pinnedAt: null }, "chat.changed"],
    ["books", chat(), { type: "book", booked: true }, { bookedAt: start + 9 }, "chat.booked"],
    ["books again", chat({ bookedAt: start }), { type: "book", booked: true }, null, "chat.booked"],
    [
      "takes a booking back",
      chat({ bookedAt: start }),
      { type: "book", booked: false },
      { bookedAt: null },
      "chat.changed"
    ],
    ["assigns", chat(), { type: "assign", member: ann }, { assignee: ann }, "chat.assigned"],
    ["unassigns", chat({ assignee: ann }), { type: "assign", member: null }, { assignee: null }, "chat.assigned"],
    ["assigns whom it has", chat({ assignee: ann }), { type: "assign", member: ann }, null, "chat.assigned"],
    ["archives", chat(), { type: "archive", archived: true }, { archivedAt: start + 9 }, "chat.changed"],
    [
      "closes, and gives back",
      taken,
      { type: "close" },
      { closedAt: start + 9, takenOverAt: null, givenBackAt: start + 9 },
      "chat.closed"
    ],
    ["closes what is closed", closed, { type: "close" }, null, "chat.resumed"],
    [
      "gives back what was taken over after it was closed",
      chat({ closedAt: start + 1, takenOverAt: start + 2 }),
      { type: "close" },
      { takenOverAt: null, givenBackAt: start + 9 },
      "chat.resumed"
    ],
    ["reopens", closed, { type: "reopen" }, { closedAt: null, openedAt: start + 9 }, "chat.reopened"],
    ["reopens what is open", taken, { type: "reopen" }, null, "chat.reopened"],
    ["resumes automation", taken, { type: "resume" }, { takenOverAt: null, givenBackAt: start + 9 }, "chat.resumed"],
    ["resumes where nobody took over", chat(), { type: "resume" }, null, "chat.resumed"],
    [
      "deletes",
      { ...pinned, unread: 3 },
      { type: "delete" },
      { deletedAt: start + 9, closedAt: start + 9, givenBackAt: start + 9, unread: 0, pinnedAt: null },
      "chat.deleted"
    ]
  ]
  for (const [what, before, change, expected, type] of cases) {
    it(what, () => {
      const { chat: after, event } = ChatChange.apply(before, change, start + 9)
      assert.strictEqual(event.type, type)
      if (expected === null) assert.strictEqual(after, before)
      else assert.deepStrictEqual(after, { ...before, ...expected })
    })
  }
})

describe("a chat", () => {
  it("that was deleted comes back empty to who asks for it", () => {
    const deleted = Chat.deleted(chat({ lastText: "secret", lastAt: start + 20 }), start + 10)
    const back = Chat.restored(deleted, start + 15)
    assert.isFalse(Chat.isDeleted(back))
    assert.deepStrictEqual([back.lastText, back.deletedAt, Chat.isOpen(back)], ["", start + 20, true])
    assert.strictEqual(Chat.restored(back, start + 30), back)
  })

  it("is never read less far, nor more unread by reading", () => {
    const read = Chat.read(chat({ unread: 5 }), start + 10, 2)
    assert.deepStrictEqual([read.readAt, read.unread], [start + 10, 2])
    const earlier = Chat.read(read, start + 3, 4)
    assert.deepStrictEqual([earlier.readAt, earlier.unread], [start + 10, 2])
  })

  it("may be asked about again after an hour", () => {
    assert.isTrue(Chat.isProfileStale(chat(), start))
    const told = Chat.profiled(chat(), { name: "Ann", username: "ann" }, start)
    assert.deepStrictEqual([told.name, told.profile?.username], ["Ann", "ann"])
    assert.isFalse(Chat.isProfileStale(told, start + hour - 1))
    assert.isTrue(Chat.isProfileStale(told, start + hour))
    const nothing = Chat.profiled(told, null, start + hour)
    assert.deepStrictEqual(
      [nothing.name, nothing.profile],
      ["Ann", { name: "Ann", username: "ann", refreshedAt: start + hour }]
    )
  })
})

describe("the way to a contact", () => {
  const other = build.account(workspace.id)
  const idle = build.account(workspace.id, { enabled: false })
  const [phone, second] = ["p1", "p2"].map((externalId) => ({ channel: Builders.channel, scope: "", externalId }))
  const contact = build.contact(workspace.id, { addresses: [phone!, second!] })
  const choose = (accounts: ReadonlyArray<typeof account>, talks: Readonly<Record<string, number>> = {}, wish = {}) => {
    const ways = ChatChoice.ways(contact, accounts, wish)
    const chats = new Map(
      ways.flatMap((way) => {
        const lastAt = talks[`${way.account.id}/${way.address.externalId}`]
        return lastAt === undefined ? [] : [[ChatChoice.chatOf(way), { lastAt }] as const]
      })
    )
    const found = ChatChoice.choose(ways, chats, contact)
    return found === null ? null : `${found.account.id}/${found.address.externalId}`
  }

  it("is the latest chat, else the first address of the first account that can send", () => {
    assert.strictEqual(choose([idle, account, other]), `${account.id}/p1`)
    const talks = { [`${other.id}/p2`]: 5, [`${account.id}/p1`]: 3, [`${idle.id}/p1`]: 9 }
    assert.strictEqual(choose([idle, account, other], talks), `${other.id}/p2`)
    assert.strictEqual(choose([idle], talks), `${idle.id}/p1`)
    assert.strictEqual(choose([account, other], talks, { account: account.id }), `${account.id}/p1`)
    assert.isNull(choose([account], {}, { channel: "elsewhere" }))
    assert.isNull(choose([build.account(workspace.id, { channel: "elsewhere" })]))
  })
})

describe("words", () => {
  const cases: ReadonlyArray<readonly [text: string, query: string, boolean]> = [
    ["Hello there", "HELLO", true],
    ["Zoë Müller", "müller", true],
    ["ZOË MÜLLER", "zoë müller", true],
    ["die Übergabe", "übergabe", true],
    ["Привет, Анна", "анна", true],
    ["東京タワー", "京タ", true],
    ["100%", "%", true],
    ["one two", "onetwo", false],
    ["anything", "  ", true]
  ]
  for (const [text, query, expected] of cases) {
    it(`${JSON.stringify(query)} in ${JSON.stringify(text)}`, () => {
      assert.strictEqual(SearchText.isIn(text, query), expected)
    })
  }
})
