/**
 * The days that a campaign's settings alone lay out for its accounts: quota, interval and slots, as if every active date
 * sent something. It needs no database, and a day of it is the very day that the engine plans once something went out on
 * every active date before. Days come one at a time, so any number of them takes no memory.
 */
import { format, second } from "../workspace/Instant.ts"
import type { LocalDate } from "../workspace/LocalDate.ts"
import * as Dates from "../workspace/LocalDate.ts"
import * as Zone from "../workspace/Zone.ts"
import type { CampaignFile } from "./CampaignFile.ts"
import * as DayPlan from "./DayPlan.ts"

/** One account on one date. */
export interface ScheduleDay {
  /** The account's seed key. */
  readonly account: string
  readonly date: LocalDate
  /** Messages; 0 on a closed date. */
  readonly quota: number
  /** Seconds of open time per slot; null on a closed date. */
  readonly interval: number | null
  /** Ascending; none on a closed date. */
  readonly slots: Float64Array
}

export interface ScheduleInput {
  /** Seed keys: the same keys give the same days. */
  readonly campaign: string
  readonly accounts: ReadonlyArray<string>
  readonly settings: DayPlan.Settings
  readonly from: LocalDate
  /** How many dates, closed ones among them. */
  readonly days: number
}

/** Every account on every date, date by date. The first active date has ramp day 1, each later one the next. */
export function* days(input: ScheduleInput): Generator<ScheduleDay, void, undefined> {
  const { accounts, campaign, settings } = input
  let rampDay = 1
  for (let i = 0; i < input.days; i++) {
    const date = Dates.addDays(input.from, i)
    let isActive = false
    for (const account of accounts) {
      const plan = DayPlan.make({ campaign, account, date, settings, rampDay, from: null, used: 0 })
      isActive ||= plan.length > 0
      const interval = plan.interval === null ? null : plan.interval / second
      yield { account, date, quota: plan.quota, interval, slots: plan.slots }
    }
    if (isActive) rampDay += 1
  }
}

/** The seed key of a file's campaign. One without an id gets a key of its own when it is made, so its name stands in. */
const campaignKey = (file: Pick<CampaignFile, "id" | "name">): string => file.id ?? file.name

/** What of a file decides its days; `workspaceZone` holds where it names no zone. */
export const settingsOf = (
  file: Pick<CampaignFile, "sendWindow" | "pacing" | "rampUp" | "messages">,
  workspaceZone: string
): DayPlan.Settings => ({
  window: file.sendWindow,
  zone: Zone.make(file.sendWindow.timezone ?? workspaceZone),
  range: file.pacing,
  rampUp: file.rampUp,
  jitter: file.pacing.jitter,
  catchUp: file.pacing.catchUp,
  parts: file.messages.length,
  newShare: file.pacing.newShare
})

/** The days of a file, whose ids are taken as they are. */
export const ofFile = (
  file: CampaignFile,
  options: { readonly from: LocalDate; readonly days: number; readonly workspaceZone: string }
): Generator<ScheduleDay, void, undefined> =>
  days({
    campaign: campaignKey(file),
    accounts: file.accounts.map((entry) => (typeof entry === "string" ? entry : entry.id)),
    settings: settingsOf(file, options.workspaceZone),
    from: options.from,
    days: options.days
  })

/** A day as one line of JSON: `{"account","date","quota","interval","slots":[ISO instants]}`. */
export const toJson = (self: ScheduleDay): string =>
  JSON.stringify({
    account: self.account,
    date: self.date,
    quota: self.quota,
    interval: self.interval,
    slots: Array.from(self.slots, (at) => format(at))
  })
