import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Logger, Option } from "effect"
import { TestClock } from "effect/testing"
import type { Account } from "../../src/account/Account.ts"
import type { ChannelEvent } from "../../src/channel/ChannelEvent.ts"
import { idOf } from "../../src/chat/Chat.ts"
import { ChatStore } from "../../src/chat/ChatStore.ts"
import type { InboundHook } from "../../src/chat/InboundHook.ts"
import { Chats } from "../../src/chat/Chats.ts"
import { Inbox } from "../../src/chat/Inbox.ts"
import { MediaRecordStore } from "../../src/chat/MediaRecordStore.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import { Messages } from "../../src/outbox/Messages.ts"
import * as Overture from "../../src/Overture.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day, hour, type Instant, second } from "../../src/workspace/Instant.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import * as Scene from "../engine/Scene.ts"

const { start } = Builders
const pacing = { rangeMin: 24, rangeMax: 24, jitter: 0, catchUp: "skip" as const, newShare: 0.25 }
const address = "sandbox//p"

const engine = (
  channel: TestChannel.TestChannel,
  inbound: ReadonlyArray<InboundHook> = [],
  outbox: Overture.Options["outbox"] = {}
) =>
  Overture.layer({
    outbox,
    storage: MemoryStorage.layer,
    channels: [channel],
    time: PacingTime.layerVirtual(start),
    inbound
  })

let count = 0
const common = (at: Instant) => ({
  dedupeKey: `event ${++count}`,
  at,
  participant: { scope: "", externalId: "p", name: "Pia" }
})

const wrote = (at: Instant, text = "Hm", externalId = `in-${at}`, person = "p"): ChannelEvent => ({
  type: "messageReceived",
  ...common(at),
  participant: { ...common(at).participant, externalId: person },
  externalId,
  content: Builders.text(text)
})

const tell = (account: Account, ...events: ReadonlyArray<ChannelEvent>) =>
  Effect.flatMap(Inbox, (inbox) => inbox.receive(account, events))

const messages = (account: Account) =>
  Effect.map(
    Effect.flatMap(ChatStore, (store) => store.messages(account.workspace, idOf(account.id, address), {})),
    ({ data }) => data
  )

const types = (account: Account) =>
  Effect.map(
    Effect.flatMap(EventStore, (store) => store.read(account.workspace, null, 10_000)),
    (events) => events.map(({ event }) => event.type)
  )

/** A campaign of a first message and a follow-up a day later, to one person. */
const campaign = (channel: TestChannel.TestChannel, parts: readonly [number, ...Array<number>] = [1, 1]) =>
  Effect.gen(function* () {
    const it = yield* Scene.make(channel)
    const account = yield* it.account("a")
    const made = yield* it.campaign("c", [account], [{ id: "p" }], { pacing }, parts)
    yield* it.start(made.id)
    return { it, account, lead: Effect.map(it.leads(made.id), ([lead]) => lead!) }
  })

