/** A whole engine over memory in virtual time, with a campaign to forecast and then to run. */
import { Effect, Option } from "effect"
import { Accounts } from "../../src/account/Accounts.ts"
import type { Account } from "../../src/account/Account.ts"
import * as AccountRules from "../../src/account/Account.ts"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import type { Campaign, CampaignSettings } from "../../src/campaign/Campaign.ts"
import { CampaignStore } from "../../src/campaign/CampaignStore.ts"
import { Contacts } from "../../src/contact/Contacts.ts"
import { system } from "../../src/event/DomainEvent.ts"
import type { Forecast } from "../../src/stats/Forecast.ts"
import type { TouchLog } from "../../src/forecast/TouchLog.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import { Driver } from "../../src/outbox/Driver.ts"
import * as Overture from "../../src/Overture.ts"
import * as Builders from "../../src/testing/Builders.ts"
import type { TestChannel } from "../../src/testing/TestChannel.ts"
import type { AccountId } from "../../src/workspace/Id.ts"
import type { Instant } from "../../src/workspace/Instant.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import type { Workspace } from "../../src/workspace/Workspace.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"

export interface Scenario {
  readonly start: Instant
  readonly contacts: number
  readonly accounts: ReadonlyArray<{
    readonly minGapMs: number
    readonly dailyCap?: number | undefined
    readonly timezone?: string | undefined
  }>
  readonly steps: ReadonlyArray<{ readonly parts: number; readonly sendAfterDays: number }>
  readonly settings?: Partial<CampaignSettings>
  readonly workspace?: Partial<Workspace>
}

/** The engine at `start`. */
export const layer = (channel: TestChannel, start: Instant) =>
  Overture.layer({ storage: MemoryStorage.layer, channels: [channel], time: PacingTime.layerVirtual(start) })

export interface World {
  readonly campaign: Campaign
  readonly accounts: ReadonlyArray<Account>
  readonly accountKey: (id: AccountId) => string
}

/** A draft with its leads; without them where `enrol` is false, until `enrolled` is called. */
export const make = Effect.fnUntraced(function* (scenario: Scenario, channel: TestChannel, enrol = true) {
  const build = Builders.make("forecast")
  const workspace = build.workspace(scenario.workspace)
  yield* (yield* WorkspaceStore).create(workspace)
  const accounts: Array<Account> = []
  for (const [i, given] of scenario.accounts.entries()) {
    const { account } = yield* (yield* Accounts).connect(
      { ...given, workspace: workspace.id, channel: channel.name, externalId: `account-${i}`, externalRef: `a${i}` },
      system
    )
    accounts.push(account)
  }
  const people = yield* Contacts
  const list = yield* people.listNamed(workspace.id, "people")
  yield* people.importRows(
    workspace.id,
    list.id,
    Array.from({ length: scenario.contacts }, (_, i) => ({
      line: i + 2,
      externalId: `p${i}`,
      name: `Person ${i}`,
      tags: [],
      attributes: { region: `region ${i % 4}` }
    })),
    { channel: channel.name, accounts }
  )
  const [first, ...rest] = scenario.steps.map((step, i) => build.step({ ...step, type: i === 0 ? "first" : "noReply" }))
  const campaigns = yield* Campaigns
  const { campaign } = yield* campaigns.create(
    {
      workspace: workspace.id,
      name: "forecast",
      settings: build.settings({ ...scenario.settings, steps: [first!, ...rest] }),
      accounts: [accounts[0]!.id, ...accounts.slice(1).map(({ id }) => id)],
      externalRef: "forecast",
      metadata: {}
    },
    system
  )
  const enrolled = campaigns.enrollList(workspace.id, campaign.id, list.id)
  if (enrol) yield* enrolled
  const keys = new Map(accounts.map((account) => [account.id, AccountRules.seedKey(account)]))
  return { campaign, accounts, accountKey: (id: AccountId) => keys.get(id) ?? id, enrolled }
})

export const startCampaign = ({ campaign }: World) =>
  Effect.flatMap(Campaigns, (campaigns) => campaigns.start(campaign.workspace, campaign.id, system))

/** Runs it until it is finished or nothing is to come; or to the first due instant from `until` on. */
export const run = ({ campaign }: World, until: Instant = Infinity) =>
  Effect.gen(function* () {
    const store = yield* CampaignStore
    const driver = yield* Driver
    const time = yield* PacingTime
    while (true) {
      const { nextDue, worked } = yield* driver.step
      if (worked) continue
      const found = yield* store.get(campaign.workspace, campaign.id)
      if (nextDue === null || (Option.isSome(found) && found.value.status !== "running")) return
      if (nextDue >= until) return
      yield* time.waitUntil(nextDue, 0)
    }
  })

/** `account date: first touches + follow-ups = messages`, for each on which something goes out. */
export const daysOfForecast = (forecast: Forecast): ReadonlyArray<string> =>
  forecast.days
    .filter(({ messages }) => messages > 0)
    .map((day) => `${day.account} ${day.date}: ${day.firstTouches} + ${day.followUps} = ${day.messages}`)
    .sort()

/** The same of what happened. */
export const daysOfLog = (log: TouchLog, accountKey: World["accountKey"], from: Instant = 0): ReadonlyArray<string> => {
  const days = new Map<string, [number, number, number]>()
  for (const { account, at, date, messages, step } of log.touches) {
    if (at < from) continue
    const key = `${accountKey(account)} ${date}`
    const [first, followUps, sum] = days.get(key) ?? [0, 0, 0]
    days.set(key, [first + (step === 0 ? 1 : 0), followUps + (step === 0 ? 0 : 1), sum + messages])
  }
  return Array.from(days, ([key, [first, followUps, sum]]) => `${key}: ${first} + ${followUps} = ${sum}`).sort()
}
