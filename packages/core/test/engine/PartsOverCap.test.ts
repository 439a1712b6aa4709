import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { AccountGroups } from "../../src/account/AccountGroups.ts"
import { Accounts } from "../../src/account/Accounts.ts"
import { CampaignAccounts } from "../../src/campaign/CampaignAccounts.ts"
import type { CampaignChangeRefused } from "../../src/campaign/CampaignChange.ts"
import { CampaignEdits } from "../../src/campaign/CampaignEdits.ts"
import { Explanation } from "../../src/campaign/Explanation.ts"
import { system } from "../../src/event/DomainEvent.ts"
import { Forecasts } from "../../src/forecast/Forecasts.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day } from "../../src/workspace/Instant.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"
import * as Scene from "./Scene.ts"

const { start } = Scene
const people = Array.from({ length: 6 }, (_, i) => ({ id: `p${i}` }))
const pacing = { rangeMin: 24, rangeMax: 24, jitter: 0, catchUp: "skip" as const, newShare: 0.5 }

const refused = (error: unknown) =>
  (error as CampaignChangeRefused).problems.map(({ field, message }) => `${field}: ${message}`)

describe("a step with more messages than a cap allows", () => {
  const tooMany = (who: string) => `a step has 3 messages, more than the 2 that ${who} may send a day`

  it.effect("is refused where the cap is known, when a campaign is made, changed or joined", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const { build, workspace } = it
      const small = yield* it.account("small", { dailyCap: 2 })
      const [grouped, free] = [yield* it.account("grouped"), yield* it.account("free")]
      const groups = yield* AccountGroups
      const group = yield* groups.create({ workspace: workspace.id, name: "g", dailyCap: 2 }, system)
      yield* groups.assign(workspace.id, group.id, [grouped.id], system)

      const making = it.campaign("made", [free, small, grouped], people, {}, [1, 3])
      assert.deepStrictEqual(refused(yield* Effect.flip(making)), [
        `accounts[1]: ${tooMany("it")}`,
        `accounts[2]: ${tooMany("its group")}`
      ])
      const three = yield* it.campaign("three", [free], people, {}, [3])
      const joining = (yield* CampaignAccounts).join(workspace.id, three.id, small.id, system)
      assert.deepStrictEqual(refused(yield* Effect.flip(joining)), [`accounts[0]: ${tooMany("it")}`])
      const one = yield* it.campaign("one", [small], people)
      const { edit } = yield* CampaignEdits
      const steps = [{ ...one.settings.steps[0], parts: build.step({ parts: 3 }).parts }] as const
      const growing = edit(workspace.id, one.id, { settings: { steps } }, system)
      assert.deepStrictEqual(refused(yield* Effect.flip(growing)), [`steps[0].parts: ${tooMany("it")}: account small`])
      yield* (yield* WorkspaceStore).modify(workspace.id, (before) => ({ ...before, dailyCap: 2 }))
      assert.deepStrictEqual(refused(yield* Effect.flip(it.campaign("later", [free], people, {}, [3]))), [
        `accounts[0]: ${tooMany("the workspace")}`
      ])
      // A cap that came later forbids no other change.
      yield* edit(workspace.id, three.id, { name: "renamed", settings: { pacing } }, system)
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("that falls later leaves first touches to accounts that have room, and follow-ups that fit go on", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const [a, b] = [yield* it.account("a"), yield* it.account("b")]
      const campaign = yield* it.campaign("c", [a, b], people, { pacing }, [3, 1])
      yield* it.start(campaign.id)
      yield* it.until(() => channel.asked.filter(({ account }) => account === a.id).length === 3)
      yield* (yield* Accounts).change(it.workspace.id, a.id, { dailyCap: 2 }, system)
      yield* it.run(start + 9 * day)
      const leads = yield* it.leads(campaign.id)
      assert.deepStrictEqual(
        leads.map(({ account, ended, status }) => `${status} ${ended} ${account === a.id ? "a" : "b"}`).toSorted(),
        ["sent completed a", ...Array.from({ length: 5 }, () => "sent completed b")]
      )
      assert.strictEqual(yield* it.status(campaign.id), "finished")
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("that falls later for all accounts is what explain and the forecast say, until it is raised", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const a = yield* it.account("a")
      const campaign = yield* it.campaign("c", [a], people, { pacing }, [3])
      const { change } = yield* Accounts
      yield* change(it.workspace.id, a.id, { dailyCap: 2 }, system)
      const forecast = yield* (yield* Forecasts).of(it.workspace.id, campaign.id)
      assert.deepInclude(forecast, { touches: [], finishAt: null, stuck: 6 })
      assert.strictEqual(forecast.days[0]?.limitedBy, "partsOverCap")
      yield* it.start(campaign.id)
      yield* it.run(start + 2 * day)
      const { explain } = yield* Explanation
      for (const { id } of yield* it.leads(campaign.id)) {
        const { answer } = yield* explain(it.workspace.id, id)
        assert.deepStrictEqual(answer, { type: "blocked", reason: "partsOverCap" })
      }
      assert.strictEqual(channel.asked.length, 0)
      yield* change(it.workspace.id, a.id, { dailyCap: 6 }, system)
      yield* it.run(start + 9 * day)
      assert.strictEqual(channel.asked.length, 18)
      assert.strictEqual(yield* it.status(campaign.id), "finished")
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})
