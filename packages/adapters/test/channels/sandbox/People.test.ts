/** What the sandbox's people do beside answering, and how its platform presents them and our accounts. */
import { assert, describe, it } from "@effect/vitest"
import type { ChannelEvent } from "@overture/core/channel/ChannelEvent"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import * as Sandbox from "../../../src/channels/sandbox/Sandbox.ts"
import { drive, outbound, people, sendAll, sender } from "./fixtures.ts"

/** The events of one type. */
const only = <T extends ChannelEvent["type"]>(events: ReadonlyArray<ChannelEvent>, type: T) =>
  events.filter((event): event is Extract<ChannelEvent, { readonly type: T }> => event.type === type)

describe("people", () => {
  it.effect("edit what they wrote, and take it back", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.make({
        script: {
          replies: [
            { text: "Yse", delay: 1_000, edit: { text: "Yes", delay: 500 } },
            { text: "Oops", delay: 2_000, deletion: { delay: 3_000 }, edit: { rate: 0, text: "never" } }
          ]
        }
      })
      yield* sendAll(sandbox, ["ann"])
      const events = yield* drive(sandbox)
      assert.deepStrictEqual(
        events.map(({ at, type }) => [at, type]),
        [
          [1_000, "messageReceived"],
          [1_500, "messageEdited"],
          [2_000, "messageReceived"],
          [5_000, "messageDeleted"]
        ]
      )
      const [yes, oops] = only(events, "messageReceived")
      const [edited] = only(events, "messageEdited")
      assert.deepStrictEqual(
        [edited?.externalId, edited?.content],
        [yes?.externalId, { type: "text" as const, text: "Yes" }]
      )
      assert.strictEqual(only(events, "messageDeleted")[0]?.externalId, oops?.externalId)
    })
  )

  it.effect("take reactions back", () =>
    Effect.gen(function* () {
      const script = { reactions: [{ emoji: "🎉", delay: 10, removal: { delay: 5 } }, { emoji: "❤️" }] }
      const sandbox = yield* Sandbox.make({ script })
      yield* sendAll(sandbox, ["ann"])
      const events = yield* drive(sandbox)
      assert.sameDeepMembers(
        events.map((event) => [event.at, event.type, "emoji" in event && event.emoji]),
        [
          [0, "reactionAdded", "❤️"],
          [10, "reactionAdded", "🎉"],
          [15, "reactionRemoved", "🎉"]
        ]
      )
    })
  )

  it.effect("send files, the first as the message and its caption, and quote what they answer", () =>
    Effect.gen(function* () {
      const video = { kind: "video", url: "https://files.example/b.mp4", mime: "video/mp4", bytes: 9 } as const
      const picture = { url: "https://files.example/a.jpg", filename: "a.jpg" }
      const sandbox = yield* Sandbox.make({
        script: { replies: [{ text: "Like this?", media: [picture, video], quotes: true }, { media: [picture] }] }
      })
      const sent = yield* sandbox.send(sender(), outbound("ann", "k"))
      const [first, second] = only(yield* drive(sandbox), "messageReceived")
      assert.deepStrictEqual(first?.content, { type: "media", kind: "image", ...picture, caption: "Like this?" })
      assert.deepStrictEqual(first?.files, [video])
      assert.strictEqual(first?.replyTo, sent.type === "accepted" ? sent.externalId : "")
      assert.deepStrictEqual(second?.content, { type: "media", kind: "image", ...picture })
    })
  )

  it.effect("book, and hear from the account's owner, who writes from another device", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.make({
        script: {
          bookings: [{ delay: 60_000, ref: "table 7", startsIn: 3_600_000 }],
          takeovers: [{ delay: 30_000, text: "Nora here", onMessage: 1 }]
        }
      })
      yield* sendAll(sandbox, ["ann"])
      const events = yield* drive(sandbox)
      const [booked] = only(events, "booked")
      assert.include(booked, { at: 60_000, ref: "table 7", startsAt: 3_660_000 })
      const [byHand] = only(events, "messageEchoed")
      assert.include(byHand, { at: 30_000 })
      assert.notProperty(byHand, "key")
      assert.deepStrictEqual(byHand?.content, { type: "text", text: "Nora here" })
    })
  )

  it.effect("write by themselves, and are answered and answer like everyone", () =>
    Effect.gen(function* () {
      const at = 1_772_971_200_000
      const sandbox = yield* Sandbox.make({
        script: {
          visitors: [
            { account: "page", person: "vera", at: "2026-03-08T12:00:00Z", text: "Open today?" },
            { account: "page", person: "guest", count: 3, at: at + 1_000, every: 500, text: "Hi" },
            { account: "other", person: "otto", at, text: "Hello" }
          ],
          replies: [{ text: "Thanks" }]
        }
      })
      const wrote = only(yield* drive(sandbox), "messageReceived")
      assert.deepStrictEqual(
        wrote.map((event) => [event.at - at, event.participant.externalId]),
        [
          [0, "vera"],
          [1_000, "guest-1"],
          [1_500, "guest-2"],
          [2_000, "guest-3"]
        ]
      )
      assert.strictEqual(new Set(wrote.map(({ externalId }) => externalId)).size, 4)
      yield* TestClock.setTime(at + 5_000)
      yield* sendAll(sandbox, ["vera"])
      const later = only(yield* drive(sandbox), "messageReceived")
      assert.strictEqual(later.at(-1)?.participant.externalId, "vera")
      assert.lengthOf(only(yield* drive(sandbox, sender("other")), "messageReceived"), 1)
    })
  )

  it.effect("have a reply window that begins with what they write by themselves", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.make({
        script: {
          replyWindow: { afterMs: 1_000 },
          visitors: [{ account: "page", person: "vera", at: 0, text: "Open today?" }]
        }
      })
      yield* drive(sandbox)
      yield* TestClock.setTime(1_001)
      assert.strictEqual((yield* sandbox.send(sender(), outbound("vera", "k"))).type, "replyWindowClosed")
    })
  )

  it.effect("are told of late and twice, where the platform is like that, and each event is the same", () =>
    Effect.gen(function* () {
      const script = { receipts: { delivered: {}, read: { delay: 1_000 } }, replies: [{ text: "Yes", delay: 2_000 }] }
      const run = Effect.fnUntraced(function* (telling: object) {
        const sandbox = yield* Sandbox.make({ script: { ...script, telling } })
        yield* sendAll(sandbox, people(100))
        return yield* drive(sandbox)
      })
      const keys = (events: ReadonlyArray<ChannelEvent>) => events.map(({ dedupeKey }) => dedupeKey)
      const orderly = yield* run({})
      const unruly = yield* run({
        late: { rate: 0.3, delay: { maxMs: 60_000 } },
        twice: { rate: 0.2, delay: { maxMs: 60_000 } }
      })
      assert.sameMembers([...new Set(keys(unruly))], keys(orderly))
      assert.approximately(unruly.length, orderly.length * 1.2, 30)
      assert.isTrue(
        unruly.some(({ at }, i) => at < (unruly[i - 1]?.at ?? 0)),
        "none came late"
      )
      const byKey = new Map(orderly.map((event) => [event.dedupeKey, event]))
      for (const event of unruly) assert.deepStrictEqual(event, byKey.get(event.dedupeKey))
    })
  )

  it.effect("have names and profiles", () =>
    Effect.gen(function* () {
      const profile = { name: "Ann Lee", username: "annlee", metadata: { followers: 482 } }
      const sandbox = yield* Sandbox.make({ script: { recipients: { ann: { profile } }, replies: [{ text: "Yes" }] } })
      yield* sendAll(sandbox, ["ann", "bob"])
      const names = only(yield* drive(sandbox), "messageReceived").map(({ participant }) => participant.name)
      assert.deepStrictEqual(names, ["Ann Lee", undefined])
      assert.deepStrictEqual(yield* sandbox.profileOf(sender(), outbound("ann", "k").to), profile)
      assert.isNull(yield* sandbox.profileOf(sender(), outbound("bob", "k").to))
    })
  )
})

