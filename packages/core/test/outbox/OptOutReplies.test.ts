import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ChatStore } from "../../src/chat/ChatStore.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day, hour, minute } from "../../src/workspace/Instant.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"
import * as Desk from "../chat/Desk.ts"

const text = "You will not hear from us again."
const settings = { optOutReply: text }

const texts = (channel: TestChannel.TestChannel) => channel.asked.map((asked) => asked.text)

/** What became of the messages of ours in a person's chat. */
const fates = (desk: Effect.Success<ReturnType<typeof Desk.make>>, person: string) =>
  Effect.gen(function* () {
    const { data } = yield* (yield* ChatStore).messages(desk.workspace, desk.chatOf(person), {})
    return data.flatMap(({ direction, reason, status }) => (direction === "outbound" ? [reason ?? status] : []))
  })

describe("who asks for no more", () => {
  it.effect("is told so once, however often and wherever they ask", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const desk = yield* Desk.make(channel, settings)
      const other = yield* desk.connect("another page")
      yield* desk.says("ann", "Hello")
      yield* desk.says("ann", "STOP")
      yield* desk.run((yield* desk.now) + minute)
      assert.deepStrictEqual(texts(channel), [text])
      assert.include(channel.asked[0], { account: desk.account.id, to: "ann" })
      yield* desk.says("ann", "stop!")
      yield* desk.says("ann", "Stop", other)
      yield* desk.run((yield* desk.now) + 2 * day)
      yield* desk.says("ann", "unsubscribe")
      yield* desk.run((yield* desk.now) + day)
      assert.deepStrictEqual(texts(channel), [text])
    }).pipe(Effect.provide(Desk.engine(channel)))
  })

  it.effect("is told so again, once they came back and ask again", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const desk = yield* Desk.make(channel, settings)
      for (const words of ["STOP", "START", "STOP", "STOP"]) {
        yield* desk.says("ann", words)
        yield* desk.run((yield* desk.now) + minute)
      }
      assert.deepStrictEqual(texts(channel), [text, text])
    }).pipe(Effect.provide(Desk.engine(channel)))
  })

  it.effect("is told nothing where the workspace wants that", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const desk = yield* Desk.make(channel)
      yield* desk.says("ann", "STOP")
      yield* desk.run((yield* desk.now) + day)
      assert.deepStrictEqual(texts(channel), [])
    }).pipe(Effect.provide(Desk.engine(channel)))
  })

  it.effect("is told nothing where something else stops us, too", () => {
    const channel = TestChannel.make({ answer: (_, count) => (count === 1 ? { type: "blocked" } : undefined) })
    return Effect.gen(function* () {
      const desk = yield* Desk.make(channel, settings)
      yield* desk.says("ann", "Hello")
      yield* desk.messages.send(desk.workspace, {
        to: { chat: desk.chatOf("ann") },
        content: { type: "text", text: "Hello Ann" },
        author: { type: "api", id: "key" }
      })
      yield* desk.run((yield* desk.now) + minute)
      yield* desk.says("ann", "STOP")
      yield* desk.run((yield* desk.now) + minute)
      assert.deepStrictEqual(texts(channel), ["Hello Ann"])
      assert.deepStrictEqual(yield* fates(desk, "ann"), ["blocked", "suppressed"])
    }).pipe(Effect.provide(Desk.engine(channel)))
  })

  const late = (channel: TestChannel.TestChannel, reason: string) =>
    Effect.gen(function* () {
      const desk = yield* Desk.make(channel, settings)
      const workspaces = yield* WorkspaceStore
      const pause = (paused: boolean) => workspaces.modify(desk.workspace, (workspace) => ({ ...workspace, paused }))
      yield* pause(true)
      yield* desk.says("ann", "STOP")
      yield* desk.run((yield* desk.now) + day)
      yield* pause(false)
      yield* desk.run((yield* desk.now) + day)
      assert.deepStrictEqual(texts(channel), [])
      assert.deepStrictEqual(yield* fates(desk, "ann"), [reason])
    }).pipe(Effect.provide(Desk.engine(channel)))

  it.effect("is told nothing once the reply window is closed", () =>
    late(TestChannel.make({ policy: { replyWindow: { automatedMs: hour, humanMs: hour } } }), "replyWindowClosed")
  )

  it.effect("is told nothing a day later, where no window ends", () => late(TestChannel.make(), "suppressed"))

  it.effect("is told nothing where the platform tells us a day later", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const desk = yield* Desk.make(channel, settings)
      const stop = (person: string, at: number) =>
        desk.tell(({ dedupeKey }) => ({
          type: "messageReceived",
          dedupeKey,
          at,
          participant: { externalId: person, scope: "" },
          externalId: dedupeKey,
          content: { type: "text", text: "STOP" }
        }))
      yield* stop("ann", (yield* desk.now) - day)
      yield* stop("ben", (yield* desk.now) - day + minute)
      yield* desk.run((yield* desk.now) + day)
      assert.deepStrictEqual(
        channel.asked.map(({ to }) => to),
        ["ben"]
      )
      assert.deepStrictEqual(yield* fates(desk, "ann"), [])
    }).pipe(Effect.provide(Desk.engine(channel)))
  })

  it.effect("waits for no budget", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const desk = yield* Desk.make(channel, { ...settings, dailyCap: 0 })
      yield* desk.says("ann", "STOP")
      yield* desk.run((yield* desk.now) + minute)
      assert.deepStrictEqual(texts(channel), [text])
    }).pipe(Effect.provide(Desk.engine(channel)))
  })

  it.effect("gets nothing else by itself", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const desk = yield* Desk.make(channel, settings)
      yield* desk.says("ann", "Hello")
      const at = yield* desk.now
      yield* desk.messages.send(desk.workspace, {
        to: { chat: desk.chatOf("ann") },
        content: { type: "text", text: "By the way" },
        author: { type: "api", id: "key" },
        notBefore: at + minute
      })
      yield* desk.says("ann", "STOP")
      yield* desk.run(at + day)
      assert.deepStrictEqual(texts(channel), [text])
      assert.sameMembers(yield* fates(desk, "ann"), ["sent", "suppressed"])
    }).pipe(Effect.provide(Desk.engine(channel)))
  })
})
