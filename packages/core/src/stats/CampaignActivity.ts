/**
 * What the feed of a workspace tells of one campaign, day by day and account by account. A message that failed because
 * nobody knew what became of it, and then proves to have gone out, counts as sent on the day on which it went.
 */
import type { Campaign } from "../campaign/Campaign.ts"
import type { DomainEvent } from "../event/DomainEvent.ts"
import type { Payers } from "../outbox/SendBudget.ts"
import type { AccountId, CampaignId } from "../workspace/Id.ts"
import { earliest, type Instant } from "../workspace/Instant.ts"
import * as LocalDates from "../workspace/LocalDate.ts"
import type { LocalDate } from "../workspace/LocalDate.ts"
import * as Zone from "../workspace/Zone.ts"
import * as AccountDays from "./AccountDays.ts"
import type { AccountDay } from "./AccountDays.ts"

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
  /** Messages that failed, with the step that failed for it: one may prove to have gone out. */
  const failures = new Map<string, { readonly at: Instant; readonly account: AccountId; step: unknown }>()
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

  const messageSent = (by: AccountId, at: Instant, { data }: DomainEvent): void => {
    const account = byAccount.get(by)
    if (account === undefined) return
    account.messages++
    accountDays.count(by, "messages", at)
    chats.add(data["chat"])
    heatMap[LocalDates.weekday(Zone.localDate(zone, at))]![Math.floor(Zone.localMinutes(zone, at) / 60)]! += 1
    writers.set(data["lead"], by)
    firstSentAt = earliest(firstSentAt, at)
    lastSentAt = Math.max(lastSentAt ?? at, at)
  }

  const touchSent = (by: AccountId, at: Instant, step: unknown): void => {
    const isFirst = step === firstStep
    dayOf(at)[isFirst ? "first" : "followUps"]++
    const account = byAccount.get(by)
    if (!isFirst && account !== undefined) account.followUps++
  }

  /** What was counted as failed had gone out, then. */
  const proved = (event: DomainEvent): void => {
    const failure = failures.get(event.subject)
    if (failure === undefined || event.data["was"] !== "failed") return
    const { account: by, at, step } = failure
    failures.delete(event.subject)
    byAccount.get(by)!.failed--
    dayOf(at).failed--
    accountDays.count(by, "failed", at, -1)
    messageSent(by, at, event)
    if (step !== null) touchSent(by, at, step)
  }

  const take = (event: DomainEvent): void => {
    switch (event.type) {
      case "message.sent": {
        if (isOurs(event)) messageSent(writer(event), event.at, event)
        else proved(event)
        if (event.data["campaign"] !== undefined) accountDays.warm(writer(event), event.at)
        return
      }
      case "message.delivered":
      case "message.read":
        return proved(event)
      case "message.failed": {
        const account = accountOf(event)
        if (event.data["reason"] === "outcomeUnknown") accountDays.warm(writer(event), event.at)
        if (!isOurs(event) || account === undefined) return
        account.failed++
        dayOf(event.at).failed++
        accountDays.count(writer(event), "failed", event.at)
        failures.set(event.subject, { at: event.at, account: writer(event), step: null })
        return
      }
      case "lead.failed": {
        const failure = failures.get(event.cause ?? "")
        if (isOurs(event) && failure !== undefined) failure.step = event.data["step"]
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
        touchSent(writer(event), event.at, event.data["step"])
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
