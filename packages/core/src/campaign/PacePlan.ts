/**
 * What a pace's alarm means when it rings: a new day, a plan to lay anew because settings changed, slots that are due, or
 * nothing yet. Pure: the same pace, campaign, account and instant give the same answer in a claim, a forecast and an
 * explanation.
 */
import type { AccountState } from "../account/Account.ts"
import * as Account from "../account/Account.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { LocalDate } from "../workspace/LocalDate.ts"
import * as Zone from "../workspace/Zone.ts"
import type { Campaign, CampaignSettings } from "./Campaign.ts"
import { seedKey } from "./Campaign.ts"
import * as DayPlan from "./DayPlan.ts"
import { dueSlots } from "./DueSlots.ts"
import type { Pace } from "./Pace.ts"
import * as SendWindow from "./SendWindow.ts"

export interface PacePlan {
  /** The row with its day, quota and slot brought up to `now`; `nextAt` is the next slot's instant. */
  readonly pace: Pace
  readonly plan: DayPlan.DayPlan
  /** Slots that may be used now, from `pace.slot` on. */
  readonly due: number
  /** Whether its day began with this look. */
  readonly isNewDay: boolean
  /** To when the gap deferred the first due slot, if it did. */
  readonly deferredTo: Instant | null
}

/** The settings that decide a campaign's days. */
export const dayPlanSettings = (settings: CampaignSettings): DayPlan.Settings => ({
  window: settings.sendWindow,
  zone: Zone.make(settings.timezone),
  range: settings.pacing,
  rampUp: settings.rampUp,
  jitter: settings.pacing.jitter,
  catchUp: settings.pacing.catchUp,
  parts: settings.steps[0].parts.length,
  newShare: settings.pacing.newShare
})

/** The ramp day of `date`: one more than the stored while nothing went out on it. */
export const rampDayOn = (self: Pick<Pace, "rampDate" | "rampDay">, date: LocalDate): number =>
  self.rampDate === date ? self.rampDay : self.rampDay + 1

/** The first opening after everything that belongs to the plan's date; null when nothing opens within 400 days. */
const nextDay = (settings: DayPlan.Settings, plan: DayPlan.DayPlan): Instant | null => {
  const date = SendWindow.nextOpenDate(settings.window, settings.zone, plan.date)
  return date === null ? null : (SendWindow.open(settings.window, settings.zone, date)[0]?.start ?? null)
}

/** From when on a pace has slots: the start of its campaign, or when it joined that, by the alarm that it then was given. */
const beganAt = (pace: Pace, { settings: { startAt }, startedAt }: Campaign): Instant =>
  Math.max(startedAt ?? 0, startAt ?? 0, pace.date === null ? (pace.nextAt ?? 0) : 0)

/** Brings a pace up to `now`. */
export const plan = (pace: Pace, campaign: Campaign, account: AccountState, now: Instant): PacePlan => {
  const settings = dayPlanSettings(campaign.settings)
  const today = SendWindow.dateOf(settings.window, settings.zone, now)
  // A clock that went back never returns a day's quota.
  const date = pace.date !== null && pace.date > today ? pace.date : today
  const input = {
    campaign: seedKey(campaign),
    account: Account.seedKey(account.account),
    date,
    settings,
    rampDay: rampDayOn(pace, date)
  }
  let at = pace
  const isNewDay = pace.date !== date
  const isChanged = pace.version !== campaign.version
  const startAt = campaign.settings.startAt ?? now
  // What is changed before a campaign begins leaves the day as it was: nothing of it is to be laid anew.
  const isFirstLook = isNewDay || (isChanged && pace.used === 0 && startAt > now)
  if (isFirstLook)
    at = { ...pace, date, version: campaign.version, used: 0, slot: 0, from: null, usedBefore: 0, deferredTo: null }
  else if (isChanged) {
    const from = Math.max(now, startAt)
    at = { ...pace, version: campaign.version, slot: 0, from, usedBefore: pace.used, deferredTo: null }
  }

  const laid = (state: Pace): DayPlan.DayPlan => DayPlan.make({ ...input, from: state.from, used: state.usedBefore })
  let made = laid(at)
  if (isFirstLook && campaign.startedAt !== null) at = { ...at, slot: DayPlan.slotFrom(made, beganAt(pace, campaign)) }
  const { minGapMs } = account.account
  const look = () =>
    dueSlots(made, at.slot, now, { minGap: minGapMs, lastTouchAt: account.lastTouchAt, dueAt: at.deferredTo })
  let found = look()
  if (found.passed > 0 && settings.catchUp === "spread" && at.from !== now) {
    at = { ...at, slot: 0, from: now, usedBefore: at.used, deferredTo: null }
    made = laid(at)
    found = look()
  }
  const isSpent = at.used > 0 && at.used >= made.quota
  const due = isSpent ? 0 : found.due
  const nextAt = isSpent || (found.alarm === null && due === 0) ? nextDay(settings, made) : found.alarm
  return {
    pace: {
      ...at,
      quota: made.quota,
      slot: found.next,
      nextAt,
      deferredTo: deferral(made, found.next + due, found.alarm)
    },
    plan: made,
    due,
    isNewDay,
    deferredTo: at.deferredTo
  }
}

/** The alarm where it is later than the instant of the slot it is for: only the gap does that. */
const deferral = (plan: DayPlan.DayPlan, slot: number, alarm: Instant | null): Instant | null => {
  const own = plan.slots[slot]
  return alarm !== null && own !== undefined && alarm > own ? alarm : null
}

/** When the pace looks again once its due slots are used: the next slot of the day, or the next day. */
export const afterSlots = (self: PacePlan, campaign: Campaign): Instant | null =>
  self.pace.nextAt ?? nextDay(dayPlanSettings(campaign.settings), self.plan)

/** When a pace whose day's quota is spent looks again. */
export const nextDayOf = (self: PacePlan, campaign: Campaign): Instant | null =>
  nextDay(dayPlanSettings(campaign.settings), self.plan)
