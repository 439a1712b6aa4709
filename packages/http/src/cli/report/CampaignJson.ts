/** The report of a campaign as JSON: stable names, instants as ISO 8601, nothing that is only for the eye. */
import * as Account from "@overture/core/account/Account"
import type { Compared } from "@overture/core/forecast/Forecasts"
import { type CampaignReport, endedCount, stoppedByReply } from "@overture/core/stats/CampaignReport"
import { format } from "@overture/core/workspace/Instant"
import * as ComparisonPage from "./ComparisonPage.ts"
import { instant } from "./Json.ts"

/** The document. */
export const encode = (report: CampaignReport, compared: Compared | null) => {
  const { activity, campaign, standing } = report
  const names = new Map(report.accounts.map(({ account }) => [account.id, Account.seedKey(account)]))
  return {
    campaign: {
      id: campaign.id,
      externalRef: campaign.externalRef,
      name: campaign.name,
      status: campaign.status,
      standing,
      pauseReason: campaign.pauseReason,
      timezone: campaign.settings.timezone,
      startedAt: instant(campaign.startedAt),
      finishedAt: instant(activity?.finishedAt)
    },
    now: format(report.now),
    leads: report.counts,
    outcomes: report.outcomes,
    optedOut: activity?.optOuts ?? endedCount(report, "optedOut"),
    stoppedByOptOut: endedCount(report, "optedOut"),
    stoppedByReply: stoppedByReply(report),
    endedWithAccount: endedCount(report, "accountRemoved"),
    accounts: report.accounts.map(({ account, pace }) => {
      const did = activity?.accounts.get(account.id)
      return {
        id: account.id,
        externalRef: account.externalRef,
        name: account.name,
        channel: account.channel,
        enabled: account.enabled,
        health: Account.health(account),
        restingUntil: instant(account.restingUntil),
        leads: pace.counts,
        day: pace.date === null ? null : { date: pace.date, quota: pace.quota, used: pace.used },
        ...(did !== undefined && {
          messages: did.messages,
          followUps: did.followUps,
          failed: did.failed,
          retries: did.retries,
          rests: did.rests
        })
      }
    }),
    days: activity?.days ?? null,
    accountDays:
      activity?.accountDays.map(({ account, ...day }) => ({
        account: names.get(account) ?? account,
        ...day
      })) ?? null,
    heatMap: activity?.heatMap ?? null,
    forecast: compared === null ? null : ComparisonPage.encodeShort(compared),
    firstSentAt: instant(activity?.firstSentAt),
    lastSentAt: instant(activity?.lastSentAt)
  }
}
