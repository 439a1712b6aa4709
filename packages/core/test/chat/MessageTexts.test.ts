/** What readers of the feed are told of messages that were changed after the event: what they say by then. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { Inbox } from "../../src/chat/Inbox.ts"
import { toldLength } from "../../src/chat/MessageTexts.ts"
import { EventFeed } from "../../src/event/EventFeed.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import * as Memory from "../../src/memory/Memory.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import * as Overture from "../../src/Overture.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import * as Desk from "./Desk.ts"

const { start } = Builders
const participant = { scope: "", externalId: "ann" }

describe("words of messages in the feed", () => {
  it.effect("are those that the message has when it is told, and none once it was taken back", () =>
    Effect.gen(function* () {
      const channel = TestChannel.make()
      const storage = Layer.succeedContext(MemoryStorage.of(yield* Memory.make))
      const time = PacingTime.layerVirtual(start)
      yield* Effect.gen(function* () {
        const { account, workspace } = yield* Desk.make(channel)
        const tell = (n: number, externalId: string, event: object) =>
          Effect.flatMap(Inbox, (inbox) =>
            inbox.receive(account, [{ dedupeKey: `${n}`, at: start + n, participant, externalId, ...event } as never])
          )
        const said = (words: string) => ({ type: "messageReceived", content: Builders.text(words) })
        yield* tell(1, "stays", said("hello"))
        yield* tell(2, "edited", said("first words"))
        yield* tell(3, "taken back", said("regretted words"))
        yield* tell(4, "long", said("x".repeat(toldLength + 1)))
        const texts = Effect.gen(function* () {
          const events = yield* (yield* EventFeed).stream(workspace, { after: null, events: ["message.*"] }).pipe(
            Stream.takeUntil(
              ({ event }) => event.type === "message.deleted" || event.data["text"] === "x".repeat(toldLength)
            ),
            Stream.runCollect
          )
          return events.map(({ event }) => [event.type, event.data["text"] ?? null])
        })
        const long = ["message.received", "x".repeat(toldLength)]
        assert.deepStrictEqual(yield* texts, [
          ["message.received", "hello"],
          ["message.received", "first words"],
          ["message.received", "regretted words"],
          long
        ])
        yield* tell(5, "edited", { type: "messageEdited", content: Builders.text("other words") })
        yield* tell(6, "taken back", { type: "messageEdited", content: Builders.text("even worse words") })
        yield* tell(7, "taken back", { type: "messageDeleted" })
        assert.deepStrictEqual((yield* texts).slice(0, 3), [
          ["message.received", "hello"],
          ["message.received", "other words"],
          ["message.received", null]
        ])
        const stored = JSON.stringify(yield* (yield* EventStore).read(workspace, null, 99))
        for (const word of ["hello", "first", "regretted", "other", "worse"]) assert.notInclude(stored, word)
      }).pipe(Effect.provide(Overture.layer({ storage, channels: [channel], time })))
    })
  )
})
