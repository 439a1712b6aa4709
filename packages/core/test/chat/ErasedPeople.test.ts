import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Address from "../../src/channel/Address.ts"
import type { ChannelEvent } from "../../src/channel/ChannelEvent.ts"
import { Inbox } from "../../src/chat/Inbox.ts"
import { Contacts } from "../../src/contact/Contacts.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import * as Overture from "../../src/Overture.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day, hour, minute } from "../../src/workspace/Instant.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import * as Desk from "./Desk.ts"

const { start } = Desk
const erasedAt = start + hour

const engine = (channel: TestChannel.TestChannel) =>
  Overture.layer({
    storage: MemoryStorage.layer,
    channels: [channel],
    time: PacingTime.layerVirtual(start),
    addressHash: (address) => `hash of ${address}`
  })

/** A desk to which Vera wrote at `start`, and where she was erased an hour later. */
const scene = (channel: TestChannel.TestChannel) =>
  Effect.gen(function* () {
    const desk = yield* Desk.make(channel)
    yield* desk.says("vera", "Hello")
    const known = Effect.map(
      Effect.flatMap(ContactStore, ({ list }) => list(desk.workspace, {})),
      ({ data }) => data
    )
    yield* desk.wait(hour)
    const [vera] = yield* known
    yield* (yield* Contacts).erase(desk.workspace, vera!.id, Desk.api)
    const { receive } = yield* Inbox
    return {
      ...desk,
      known,
      told: (event: ChannelEvent) => receive(desk.account, [event]),
      chat: Effect.map(desk.chats.get(desk.workspace, desk.chatOf("vera")), ({ chat }) => chat),
      feed: Effect.map(
        Effect.flatMap(EventStore, ({ read }) => read(desk.workspace, null, 10_000)),
        (events) => events.length
      )
    }
  })

const of = (dedupeKey: string, at: number) => ({
  dedupeKey,
  at,
  participant: { externalId: "vera", scope: "", name: "Vera" }
})
const said = { externalId: "late", content: Builders.text("It is Vera") }

describe("of a person who was erased", () => {
  const later = erasedAt + minute
  const tellings: ReadonlyArray<readonly [string, ChannelEvent]> = [
    [
      "what they wrote before it and the platform tells late",
      { type: "messageReceived", ...of("a", erasedAt - 1), ...said }
    ],
    ["what was written to them by hand", { type: "messageEchoed", ...of("b", later), ...said }],
    ["an appointment", { type: "booked", ...of("c", later), ref: "Vera at nine" }],
    ["the platform's sign that they want no more", { type: "optedOut", ...of("d", later) }],
    ["an edit of what they wrote", { type: "messageEdited", ...of("e", later), ...said }],
    ["a receipt", { type: "messageRead", ...of("f", later), externalId: "late" }]
  ]
  for (const [name, event] of tellings) {
    it.effect(`${name} is not heard, and brings nobody back`, () => {
      const channel = TestChannel.make()
      return Effect.gen(function* () {
        const it = yield* scene(channel)
        const before = [yield* it.chat, yield* it.feed]
        yield* it.wait(hour)
        yield* it.told(event)
        assert.deepStrictEqual(yield* it.known, [])
        assert.deepStrictEqual([yield* it.chat, yield* it.feed], before)
        const { data } = yield* it.messages.list(it.workspace, {}, {})
        assert.notInclude(JSON.stringify(data).toLowerCase(), "vera")
      }).pipe(Effect.provide(engine(channel)))
    })
  }

  it.effect("what they write after it is: they are there again, as somebody new", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* scene(channel)
      yield* it.wait(hour)
      yield* it.told({ type: "messageReceived", ...of("a", erasedAt), ...said })
      assert.deepStrictEqual(
        (yield* it.known).map(({ addresses, name }) => [name, ...addresses.map(Address.key)]),
        [["Vera", "sandbox//vera"]]
      )
      assert.include(yield* it.chat, { name: "Vera", address: "sandbox//vera", lastText: "It is Vera" })
    }).pipe(Effect.provide(engine(channel)))
  })
})

describe("to a person who was erased", () => {
  const windows: ReadonlyArray<readonly [string, number | null]> = [
    ["while the window of their last message is open", 7 * day],
    ["where no window ends", null]
  ]
  for (const [name, humanMs] of windows) {
    it.effect(`a member may not write either, also ${name}`, () => {
      const channel = TestChannel.make({ policy: { replyWindow: { automatedMs: humanMs, humanMs } } })
      return Effect.gen(function* () {
        const it = yield* scene(channel)
        const author = { type: "member", id: yield* it.member("ann") } as const
        const content = Builders.text("Are you there?")
        const refused = yield* Effect.flip(
          it.messages.send(it.workspace, { to: { account: it.account.id, person: "vera" }, author, content })
        )
        assert.deepInclude(refused, { _tag: "SendRefused", field: "to", reason: "suppressed" })
        yield* it.run(erasedAt + day)
        assert.deepStrictEqual(channel.asked, [])
      }).pipe(Effect.provide(engine(channel)))
    })
  }
})
