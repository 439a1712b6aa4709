import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { AccountReports } from "../../src/account/AccountReports.ts"
import type { ChannelEvent } from "../../src/channel/ChannelEvent.ts"
import { Inbox } from "../../src/chat/Inbox.ts"
import { Suppressions } from "../../src/contact/Suppressions.ts"
import type { Services } from "../../src/Overture.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day, hour, minute, second } from "../../src/workspace/Instant.ts"
import * as Desk from "./Desk.ts"

const { start } = Desk

type Scene = Effect.Success<ReturnType<typeof Desk.make>>

const desk = (options: TestChannel.Options, body: (it: Scene) => Effect.Effect<void, unknown, Services>) => {
  const channel = TestChannel.make(options)
  return Effect.flatMap(Desk.make(channel), body).pipe(Effect.provide(Desk.engine(channel)))
}

const wrote = (person: string, at: number, more: object = {}) =>
  ({
    type: "messageReceived",
    dedupeKey: `${person} wrote`,
    at,
    participant: { scope: "", externalId: person },
    externalId: `in-${person}`,
    content: Builders.text("Hello"),
    ...more
  }) as ChannelEvent

const told = (it: Scene, ...events: ReadonlyArray<ChannelEvent>) =>
  Effect.flatMap(Inbox, ({ receive }) => receive(it.account, events))

const people = (it: Scene) =>
  Effect.map(it.chats.list(it.workspace, {}, {}), ({ data }) => data.map(({ name }) => name))

const named = (person: string, at: number, more: object = {}) =>
  wrote(person, at, { participant: { scope: "", externalId: person, name: person }, ...more })

const broken: ReadonlyArray<readonly [string, object]> = [
  ["at", { at: start * 1e6 }],
  ["at", { at: NaN }],
  ["at", { at: -1 }],
  ["at", { at: "2026-03-08T14:00:00Z" }],
  ["dedupeKey", { dedupeKey: "" }],
  ["externalId", { externalId: undefined }],
  ["participant.externalId", { participant: { scope: "", externalId: "" } }],
  ["content.text", { content: { type: "text", text: 5 } }],
  ["content", { content: { type: "song" } }],
  ["emoji", { type: "reactionAdded", fromUs: false }],
  ["at", { type: "messageRead", at: NaN }],
  ["type", { type: "messageSung" }]
]

describe("an event that is none", () => {
  it.effect.each(broken)("%s: is left out and changes nothing, and its neighbours are kept", ([field, more]) =>
    desk({}, (it) =>
      Effect.gen(function* () {
        const said: Array<string> = []
        const log = Logger.layer([Logger.make(({ message }) => void said.push(String(message)))])
        const bad = named("bad", start, { content: Builders.text("a secret"), ...more })
        const batch = told(it, named("one", start), bad, named("two", start)).pipe(Effect.provide(log))
        assert.deepStrictEqual(yield* batch, { handled: 2, repeated: 0, undecodable: 1 })
        assert.deepStrictEqual(yield* batch, { handled: 0, repeated: 2, undecodable: 1 })
        assert.sameMembers([...(yield* people(it))], ["one", "two"])
        assert.strictEqual((yield* it.messages.list(it.workspace, {}, {})).data.length, 2)
        assert.include(said[0], `events[1].${field}`)
        assert.include(said[0], it.account.id)
        assert.notInclude(said.join(), "secret")
        // Told once more as it should be, it is news.
        assert.strictEqual((yield* told(it, named("bad", start))).handled, 1)
        assert.strictEqual((yield* people(it)).length, 3)
      })
    )
  )

  it.effect("is told in the account's log, once a minute, without what came", () =>
    desk({}, (it) =>
      Effect.gen(function* () {
        const bad = wrote("bad", start, { content: Builders.text("a secret"), replyTo: 5 })
        yield* told(it, bad)
        yield* told(it, bad)
        const [entry, ...more] = yield* (yield* AccountReports).log(it.workspace, it.account.id)
        assert.include(entry, { level: "warning", title: "Not understood" })
        assert.include(entry?.description, "events[0].replyTo: expected a string")
        assert.notInclude(entry?.description, "secret")
        assert.deepStrictEqual(more, [])
      })
    )
  )

  it.effect("alone is an answer, too: the platform need not tell it again", () =>
    desk({}, (it) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* told(it, wrote("bad", NaN)), { handled: 0, repeated: 0, undecodable: 1 })
        assert.deepStrictEqual(yield* told(it, null as unknown as ChannelEvent), {
          handled: 0,
          repeated: 0,
          undecodable: 1
        })
      })
    )
  )
})

describe("a message without words", () => {
  it.effect("is one: it is shown, and may be edited to have some, or none", () =>
    desk({}, (it) =>
      Effect.gen(function* () {
        const shown = Effect.map(it.messages.list(it.workspace, {}, {}), ({ data }) =>
          data.map(({ content, direction }) => [direction, content.type === "text" ? content.text : null])
        )
        yield* told(it, wrote("ann", start, { content: { type: "text", text: "" } }))
        assert.deepStrictEqual(yield* shown, [["inbound", ""]])
        const { chat } = yield* it.chats.get(it.workspace, it.chatOf("ann"))
        assert.deepStrictEqual([chat.unread, chat.lastInboundAt], [1, start])
        const edited = (text: string, at: number) =>
          told(it, wrote("ann", at, { type: "messageEdited", dedupeKey: `${at}`, content: { type: "text", text } }))
        yield* edited("Hi", start + second)
        assert.deepStrictEqual(yield* shown, [["inbound", "Hi"]])
        yield* edited("", start + 2 * second)
        assert.deepStrictEqual(yield* shown, [["inbound", ""]])
      })
    )
  )
})

describe("a platform whose clock is ahead", () => {
  const years = 10 * 365 * day

  it.effect("opens no window for longer, and its chats stand where they belong", () =>
    desk({ policy: { replyWindow: { automatedMs: day, humanMs: 7 * day } } }, (it) =>
      Effect.gen(function* () {
        yield* told(it, named("vera", start + years))
        yield* it.wait(10 * minute)
        yield* told(it, named("ann", start + 10 * minute))
        assert.deepStrictEqual(yield* people(it), ["ann", "vera"])
        const { chat, windows } = yield* it.chats.get(it.workspace, it.chatOf("vera"))
        assert.deepStrictEqual([chat.lastAt, chat.lastInboundAt], [start + 5 * minute, start + 5 * minute])
        assert.strictEqual(windows?.automated.openUntil, start + 5 * minute + day)
      })
    )
  )

  it.effect("is heard by its own time where that is near", () =>
    desk({}, (it) =>
      Effect.gen(function* () {
        yield* told(it, named("vera", start + 4 * minute + second))
        const { chat } = yield* it.chats.get(it.workspace, it.chatOf("vera"))
        assert.strictEqual(chat.lastAt, start + 4 * minute + second)
      })
    )
  )

  it.effect("leaves a stop that a later start lifts", () =>
    desk({}, (it) =>
      Effect.gen(function* () {
        const suppressed = Effect.map(
          Effect.flatMap(Suppressions, ({ page }) => page(it.workspace, {})),
          ({ data }) => data.length
        )
        yield* told(it, wrote("vera", start + years, { content: Builders.text("STOP") }))
        assert.strictEqual(yield* suppressed, 1)
        yield* it.wait(hour)
        const again = { dedupeKey: "again", externalId: "again", content: Builders.text("START") }
        yield* told(it, wrote("vera", start + hour, again))
        assert.strictEqual(yield* suppressed, 0)
      })
    )
  )
})
