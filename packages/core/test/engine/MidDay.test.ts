import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { CampaignAccounts } from "../../src/campaign/CampaignAccounts.ts"
import { CampaignEdits } from "../../src/campaign/CampaignEdits.ts"
import { system } from "../../src/event/DomainEvent.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { hour } from "../../src/workspace/Instant.ts"
import * as Scene from "./Scene.ts"

const { start } = Scene
const people = Array.from({ length: 60 }, (_, i) => ({ id: `p${i}` }))
const pacing = { rangeMin: 24, rangeMax: 24, jitter: 0, catchUp: "spread" as const, newShare: 1 }
/** The scene begins at 10:00: eight hours on, a quarter of the day is left. */
const evening = start + 8 * hour
const midnight = start + 14 * hour

describe("a day that begins in its middle", () => {
  const sent = (begin: "by hand" | "at startAt" | "at a startAt that was put off" | "with another account") => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const [a, b] = [yield* it.account("a"), yield* it.account("b")]
      const { id } = yield* it.campaign("c", [a], people, {
        pacing,
        startAt: begin === "at startAt" ? evening : begin === "at a startAt that was put off" ? start + 2 * hour : null
      })
      if (begin === "by hand") yield* it.run(evening)
      yield* it.start(id)
      if (begin === "at a startAt that was put off") {
        yield* it.run(start + hour)
        yield* (yield* CampaignEdits).edit(it.workspace.id, id, { settings: { startAt: evening } }, system)
      }
      if (begin === "with another account") {
        yield* it.run(evening)
        yield* (yield* CampaignAccounts).join(it.workspace.id, id, b.id, system)
      }
      yield* it.run(midnight)
      const by = begin === "with another account" ? b.id : a.id
      return channel.asked.filter(({ account }) => account === by).length
    }).pipe(Effect.provide(Scene.engine(channel)))
  }

  it.effect.each(["by hand", "at startAt", "at a startAt that was put off", "with another account"] as const)(
    "has the slots of what is left of it: begun %s",
    (begin) => Effect.map(sent(begin), (count) => assert.strictEqual(count, 6))
  )
})