describe("the platform", () => {
  it.effect("hands out the files that its people sent, and says why it does not", () =>
    Effect.gen(function* () {
      const file = (name: string) => `https://files.example/${name}`
      const sandbox = yield* Sandbox.make({
        script: {
          replies: [{ media: [{ url: file("a"), data: "aGVsbG8=", mime: "text/plain", kind: "file" }] }],
          recipients: { ann: { takeovers: [{ media: [{ url: file("b"), unavailable: "gone" }] }] } },
          visitors: [{ account: "page", person: "vera", at: 0, media: [{ url: file("c") }] }]
        }
      })
      yield* sendAll(sandbox, ["ann"])
      for (const event of yield* drive(sandbox)) assert.notProperty("content" in event ? event.content : {}, "data")
      const ask = (name: string) => sandbox.download(sender(), { kind: "file", url: file(name) })
      const given = yield* ask("a")
      assert.include(given, { type: "bytes", mime: "text/plain" })
      assert.strictEqual(given.type === "bytes" ? new TextDecoder().decode(given.bytes) : "", "hello")
      assert.include(yield* ask("b"), { type: "unavailable", reason: "gone" })
      for (const name of ["c", "unknown"]) {
        assert.deepStrictEqual(yield* ask(name), { type: "request", url: file(name) })
      }
    })
  )

  it.effect("takes one private answer to a comment, by the account and to the person it is of", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.make({
        script: {
          replyWindow: { afterMs: 1_000 },
          visitors: [{ account: "page", person: "ann", at: 0, text: "Hi" }],
          comments: { c1: { account: "page", person: "ann" }, c2: { account: "page", person: "bob" } }
        }
      })
      yield* TestClock.setTime(5_000)
      const answer = (comment: string, to: string, key: string, from = sender()) =>
        Effect.map(sandbox.send(from, { ...outbound(to, key), comment }), (outcome) =>
          outcome.type === "contentRejected" ? outcome.code : outcome.type
        )
      assert.strictEqual(yield* answer("c1", "ann", "1"), "accepted", "also where the reply window is closed")
      assert.strictEqual(yield* answer("c1", "ann", "2"), "alreadyAnswered")
      assert.strictEqual(yield* answer("c2", "ann", "3"), "unknown")
      assert.strictEqual(yield* answer("c2", "bob", "4", sender("other")), "unknown")
      assert.strictEqual(yield* answer("c3", "bob", "5"), "unknown")
      assert.strictEqual(yield* answer("c2", "bob", "6"), "accepted")
      assert.deepStrictEqual(
        sandbox.received().flatMap(({ comment, outcome }) => (outcome === "accepted" ? [comment] : [])),
        ["c1", "c2"]
      )
    })
  )
})