describe("what is told of a message before the message itself", () => {
  it.effect("waits for it, and is applied when it comes", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const account = yield* it.account("a")
      const externalId = "m"
      yield* tell(
        account,
        { type: "messageEdited", ...common(start + 5), externalId, content: Builders.text("two") },
        { type: "reactionAdded", ...common(start + 6), externalId, emoji: "👍", fromUs: true }
      )
      assert.deepStrictEqual(yield* messages(account), [])
      const listed = Effect.map(
        Effect.flatMap(Chats, (chats) => chats.list(account.workspace, {}, {})),
        ({ data }) => data.length
      )
      assert.deepStrictEqual([yield* listed, (yield* types(account)).includes("chat.created")], [0, false])
      yield* tell(account, wrote(start, "one", externalId))
      assert.strictEqual(yield* listed, 1)
      const [message] = yield* messages(account)
      assert.deepStrictEqual(message?.content, Builders.text("two"))
      assert.deepStrictEqual(message?.details, {
        editedAt: start + 5,
        reactions: [{ emoji: "👍", fromUs: true, at: start + 6 }]
      })
      const chat = Option.getOrThrow(yield* (yield* ChatStore).get(account.workspace, idOf(account.id, address)))
      assert.deepStrictEqual([chat.lastText, chat.unread, chat.name], ["two", 1, "Pia"])
      const told = yield* types(account)
      const news = ["chat.created", "message.received", "chat.replied", "message.edited", "reaction.added"]
      assert.deepStrictEqual(told.slice(-5), news)
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("says nothing of the chat itself, whichever comes first", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const accounts = [yield* it.account("a"), yield* it.account("b")]
      const opted = { type: "optedOut", ...common(start + 9), participant: { scope: "", externalId: "p" } } as const
      const read = { type: "messageRead", ...common(start + 5), externalId: "never" } as const
      yield* tell(accounts[0]!, read)
      yield* tell(accounts[0]!, opted)
      yield* tell(accounts[1]!, opted)
      yield* tell(accounts[1]!, read)
      const store = yield* ChatStore
      const chats = yield* Effect.forEach(accounts, ({ id, workspace }) => store.get(workspace, idOf(id, address)))
      assert.deepStrictEqual(
        chats.map((chat) => Option.map(chat, ({ lastAt, name }) => [lastAt - start, name])),
        [Option.some([9, ""]), Option.some([9, ""])]
      )
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("waits for what is being sent, too: a late failure that came before the answer ends the sequence", () => {
    const account: { of?: Account } = {}
    const told = { failed: false }
    const channel: TestChannel.TestChannel = TestChannel.make({
      answer: ({ key }) =>
        Effect.gen(function* () {
          const event = { type: "messageFailed", ...common(start + hour), externalId: `x-${key}`, code: "131" } as const
          if (!told.failed) yield* inside.receive(account.of!, [event])
          told.failed = true
          return { type: "accepted", externalId: `x-${key}` } as const
        }).pipe(Effect.orDie)
    })
    let inside: Inbox["Service"]
    return Effect.gen(function* () {
      inside = yield* Inbox
      const { account: sender, it, lead } = yield* campaign(channel)
      account.of = sender
      yield* it.run(start + 10 * day)
      const [message] = yield* messages(sender)
      assert.deepStrictEqual([message?.status, message?.reason, message?.errorCode], ["failed", "failedLate", "131"])
      const after = yield* lead
      assert.deepStrictEqual([after.status, after.ended, channel.asked.length], ["failed", "failed", 1])
      const [counted, recounted] = yield* it.counts(after.campaign)
      assert.deepStrictEqual(counted, recounted)
    }).pipe(Effect.provide(engine(channel)))
  })
})

describe("a chat", () => {
  it.effect("is told of once, by whoever says the first word in it", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { account, it } = yield* campaign(channel)
      yield* it.run(start + 2 * day)
      yield* tell(account, wrote(start + 2 * day), wrote(start + 2 * day, "Hm", "in-q", "q"))
      const member = { type: "api", id: "key" } as const
      for (const to of ["q", "r", "r", "s"]) {
        const draft = { to: { account: account.id, person: to }, content: Builders.text("Hi"), author: member }
        yield* (yield* Messages).send(account.workspace, draft)
      }
      yield* (yield* Chats).open(account.workspace, { account: account.id, person: "s" }, member)
      yield* (yield* Chats).open(account.workspace, { account: account.id, person: "t" }, member)
      yield* it.run(start + 3 * day)
      const feed = yield* (yield* EventStore).read(account.workspace, null, 10_000)
      const told = feed.flatMap(({ event }) => (event.type === "chat.created" ? [event] : []))
      const chats = (yield* (yield* ChatStore).list(account.workspace, {})).data
      const whoOf = (id: string) => chats.find((chat) => chat.id === id)?.address
      assert.deepStrictEqual(
        told.map(({ actor, subject }) => [whoOf(subject), actor.type]),
        [
          ["sandbox//p", "campaign"],
          ["sandbox//q", "contact"],
          ["sandbox//r", "api"],
          ["sandbox//s", "api"],
          ["sandbox//t", "api"]
        ]
      )
      assert.strictEqual(chats.length, told.length)
      const firsts = new Map(feed.toReversed().map(({ event }) => [event.data["chat"] ?? event.subject, event.type]))
      assert.isTrue(chats.every(({ id }) => firsts.get(id) === "chat.created"))
    }).pipe(Effect.provide(engine(channel)))
  })
})

