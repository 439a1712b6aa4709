import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import type { AccountState } from "../../src/account/Account.ts"
import { Channels } from "../../src/channel/Channel.ts"
import { initial } from "../../src/campaign/Pace.ts"
import type { LeadCandidate } from "../../src/campaign/CampaignStore.ts"
import type { CampaignSettings } from "../../src/campaign/Campaign.ts"
import * as DayPlan from "../../src/campaign/DayPlan.ts"
import * as PacePlan from "../../src/campaign/PacePlan.ts"
import * as Forecast from "../../src/stats/Forecast.ts"
import { ForecastEngine } from "../../src/forecast/ForecastEngine.ts"
import type * as Snapshot from "../../src/forecast/Snapshot.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import * as Budget from "../../src/workspace/Budget.ts"
import { day, hour } from "../../src/workspace/Instant.ts"

/** Monday 2026-03-09, 00:00 UTC. */
const monday = Builders.start - (Builders.start % day)
const build = Builders.make("forecast engine")

const snapshotOf = (options: {
  readonly count: number
  readonly settings?: Partial<CampaignSettings>
  readonly accounts?: ReadonlyArray<Partial<AccountState["account"]>>
  readonly use?: AccountState["use"]
  readonly dailyCap?: number
  readonly at?: number
}): Snapshot.Snapshot => {
  const workspace = build.workspace({ dailyCap: options.dailyCap ?? null })
  const campaign = build.campaign(workspace.id, { externalRef: "spring", settings: build.settings(options.settings) })
  const accounts = (options.accounts ?? [{}]).map((overrides, i) =>
    build.account(workspace.id, { externalRef: `a${i}`, ...overrides })
  )
  return {
    workspace: { workspace, use: Budget.none },
    campaign,
    accounts: accounts.map((account) => ({
      account: { account, use: options.use ?? Budget.none, lastTouchAt: null },
      pace: initial(campaign, account.id),
      group: null
    })),
    leads: { type: "anonymous", count: options.count },
    at: options.at ?? monday
  }
}

const forecast = (
  snapshot: Snapshot.Snapshot,
  bounds: Partial<Forecast.ForecastBounds> = {},
  channel = TestChannel.make()
) =>
  Effect.flatMap(ForecastEngine, (engine) => engine.run(snapshot, { ...Forecast.defaultBounds, ...bounds })).pipe(
    Effect.provide(ForecastEngine.layer.pipe(Layer.provide(Layer.succeed(Channels, Channels.from([channel])))))
  )

const column = (result: Forecast.Forecast, account = "a0") =>
  result.days
    .filter((row) => row.account === account)
    .map((row) => `${row.date.slice(8)} ${row.messages}/${row.quota} ${row.limitedBy}`)

const office = { days: [1, 2, 3, 4, 5], windows: [{ start: "09:00", end: "17:00" }] }

