/**
 * What a campaign did: its leads by what became of them, its accounts, and its days as the feed tells them. Data for a
 * screen or a page of text; nothing in it decides anything.
 */
import type { Account } from "../account/Account.ts"
import type { Campaign } from "../campaign/Campaign.ts"
import type { CampaignStanding } from "../campaign/CampaignStanding.ts"
import type { LeadEnded, LeadStatus } from "../campaign/Lead.ts"
import type { Pace } from "../campaign/Pace.ts"
import type { DomainEvent } from "../event/DomainEvent.ts"
import type { Payers } from "../outbox/SendBudget.ts"
import type { AccountId, CampaignId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import * as LocalDates from "../workspace/LocalDate.ts"
import type { LocalDate } from "../workspace/LocalDate.ts"
import * as Zone from "../workspace/Zone.ts"
import * as AccountDays from "./AccountDays.ts"
import type { AccountDay } from "./AccountDays.ts"

/** How leads stand: the statuses add up to `total`; who replied is counted beside them. */
export type ReportCounts = Record<LeadStatus, number> & { readonly total: number; readonly replied: number }

/** How many leads have one status, reason and end. */
export interface LeadOutcome {
  readonly status: LeadStatus
  readonly reason: string | null
  readonly ended: string | null
  readonly count: number
}

/** One local date of the campaign: touches that went out, and messages that failed for good. */
export interface DayActivity {
  readonly date: LocalDate
  readonly first: number
  readonly followUps: number
  readonly failed: number
  /** Leads whose first reply came. */
  readonly replies: number
}

/** One account, over the whole time of the campaign. */
export interface AccountActivity {
  readonly messages: number
  readonly followUps: number
  readonly failed: number
  /** Tries that were repeated: rate limits and passing faults. */
  readonly retries: number
  /** How often it was put to rest, by a rate limit or the breaker. */
  readonly rests: number
}

/** What the feed tells of a campaign. */
export interface CampaignActivity {
  /** Dates on which something happened, in order. */
  readonly days: ReadonlyArray<DayActivity>
  readonly accounts: ReadonlyMap<AccountId, AccountActivity>
  readonly accountDays: ReadonlyArray<AccountDay>
  /** Messages that went out by weekday (0 = Sunday) and hour of the day in the campaign's zone. */
  readonly heatMap: ReadonlyArray<ReadonlyArray<number>>
  /** People it wrote to who opted out, at any time: also after their sequence had ended. */
  readonly optOuts: number
  /** People whose reply took follow-ups from their sequence, whether it ended with that or goes on after the talk. */
  readonly stoppedByReply: number
  readonly firstSentAt: Instant | null
  readonly lastSentAt: Instant | null
  readonly finishedAt: Instant | null
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

const noActivity: AccountActivity = { messages: 0, followUps: 0, failed: 0, retries: 0, rests: 0 }

/** Whether an account is restricted or banned after an event that tells of it. */
const isRestricted = ({ data: { attention, health } }: DomainEvent): boolean =>
  health === "banned" || (Array.isArray(attention) && attention.includes("restricted"))

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Follows the feed of a workspace, event by event, for one campaign and its accounts with those who pay beside them. */
export const follow = (campaign: Campaign, payers: ReadonlyArray<Payers>) => {
  const zone = Zone.make(campaign.settings.timezone)
  const firstStep = campaign.settings.steps[0].id
  const days = new Map<LocalDate, Mutable<DayActivity>>()
  const byAccount = new Map<AccountId, Mutable<AccountActivity>>(
    payers.map(({ account }) => [account.account.id, { ...noActivity }])
  )
  const accountDays = AccountDays.follow(campaign, payers)
  const heatMap = Array.from({ length: 7 }, () => Array.from({ length: 24 }, () => 0))
  /** The account that wrote to a lead: the one it replies to. */
  const writers = new Map<unknown, AccountId>()
  const chats = new Set<unknown>()
  const stopped = new Set<string>()
  /** Leads that replied: each is told again with every message that puts off what comes after a talk. */
  const replied = new Set<string>()
  let optOuts = 0
  let firstSentAt: Instant | null = null
  let lastSentAt: Instant | null = null
  let finishedAt: Instant | null = null

  const dayOf = (at: Instant) => {
    const date = Zone.localDate(zone, at)
    const known = days.get(date)
    if (known !== undefined) return known
    const day = { date, first: 0, followUps: 0, failed: 0, replies: 0 }
    days.set(date, day)
    return day
  }
  const writer = (event: DomainEvent) => event.data["account"] as AccountId
  const accountOf = (event: DomainEvent) => byAccount.get(writer(event))
  const isOurs = (event: DomainEvent) => event.data["campaign"] === (campaign.id satisfies CampaignId)

  const take = (event: DomainEvent): void => {
    switch (event.type) {
      case "message.sent": {
        const account = accountOf(event)
        if (isOurs(event) && account !== undefined) accountDays.count(writer(event), "messages", event.at)
        if (event.data["campaign"] !== undefined) accountDays.warm(writer(event), event.at)
        if (!isOurs(event) || account === undefined) return
        account.messages++
        chats.add(event.data["chat"])
        heatMap[LocalDates.weekday(Zone.localDate(zone, event.at))]![
          Math.floor(Zone.localMinutes(zone, event.at) / 60)
        ]! += 1
        writers.set(event.data["lead"], writer(event))
        firstSentAt ??= event.at
        lastSentAt = event.at
        return
      }
      case "message.failed": {
        const account = accountOf(event)
        if (event.data["reason"] === "outcomeUnknown") accountDays.warm(writer(event), event.at)
        if (!isOurs(event) || account === undefined) return
        account.failed++
        dayOf(event.at).failed++
        accountDays.count(writer(event), "failed", event.at)
        return
      }
      case "message.retrying": {
        const account = accountOf(event)
        if (isOurs(event) && account !== undefined) account.retries++
        return
      }
      case "lead.sent":
      case "lead.partial": {
        if (!isOurs(event)) return
        if (event.data["step"] === firstStep) {
          dayOf(event.at).first++
          return
        }
        dayOf(event.at).followUps++
        const account = accountOf(event)
        if (account !== undefined) account.followUps++
        return
      }
      case "lead.replied": {
        if (!isOurs(event)) return
        if (typeof event.data["dropped"] === "number") stopped.add(event.subject)
        if (replied.has(event.subject)) return
        replied.add(event.subject)
        dayOf(event.at).replies++
        const wroteTo = writers.get(event.subject)
        if (wroteTo !== undefined) accountDays.count(wroteTo, "replies", event.at)
        return
      }
      case "contact.opted_out":
        if (chats.has(event.data["chat"])) optOuts++
        return
      case "account.changed": {
        const account = byAccount.get(event.subject as AccountId)
        if (account !== undefined && typeof event.data["restingUntil"] === "string") account.rests++
        if (isRestricted(event)) accountDays.restart(event.subject as AccountId)
        return
      }
      case "campaign.finished":
        if (event.subject === campaign.id) finishedAt = event.at
        return
      case "campaign.started":
        if (event.subject === campaign.id) finishedAt = null
        return
      default:
        return
    }
  }

  const result = (): CampaignActivity => ({
    days: [...days.values()].sort((a, b) => (a.date < b.date ? -1 : 1)),
    accounts: byAccount,
    accountDays: accountDays.result(),
    heatMap,
    optOuts,
    stoppedByReply: stopped.size,
    firstSentAt,
    lastSentAt,
    finishedAt
  })

  return { take, result }
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
