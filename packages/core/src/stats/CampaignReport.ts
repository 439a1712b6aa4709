/**
 * What a campaign did: its leads by what became of them, its accounts, and its days as the feed tells them. Data for a
 * screen or a page of text; nothing in it decides anything.
 */
import type { Account } from "../account/Account.ts"
import type { Campaign } from "../campaign/Campaign.ts"
import type { CampaignStanding } from "../campaign/CampaignStanding.ts"
import type { LeadEnded, LeadStatus } from "../campaign/Lead.ts"
import type { Pace } from "../campaign/Pace.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { CampaignActivity } from "./CampaignActivity.ts"

/** How leads stand: the statuses add up to `total`; who replied is counted beside them. */
export type ReportCounts = Record<LeadStatus, number> & { readonly total: number; readonly replied: number }

/** How many leads have one status, reason and end. */
export interface LeadOutcome {
  readonly status: LeadStatus
  readonly reason: string | null
  readonly ended: string | null
  readonly count: number
}

export interface CampaignReport {
  readonly campaign: Campaign
  readonly standing: CampaignStanding
  /** The pacing time at which it was read. */
  readonly now: Instant
  readonly counts: ReportCounts
  /** Most frequent first. */
  readonly outcomes: ReadonlyArray<LeadOutcome>
  readonly accounts: ReadonlyArray<{ readonly account: Account; readonly pace: Pace }>
  /** Null where the feed is too long to be read for it. */
  readonly activity: CampaignActivity | null
}

/** How many leads ended so. */
export const endedCount = (self: CampaignReport, ended: LeadEnded): number =>
  self.outcomes.reduce((sum, outcome) => sum + (outcome.ended === ended ? outcome.count : 0), 0)

/** How many leads of those that something went out to ended so. */
export const reachedEndedCount = (self: CampaignReport, ended: LeadEnded): number =>
  self.outcomes.reduce(
    (sum, { count, ended: how, status }) =>
      sum + (how === ended && (status === "sent" || status === "partial") ? count : 0),
    0
  )

/** People whose reply took follow-ups from them; where the feed does not tell, those whose sequence ended with it. */
export const stoppedByReply = (self: CampaignReport): number =>
  self.activity?.stoppedByReply ?? endedCount(self, "replied")

/** The leads of a status by their reasons, most frequent first. */
export const reasonsOf = (
  self: CampaignReport,
  status: LeadStatus
): ReadonlyArray<{ readonly reason: string; readonly count: number }> => {
  const counts = new Map<string, number>()
  for (const outcome of self.outcomes) {
    if (outcome.status !== status || outcome.reason === null) continue
    counts.set(outcome.reason, (counts.get(outcome.reason) ?? 0) + outcome.count)
  }
  return Array.from(counts, ([reason, count]) => ({ reason, count })).sort((a, b) => b.count - a.count)
}
