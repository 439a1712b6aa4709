/**
 * What each account of a campaign did on each of its dates, as the feed tells it, beside the quota that it had: the ramp's
 * day is counted from the dates on which something went out, as the engine counts it.
 */
import * as Account from "../account/Account.ts"
import type { Campaign } from "../campaign/Campaign.ts"
import { seedKey } from "../campaign/Campaign.ts"
import * as DayPlan from "../campaign/DayPlan.ts"
import * as PacePlan from "../campaign/PacePlan.ts"
import * as SendWindow from "../campaign/SendWindow.ts"
import type { AccountId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { LocalDate } from "../workspace/LocalDate.ts"

/** One account on one date of the campaign on which something of it happened. */
export interface AccountDay {
  readonly account: AccountId
  readonly date: LocalDate
  /** Messages that it might send by the settings as they are now; 0 on a closed date. */
  readonly quota: number
  /** Messages that went out. */
  readonly messages: number
  /** Messages that failed for good. */
  readonly failed: number
  /** People who replied to it. */
  readonly replies: number
}

type Counted = "messages" | "failed" | "replies"
type Counts = Record<Counted, number>

/** Counts what happens; accounts that are not among `accounts` are passed over. */
export const follow = (campaign: Campaign, accounts: ReadonlyArray<Account.Account>) => {
  const settings = PacePlan.dayPlanSettings(campaign.settings)
  const days = new Map<AccountId, Map<LocalDate, Counts>>(accounts.map(({ id }) => [id, new Map()]))

  const count = (account: AccountId, what: Counted, at: Instant): void => {
    const mine = days.get(account)
    if (mine === undefined) return
    const date = SendWindow.dateOf(settings.window, settings.zone, at)
    const day = mine.get(date) ?? { messages: 0, failed: 0, replies: 0 }
    day[what] += 1
    mine.set(date, day)
  }

  const quotaOf = (account: Account.Account, date: LocalDate, rampDay: number): number =>
    DayPlan.make({
      campaign: seedKey(campaign),
      account: Account.seedKey(account),
      date,
      settings,
      rampDay,
      from: null,
      used: 0
    }).quota

  /** Date by date, the accounts of a date in the order in which they were given. */
  const result = (): ReadonlyArray<AccountDay> => {
    const rows = accounts.flatMap((account, place) => {
      const mine = [...(days.get(account.id) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))
      let rampDay = 0
      return mine.map(([date, counts]) => {
        const today = rampDay + 1
        if (counts.messages > 0) rampDay = today
        return { place, day: { account: account.id, date, quota: quotaOf(account, date, today), ...counts } }
      })
    })
    return rows
      .sort((a, b) => (a.day.date < b.day.date ? -1 : a.day.date > b.day.date ? 1 : a.place - b.place))
      .map(({ day }) => day)
  }

  return { count, result }
}
