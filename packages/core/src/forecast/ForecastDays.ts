/**
 * Makes the document of a forecast from what its run came to: a row for every account and date, with what limited it, and
 * everything that is counted from them. Quotas are those of the day plans, so a date without a touch has its own too.
 */
import * as Account from "../account/Account.ts"
import { seedKey } from "../campaign/Campaign.ts"
import * as DayPlan from "../campaign/DayPlan.ts"
import type { Pace } from "../campaign/Pace.ts"
import type { AccountState } from "../account/Account.ts"
import type { Channel } from "../channel/Channel.ts"
import * as SendBudget from "../outbox/SendBudget.ts"
import type { AccountId, LeadId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { LocalDate } from "../workspace/LocalDate.ts"
import * as Dates from "../workspace/LocalDate.ts"
import * as SendWindow from "../campaign/SendWindow.ts"
import * as Zone from "../workspace/Zone.ts"
import type { Forecast, ForecastDay, ForecastLimit, ForecastTotal, ForecastTouch } from "../stats/Forecast.ts"
import type { PaceWatch } from "./PaceWatch.ts"
import type { Snapshot } from "./Snapshot.ts"
import type { LoggedTouch, TouchLog } from "./TouchLog.ts"

export interface Ran {
  readonly snapshot: Snapshot
  readonly channels: ReadonlyMap<string, Channel>
  readonly log: TouchLog
  readonly watch: PaceWatch
  readonly settings: DayPlan.Settings
  readonly firstDate: LocalDate
  /** Where it was cut after so many days. */
  readonly lastDate: LocalDate | null
  readonly finishAt: Instant | null
  readonly names: ReadonlyMap<LeadId, string>
  readonly cut: Forecast["cut"]
  readonly stuck: number
}

/** Messages of `date` that were out before, leaving aside those that the copy itself sends on. */
const usedBefore = (ran: Ran, pace: Pace, date: LocalDate): number => {
  if (pace.date !== date || ran.snapshot.leads.type === "anonymous") return 0
  const underWay = ran.snapshot.leads.candidates.reduce(
    (sum, { messages }) =>
      sum +
      messages.filter(
        (row) =>
          row.account === pace.account &&
          row.reserved?.pace === date &&
          (row.status === "queued" || row.status === "sending")
      ).length,
    0
  )
  return Math.max(0, pace.used - underWay)
}

/** Whether the account itself, or its channel here, sends nothing on a date whose open time ends at `until`. */
const isUnable = (ran: Ran, { account }: AccountState, until: Instant): boolean => {
  const channel = ran.channels.get(account.channel)
  return (
    !Account.isAble(account) ||
    channel === undefined ||
    !channel.policy.automationAllowed ||
    ran.snapshot.workspace.workspace.paused ||
    (account.restingUntil ?? 0) >= until
  )
}

/** Whether a cap lets no first touch of the account pass. */
const isBelowParts = (ran: Ran, { account, group }: Snapshot["accounts"][number]): boolean => {
  const limit = ran.channels.get(account.account.channel)?.policy.dailyLimit
  const holders = SendBudget.holders({ account, group, workspace: ran.snapshot.workspace }, limit)
  return SendBudget.capBelow(ran.settings.parts, holders) !== null
}

const limitOf = (
  ran: Ran,
  one: Snapshot["accounts"][number],
  plan: DayPlan.DayPlan,
  rampDay: number,
  touches: number,
  before: number
): ForecastLimit => {
  if (plan.quota === 0) return "window"
  const state = one.account
  const id = state.account.id
  const refusal = ran.watch.refusal(id, plan.date)
  const slots = touches + Math.ceil(before / ran.settings.parts)
  if (slots >= plan.slotCount || refusal === "quota") {
    const uncapped = DayPlan.make({
      campaign: seedKey(ran.snapshot.campaign),
      account: Account.seedKey(state.account),
      date: plan.date,
      settings: { ...ran.settings, rampUp: { type: "disabled" } },
      rampDay,
      from: null,
      used: 0
    })
    return uncapped.quota > plan.quota ? "ramp" : "quota"
  }
  if (refusal !== null) return refusal
  if (isUnable(ran, state, plan.open.at(-1)?.end ?? 0)) return "account"
  if (isBelowParts(ran, one)) return "partsOverCap"
  return ran.watch.isDry(id, plan.date) ? "poolEmpty" : "window"
}

/** The rows of one account, date by date. */
const rowsOf = (
  ran: Ran,
  one: Snapshot["accounts"][number],
  touches: ReadonlyMap<LocalDate, ReadonlyArray<LoggedTouch>>,
  lastDate: LocalDate
): ReadonlyArray<ForecastDay> => {
  const rows: Array<ForecastDay> = []
  const { account, pace } = one
  let { rampDate, rampDay } = pace
  for (let date = ran.firstDate; date <= lastDate; date = Dates.addDays(date, 1)) {
    const today = rampDate === date ? rampDay : rampDay + 1
    const plan = DayPlan.make({
      campaign: seedKey(ran.snapshot.campaign),
      account: Account.seedKey(account.account),
      date,
      settings: ran.settings,
      rampDay: today,
      from: null,
      used: 0
    })
    const mine = touches.get(date) ?? []
    const firstTouches = mine.filter(({ step }) => step === 0).length
    const before = usedBefore(ran, pace, date)
    rows.push({
      account: Account.seedKey(account.account),
      date,
      quota: plan.quota,
      slots: plan.slotCount,
      before,
      firstTouches,
      followUps: mine.length - firstTouches,
      messages: mine.reduce((sum, { messages }) => sum + messages, 0),
      limitedBy: limitOf(ran, one, plan, today, mine.length, before)
    })
    if (mine.length > 0) [rampDate, rampDay] = [date, today]
  }
  return rows
}

const totalsOf = (days: ReadonlyArray<ForecastDay>): ReadonlyArray<ForecastTotal> => {
  const totals = new Map<LocalDate, ForecastTotal>()
  for (const { date, firstTouches, followUps, messages, quota } of days) {
    const sum = totals.get(date)
    totals.set(date, {
      date,
      quota: (sum?.quota ?? 0) + quota,
      firstTouches: (sum?.firstTouches ?? 0) + firstTouches,
      followUps: (sum?.followUps ?? 0) + followUps,
      messages: (sum?.messages ?? 0) + messages
    })
  }
  return [...totals.values()]
}

const heatMapOf = (zone: Zone.Zone, touches: ReadonlyArray<LoggedTouch>): ReadonlyArray<ReadonlyArray<number>> => {
  const map = Array.from({ length: 7 }, () => Array.from({ length: 24 }, () => 0))
  for (const { at } of touches) {
    const hours = map[Dates.weekday(Zone.localDate(zone, at))]!
    hours[Math.floor(Zone.localMinutes(zone, at) / 60)]! += 1
  }
  return map
}

const skippedOf = (log: TouchLog): Forecast["skipped"] => {
  const reasons = new Map<string, number>()
  for (const { misses } of log.stories.values()) {
    for (const { reason } of misses) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  }
  return Array.from(reasons, ([reason, count]) => ({ reason, count })).sort((a, b) => b.count - a.count)
}

/** The document. */
export const assemble = (ran: Ran): Forecast => {
  const { log, settings, snapshot } = ran
  const { campaign } = snapshot
  const places = new Map<AccountId, number>(snapshot.accounts.map(({ account }, index) => [account.account.id, index]))
  const byAccount = new Map<AccountId, Map<LocalDate, Array<LoggedTouch>>>()
  let lastDate = ran.lastDate ?? ran.firstDate
  for (const touch of log.touches) {
    const dates = byAccount.get(touch.account) ?? new Map<LocalDate, Array<LoggedTouch>>()
    byAccount.set(touch.account, dates)
    const day = dates.get(touch.date)
    if (day === undefined) dates.set(touch.date, [touch])
    else day.push(touch)
    if (touch.date > lastDate) lastDate = touch.date
  }
  const shown = snapshot.accounts.filter(
    ({ account, pace }) => pace.leftAt === null || byAccount.has(account.account.id)
  )
  const columns = shown.map((one) => rowsOf(ran, one, byAccount.get(one.account.account.id) ?? new Map(), lastDate))
  const days = (columns[0] ?? []).flatMap((_, index) => columns.flatMap((rows) => rows[index] ?? []))
  return {
    campaign: seedKey(campaign),
    version: campaign.version,
    timezone: campaign.settings.timezone,
    from: snapshot.at,
    accounts: snapshot.accounts.map(({ account }) => Account.seedKey(account.account)),
    leads: {
      type: snapshot.leads.type,
      count: snapshot.leads.type === "known" ? snapshot.leads.candidates.length : snapshot.leads.count
    },
    days,
    totals: totalsOf(days),
    heatMap: heatMapOf(settings.zone, log.touches),
    skipped: skippedOf(log),
    finishAt: ran.finishAt,
    finishDate: ran.finishAt === null ? null : SendWindow.dateOf(settings.window, settings.zone, ran.finishAt),
    cut: ran.cut,
    stuck: ran.stuck,
    touches: log.touches.map(
      (touch): ForecastTouch => [
        ran.names.get(touch.lead) ?? touch.lead,
        touch.step,
        places.get(touch.account) ?? 0,
        touch.date
      ]
    )
  }
}