describe("accounts", () => {
  const withToken = (token: string) => ({ ...sender(), credentials: Redacted.make(token) })

  it.effect("are known by their token, when they ask and when they send", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.make({ script: { accounts: { page: { name: "The Studio", token: "t0p" } } } })
      assert.deepStrictEqual(yield* sandbox.verify(withToken("t0p")), {
        type: "valid",
        externalId: "page",
        name: "The Studio"
      })
      for (const wrong of [sender(), withToken("guess")]) {
        const refused = yield* sandbox.verify(wrong)
        assert.strictEqual(refused.type, "unauthorized")
        assert.notInclude(JSON.stringify(refused), "t0p")
        assert.strictEqual((yield* sandbox.send(wrong, outbound("ann", "k"))).type, "unauthorized")
      }
      assert.strictEqual((yield* sandbox.send(withToken("t0p"), outbound("ann", "k"))).type, "accepted")
      assert.strictEqual((yield* sandbox.verify(sender("another"))).type, "valid")
    })
  )

  it.effect("hear of their trouble when they ask", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.make({ script: { troubles: [{ after: 1, outcome: "restricted", forMs: 1_000 }] } })
      yield* sendAll(sandbox, ["ann"])
      assert.strictEqual((yield* sandbox.verify(sender())).type, "restricted")
      yield* TestClock.adjust(1_000)
      assert.strictEqual((yield* sandbox.verify(sender())).type, "valid")
    })
  )

  it.effect("show themselves as they were told to, or the platform says why not", () =>
    Effect.gen(function* () {
      const refusal = { type: "rejected", detail: "too loud" } as const
      const sandbox = yield* Sandbox.make({ script: { accounts: { shy: { profile: refusal } } } })
      const done = yield* sandbox.applyProfile(sender(), { name: "Studio", about: "We paint" })
      assert.deepStrictEqual(done, { applied: ["name", "about"], refusal: null })
      yield* sandbox.applyProfile(sender(), { name: "The Studio", about: undefined })
      assert.deepStrictEqual(sandbox.profile("page"), { name: "The Studio", about: "We paint" })
      const refused = yield* sandbox.applyProfile(sender("shy"), { name: "LOUD" })
      assert.deepStrictEqual(refused, { applied: [], refusal })
      assert.deepStrictEqual(sandbox.profile("shy"), {})
    })
  )

  it.effect("can what the script says, unless the host says otherwise", () =>
    Effect.gen(function* () {
      const script = {
        capabilities: { buttons: 0, polling: false, media: ["image"] },
        policy: { dailyLimit: 5, personWritesFirst: true }
      } as const
      const sandbox = yield* Sandbox.make({ script, capabilities: { buttons: 1 }, policy: { official: false } })
      assert.deepInclude(sandbox.capabilities, { buttons: 1, polling: false, media: ["image"], replies: true })
      assert.include(sandbox.policy, { dailyLimit: 5, personWritesFirst: true, official: false })
    })
  )
})
