/** What `ForecastStore` promises: the first forecast of a campaign stays, and only its workspace sees it. */
import { Effect, Option } from "effect"
import { CampaignStore } from "../../campaign/CampaignStore.ts"
import type { Forecast } from "../../stats/Forecast.ts"
import { ForecastStore } from "../../stats/ForecastStore.ts"
import { Transaction } from "../../workspace/Transaction.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { people } from "./Scene.ts"
import { fails, type StorageCase, storageCase } from "./StorageCase.ts"

const forecast = (campaign: string): Forecast => ({
  campaign,
  version: 1,
  timezone: "America/New_York",
  from: Builders.start,
  accounts: ["søren ☕", "#2"],
  leads: { type: "known", count: 2 },
  days: [
    {
      account: "søren ☕",
      date: "2026-03-09",
      quota: 7,
      slots: 7,
      before: 0,
      firstTouches: 2,
      followUps: 0,
      messages: 2,
      limitedBy: "poolEmpty"
    }
  ],
  totals: [{ date: "2026-03-09", quota: 7, firstTouches: 2, followUps: 0, messages: 2 }],
  heatMap: [[0, 1], [1]],
  skipped: [{ reason: 'it\'s "quoted"', count: 1 }],
  finishAt: Builders.start + 1,
  finishDate: "2026-03-09",
  cut: null,
  stuck: 0,
  touches: [
    ["led_1", 0, 0, "2026-03-09"],
    ["led_2", 0, 1, "2026-03-09"]
  ]
})

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("forecasts: the first one of a campaign stays, as it was written", function* () {
    const store = yield* ForecastStore
    const { build, workspace } = yield* people("forecasts")
    const [campaign, other] = [build.campaign(workspace.id), build.campaign(workspace.id)]
    yield* Effect.forEach([campaign, other], (one) =>
      Effect.flatMap(CampaignStore, ({ create }) => create(one, [], []))
    )
    const first = forecast(campaign.id)
    const of = (id: typeof campaign.id) => Effect.map(store.forecastOf(workspace.id, id), Option.getOrNull)
    Expect.equal(yield* of(campaign.id), null, "before there is one")
    Expect.equal(yield* store.saveForecast(workspace.id, campaign.id, first), true, "the first time")
    Expect.equal(
      yield* store.saveForecast(workspace.id, campaign.id, { ...first, version: 2, touches: [] }),
      false,
      "the second time"
    )
    Expect.equal(yield* of(campaign.id), first, "the forecast")
    Expect.equal(yield* of(other.id), null, "the forecast of another campaign")
  }),

  storageCase(
    "forecasts: another workspace has none of it, and keeps none for a campaign that is not its own",
    function* () {
      const store = yield* ForecastStore
      const { build, workspace } = yield* people("forecasts elsewhere")
      const campaign = build.campaign(workspace.id)
      yield* (yield* CampaignStore).create(campaign, [], [])
      const stranger = build.workspace().id
      Expect.equal(yield* store.saveForecast(stranger, campaign.id, forecast("x")), false, "by a stranger")
      const unknown = build.campaign(workspace.id).id
      Expect.equal(yield* store.saveForecast(workspace.id, unknown, forecast("x")), false, "of no campaign")
      Expect.equal(yield* store.saveForecast(workspace.id, campaign.id, forecast("x")), true, "by its own workspace")
      Expect.ok(Option.isNone(yield* store.forecastOf(stranger, campaign.id)), "a stranger reads the forecast")
    }
  ),

  storageCase("forecasts: one of a transaction that failed is not kept", function* () {
    const store = yield* ForecastStore
    const { within } = yield* Transaction
    const { build, workspace } = yield* people("forecasts rolled back")
    const campaign = build.campaign(workspace.id)
    yield* (yield* CampaignStore).create(campaign, [], [])
    const gone = within(
      Effect.andThen(store.saveForecast(workspace.id, campaign.id, forecast("gone")), Effect.fail("later"))
    )
    yield* fails(gone, "the transaction")
    Expect.ok(Option.isNone(yield* store.forecastOf(workspace.id, campaign.id)), "the forecast of a failed transaction")
  })
]
