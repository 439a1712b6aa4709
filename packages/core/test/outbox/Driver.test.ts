/** A worker outlives what breaks in one of its rounds: the other sources go on, and it is tried again. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { CampaignStore } from "../../src/campaign/CampaignStore.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import { Driver } from "../../src/outbox/Driver.ts"
import { OutboxStore } from "../../src/outbox/OutboxStore.ts"
import * as Overture from "../../src/Overture.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import * as Scene from "../engine/Scene.ts"

type Part = "campaigns" | "campaign alarms" | "queue"

/** A storage that breaks where a test says. */
const fragile = (isBroken: (part: Part) => boolean) => {
  const guarded = <A, E>(part: Part, work: Effect.Effect<A, E>) =>
    Effect.suspend(() => (isBroken(part) ? Effect.die(new Error(`${part} broke`)) : work))
  const stores = Layer.mergeAll(
    Layer.effect(
      CampaignStore,
      Effect.map(CampaignStore, (store) =>
        CampaignStore.of({
          ...store,
          claim: (request) => guarded("campaigns", store.claim(request)),
          nextAlarm: guarded("campaign alarms", store.nextAlarm)
        })
      )
    ),
    Layer.effect(
      OutboxStore,
      Effect.map(OutboxStore, (store) =>
        OutboxStore.of({ ...store, claimQueued: (request) => guarded("queue", store.claimQueued(request)) })
      )
    )
  )
  return Layer.provideMerge(stores, MemoryStorage.layer)
}

/** A slot every two minutes. */
const pacing = { rangeMin: 720, rangeMax: 720, jitter: 0, catchUp: "skip", newShare: 0.25 } as const

describe("a driver", () => {
  for (const broken of ["campaigns", "campaign alarms", "queue"] as const) {
    it.effect(`of which ${broken} breaks sends what else there is, and all of it once that works again`, () => {
      const channel = TestChannel.make({ capabilities: { polling: false } })
      let isBroken = true
      const storage = fragile((part) => isBroken && part === broken)
      return Effect.gen(function* () {
        yield* TestClock.setTime(Scene.start)
        const { account: connect, build, campaign, start, workspace } = yield* Scene.make(channel)
        const account = yield* connect("a")
        const made = yield* campaign("c", [account], [{ id: "of the campaign" }], { pacing })
        yield* start(made.id)
        const contact = build.contact(workspace.id)
        yield* (yield* ContactStore).import(workspace.id, [contact], null)
        const message = { ...build.message(account, contact), author: { type: "api", id: null } as const }
        yield* (yield* OutboxStore).enqueue([message], [build.opening(account, contact)], [])
        const fiber = yield* Effect.forkChild((yield* Driver).run)
        yield* Effect.repeat(TestClock.adjust("1 minute"), { times: 4 })
        assert.deepStrictEqual(
          channel.asked.map(({ to }) => to === "of the campaign"),
          [broken === "queue"]
        )
        isBroken = false
        yield* Effect.repeat(TestClock.adjust("1 minute"), { times: 4 })
        assert.strictEqual(channel.asked.length, 2)
        assert.isUndefined(fiber.pollUnsafe())
        yield* Fiber.interrupt(fiber)
      }).pipe(Effect.provide(Overture.layer({ storage, channels: [channel] })))
    })
  }
})
