/**
 * What an account sent and got, by day: counted from the feed, after the fact, so that no send waits for it. Every event
 * counts once, and late news correct what was counted before: a message that failed after it was sent is no longer sent.
 */
import { Schema } from "effect"
import type { DomainEvent } from "../event/DomainEvent.ts"
import type { AccountId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { addDays, type LocalDate } from "../workspace/LocalDate.ts"

export class AccountCounts extends Schema.Opaque<AccountCounts>()(
  Schema.Struct({
    /** Messages that went out. */
    sent: Schema.Int,
    delivered: Schema.Int,
    read: Schema.Int,
    /** Messages that came to nothing, or of which nobody knows. */
    failed: Schema.Int,
    /** Messages by which people answered. */
    replies: Schema.Int
  }).annotate({ identifier: "AccountCounts" })
) {}

export class AccountStats extends Schema.Opaque<AccountStats>()(
  Schema.Struct({
    allTime: AccountCounts,
    /** The last 30 days of the account, today among them. */
    recent: AccountCounts,
    /** The part of `recent` that went out, in percent; null where nothing was sent or failed. */
    successRate: Schema.NullOr(Schema.Int)
  }).annotate({ identifier: "AccountStats" })
) {}

/** What one account did on one of its days, to be added to what is counted already. */
export interface TallyRow extends AccountCounts {
  readonly account: AccountId
  readonly date: LocalDate
}

/** The events that count. */
export const counted = ["message.sent", "message.delivered", "message.read", "message.failed", "chat.replied"] as const

export const none: AccountCounts = { sent: 0, delivered: 0, read: 0, failed: 0, replies: 0 }

/** Both together. */
export const plus = (a: AccountCounts, b: Partial<AccountCounts>): AccountCounts => ({
  sent: a.sent + (b.sent ?? 0),
  delivered: a.delivered + (b.delivered ?? 0),
  read: a.read + (b.read ?? 0),
  failed: a.failed + (b.failed ?? 0),
  replies: a.replies + (b.replies ?? 0)
})

/** What an event adds; null where it says nothing of an account's messages. `was` is the status before, where the platform told. */
const countsOf = ({ data, type }: DomainEvent): Partial<AccountCounts> | null => {
  const { was } = data
  // What was counted as failed had gone out.
  const proven = was === "failed" ? { sent: 1, failed: -1 } : {}
  switch (type) {
    case "message.sent":
      return { sent: 1, ...proven }
    case "message.delivered":
      return { delivered: 1, ...proven }
    case "message.read":
      return { read: 1, delivered: was === "delivered" ? 0 : 1, ...proven }
    case "message.failed":
      return was === "sent" ? { sent: -1, failed: 1 } : { failed: 1 }
    case "chat.replied":
      return { replies: 1 }
    default:
      return null
  }
}

/** What events add, by account and day; `dateOf` is the account's date of an instant. */
export const tally = (
  events: ReadonlyArray<DomainEvent>,
  dateOf: (account: AccountId, at: Instant) => LocalDate
): ReadonlyArray<TallyRow> => {
  const rows = new Map<string, TallyRow>()
  for (const event of events) {
    const change = countsOf(event)
    const account = event.data["account"]
    if (change === null || typeof account !== "string") continue
    const id = account as AccountId
    const date = dateOf(id, event.at)
    const key = `${id}|${date}`
    rows.set(key, { ...plus(rows.get(key) ?? none, change), account: id, date })
  }
  return [...rows.values()]
}

export const recentDays = 30

/** The first of the last 30 days before and with `today`. */
export const recentFrom = (today: LocalDate): LocalDate => addDays(today, 1 - recentDays)

/** What is shown of two sums. */
export const stats = (allTime: AccountCounts, recent: AccountCounts): AccountStats => {
  const tried = recent.sent + recent.failed
  return { allTime, recent, successRate: tried <= 0 ? null : Math.round((100 * recent.sent) / tried) }
}
