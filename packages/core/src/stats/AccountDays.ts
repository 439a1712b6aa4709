/**
 * What each account of a campaign did on each of its dates, as the feed tells it, beside the quota that it had and the cap
 * that held it lower: the days of the ramp and of the warm-up are counted from the dates on which something went out, as
 * the engine counts them.
 */
import * as Account from "../account/Account.ts"
import * as WarmUp from "../account/WarmUp.ts"
import type { Campaign } from "../campaign/Campaign.ts"
import { seedKey } from "../campaign/Campaign.ts"
import * as DayPlan from "../campaign/DayPlan.ts"
import * as PacePlan from "../campaign/PacePlan.ts"
import * as SendWindow from "../campaign/SendWindow.ts"
import * as SendBudget from "../outbox/SendBudget.ts"
import type { AccountId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { LocalDate } from "../workspace/LocalDate.ts"

/** A cap on the messages of a date: the account's, its warm-up's, or one shared with others of its group or workspace. */
export interface DayCap {
  readonly by: "accountCap" | "warmUp" | "groupCap" | "workspaceCap"
  readonly limit: number
}

/** One account on one date of the campaign on which something of it happened. */
export interface AccountDay {
  readonly account: AccountId
  readonly date: LocalDate
  /** Messages that it might send by the settings as they are now; 0 on a closed date. */
  readonly quota: number
  /** The smallest cap, by the limits as they are now, where it is below the quota. */
  readonly cap: DayCap | null
  /** Messages that went out. */
  readonly messages: number
  /** Messages that failed for good. */
  readonly failed: number
  /** People who replied to it. */
  readonly replies: number
}

type Counted = "messages" | "failed" | "replies"
/** `warmUp` is the ramp's cap when the date's first message went out. */
type Day = Record<Counted, number> & { warmUp: number | null }

const capsOf = ({ account, group, workspace }: SendBudget.Payers, warmUp: number | null): ReadonlyArray<DayCap> => {
  const caps = [
    { by: "accountCap", limit: account.account.dailyCap },
    { by: "warmUp", limit: warmUp },
    { by: "groupCap", limit: group?.group.dailyCap ?? null },
    { by: "workspaceCap", limit: workspace.workspace.dailyCap }
  ] as const
  return caps.flatMap(({ by, limit }) => (limit === null ? [] : [{ by, limit }]))
}

/** Counts what happens; accounts that are not among those of `payers` are passed over. */
export const follow = (campaign: Campaign, payers: ReadonlyArray<SendBudget.Payers>) => {
  const settings = PacePlan.dayPlanSettings(campaign.settings)
  const known = new Map(payers.map((payer) => [payer.account.account.id, payer]))
  const days = new Map<AccountId, Map<LocalDate, Day>>(Array.from(known.keys(), (id) => [id, new Map()]))
  const warmUps = new Map<AccountId, WarmUp.WarmUp>(
    payers.flatMap(({ account: { account } }) => {
      const ramp = account.limits?.warmUp?.ramp
      return ramp === undefined ? [] : [[account.id, WarmUp.begin(ramp)] as const]
    })
  )

  const count = (account: AccountId, what: Counted, at: Instant, by: 1 | -1 = 1): void => {
    const mine = days.get(account)
    if (mine === undefined) return
    const date = SendWindow.dateOf(settings.window, settings.zone, at)
    const day = mine.get(date) ?? { messages: 0, failed: 0, replies: 0, warmUp: null }
    day[what] += by
    mine.set(date, day)
    if (what !== "messages" || day.messages > 1) return
    const warmUp = warmUps.get(account)
    if (warmUp !== undefined) day.warmUp = WarmUp.cap(warmUp, SendBudget.dayOf(known.get(account)!, "account", at))
  }

  /** A message of any campaign went out from the account, or may have: after it was counted. */
  const warm = (account: AccountId, at: Instant): void => {
    const warmUp = warmUps.get(account)
    if (warmUp === undefined) return
    warmUps.set(account, WarmUp.wentOut(warmUp, SendBudget.dayOf(known.get(account)!, "account", at)))
  }

  /** The platform restricted the account. */
  const restart = (account: AccountId): void => {
    const warmUp = warmUps.get(account)
    if (warmUp !== undefined) warmUps.set(account, WarmUp.restart(warmUp))
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
    const rows = payers.flatMap((payer, place) => {
      const { account } = payer.account
      const mine = [...(days.get(account.id) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))
      let rampDay = 0
      return mine.map(([date, { warmUp, ...counts }]) => {
        const today = rampDay + 1
        if (counts.messages > 0) rampDay = today
        const quota = quotaOf(account, date, today)
        const cap = capsOf(payer, warmUp).reduce<DayCap | null>(
          (least, one) => (one.limit < (least?.limit ?? quota) ? one : least),
          null
        )
        return { place, day: { account: account.id, date, quota, cap, ...counts } }
      })
    })
    return rows
      .sort((a, b) => (a.day.date < b.day.date ? -1 : a.day.date > b.day.date ? 1 : a.place - b.place))
      .map(({ day }) => day)
  }

  return { count, warm, restart, result }
}
