import { assert, describe, it } from "@effect/vitest"
import { ChannelEvent } from "@overture/core/channel/ChannelEvent"
import type { Instant } from "@overture/core/workspace/Instant"
import { Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import * as Sandbox from "../../../src/channels/sandbox/Sandbox.ts"
import type { Telling } from "../../../src/channels/sandbox/Happenings.ts"
import type { ScriptInput } from "../../../src/channels/sandbox/Script.ts"
import { Timeline } from "../../../src/channels/sandbox/Timeline.ts"
import { drive, outbound, people, sendAll, sender } from "./fixtures.ts"

const brief = (events: ReadonlyArray<ChannelEvent>) => events.map(({ type, at }) => [at, type])

describe("events", () => {
  it.effect("come when they are due, once, and say when the next one is", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.make({
        script: {
          echoes: true,
          receipts: { delivered: { delay: 1_000 }, read: { delay: 4_000 } },
          replies: [{ text: "Tell me more", delay: 60_000, button: "more" }],
          reactions: [{ delay: 30_000, emoji: "🎉" }],
          optOuts: [{ delay: 90_000, by: "signal" }, { delay: 80_000, by: "flagged", text: "Stopp" }, { delay: 70_000 }]
        }
      })
      const outcome = yield* sandbox.send(sender(), outbound("ann", "k"))
      const externalId = outcome.type === "accepted" ? outcome.externalId : ""
      const first = yield* sandbox.poll(sender(), null, 999)
      assert.deepStrictEqual(brief(first.events), [[0, "messageEchoed"]])
      assert.include(first.events[0], { externalId, key: "k" })
      assert.strictEqual(first.nextAt, 1_000)
      const quiet = yield* sandbox.poll(sender(), first.cursor, 999)
      assert.deepStrictEqual([quiet.events, quiet.cursor, quiet.nextAt], [[], first.cursor, 1_000])
      const rest = yield* sandbox.poll(sender(), first.cursor, 90_000)
      assert.deepStrictEqual(brief(rest.events), [
        [1_000, "messageDelivered"],
        [5_000, "messageRead"],
        [30_000, "reactionAdded"],
        [60_000, "messageReceived"],
        [70_000, "messageReceived"],
        [80_000, "messageReceived"],
        [90_000, "optedOut"]
      ])
      assert.isNull(rest.nextAt)
      assert.deepStrictEqual((yield* sandbox.poll(sender(), rest.cursor, 1e9)).events, [])
      assert.deepStrictEqual((yield* sandbox.poll(sender("other"), null, 1e9)).events, [])
      const [, , , reply, word, flagged] = rest.events
      assert.include(reply, { button: "more" })
      assert.deepInclude(word, { content: { type: "text", text: "STOP" } })
      assert.include(flagged, { optOut: true })
      const keys = [...first.events, ...rest.events].map(({ dedupeKey }) => dedupeKey)
      assert.strictEqual(new Set(keys).size, keys.length)
      for (const event of rest.events) yield* Schema.encodeEffect(ChannelEvent)(event)
    })
  )

  it.effect("are those of the message's number and of the person, where the script says so", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.make({
        script: {
          replies: [{ text: "second", onMessage: 2 }],
          recipients: { bob: { replies: [], optOuts: [{ onMessage: 1 }] } }
        }
      })
      yield* sendAll(sandbox, ["ann", "bob", "ann", "bob", "ann"])
      const told = (yield* drive(sandbox)).map((event) =>
        event.type === "messageReceived" && event.content.type === "text"
          ? [event.participant.externalId, event.content.text]
          : event.type
      )
      assert.deepStrictEqual(told, [
        ["bob", "STOP"],
        ["ann", "second"]
      ])
    })
  )

  it.effect("of a message that fails late are its failure alone; refused messages have none", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.make({
        script: {
          receipts: { delivered: {}, read: {} },
          replies: [{ text: "Yes" }],
          lateFailures: [{ delay: 500, code: "131026", detail: "undeliverable" }],
          recipients: { bob: { outcomes: ["unreachable"] } }
        }
      })
      yield* sendAll(sandbox, ["ann", "bob"])
      const [failed, ...others] = yield* drive(sandbox)
      assert.include(failed, { type: "messageFailed", at: 500, code: "131026", detail: "undeliverable" })
      assert.isEmpty(others)
    })
  )

  it.effect("tell of an account's trouble where it is announced", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.make({
        script: { troubles: [{ after: 2, outcome: "challenge", announced: true }] }
      })
      yield* sendAll(sandbox, people(5))
      const told = yield* drive(sandbox)
      assert.deepInclude(told[0], { type: "accountTroubled", reason: "challenge" })
      assert.lengthOf(told, 1)
    })
  )

  it.effect("by rate are the same whatever the order of the people", () =>
    Effect.gen(function* () {
      const script: ScriptInput = {
        receipts: { delivered: { rate: 0.9, delay: { minMs: 100, maxMs: 900 } }, read: { rate: 0.5, delay: 50 } },
        replies: [{ text: "Yes", rate: 0.2, delay: { minMs: 1_000, maxMs: 100_000 } }],
        reactions: [{ rate: 0.1 }],
        optOuts: [{ rate: 0.05 }],
        lateFailures: [{ rate: 0.03 }]
      }
      const run = Effect.fnUntraced(function* (order: ReadonlyArray<string>) {
        const sandbox = yield* Sandbox.make({ script })
        yield* sendAll(sandbox, order)
        return (yield* drive(sandbox)).toSorted((a, b) => (a.dedupeKey < b.dedupeKey ? -1 : 1))
      })
      const events = yield* run(people(400))
      assert.deepStrictEqual(yield* run(people(400).toReversed()), events)
      const count = (type: ChannelEvent["type"]) => events.filter((event) => event.type === type).length
      assert.approximately(count("messageDelivered"), 350, 30)
      assert.approximately(count("messageRead"), 195, 40)
      assert.approximately(count("messageReceived"), 97, 30)
      assert.approximately(count("messageFailed"), 12, 12)
    })
  )

  it.effect("follow from when the message came, on the clock of the sender", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.make({ script: { receipts: { delivered: { delay: 10 } } } })
      yield* TestClock.setTime(5_000)
      yield* sendAll(sandbox, ["ann"])
      assert.deepStrictEqual(brief(yield* drive(sandbox)), [[5_010, "messageDelivered"]])
    })
  )
})

