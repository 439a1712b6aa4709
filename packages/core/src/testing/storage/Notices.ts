/** What `ChatStore` and `ContactStore` promise to whoever hears platforms: what comes early waits, and the last wish counts. */
import { Effect } from "effect"
import * as Address from "../../channel/Address.ts"
import type { EarlyNotice } from "../../chat/Notice.ts"
import { tombstone } from "../../contact/Suppression.ts"
import type { Wish } from "../../contact/Wish.ts"
import { Transaction } from "../../workspace/Transaction.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { fails, type StorageCase, storageCase } from "./StorageCase.ts"
import { twoWithPeople } from "./TwoWorkspaces.ts"

const { start } = Builders

/** Two of the people have a chat. */
const people = (seed: string) =>
  Effect.gen(function* () {
    const place = yield* twoWithPeople(seed)
    const { account, build, chats, contacts } = place
    const openings = contacts.slice(0, 2).map((contact) => build.opening(account, contact))
    yield* chats.open(openings)
    return { ...place, ids: openings.map(({ id }) => id) }
  })

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("notices: wait for their message, are given out once, and go with their chat", function* () {
    const { chats, ids, mine, other } = yield* people("notices")
    const [a, b] = [ids[0]!, ids[1]!]
    const notice = (key: string, overrides: Partial<EarlyNotice> = {}): EarlyNotice => ({
      key,
      workspace: mine,
      chat: a,
      externalId: "x",
      notice: { type: "messageEdited", at: start, content: Builders.text(key) },
      toldAt: start,
      ...overrides
    })
    const read = notice("3", { notice: { type: "messageRead", at: start + 1 } })
    const elsewhere = [notice("1", { externalId: "y" }), notice("1", { chat: b })]
    yield* chats.keepNotices([read, notice("1"), ...elsewhere])
    yield* chats.keepNotices([notice("1"), notice("2")])
    Expect.equal((yield* chats.held(mine, ids)).notices.length, 5, "kept, each once")
    Expect.equal((yield* chats.held(other, ids)).notices, [], "of another workspace")
    const { within } = yield* Transaction
    const refs = [
      { chat: a, externalId: "x" },
      { chat: a, externalId: "unknown" }
    ]
    yield* fails(within(Effect.andThen(chats.takeNotices(refs), Effect.fail("later"))), "the transaction")
    Expect.equal(yield* chats.takeNotices(refs), [notice("1"), notice("2"), read], "given out, by key")
    Expect.equal(yield* chats.takeNotices(refs), [], "given out again")
    Expect.equal(yield* chats.takeNotices([]), [], "of no message")
    yield* chats.erase(mine, [a])
    Expect.equal((yield* chats.held(mine, ids)).notices, [elsewhere[1]!], "what waits after an erasure")
  }),

  storageCase("notices: those whose message never comes go when they are old, a few at a time", function* () {
    const { chats, ids, mine, other } = yield* people("old notices")
    const notice = (externalId: string, toldAt: number, workspace = mine): EarlyNotice => ({
      key: "1",
      workspace,
      chat: ids[0]!,
      externalId,
      notice: { type: "messageRead", at: start },
      toldAt
    })
    const all = [notice("c", start + 3), notice("a", start), notice("b", start + 1), notice("d", start, other)]
    yield* chats.keepNotices(all)
    Expect.equal(yield* chats.purgeNotices(mine, start, 9), 0, "none is so old")
    Expect.equal(yield* chats.purgeNotices(mine, start + 3, 9), 2, "those from before")
    Expect.equal((yield* chats.held(mine, ids)).notices, [all[0]!], "what is younger")
    Expect.equal((yield* chats.held(other, ids)).notices, [all[3]!], "of another workspace")
    yield* chats.keepNotices([notice("a", start), notice("b", start + 1)])
    Expect.equal(yield* chats.purgeNotices(mine, start + 9, 2), 2, "no more than asked for")
    Expect.equal((yield* chats.held(mine, ids)).notices.length, 1, "what is left")
  }),

  storageCase("notices: messages are found by either id, in the order asked for, and by chat and time", function* () {
    const { account, build, chats, contacts, mine, other } = yield* people("find")
    const message = (externalId: string | null, createdAt: number, overrides: object = {}) =>
      build.message(account, contacts[0], { externalId, createdAt, dueAt: null, status: "sent", ...overrides })
    const details = { editedAt: start, reactions: [{ emoji: "👍", fromUs: true, at: start }], raw: { a: [1] } }
    const [one, two, three] = [message("x", start, { details }), message("y", start), message(null, start + 1)]
    yield* chats.record([one, two, three])
    const refs = [
      { chat: one.chat, externalId: "y" },
      { id: build.ids.next("msg") },
      { id: three.id },
      { chat: one.chat, externalId: "x" },
      { chat: build.opening(account, contacts[1]).id, externalId: "x" }
    ]
    Expect.equal(yield* chats.find(mine, refs), [two, null, three, one, null], "found")
    Expect.equal(
      yield* chats.find(other, refs),
      refs.map(() => null),
      "of another workspace"
    )
    Expect.equal(yield* chats.find(mine, []), [], "nothing asked for")
    const at = yield* chats.createdAt([{ chat: one.chat, at: start }])
    Expect.equal(new Set(at.map(({ id }) => id)), new Set([one.id, two.id]), "made at that time")
    yield* chats.holdSending([one.chat])
  }),

  storageCase("wishes: the last word of a person counts, in any order, and at once it is stop", function* () {
    const { contacts, mine, other, store } = yield* people("wishes")
    const address = Builders.addressOf(contacts[0])
    const say = (type: Wish["type"], at: number, workspace = mine): Wish => ({
      workspace,
      address,
      type,
      at: start + at
    })
    const stopped = Effect.map(store.suppressions(mine, [address]), (rows) =>
      rows.map(({ at, reason }) => [reason, at - start])
    )
    yield* store.heed([say("start", 5), say("stop", 4)])
    Expect.equal(yield* stopped, [], "a stop told after a later start")
    yield* store.heed([say("stop", 5)])
    Expect.equal(yield* stopped, [["optedOut", 5]], "both at once")
    yield* store.heed([say("stop", 3), say("stop", 8), say("start", 7)])
    Expect.equal(yield* stopped, [["optedOut", 8]], "the last stop")
    yield* store.heed([say("start", 9), say("start", 99, other)])
    Expect.equal(yield* stopped, [], "a start after it")
    const manual = { workspace: mine, address, account: null, reason: "manual", at: start + 20 } as const
    yield* store.suppress([manual], [])
    yield* store.heed([say("stop", 12), say("start", 15)])
    Expect.equal(yield* stopped, [["manual", 20]], "what we did after they said start")
    yield* store.heed([say("start", 21)])
    Expect.equal(yield* stopped, [], "a start after that")
    const hash = (text: string) => `hash of ${text}`
    const erased = tombstone(hash, address)
    yield* store.suppress([{ workspace: mine, address: erased, account: null, reason: "erased", at: start + 30 }], [])
    yield* store.heed([say("start", 29)], hash)
    Expect.equal((yield* store.suppressions(mine, [erased])).length, 1, "a start from before the erasure")
    yield* store.heed([say("start", 31)], hash)
    Expect.equal(yield* store.suppressions(mine, [erased]), [], "a start after the erasure")
    yield* store.heed([])
  }),

  storageCase("wishes: people are found by any of their addresses", function* () {
    const { contacts, mine, other, store } = yield* people("addresses")
    const [a, b] = contacts
    const keys = [Address.key(b.addresses[0]!), Address.key(a.addresses[0]!), "sandbox//nobody"]
    const found = yield* store.byAddresses(mine, keys)
    Expect.equal(
      keys.map((key) => found.get(key)?.id ?? null),
      [b.id, a.id, null],
      "found"
    )
    Expect.equal((yield* store.byAddresses(other, keys)).size, 0, "in another workspace")
    Expect.equal((yield* store.byAddresses(mine, [])).size, 0, "of no address")
  })
]
