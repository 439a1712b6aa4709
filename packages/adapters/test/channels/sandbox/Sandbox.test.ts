import { assert, describe, it } from "@effect/vitest"
import type { Outcome } from "@overture/core/channel/Outcome"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as Sandbox from "../../../src/channels/sandbox/Sandbox.ts"
import type { ScriptInput } from "../../../src/channels/sandbox/Script.ts"
import { OutcomeName } from "../../../src/channels/sandbox/ScriptedOutcome.ts"
import { outbound, people, sendAll, sender } from "./fixtures.ts"

const types = (outcomes: ReadonlyArray<Outcome>) => outcomes.map(({ type }) => type)

describe("outcomes", () => {
  it.effect.each(OutcomeName.literals)("%s: for a person, and by rate", (name) =>
    Effect.gen(function* () {
      const byPerson = yield* Sandbox.make({ script: { recipients: { ann: { outcomes: [name] } } } })
      const byRate = yield* Sandbox.make({ script: { outcomes: [{ rate: 1, outcome: name }] } })
      assert.deepStrictEqual(types(yield* sendAll(byPerson, ["ann", "bob"])), [name, "accepted"])
      assert.deepStrictEqual(types(yield* sendAll(byRate, ["ann", "bob"])), [name, name])
      // An unknown outcome is by default one that the person got.
      const logged = name === "outcomeUnknown" ? "accepted" : name
      assert.deepStrictEqual(
        byRate.received().map(({ outcome }) => outcome),
        [logged, logged]
      )
    })
  )

  it.effect("carry what the script says of them", () =>
    Effect.gen(function* () {
      const limited = {
        type: "rateLimited",
        scope: "group",
        retryAfterMs: 5_000,
        code: "130429",
        detail: "slow down"
      } as const
      const sandbox = yield* Sandbox.make({
        script: { recipients: { ann: { outcomes: [limited, "rateLimited"] }, bob: { outcomes: ["blocked"] } } }
      })
      const [first, second, blocked] = yield* sendAll(sandbox, ["ann", "ann", "bob"])
      assert.deepStrictEqual(first, limited)
      assert.include(second, { type: "rateLimited", scope: "account", retryAfterMs: 60_000 })
      assert.include(blocked, { type: "blocked", detail: "the sandbox's script says blocked" })
    })
  )

  it.effect("of a person's list are used one by one, the last again and again", () =>
    Effect.gen(function* () {
      const outcomes = ["transient", "rateLimited", "accepted"] as const
      const sandbox = yield* Sandbox.make({ script: { recipients: { ann: { outcomes } } } })
      assert.deepStrictEqual(types(yield* sendAll(sandbox, ["ann", "bob", "ann", "ann", "ann"])), [
        "transient",
        "accepted",
        "rateLimited",
        "accepted",
        "accepted"
      ])
    })
  )

  it.effect("unknown: taken or lost, a look-up tells which", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.make({
        script: {
          lookup: { afterMs: 1_000 },
          recipients: {
            taken: { outcomes: [{ type: "outcomeUnknown", received: true }] },
            lost: { outcomes: [{ type: "outcomeUnknown", received: false }, "accepted"] }
          }
        }
      })
      const look = (to: string) =>
        sandbox.lookup(sender(), { key: to, to: outbound(to, to).to, content: outbound(to, to).content, at: 0 })
      for (const to of ["taken", "lost"]) {
        assert.strictEqual((yield* sandbox.send(sender(), outbound(to, to))).type, "outcomeUnknown")
      }
      assert.deepStrictEqual(
        sandbox.received().map(({ to, outcome }) => [to, outcome]),
        [["taken", "accepted"]]
      )
      assert.strictEqual((yield* look("taken")).type, "accepted")
      assert.strictEqual((yield* look("lost")).type, "outcomeUnknown")
      yield* TestClock.adjust(1_000)
      assert.strictEqual((yield* look("lost")).type, "transient")
      assert.strictEqual((yield* sandbox.send(sender(), outbound("lost", "again"))).type, "accepted")
    })
  )

  it.effect("unknown: a look-up goes by the real clock, also where pacing lives in the past", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.make({ script: { lookup: { afterMs: 1_000 } }, clock: () => 0 })
      yield* TestClock.setTime(1_772_971_200_000)
      const { content, to } = outbound("lost", "k")
      const look = sandbox.lookup(sender(), { key: "k", to, content, at: 1_772_971_200_000 })
      assert.strictEqual((yield* look).type, "outcomeUnknown")
      yield* TestClock.adjust(1_000)
      assert.strictEqual((yield* look).type, "transient")
    })
  )

  it.effect("by rate come about as often as the rate says, and whatever the order of the people", () =>
    Effect.gen(function* () {
      const script: ScriptInput = {
        outcomes: [
          { rate: 0.1, outcome: "transient" },
          { rate: 0.05, outcome: { type: "outcomeUnknown", received: false } }
        ]
      }
      const run = Effect.fnUntraced(function* (order: ReadonlyArray<string>, seed: string) {
        const sandbox = yield* Sandbox.make({ script: { ...script, seed } })
        const outcomes = yield* sendAll(sandbox, [...order, ...order])
        const of = new Map<string, Array<string>>()
        outcomes.forEach(({ type }, i) => {
          const to = order[i % order.length] ?? ""
          of.set(to, [...(of.get(to) ?? []), type])
        })
        return of
      })
      const forwards = yield* run(people(500), "a")
      const backwards = yield* run(people(500).toReversed(), "a")
      for (const to of people(500)) assert.deepStrictEqual(backwards.get(to), forwards.get(to))
      assert.notDeepEqual(yield* run(people(500), "b"), forwards)
      const all = [...forwards.values()].flat()
      assert.approximately(all.filter((type) => type === "transient").length, 100, 30)
      assert.approximately(all.filter((type) => type === "outcomeUnknown").length, 50, 25)
    })
  )

  it.effect("of an account turn with its n-th message, and back where the script says how long", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.make({
        script: {
          troubles: [
            { after: 2, outcome: "banned", account: "bad" },
            { after: 3, outcome: "restricted", forMs: 60_000 }
          ]
        }
      })
      assert.deepStrictEqual(types(yield* sendAll(sandbox, people(4), sender("bad"))), [
        "accepted",
        "accepted",
        "banned",
        "banned"
      ])
      const good = yield* sendAll(sandbox, people(4), sender("good"))
      assert.deepStrictEqual(types(good), ["accepted", "accepted", "accepted", "restricted"])
      yield* TestClock.adjust(60_000)
      assert.deepStrictEqual(types(yield* sendAll(sandbox, ["later"], sender("good"))), ["accepted"])
    })
  )

  it.effect("close the reply window by the person's last message", () =>
    Effect.gen(function* () {
      const replyWindow = { afterMs: 10_000 }
      const script: ScriptInput = { replyWindow, replies: [{ text: "Hi", delay: 1_000, onMessage: 1 }] }
      const sandbox = yield* Sandbox.make({ script })
      assert.isNull(sandbox.policy.replyWindow.automatedMs)
      const at = Effect.fnUntraced(function* (instant: number) {
        yield* TestClock.setTime(instant)
        return (yield* sandbox.send(sender(), outbound("ann", `at-${instant}`))).type
      })
      assert.strictEqual(yield* at(0), "accepted")
      assert.strictEqual(yield* at(11_000), "accepted")
      assert.strictEqual(yield* at(11_001), "replyWindowClosed")
      const honest = yield* Sandbox.make({ script: { ...script, replyWindow: { ...replyWindow, declared: true } } })
      assert.deepStrictEqual(honest.policy.replyWindow, { automatedMs: 10_000, humanMs: 10_000 })
    })
  )
})

