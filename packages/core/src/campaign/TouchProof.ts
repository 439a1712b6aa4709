/**
 * What platforms tell of a touch after it was settled: that what nobody knew went out, that what went out failed late, or
 * that it did not fail. How the touch stands follows from all its rows, and what ends the lead's sequence from all its
 * touches: any order of telling leaves the same. Pure over locked rows.
 */
import type { Message } from "../chat/Message.ts"
import * as Messages from "../chat/Message.ts"
import { type Fact, system } from "../event/DomainEvent.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { CampaignSettings } from "./Campaign.ts"
import * as Lead from "./Lead.ts"
import type { TouchFate } from "./Lead.ts"
import * as LeadNews from "./LeadNews.ts"
import { type Conclusion, nothing } from "./LeadStopping.ts"

/** What a lead whose end was worked out anew is told to be, in the words of what ended it. */
const standing = (lead: Lead.Lead): ReadonlyArray<Fact["type"]> => {
  if (lead.ended !== null) return [lead.ended === "replied" ? "lead.replied" : "lead.ended"]
  // What a member said by hand puts it off, and of that nobody could be told while it was over.
  return lead.told?.takenOverAt === undefined ? ["lead.resumed"] : ["lead.resumed", "lead.deferred"]
}

/** A lead after what platforms told changed how one of its touches stands; its end is worked out anew where nothing is on its way. */
const reconsidered = (
  before: Lead.Lead,
  after: Lead.Lead,
  settings: CampaignSettings | null,
  message: Message
): Pick<Conclusion, "lead" | "facts"> => {
  // What had failed for good did not, and ends nothing.
  const isOver = before.ended === "failed" && after.touches.every(({ status }) => status !== "failed")
  const lead =
    Lead.isOpen(before) || Lead.isUnderWay(before)
      ? after
      : LeadNews.decided(after, settings, isOver ? { ...before, ended: null } : before)
  if (lead.ended === before.ended) return { lead, facts: [] }
  return {
    lead,
    facts: standing(lead).map((type) => ({
      workspace: lead.workspace,
      type,
      subject: lead.id,
      actor: system,
      cause: message.id,
      data: {
        campaign: lead.campaign,
        status: lead.status,
        account: message.account,
        contact: lead.contact,
        chat: message.chat,
        ...(lead.ended !== null && { ended: lead.ended })
      }
    }))
  }
}

/** How a touch stands by its rows, none of which failed late: what is missing of it, if anything. */
const standingOf = (rows: ReadonlyArray<Message>): { readonly status: TouchFate; readonly reason: string | null } => {
  const missing = rows.find((row) => !Messages.wentOut(row))
  if (missing === undefined) return { status: "sent", reason: null }
  if (missing.part === 0) return { status: "failed", reason: missing.reason }
  // It was cancelled because nobody knew of the part before: of that one it is known now.
  const isProved = missing.status === "cancelled" && missing.reason === "outcomeUnknown"
  return { status: "partial", reason: isProved ? null : missing.reason }
}

/** When a touch was made that stands again as it was made. */
const madeAt = (lead: Lead.Lead, touch: Lead.Touch, rows: ReadonlyArray<Message>): Instant => {
  const isLast = Lead.made(lead).findLast(({ status }) => status !== "skipped") === touch
  const isFirst = lead.touches[0] === touch
  const known = isLast ? lead.lastSentAt : isFirst && rows.length === 1 ? lead.firstSentAt : null
  return known ?? Math.max(...rows.map(({ failedAt, sentAt }) => failedAt ?? sentAt ?? 0))
}

/** The lead with one of its touches standing otherwise, and with what ends it worked out anew. */
const restated = (
  lead: Lead.Lead,
  touch: Lead.Touch,
  stands: { readonly status: TouchFate; readonly reason: string | null; readonly at: Instant },
  settings: CampaignSettings | null,
  message: Message
): Conclusion => {
  const { reason, status } = stands
  const isFirst = lead.touches[0] === touch
  const touches = lead.touches.map((one) => (one === touch ? { ...one, ...stands } : one))
  const after = LeadNews.withFailures({ ...lead, touches, ...(isFirst && { status, reason }) })
  return {
    ...nothing,
    ...reconsidered(lead, after, settings, message),
    counts: isFirst && status !== touch.status ? { [touch.status]: -1, [status]: 1 } : {}
  }
}

/**
 * A lead one of whose touches was settled one way and proves to be the other; `rows` are all of that touch as they stand
 * now, `message` among them. Null when it changes nothing.
 */
export const prove = (
  lead: Lead.Lead,
  rows: ReadonlyArray<Message>,
  message: Message,
  now: Instant,
  settings: CampaignSettings | null
): Conclusion | null => {
  const touch = lead.touches.find(({ step }) => step === message.step)
  if (touch === undefined || touch.status === "deferred" || touch.status === "skipped") return null
  const isKnown = touch.status === "failed" && touch.reason === Messages.failedLate
  // Of several failures the first counts.
  const failures = rows.flatMap((row) => (Messages.isFailedLate(row) ? [row.failedAt ?? now] : []))
  if (failures.length > 0) {
    const at = Math.min(...failures)
    const stands = { status: "failed", reason: Messages.failedLate, at } as const
    return isKnown && touch.at === at ? null : restated(lead, touch, stands, settings, message)
  }
  if (isKnown) return restated(lead, touch, { ...standingOf(rows), at: madeAt(lead, touch, rows) }, settings, message)
  if (touch.reason !== "outcomeUnknown" || !Messages.wentOut(message)) return null
  const sentAt = message.sentAt ?? now
  const proved: Lead.Lead = {
    ...lead,
    firstSentAt: lead.firstSentAt ?? sentAt,
    lastSentAt: Math.max(lead.lastSentAt ?? 0, sentAt)
  }
  return restated(proved, touch, { ...standingOf(rows), at: sentAt }, settings, message)
}
