import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { CampaignSettings } from "../../src/campaign/Campaign.ts"
import { CampaignEdits } from "../../src/campaign/CampaignEdits.ts"
import { Campaigns, type NewCampaign } from "../../src/campaign/Campaigns.ts"
import { CampaignStore } from "../../src/campaign/CampaignStore.ts"
import { system } from "../../src/event/DomainEvent.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day, hour } from "../../src/workspace/Instant.ts"
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