describe("the forecast engine", () => {
  it.effect("says what limits each day: quota, ramp, closed dates and an empty pool", () =>
    Effect.gen(function* () {
      const channel = TestChannel.make()
      const result = yield* forecast(
        snapshotOf({
          count: 50,
          settings: { sendWindow: office, rampUp: { type: "staged", stages: [{ start: 1, end: 3, value: 6 }] } }
        }),
        {},
        channel
      )
      assert.deepStrictEqual(column(result), [
        "09 6/6 ramp",
        "10 6/6 ramp",
        "11 6/6 ramp",
        "12 10/10 quota",
        "13 10/10 quota",
        "14 0/0 window",
        "15 0/0 window",
        "16 10/10 quota",
        "17 2/10 poolEmpty"
      ])
      assert.strictEqual(result.finishDate, "2026-03-17")
      assert.deepStrictEqual([result.cut, result.skipped], [null, []])
      assert.strictEqual(channel.asked.length, 0)
      assert.strictEqual(result.touches.length, 50)
      assert.deepStrictEqual(result.touches[0], ["#1", 0, 0, "2026-03-09"])
      assert.deepStrictEqual(
        result.totals.map(({ messages }) => messages),
        [6, 6, 6, 10, 10, 0, 0, 10, 2]
      )
      assert.deepStrictEqual(
        result.heatMap.map((hours) => hours.reduce((a, b) => a + b)),
        [0, 16, 8, 6, 10, 10, 0]
      )
      assert.isTrue(result.heatMap.every((hours) => hours.every((count, i) => count === 0 || (i >= 9 && i < 17))))
    })
  )

  it.effect("keeps to the caps of accounts and of the workspace, with what they hold already", () =>
    Effect.gen(function* () {
      const capped = yield* forecast(
        snapshotOf({ count: 20, accounts: [{ dailyCap: 7 }], use: { day: "2026-03-09", used: 5 } })
      )
      assert.deepStrictEqual(column(capped), [
        "09 2/10 accountCap",
        "10 7/10 accountCap",
        "11 7/10 accountCap",
        "12 4/10 poolEmpty"
      ])
      const tenant = yield* forecast(snapshotOf({ count: 30, accounts: [{}, {}], dailyCap: 12 }))
      assert.deepStrictEqual(
        tenant.totals.map(({ messages }) => messages),
        [12, 12, 6]
      )
      assert.isTrue(tenant.days.some(({ limitedBy }) => limitedBy === "workspaceCap"))
      const limited = yield* forecast(snapshotOf({ count: 10 }), {}, TestChannel.make({ policy: { dailyLimit: 7 } }))
      assert.deepStrictEqual(column(limited), ["09 7/10 accountCap", "10 3/10 poolEmpty"])
    })
  )

  it.effect("tells a day that began late, a gap that does not fit and an account that cannot send", () =>
    Effect.gen(function* () {
      const late = yield* forecast(snapshotOf({ count: 30, at: monday + 12 * hour }))
      assert.deepStrictEqual(column(late), ["09 5/10 window", "10 10/10 quota", "11 10/10 quota", "12 5/10 poolEmpty"])
      const gap = yield* forecast(
        snapshotOf({
          count: 12,
          accounts: [{ minGapMs: 2 * hour }],
          settings: { sendWindow: office, timezone: "UTC" }
        })
      )
      assert.deepStrictEqual(column(gap).slice(0, 2), ["09 4/10 window", "10 4/10 window"])
      const banned = yield* forecast(snapshotOf({ count: 20, accounts: [{}, { banned: true }] }))
      assert.deepStrictEqual(column(banned, "a1"), ["09 0/10 account", "10 0/10 account"])
      assert.deepStrictEqual(column(banned), ["09 10/10 quota", "10 10/10 quota"])
    })
  )

  it.effect("is bounded, and says where it was cut", () =>
    Effect.gen(function* () {
      const days = yield* forecast(snapshotOf({ count: 200 }), { days: 5 })
      assert.deepStrictEqual(
        [days.cut, days.finishAt, days.totals.length, days.touches.length],
        [{ by: "days", limit: 5 }, null, 5, 50]
      )
      const leads = yield* forecast(snapshotOf({ count: 1_000_000 }), { leads: 30 })
      assert.deepStrictEqual(
        [leads.cut, leads.finishDate, leads.touches.length, leads.leads.count],
        [{ by: "leads", limit: 30 }, null, 30, 30]
      )
    })
  )

  it.effect("counts what it will not send, with the reason", () =>
    Effect.gen(function* () {
      const personWritesFirst = TestChannel.make({ policy: { personWritesFirst: true } })
      const result = yield* forecast(snapshotOf({ count: 5 }), {}, personWritesFirst)
      assert.deepStrictEqual([result.skipped, result.touches], [[{ reason: "policy", count: 5 }], []])
    })
  )

  it.effect("has the quotas and the ramp of the day plans also on days without a touch", () =>
    Effect.gen(function* () {
      const step = build.step()
      const snapshot = snapshotOf({
        count: 3,
        settings: {
          steps: [step, build.step({ type: "noReply", sendAfterDays: 4 })],
          pacing: { rangeMin: 10, rangeMax: 40, jitter: 0.8, catchUp: "skip", newShare: 0.25 },
          rampUp: { type: "incremental", increment: 12, max: 100 }
        }
      })
      const result = yield* forecast(snapshot)
      const settings = PacePlan.dayPlanSettings(snapshot.campaign.settings)
      assert.deepStrictEqual(
        result.days.map(({ messages }) => messages),
        [3, 0, 0, 0, 3]
      )
      for (const [i, { date, limitedBy, quota, slots }] of result.days.entries()) {
        const plan = DayPlan.make({
          campaign: "spring",
          account: "a0",
          date,
          settings,
          rampDay: i === 0 ? 1 : 2,
          from: null,
          used: 0
        })
        assert.deepStrictEqual([quota, slots, limitedBy], [plan.quota, plan.slotCount, "poolEmpty"])
      }
    })
  )

  it.effect("counts what is on its way when it begins as sent, once", () =>
    Effect.gen(function* () {
      const base = snapshotOf({ count: 0 })
      const { campaign } = base
      const at = monday + 12 * hour
      const {
        account: { account }
      } = base.accounts[0]!
      const claim = build.ids.next("clm")
      const reserved = { pace: "2026-03-09", account: "2026-03-09", workspace: "2026-03-09" }
      const candidates = (["sending", "queued"] as const).map((status): LeadCandidate => {
        const contact = build.contact(campaign.workspace)
        const lead = build.lead(campaign, contact, { status: "assigned", account: account.id, claim })
        const of = {
          author: { type: "campaign" as const, id: campaign.id },
          campaign: campaign.id,
          campaignVersion: 1,
          lead: lead.id
        }
        const message = build.message(account, contact, {
          ...of,
          step: lead.step,
          status,
          claim,
          dueAt: null,
          reserved
        })
        return {
          lead,
          contact,
          touches: [],
          suppressions: [],
          sequences: [],
          chat: null,
          takenOver: [],
          messages: [message]
        }
      })
      const running: Snapshot.Snapshot = {
        ...base,
        at,
        campaign: { ...campaign, status: "running", startedAt: monday },
        accounts: [
          {
            account: { account, use: { day: "2026-03-09", used: 5 }, lastTouchAt: at },
            group: null,
            pace: {
              ...base.accounts[0]!.pace,
              version: 1,
              paused: false,
              date: "2026-03-09",
              quota: 10,
              used: 5,
              slot: 5,
              nextAt: at + hour,
              rampDay: 1,
              rampDate: "2026-03-09"
            }
          }
        ],
        leads: { type: "known", candidates }
      }
      const result = yield* forecast(running)
      assert.deepStrictEqual(
        new Set(result.touches.map(String)),
        new Set(candidates.map(({ lead }) => `${lead.id},0,0,2026-03-09`))
      )
      assert.strictEqual(result.touches.length, 2)
      const [today] = result.days
      assert.deepStrictEqual([today?.before, today?.messages, today?.quota, result.days.length], [3, 2, 10, 1])
    })
  )

  it.effect("is a JSON document", () =>
    Effect.gen(function* () {
      const result = yield* forecast(snapshotOf({ count: 25, accounts: [{}, {}] }))
      const text = JSON.stringify(yield* Schema.encodeUnknownEffect(Forecast.Forecast)(result))
      assert.deepStrictEqual(yield* Schema.decodeUnknownEffect(Forecast.Forecast)(JSON.parse(text)), result)
    })
  )
})