describe("keys", () => {
  it.effect("sent again are answered as before and reach the person once", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.make({
        script: { idempotencyKeys: true, recipients: { ann: { outcomes: ["outcomeUnknown", "banned"] } } }
      })
      assert.isTrue(sandbox.capabilities.idempotencyKeys)
      const first = yield* sandbox.send(sender(), outbound("ann", "k"))
      const again = yield* sandbox.send(sender(), outbound("ann", "k"))
      const third = yield* sandbox.send(sender(), outbound("ann", "k"))
      assert.strictEqual(first.type, "outcomeUnknown")
      assert.strictEqual(again.type, "accepted")
      assert.deepStrictEqual(third, again)
      assert.deepStrictEqual(
        sandbox.received().map(({ outcome, repeat }) => [outcome, repeat]),
        [
          ["accepted", false],
          ["accepted", true],
          ["accepted", true]
        ]
      )
    })
  )

  it.effect("that were refused are tried afresh, and are one account's own", () =>
    Effect.gen(function* () {
      const script: ScriptInput = {
        idempotencyKeys: true,
        recipients: { ann: { outcomes: ["rateLimited", "accepted"] } }
      }
      const sandbox = yield* Sandbox.make({ script })
      const outcomes = yield* Effect.forEach(["a", "a", "b"], (from) =>
        sandbox.send(sender(from), outbound("ann", "k"))
      )
      assert.deepStrictEqual(types(outcomes), ["rateLimited", "accepted", "accepted"])
      assert.isFalse(sandbox.received().some(({ repeat }) => repeat))
    })
  )

  it.effect("mean nothing to a platform without them: the person gets it twice", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.make()
      const [first, second] = yield* Effect.forEach([1, 2], () => sandbox.send(sender(), outbound("ann", "k")))
      assert.notDeepEqual(first, second)
      assert.deepStrictEqual(
        sandbox.received().map(({ key, repeat }) => [key, repeat]),
        [
          ["k", false],
          ["k", false]
        ]
      )
    })
  )
})

describe("the channel", () => {
  it.effect("takes a name, a clock, capabilities and a policy, and cannot look up unless the script says so", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.make({
        name: "pretended",
        clock: () => 1_772_971_200_000,
        capabilities: { addressScope: "account", buttons: 0 },
        policy: { personWritesFirst: true }
      })
      assert.strictEqual(sandbox.name, "pretended")
      assert.include(sandbox.capabilities, { addressScope: "account", buttons: 0, polling: true, lookup: null })
      assert.isTrue(sandbox.policy.personWritesFirst)
      const to = { channel: "pretended", scope: "page", externalId: "ann" }
      const outcome = yield* sandbox.send(sender(), { ...outbound("ann", "k"), to })
      assert.include(outcome, { type: "accepted", at: 1_772_971_200_000 })
      assert.include(sandbox.received()[0], { scope: "page" })
      const sent = { key: "k", to, content: outbound("ann", "k").content, at: 0 }
      assert.strictEqual((yield* sandbox.lookup(sender(), sent)).type, "outcomeUnknown")
    })
  )

  it.effect("receives somewhere within its latency, and answers later", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.make({ script: { latency: { minMs: 500, maxMs: 1_000 } } })
      const fiber = yield* Effect.forkChild(sandbox.send(sender(), outbound("ann", "k")))
      yield* TestClock.adjust(0)
      let waited = 0
      for (; sandbox.received().length === 0; waited++) yield* TestClock.adjust(1)
      assert.isAbove(waited, 0)
      assert.isUndefined(fiber.pollUnsafe())
      assert.strictEqual(sandbox.received()[0]?.at, waited)
      yield* TestClock.adjust(1_000 - waited)
      assert.strictEqual((yield* Fiber.join(fiber)).type, "accepted")
    })
  )
})
