/** The paces of campaigns in memory: their rows, their alarms and what they count. */
import type { DuePace } from "../campaign/CampaignStore.ts"
import type { Lead } from "../campaign/Lead.ts"
import type { Pace, PaceCounts, Watch } from "../campaign/Pace.ts"
import type { AccountId, CampaignId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { LocalDate } from "../workspace/LocalDate.ts"
import { by } from "./Paging.ts"
import { groupOf, paceKey, type State } from "./State.ts"

/** The paces of a campaign, by account. */
export const of = (state: State, campaign: CampaignId): ReadonlyArray<Pace> =>
  [...state.pacesByCampaign.get(campaign).values()].sort(by((pace) => pace.account))

/** A pace with its account, campaign, workspace and group. */
export const due = (state: State, pace: Pace): DuePace => {
  const account = state.accounts.need(pace.account)
  return {
    pace,
    account,
    campaign: state.campaigns.need(pace.campaign).campaign,
    workspace: state.workspaces.need(pace.workspace),
    group: groupOf(state, account)
  }
}

/** Lets it ring at `now`, unless it rings earlier or has no alarm. */
export const ring = (state: State, pace: Pace, now: Instant): void => {
  if (!pace.paused) state.paces.set(paceKey(pace), { ...pace, nextAt: Math.min(pace.nextAt ?? now, now) })
}

/** Lets it sleep, unless somebody gave it another alarm since. */
export const sleep = (state: State, watch: Watch): void => {
  const pace = state.paces.get(paceKey(watch))
  if (pace?.nextAt === watch.alarm) state.paces.set(paceKey(pace), { ...pace, nextAt: watch.until })
}

const sum = (counts: PaceCounts, added: Partial<PaceCounts>): PaceCounts => ({
  sent: counts.sent + (added.sent ?? 0),
  partial: counts.partial + (added.partial ?? 0),
  failed: counts.failed + (added.failed ?? 0),
  skipped: counts.skipped + (added.skipped ?? 0),
  touched: counts.touched + (added.touched ?? 0),
  replied: counts.replied + (added.replied ?? 0)
})

/** Adds to the counts of an account in a campaign; of the campaign itself where there is no such pace. */
export const count = (state: State, lead: Pick<Lead, "campaign" | "account">, added: Partial<PaceCounts>): void => {
  const { account, campaign } = lead
  const pace = account === null ? undefined : state.paces.get(paceKey({ campaign, account }))
  if (pace !== undefined) return state.paces.set(paceKey(pace), { ...pace, counts: sum(pace.counts, added) })
  const row = state.campaigns.need(campaign)
  state.campaigns.set(campaign, { ...row, counts: sum(row.counts, added) })
}

/** A touch went out on `date`: the ramp grows by a day with the first one of each later date. */
export const wentOut = (state: State, campaign: CampaignId, account: AccountId, date: LocalDate): void => {
  const pace = state.paces.get(paceKey({ campaign, account }))
  if (pace === undefined || (pace.rampDate !== null && date <= pace.rampDate)) return
  state.paces.set(paceKey(pace), { ...pace, rampDay: pace.rampDay + 1, rampDate: date })
}
