/** From the accounts of a campaign to those that may draw, and how much each can use on its next active day. Pure. */
import * as Account from "../account/Account.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Campaign } from "./Campaign.ts"
import { seedKey } from "./Campaign.ts"
import type { DrawAccount } from "./CampaignStore.ts"
import * as DayPlan from "./DayPlan.ts"
import type { Drawer } from "./Draw.ts"
import * as PacePlan from "./PacePlan.ts"
import * as SendWindow from "./SendWindow.ts"

/** By seed key, not by id: the same file draws the same leads on every machine. */
export const ordered = (accounts: ReadonlyArray<DrawAccount>): ReadonlyArray<DrawAccount> =>
  accounts.toSorted((a, b) => (Account.seedKey(a.account) < Account.seedKey(b.account) ? -1 : 1))

/** What each account holds and can use; an account that is not able, or whose channel is missing here, can use none. */
export const drawers = (
  campaign: Campaign,
  accounts: ReadonlyArray<DrawAccount>,
  channels: ReadonlyMap<string, unknown>,
  now: Instant
): ReadonlyArray<Drawer> => {
  const settings = PacePlan.dayPlanSettings(campaign.settings)
  const at = SendWindow.nextOpen(settings.window, settings.zone, now)
  const date = at === null ? null : SendWindow.dateOf(settings.window, settings.zone, at)
  return accounts.map(({ account, deferred = 0, holding, pace }) => ({
    account: account.id,
    holding: holding - deferred,
    touches:
      date === null || !Account.isAble(account) || !channels.has(account.channel)
        ? 0
        : DayPlan.make({
            campaign: seedKey(campaign),
            account: Account.seedKey(account),
            date,
            settings,
            rampDay: PacePlan.rampDayOn(pace, date),
            from: null,
            used: 0
          }).slotCount
  }))
}