describe("a late failure that proves wrong", () => {
  it.effect("lets the sequence go on, and nobody is told of a touch that was not made", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { account, it, lead } = yield* campaign(channel)
      yield* it.run(start + 12 * hour)
      const [sent] = yield* messages(account)
      const externalId = sent!.externalId!
      yield* tell(account, { type: "messageFailed", ...common(sent!.sentAt! + 5), externalId, code: "131" })
      assert.strictEqual((yield* lead).ended, "failed")
      const before = (yield* types(account)).length
      yield* tell(account, { type: "messageDelivered", ...common(sent!.sentAt! + 4), externalId })
      assert.strictEqual((yield* lead).ended, null)
      const told = (yield* types(account)).slice(before).filter((type) => type.startsWith("lead."))
      assert.deepStrictEqual(told, ["lead.resumed"])
      yield* it.run(start + 5 * day)
      assert.strictEqual(channel.asked.length, 2)
    }).pipe(Effect.provide(engine(channel)))
  })
})

describe("a reply", () => {
  it.effect("that is told between the claim of a follow-up and its begin keeps it from being sent", () => {
    let inside: Inbox["Service"]
    const accounts: Array<Account> = []
    // While the first of two claimed follow-ups is being sent, the other person answers.
    const channel: TestChannel.TestChannel = TestChannel.make({
      answer: ({ key, to }, nth) =>
        Effect.gen(function* () {
          const other = to === "p" ? "q" : "p"
          const writer = channel.asked.find((asked) => asked.to === other)
          if (nth === 2 && writer !== undefined) {
            const event = { ...wrote(start + 2 * day, "Hm"), participant: { scope: "", externalId: other } }
            yield* inside.receive(accounts.find(({ id }) => id === writer.account)!, [event])
          }
          return { type: "accepted", externalId: `x-${key}` } as const
        }).pipe(Effect.orDie)
    })
    return Effect.gen(function* () {
      inside = yield* Inbox
      const it = yield* Scene.make(channel)
      const [a, b] = [yield* it.account("a"), yield* it.account("b")]
      accounts.push(a, b)
      const made = yield* it.campaign("c", [a, b], [{ id: "p" }, { id: "q" }], { pacing }, [1, 1])
      yield* it.start(made.id)
      yield* it.run(start + 10 * day)
      assert.strictEqual(channel.asked.length, 3)
      const ends = (yield* it.leads(made.id)).map(({ ended }) => ended)
      assert.sameMembers(ends, ["completed", "replied"])
    }).pipe(Effect.provide(engine(channel, [], { sendConcurrency: 1 })))
  })

  it.effect("from before the first touch that is told late answers nothing", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { account, it, lead } = yield* campaign(channel)
      yield* it.run(start + hour)
      const { firstSentAt, step } = yield* lead
      yield* tell(account, wrote(firstSentAt! - hour))
      assert.deepStrictEqual([(yield* lead).step, (yield* lead).repliedAt], [step, null])
      yield* tell(account, wrote(firstSentAt! + second))
      assert.deepStrictEqual([(yield* lead).ended, (yield* lead).repliedAt], ["replied", firstSentAt! + second])
    }).pipe(Effect.provide(engine(channel)))
  })
})

