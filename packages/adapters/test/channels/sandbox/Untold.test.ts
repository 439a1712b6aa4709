/** Campaigns whose connections to the sandbox are cut: what the ledger says in the end is what people got. */
import { assert, describe, it } from "@effect/vitest"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import { EventStore } from "@overture/core/event/EventStore"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import { Outbox } from "@overture/core/outbox/Outbox"
import * as Overture from "@overture/core/Overture"
import { day, hour, minute, second } from "@overture/core/workspace/Instant"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as Scene from "../../../../core/test/engine/Scene.ts"
import * as Sandbox from "../../../src/channels/sandbox/Sandbox.ts"
import type { ScriptInput } from "../../../src/channels/sandbox/Script.ts"

const pacing = { rangeMin: 48, rangeMax: 48, jitter: 0, catchUp: "skip", newShare: 0.25 } as const

/** The connection to some is cut after the platform took their first message, and to others before. */
const cut: ScriptInput = {
  recipients: {
    p1: { outcomes: [{ type: "outcomeUnknown", received: true }, "accepted"] },
    p2: { outcomes: [{ type: "outcomeUnknown", received: false }, "accepted"] }
  }
}

/** A campaign to three people with a follow-up: as it stands right after the first touches, hours later, and in the end. */
const campaign = (script: ScriptInput) =>
  Effect.gen(function* () {
    const sandbox = yield* Sandbox.make({ script: { ...cut, ...script } })
    return yield* Effect.gen(function* () {
      yield* TestClock.setTime(Scene.start)
      const scene = yield* Scene.make(sandbox)
      const account = yield* scene.account("page")
      const people = ["p0", "p1", "p2"].map((id) => ({ id }))
      const { id } = yield* scene.campaign("cut", [account], people, { pacing }, [1, 1])
      yield* scene.start(id)
      const { tick } = yield* Outbox
      const run = (forMs: number, stepMs: number) =>
        Effect.gen(function* () {
          for (let passed = 0; passed < forMs; passed += stepMs) {
            yield* TestClock.adjust(stepMs)
            yield* tick
          }
        })
      const counts = Effect.map(scene.counts(id), ([counted, recounted]) => {
        assert.deepStrictEqual(counted, recounted)
        return counted
      })
      const paces = Effect.flatMap(CampaignStore, (store) => store.paces(id))
      const used = Effect.map(paces, ([first]) => first?.pace.used)
      // Until all first messages went out, the last of them just now.
      for (let i = 0; i < 1_000 && (yield* used) !== 3; i++) yield* run(10 * second, 10 * second)
      const between = { counts: yield* counts, used: yield* used }
      yield* run(2 * hour, 30 * second)
      const settled = { counts: yield* counts, used: yield* used }
      yield* run(4 * day, 5 * minute)
      const events = yield* (yield* EventStore).read(scene.workspace.id, null, 1_000)
      return {
        between,
        settled,
        counts: yield* counts,
        status: yield* scene.status(id),
        leads: (yield* scene.leads(id)).map(({ reason, status }) => reason ?? status).toSorted(),
        messages: events.flatMap(({ event: { type } }) => (type.startsWith("message.") ? [type] : [])).toSorted(),
        got: sandbox
          .received()
          .filter(({ outcome, repeat }) => outcome === "accepted" && !repeat)
          .map(({ to }) => to)
          .toSorted()
      }
    }).pipe(Effect.provide(Overture.layer({ storage: MemoryStorage.layer, channels: [sandbox] })))
  })

const told = { lookup: { lookup: { afterMs: 1_000 } }, keys: { idempotencyKeys: true } } satisfies Record<
  string,
  ScriptInput
>

describe("a campaign whose connections are cut", () => {
  for (const [name, script] of Object.entries(told)) {
    it.effect(`reaches everybody once per step where the platform can tell: ${name}`, () =>
      Effect.gen(function* () {
        const { between, counts, got, leads, messages, settled, status } = yield* campaign(script)
        assert.deepStrictEqual([between.counts.failed, between.counts.sent + between.counts.sending], [0, 3])
        assert.isAbove(between.counts.sending, 0)
        assert.deepStrictEqual([settled.counts.sent, settled.counts.failed, settled.used], [3, 0, between.used])
        assert.deepStrictEqual([counts.sent, leads], [3, ["sent", "sent", "sent"]])
        assert.deepStrictEqual(got, ["p0", "p0", "p1", "p1", "p2", "p2"])
        assert.deepStrictEqual(
          messages,
          Array.from({ length: 6 }, () => "message.sent")
        )
        assert.strictEqual(status, "finished")
      })
    )
  }

  it.effect("says what nobody can know, and sends none of it again, where the platform cannot tell", () =>
    Effect.gen(function* () {
      const { between, counts, got, leads, messages, status } = yield* campaign({})
      assert.deepStrictEqual([between.counts.sent, between.counts.failed, between.counts.sending], [1, 2, 0])
      assert.deepStrictEqual([counts.sent, leads], [1, ["outcomeUnknown", "outcomeUnknown", "sent"]])
      assert.deepStrictEqual(got, ["p0", "p0", "p1"])
      assert.deepStrictEqual(messages, ["message.failed", "message.failed", "message.sent", "message.sent"])
      assert.strictEqual(status, "finished")
    })
  )
})
