import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { CampaignSettings } from "../../src/campaign/Campaign.ts"
import { CampaignEdits } from "../../src/campaign/CampaignEdits.ts"
import { Campaigns, type NewCampaign } from "../../src/campaign/Campaigns.ts"
import { CampaignStore } from "../../src/campaign/CampaignStore.ts"
import { system } from "../../src/event/DomainEvent.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import { Driver } from "../../src/outbox/Driver.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day, hour } from "../../src/workspace/Instant.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import * as Scene from "./Scene.ts"

const { start } = Scene

describe("a new campaign", () => {
  it.effect("is refused by field where it could not be one, and nothing is left of it", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const other = yield* Scene.make(channel, "other")
      const account = yield* it.account("a")
      const stranger = yield* other.account("s")
      const campaigns = yield* Campaigns
      const refused = (settings: Partial<CampaignSettings>, rest: Partial<NewCampaign> = {}) => {
        const fields = { name: "c", accounts: [account.id] as const, externalRef: null, metadata: {}, ...rest }
        const made = campaigns.create(
          { workspace: it.workspace.id, settings: it.build.settings(settings), ...fields },
          system
        )
        return Effect.map(Effect.flip(made), (error) =>
          error._tag === "CampaignChangeRefused" ? error.problems.map(({ field }) => field) : [error._tag]
        )
      }
      const hours = [
        { start: "09:00", end: "12:00" },
        { start: "11:00", end: "13:00" }
      ]
      assert.deepStrictEqual(yield* refused({ sendWindow: { windows: hours } }), ["sendWindow.windows"])
      assert.deepStrictEqual(yield* refused({ timezone: "Mars/Olympus" }), ["timezone"])
      assert.deepStrictEqual(yield* refused({ startAt: start + day, endAt: start + hour }), ["endAt"])
      assert.deepStrictEqual(yield* refused({}, { name: "" }), ["name"])
      assert.deepStrictEqual(yield* refused({}, { accounts: [account.id, stranger.id] }), ["accounts[1]"])
      assert.deepStrictEqual((yield* (yield* CampaignStore).list(it.workspace.id, {})).data, [])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("is given no account of another workspace later either", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const stranger = yield* (yield* Scene.make(channel, "other")).account("s")
      const campaign = yield* it.campaign("c", [yield* it.account("a")], [{ id: "p" }])
      const edit = (yield* CampaignEdits).edit(it.workspace.id, campaign.id, { accounts: [stranger.id] }, system)
      const error = yield* Effect.flip(edit)
      assert.strictEqual(error._tag, "CampaignChangeRefused")
      assert.include(error.message, `accounts[0]: there is no account ${stranger.id} in this workspace`)
      assert.strictEqual((yield* (yield* CampaignStore).paces(campaign.id)).length, 1)
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})

describe("a campaign that is deleted", () => {
  it.effect("sends nothing more, ends what is open, gives its reference back, and is found no more", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const campaigns = yield* Campaigns
      const { workspace } = it
      const pacing = { rangeMin: 4, rangeMax: 4, jitter: 0, catchUp: "skip" as const, newShare: 0.5 }
      const people = Array.from({ length: 9 }, (_, i) => ({ id: `p${i}` }))
      const account = yield* it.account("a")
      const campaign = yield* it.campaign("c", [account], people, { pacing }, [2, 1])
      yield* it.start(campaign.id)
      // Between the two parts of a touch.
      yield* it.run(start + 3 * hour)
      const driver = yield* Driver
      const before = channel.asked.length
      for (let rounds = 0; rounds < 99 && channel.asked.length === before; rounds++) {
        const { nextDue, worked } = yield* driver.step
        if (!worked && nextDue !== null) yield* (yield* PacingTime).waitUntil(nextDue, 0)
      }
      const sent = channel.asked.length
      assert.strictEqual(sent % 2, 1)
      const gone = yield* campaigns.remove(workspace.id, campaign.id, system)
      assert.deepStrictEqual([gone.status, gone.externalRef], ["deleted", null])
      yield* campaigns.remove(workspace.id, campaign.id, system)
      yield* it.run(start + 30 * day)

      assert.strictEqual(channel.asked.length, sent)
      const leads = yield* it.leads(campaign.id)
      assert.deepStrictEqual(
        leads.map(({ ended, status }) => `${status} ${ended}`).toSorted(),
        [
          ...Array.from({ length: (sent - 1) / 2 }, () => "sent cancelled"),
          "partial cancelled",
          ...Array.from({ length: 9 - (sent + 1) / 2 }, () => "skipped cancelled")
        ].toSorted()
      )
      const [counts, recount] = yield* it.counts(campaign.id)
      assert.deepStrictEqual(counts, recount)
      const told = yield* (yield* EventStore).read(workspace.id, null, 1_000)
      const deleted = told.flatMap(({ event }) => (event.type === "campaign.deleted" ? [event.data] : []))
      assert.deepStrictEqual(deleted, [{ name: "c", externalRef: "c" }])

      assert.strictEqual((yield* Effect.flip(it.start(campaign.id)))._tag, "IllegalTransition")
      const enrolling = campaigns.enroll(workspace.id, campaign.id, [])
      assert.strictEqual((yield* Effect.flip(enrolling))._tag, "CampaignNotFound")
      const stranger = campaigns.remove(workspace.id, it.build.ids.next("cmp"), system)
      assert.strictEqual((yield* Effect.flip(stranger))._tag, "CampaignNotFound")
      const fields = { name: "c", accounts: [account.id] as const, externalRef: "c", metadata: {} }
      const again = yield* campaigns.create(
        { workspace: workspace.id, settings: it.build.settings({}), ...fields },
        system
      )
      assert.isTrue(again.created)
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})