describe("who wants no more messages, and who wants them again", () => {
  const stopped = (account: Account) =>
    Effect.map(
      Effect.flatMap(ContactStore, (store) => store.suppressions(account.workspace, [address])),
      (rows) => rows.map(({ at, reason }) => [reason, at])
    )

  it.effect("is who said so last by the platform's time", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const account = yield* it.account("a")
      yield* tell(account, wrote(start + 5, "START"))
      yield* tell(account, wrote(start + 4, "STOP"))
      assert.deepStrictEqual(yield* stopped(account), [])
      yield* tell(account, { type: "optedOut", ...common(start + 9) })
      yield* tell(account, wrote(start + 7, "START"), wrote(start + 8, "stop"))
      assert.deepStrictEqual(yield* stopped(account), [["optedOut", start + 9]])
      yield* tell(account, wrote(start + 10, "START"))
      assert.deepStrictEqual(yield* stopped(account), [])
    }).pipe(Effect.provide(engine(channel)))
  })
})

describe("an answer without words", () => {
  it.effect("is an answer: nothing more is sent", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { account, it, lead } = yield* campaign(channel)
      yield* it.run(start + hour)
      yield* tell(account, wrote(start + hour, ""))
      assert.strictEqual((yield* lead).ended, "replied")
      yield* it.run(start + 10 * day)
      assert.strictEqual(channel.asked.length, 1)
    }).pipe(Effect.provide(engine(channel)))
  })
})

describe("a booking", () => {
  it.effect("ends the sequence, marks the chat and is told once", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { account, it, lead } = yield* campaign(channel)
      yield* it.run(start + hour)
      const at = start + hour
      const booked: ChannelEvent = { type: "booked", ...common(at), ref: "b-1", startsAt: start + 9 * day }
      const received = [yield* tell(account, booked), yield* tell(account, booked)]
      assert.deepStrictEqual(received, [
        { handled: 1, repeated: 0, undecodable: 0 },
        { handled: 0, repeated: 1, undecodable: 0 }
      ])
      const after = yield* lead
      assert.deepStrictEqual([after.ended, after.bookedAt], ["booked", at])
      const chat = Option.getOrThrow(yield* (yield* ChatStore).get(account.workspace, idOf(account.id, address)))
      assert.strictEqual(chat.bookedAt, at)
      assert.strictEqual((yield* types(account)).filter((type) => type === "chat.booked").length, 1)
    }).pipe(Effect.provide(engine(channel)))
  })
})

describe("a message with files", () => {
  it.effect("leaves them to be fetched, and takes them away when it is taken back", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const account = yield* it.account("a")
      const content = { type: "media", kind: "image", url: "https://p.example/a.jpg", caption: "me" } as const
      const raw = { caption: "me", from: { first: "Pia" } }
      yield* tell(account, { ...wrote(start), content, button: "yes", raw, externalId: "m" } as ChannelEvent)
      const media = yield* MediaRecordStore
      const [file] = (yield* media.list(account.workspace, {})).data
      assert.deepStrictEqual([file?.status, file?.url], ["remote", content.url])
      const [before] = yield* messages(account)
      const { attachments, ...told } = before?.details ?? {}
      assert.deepStrictEqual([attachments?.[0]?.id, told], [file?.id, { button: "yes", raw }])
      yield* tell(account, { type: "messageDeleted", ...common(start + 1), externalId: "m" })
      const [after] = yield* messages(account)
      assert.deepStrictEqual(after?.details, { deletedAt: start + 1 })
      assert.notInclude(JSON.stringify(after), 'me"')
      assert.deepStrictEqual((yield* media.list(account.workspace, {})).data, [])
    }).pipe(Effect.provide(engine(channel)))
  })
})

