/**
 * The days that a campaign's settings alone lay out for its accounts: quota, interval and slots, as if every active date
 * sent something. A date is active for an account where a slot of it lies from the campaign's beginning on and before its
 * end; any other is closed. It needs no database, and a day of it is the very day that the engine plans once something went
 * out on every active date before. Days come one at a time, so any number of them takes no memory.
 */
import { format, type Instant, second } from "../workspace/Instant.ts"
import type { LocalDate } from "../workspace/LocalDate.ts"
import * as Dates from "../workspace/LocalDate.ts"
import * as Zone from "../workspace/Zone.ts"
import type { CampaignFile } from "./CampaignFile.ts"
import * as DayPlan from "./DayPlan.ts"
import * as SendWindow from "./SendWindow.ts"

/** One account on one date. */
export interface ScheduleDay {
  /** The account's seed key. */
  readonly account: string
  readonly date: LocalDate
  /** Messages; 0 on a closed date. */
  readonly quota: number
  /** Seconds of open time per slot; null on a closed date. */
  readonly interval: number | null
  /** Ascending, from the campaign's beginning on and before its end; none on a closed date. */
  readonly slots: Float64Array
}

export interface ScheduleInput {
  /** Seed keys: the same keys give the same days. */
  readonly campaign: string
  readonly accounts: ReadonlyArray<string>
  readonly settings: DayPlan.Settings
  /** When the campaign begins; null = with the first slot of `from`. */
  readonly startAt: Instant | null
  /** Its end, before which its last slot lies; null = none. */
  readonly endAt: Instant | null
  /** The first date that is given. */
  readonly from: LocalDate
  /** How many dates, closed ones among them. */
  readonly days: number
}

/** The day's slots while the campaign lasts; none where its plan, or what is left of it, has none. */
const slotsOf = (plan: DayPlan.DayPlan, { endAt, startAt }: ScheduleInput): Float64Array =>
  plan.slots.subarray(DayPlan.slotFrom(plan, startAt ?? -Infinity), DayPlan.slotFrom(plan, endAt ?? Infinity))

/** The date from which ramp days are counted: that of the campaign's beginning, where it is before the first that is given. */
const rampsFrom = ({ from, settings: { window, zone }, startAt }: ScheduleInput): LocalDate => {
  const begins = startAt === null ? from : SendWindow.dateOf(window, zone, startAt)
  return begins < from ? begins : from
}

/**
 * Every account on every date, date by date. The first active date of an account has ramp day 1, each later one the next;
 * they are counted from the campaign's beginning, so that a date is the same whichever is given first.
 */
export function* days(input: ScheduleInput): Generator<ScheduleDay, void, undefined> {
  const { accounts, campaign, settings } = input
  const rampDays = new Map(accounts.map((account) => [account, 1]))
  const last = Dates.addDays(input.from, input.days - 1)
  for (let date = rampsFrom(input); date <= last; date = Dates.addDays(date, 1)) {
    for (const account of accounts) {
      const rampDay = rampDays.get(account)!
      const plan = DayPlan.make({ campaign, account, date, settings, rampDay, from: null, used: 0 })
      const slots = slotsOf(plan, input)
      if (slots.length > 0) rampDays.set(account, rampDay + 1)
      if (date < input.from) continue
      const isClosed = slots.length === 0 || plan.interval === null
      yield isClosed
        ? { account, date, quota: 0, interval: null, slots }
        : { account, date, quota: plan.quota, interval: plan.interval / second, slots }
    }
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
    startAt: file.startAt ?? null,
    endAt: file.endAt ?? null,
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
