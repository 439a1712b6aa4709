/** Two engines on one PostgreSQL whose accounts share a group: together they send as many a day as it may, and not one more. */
import { AccountGroups } from "@overture/core/account/AccountGroups"
import { system } from "@overture/core/event/DomainEvent"
import { Outbox } from "@overture/core/outbox/Outbox"
import * as Overture from "@overture/core/Overture"
import { start } from "@overture/core/testing/Builders"
import * as TestChannel from "@overture/core/testing/TestChannel"
import { day } from "@overture/core/workspace/Instant"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import * as Zone from "@overture/core/workspace/Zone"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import * as Scene from "../../../core/test/engine/Scene.ts"
import * as PostgresStorage from "../../src/storage/PostgresStorage.ts"
import { freshDatabase } from "../storage/TestPostgres.ts"

const cap = 17

describe("a race for the cap of a group", () => {
  it.live(
    "of two workers on one PostgreSQL",
    () =>
      Effect.gen(function* () {
        const url = yield* Effect.promise(freshDatabase)
        let now = start
        const time = Layer.succeed(
          PacingTime,
          PacingTime.of({ now: Effect.sync(() => now), waitUntil: () => Effect.void, isVirtual: true })
        )
        const days = new Map<string, number>()
        const senders = new Set<string>()
        const channel = TestChannel.make({
          answer: ({ account }) => {
            const date = Zone.localDate(Zone.make("UTC"), now)
            days.set(date, (days.get(date) ?? 0) + 1)
            senders.add(account)
            return undefined
          }
        })
        const worker = (name: string) =>
          Layer.build(
            Overture.layer({
              storage: PostgresStorage.layer({ url }),
              channels: [channel],
              time,
              outbox: { worker: name }
            })
          )
        const workers = [yield* worker("one"), yield* worker("two")]
        const run = Effect.provideContext(
          Effect.gen(function* () {
            const scene = yield* Scene.make(channel)
            const accounts = yield* Effect.forEach(["a", "b", "c", "d", "e", "f"], (id) => scene.account(id))
            const groups = yield* AccountGroups
            const group = yield* groups.create(
              { workspace: scene.workspace.id, name: "numbers", dailyCap: cap },
              system
            )
            yield* groups.assign(
              scene.workspace.id,
              group.id,
              accounts.map(({ id }) => id),
              system
            )
            const people = Array.from({ length: 100 }, (_, i) => ({ id: `p${i}` }))
            const campaign = yield* scene.campaign("race", [accounts[0]!, ...accounts.slice(1)], people, {
              pacing: { rangeMin: 48, rangeMax: 48, jitter: 0, catchUp: "skip", newShare: 0.25 }
            })
            yield* scene.start(campaign.id)
          }),
          workers[0]!
        )
        yield* run
        const outboxes = workers.map((one) => Context.get(one, Outbox))
        // Three calendar days; a claim that is passed by is tried again at once.
        for (let rounds = 0; now < start + 2 * day; rounds++) {
          assert.isBelow(rounds, 2_000)
          const ticks = yield* Effect.all(
            outboxes.map(({ tick }) => tick),
            { concurrency: "unbounded" }
          )
          if (ticks.some(({ worked }) => worked)) continue
          now = (yield* outboxes[0]!.nextDue) ?? start + 2 * day
        }
        assert.deepStrictEqual([...days.values()], [cap, cap, cap])
        assert.isAbove(senders.size, 1)
      }).pipe(Effect.scoped),
    60_000
  )
})