describe("a host's hook", () => {
  const away: InboundHook = {
    name: "out of office",
    judge: (_account, all) =>
      Effect.succeed(
        all.map(({ content }) =>
          content.type === "text" && content.text.startsWith("I am away")
            ? { stopsSequences: false, reply: Builders.text("Enjoy!") }
            : null
        )
      )
  }

  it.effect("keeps a sequence going, and answers", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { account, it, lead } = yield* campaign(channel)
      yield* it.run(start + hour)
      yield* tell(account, wrote(start + hour, "I am away until Monday"))
      assert.deepStrictEqual([(yield* lead).ended, (yield* lead).repliedAt], [null, null])
      yield* it.run(start + 10 * day)
      assert.strictEqual((yield* lead).ended, "completed")
      assert.include(
        channel.asked.map(({ text }) => text),
        "Enjoy!"
      )
    }).pipe(Effect.provide(engine(channel, [away])))
  })

  it.effect("that fails, breaks or answers nonsense loses no message", () => {
    const channel = TestChannel.make()
    const broken: ReadonlyArray<InboundHook> = [
      { name: "fails", judge: () => Effect.fail("no") },
      {
        name: "breaks",
        judge: () => {
          throw new Error("broken")
        }
      },
      { name: "short", judge: () => Effect.succeed([]) }
    ]
    return Effect.gen(function* () {
      const { account, it, lead } = yield* campaign(channel)
      yield* it.run(start + hour)
      yield* tell(account, wrote(start + hour, "Yes"))
      assert.strictEqual((yield* lead).ended, "replied")
      assert.strictEqual((yield* messages(account)).length, 2)
    }).pipe(Effect.provide(engine(channel, broken)))
  })

  it.effect("that says what is no judgement is passed by, with the field in the log, and heard of the others", () => {
    const channel = TestChannel.make()
    const logged: Array<string> = []
    const logger = Logger.layer([Logger.make(({ message }) => void logged.push(String(message)))])
    const said: ReadonlyArray<readonly [string, unknown]> = [
      ["[0].reply.text: ", { stopsSequences: false, reply: { type: "text", text: "" } }],
      ["[0].reply: ", { stopsSequences: false, reply: { type: "song" } }],
      ["[0].reply: ", { reply: "Enjoy my words!" }],
      ["[0].stopsSequences: ", { stopsSequences: "no" }],
      ["[0].stopSequences: ", { stopSequences: false }],
      ["[0]: ", "nothing"],
      ["what it says: ", null],
      ["what it says: ", [null]]
    ]
    const hooks = said.map(
      ([, one], i): InboundHook => ({
        name: `hook ${i}`,
        judge: (_account, all) =>
          Effect.succeed((one === null || Array.isArray(one) ? one : all.map(() => one)) as never)
      })
    )
    const mixed: InboundHook = {
      name: "mixed",
      judge: (_account, all) =>
        Effect.succeed(
          all.map(({ externalId }) =>
            externalId === "bad" ? ({ optOut: 1 } as never) : { reply: Builders.text("Enj\u0000oy!") }
          )
        )
    }
    return Effect.gen(function* () {
      const { account, it, lead } = yield* campaign(channel)
      yield* it.run(start + hour)
      yield* tell(account, wrote(start + hour, "Yes", "bad"), wrote(start + hour, "Yes", "good"))
      assert.strictEqual((yield* lead).ended, "replied")
      const texts = (yield* messages(account)).map(({ content }) => (content.type === "text" ? content.text : ""))
      assert.sameMembers(texts.slice(1), ["Yes", "Yes", "Enjoy!"])
      for (const [i, [problem]] of said.entries()) {
        assert.ok(
          logged.some((line) => line.includes(`hook ${i} was passed by: ${problem}`)),
          `${problem} in ${logged.join("\n")}`
        )
      }
      assert.ok(logged.some((line) => line.includes("mixed was passed by: [0].optOut: ")))
      assert.notInclude(logged.join(), "my words")
    }).pipe(Effect.provide(engine(channel, [...hooks, mixed])), Effect.provide(logger))
  })

  it.effect("that is slow is not waited for long", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const account = yield* it.account("a")
      const told = yield* Effect.forkChild(tell(account, wrote(start, "Yes")))
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* Fiber.join(told)).handled, 1)
      assert.strictEqual((yield* messages(account)).length, 1)
    }).pipe(Effect.provide(engine(channel, [{ name: "slow", judge: () => Effect.never }])))
  })
})