describe("Timeline", () => {
  const event = (at: Instant, dedupeKey: string): Telling => ({
    toldAt: at,
    event: { type: "optedOut", at, dedupeKey, participant: { scope: "", externalId: "ann" } }
  })
  const keys = (events: ReadonlyArray<ChannelEvent>) => events.map(({ dedupeKey }) => dedupeKey)

  it("tells what becomes known late, though the cursor is past its time", () => {
    const timeline = new Timeline()
    timeline.add([event(10, "a"), event(30, "b")])
    const first = timeline.next(null, 20)
    assert.deepStrictEqual(keys(first.events), ["a"])
    timeline.add([event(15, "late"), event(40, "c")])
    const second = timeline.next(first.cursor, 30)
    assert.deepStrictEqual(keys(second.events), ["late", "b"])
    assert.strictEqual(second.nextAt, 40)
    assert.deepStrictEqual(
      keys(timeline.next(first.cursor, 30).events),
      ["late", "b"],
      "the same cursor, the same events"
    )
  })

  it("hands a clock that went back nothing, and misses nothing afterwards", () => {
    const timeline = new Timeline()
    timeline.add([event(10, "a")])
    const first = timeline.next(null, 20)
    timeline.add([event(12, "b"), event(18, "c")])
    const back = timeline.next(first.cursor, 15)
    assert.deepStrictEqual([back.events, back.cursor], [[], first.cursor])
    assert.deepStrictEqual(keys(timeline.next(back.cursor, 21).events), ["b", "c"])
  })

  it("starts anew with a cursor it does not understand, and goes on with one of a former life", () => {
    const timeline = new Timeline()
    timeline.add([event(10, "a")])
    assert.deepStrictEqual(keys(timeline.next("elsewhere", 20).events), ["a"])
    assert.deepStrictEqual(keys(timeline.next("7@5", 20).events), ["a"])
  })
})
