import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { ChatStore } from "../../src/chat/ChatStore.ts"
import { Inbox } from "../../src/chat/Inbox.ts"
import type { Services } from "../../src/Overture.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day, hour, type Instant, minute } from "../../src/workspace/Instant.ts"
import * as Desk from "./Desk.ts"

const { api, start } = Desk

/** A desk to which Ann wrote, and whose owner writes to her from another device. */
const made = Effect.gen(function* () {
  const desk = yield* Desk.make(TestChannel.make())
  yield* desk.says("ann", "Hello")
  const id = desk.chatOf("ann")
  const { receive } = yield* Inbox
  return {
    ...desk,
    /** The platform tells in one batch what was written by hand at these instants. */
    wrote: (...all: ReadonlyArray<Instant>) =>
      receive(
        desk.account,
        all.map((at) => ({
          type: "messageEchoed",
          dedupeKey: `by hand ${at}`,
          at,
          participant: { externalId: "ann", scope: "" },
          externalId: `by hand ${at}`,
          content: Builders.text("By hand")
        }))
      ),
    change: (type: "close" | "resume" | "delete") => desk.chats.change(desk.workspace, [id], { type }, api),
    /** Since when a person of ours writes in the chat, and how often that was told. */
    takenOver: Effect.gen(function* () {
      const chat = Option.getOrThrow(yield* (yield* ChatStore).get(desk.workspace, id))
      const told = yield* desk.told(id)
      return [chat.takenOverAt, told.filter(({ type }) => type === "chat.taken_over").length]
    })
  }
})

const scene = (body: (it: Effect.Success<typeof made>) => Effect.Effect<void, unknown, Services>) =>
  Effect.flatMap(made, body).pipe(Effect.provide(Desk.engine(TestChannel.make())))

describe("what was written by hand and is told late", () => {
  for (const type of ["close", "delete"] as const) {
    it.effect(`takes nothing over once the session was ended by ${type}, also where the next one runs`, () =>
      scene((it) =>
        Effect.gen(function* () {
          yield* it.wait(hour)
          yield* it.change(type)
          yield* it.wrote(start + minute)
          assert.deepStrictEqual(yield* it.takenOver, [null, 0])
          yield* it.wait(hour)
          yield* it.says("ann", "Once more")
          yield* it.wrote(start + 2 * minute)
          assert.deepStrictEqual(yield* it.takenOver, [null, 0])
          yield* it.wrote(start + hour + 1)
          assert.deepStrictEqual(yield* it.takenOver, [start + hour + 1, 1])
        })
      )
    )
  }

  it.effect("takes nothing over once the chat was given back to automation", () =>
    scene((it) =>
      Effect.gen(function* () {
        yield* it.wrote(start + 2 * minute)
        assert.deepStrictEqual(yield* it.takenOver, [start + 2 * minute, 1])
        yield* it.wait(hour)
        yield* it.change("resume")
        yield* it.wrote(start + minute)
        assert.deepStrictEqual(yield* it.takenOver, [null, 1])
        yield* it.wait(day)
        yield* it.wrote(start + 3 * minute, start + 2 * hour, start + 3 * hour)
        assert.deepStrictEqual(yield* it.takenOver, [start + 2 * hour, 3])
      })
    )
  )
})

describe("an echo", () => {
  it.effect("on one account proves no message of another", () => {
    const channel = TestChannel.make({ answer: () => ({ type: "outcomeUnknown" }) })
    return Effect.gen(function* () {
      const desk = yield* Desk.make(channel)
      const other = yield* desk.connect("other")
      const { id } = yield* desk.messages.send(desk.workspace, {
        to: { account: desk.account.id, person: "ann" },
        content: Builders.text("Hi"),
        author: { type: "api", id: "key" }
      })
      yield* desk.run(start + hour)
      const before = yield* desk.messages.find(desk.workspace, id)
      assert.deepStrictEqual([before.status, before.reason], ["failed", "outcomeUnknown"])
      const echoed = (of: typeof other) =>
        desk.tell(
          (common) => ({
            type: "messageEchoed",
            ...common,
            participant: { externalId: "ann", scope: "" },
            externalId: "elsewhere",
            key: channel.asked[0]!.key,
            content: Builders.text("Hi")
          }),
          of
        )
      yield* echoed(other)
      assert.deepStrictEqual(yield* desk.messages.find(desk.workspace, id), before)
      yield* echoed(desk.account)
      assert.strictEqual((yield* desk.messages.find(desk.workspace, id)).status, "sent")
    }).pipe(Effect.provide(Desk.engine(channel)))
  })
})
