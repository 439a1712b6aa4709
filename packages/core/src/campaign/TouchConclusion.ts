/**
 * What a settled message makes of its lead: the next part, the next step, or the end; and what a later proof makes of a
 * touch that was settled otherwise. Pure over locked rows.
 */
import type { Message } from "../chat/Message.ts"
import * as Messages from "../chat/Message.ts"
import type { Fact } from "../event/DomainEvent.ts"
import type { Settled } from "../outbox/Settling.ts"
import type { Instant } from "../workspace/Instant.ts"
import { second } from "../workspace/Instant.ts"
import * as Seed from "../workspace/Seed.ts"
import type { Campaign, CampaignSettings } from "./Campaign.ts"
import { seedKey, stepAt } from "./Campaign.ts"
import * as Lead from "./Lead.ts"
import type { TouchFate } from "./Lead.ts"
import * as LeadNews from "./LeadNews.ts"
import { type Conclusion, nothing, putOff, remaining, stopFact, stopped } from "./LeadStopping.ts"
import * as Sequence from "./Sequence.ts"

/** Milliseconds between part `part - 1` and `part` of a touch; the same every time it is asked. */
const partDelayMs = (campaign: Campaign, lead: Lead.Lead, part: number): number => {
  const { maxSeconds, minSeconds } = campaign.settings.partDelay
  const seed = `${seedKey(campaign)}|${lead.address}|${stepAt(campaign.settings, lead.step)?.index ?? 0}|${part}`
  return Math.round((minSeconds + Seed.random(seed)() * (maxSeconds - minSeconds)) * second)
}

/** A lead whose present touch came to its end. */
export const finish = (
  lead: Lead.Lead,
  campaign: Campaign,
  status: TouchFate,
  reason: string | null,
  at: Instant
): Lead.Lead => {
  const place = Sequence.placeOf(campaign.settings, lead)
  const isFirst = Lead.isOpen(lead)
  const own: ReadonlyArray<Lead.Touch> = lead.step === null ? [] : [{ step: lead.step, status, reason, at }]
  const touched: Lead.Lead = {
    ...lead,
    claim: null,
    ...(isFirst && { status, reason }),
    // A first touch that was tried again may come after later ones.
    touches: isFirst ? [...own, ...Lead.made(lead)] : [...Lead.made(lead), ...own]
  }
  if (status === "failed") return Lead.end(touched, lead.stop ?? "failed")
  if (lead.stop !== null) return remaining(touched, campaign.settings, lead.stop, at)
  return Sequence.proceed(touched, campaign.settings, place, touched.lastSentAt ?? at)
}

/** The counts that a touch of step 0, or of a later one, adds to. */
const countsOf = (isFirst: boolean, status: TouchFate) => ({
  touched: 1,
  ...(isFirst && (status === "sent" || status === "partial" || status === "failed") && { [status]: 1 })
})

/**
 * A lead after one of its messages was settled. `messages` are the rows of the touch as they stand now, the settled one
 * among them.
 */
export const conclude = (
  lead: Lead.Lead,
  messages: ReadonlyArray<Message>,
  settled: Settled,
  campaign: Campaign
): Conclusion => {
  const { at, fate } = settled
  const { message } = settled.claimed
  const isFirst = Lead.isOpen(lead)
  const rest = messages.filter((row) => row.part > message.part && row.status === "queued")
  const cancel = (reason: string) => rest.map((row) => ({ id: row.id, reason }))
  const wentOutOn = message.reserved?.pace ?? null
  const free: Lead.Lead = { ...lead, claim: null }

  const done = (
    before: Lead.Lead,
    status: TouchFate,
    reason: string | null,
    change: Partial<Conclusion>
  ): Conclusion => {
    const after = finish(before, campaign, status, reason, at)
    return {
      ...nothing,
      lead: after,
      counts: countsOf(isFirst, status),
      ...change,
      facts: [
        {
          workspace: lead.workspace,
          type: status === "sent" ? "lead.sent" : status === "partial" ? "lead.partial" : "lead.failed",
          subject: lead.id,
          actor: { type: "campaign", id: campaign.id },
          cause: message.id,
          data: {
            campaign: campaign.id,
            step: message.step,
            account: message.account,
            contact: lead.contact,
            chat: message.chat,
            ...(reason !== null && { reason }),
            ...(after.ended !== null && { ended: after.ended })
          }
        }
      ]
    }
  }

  switch (fate) {
    case "sent": {
      const out: Lead.Lead = { ...free, firstSentAt: lead.firstSentAt ?? at, lastSentAt: at }
      const next = rest.reduce<Message | null>(
        (first, row) => (first === null || row.part < first.part ? row : first),
        null
      )
      if (next === null) {
        return done(out, "sent", null, { wentOutOn })
      }
      if (lead.stop !== null) return done(out, "partial", lead.stop, { wentOutOn, cancel: cancel(lead.stop) })
      return {
        ...nothing,
        // Without a dueAt no claim finds it while its later parts wait in the queue.
        lead: { ...out, dueAt: null, ...(isFirst && { status: "sending" }) },
        queue: [{ id: next.id, dueAt: at + partDelayMs(campaign, lead, next.part) }],
        wentOutOn
      }
    }
    case "failed":
    case "unknown": {
      const reason = settled.message.reason ?? settled.outcome.type
      return done(free, message.part === 0 ? "failed" : "partial", reason, {
        cancel: cancel(reason),
        wentOutOn: fate === "unknown" ? wentOutOn : null,
        forget: fate === "failed" && message.part === 0
      })
    }
    case "again":
      if (message.part > 0) return { ...nothing, lead: { ...free, dueAt: null } }
      return {
        ...nothing,
        forget: true,
        lead: {
          ...free,
          dueAt: settled.retryAt,
          attempts: lead.attempts + (settled.outcome.type === "transient" ? 1 : 0)
        }
      }
    case "returned":
      if (lead.stop !== null) {
        const isPutOff = isFirst && lead.stop === "takenOver"
        const after = isPutOff
          ? putOff(free, at)
          : isFirst
            ? stopped(free, lead.stop, at)
            : remaining(free, campaign.settings, lead.stop, at)
        return {
          ...nothing,
          forget: message.part === 0,
          lead: after,
          cancel: cancel(lead.stop),
          counts: isFirst && !isPutOff ? { skipped: 1 } : {},
          facts: [stopFact(lead, after, lead.stop)]
        }
      }
      return { ...nothing, forget: message.part === 0, lead: free }
  }
}

/** What a lead whose end was worked out anew is told to be, in the words of what ended it. */
const standing = (lead: Lead.Lead): Fact["type"] => {
  if (lead.ended !== null) return lead.ended === "replied" ? "lead.replied" : "lead.ended"
  // It goes on; after what a member said by hand, of which nobody could be told while it was over.
  return lead.told?.takenOverAt === undefined ? "lead.sent" : "lead.deferred"
}

/** A lead after what platforms told changed how one of its touches stands; its end is worked out anew where nothing is on its way. */
const reconsidered = (
  before: Lead.Lead,
  after: Lead.Lead,
  settings: CampaignSettings | null,
  message: Message
): Pick<Conclusion, "lead" | "facts"> => {
  const isUnderWay = before.claim !== null || Lead.isOpen(before)
  const lead = isUnderWay ? after : LeadNews.decided(after, settings, before)
  if (lead.ended === before.ended) return { lead, facts: [] }
  return {
    lead,
    facts: [
      {
        workspace: lead.workspace,
        type: standing(lead),
        subject: lead.id,
        actor: { type: "system", id: null },
        cause: message.id,
        data: {
          campaign: lead.campaign,
          status: lead.status,
          account: message.account,
          contact: lead.contact,
          chat: message.chat,
          ...(lead.ended !== null && { ended: lead.ended })
        }
      }
    ]
  }
}

/** A touch that failed although the platform had taken it; of several failures the first counts. */
const failedLate = (
  lead: Lead.Lead,
  touch: Lead.Touch,
  message: Message,
  at: Instant,
  settings: CampaignSettings | null
): Conclusion | null => {
  const isFirst = lead.touches[0]?.step === message.step
  const isKnown = touch.status === "failed" && touch.reason === message.reason
  if (isKnown ? touch.at <= at : touch.status !== "sent") return null
  const touches = lead.touches.map((one) =>
    one === touch ? { ...one, status: "failed" as const, reason: message.reason, at } : one
  )
  const after: Lead.Lead = { ...lead, touches, ...(isFirst && { status: "failed" as const, reason: message.reason }) }
  const failedAt = Math.min(lead.told?.failedAt ?? at, at)
  return {
    ...nothing,
    ...reconsidered(lead, LeadNews.withFailure(after, failedAt), settings, message),
    counts: isFirst && !isKnown ? { sent: -1, failed: 1 } : {}
  }
}

/** A touch that was told to have failed and did not: it stands as it was sent. */
const unfailed = (
  lead: Lead.Lead,
  touch: Lead.Touch,
  message: Message,
  settings: CampaignSettings | null
): Conclusion => {
  const isFirst = lead.touches[0]?.step === message.step
  const isLast = Lead.made(lead).findLast(({ status }) => status !== "skipped")?.step === message.step
  const at = (isLast ? lead.lastSentAt : isFirst ? lead.firstSentAt : message.sentAt) ?? touch.at
  const touches = lead.touches.map((one) =>
    one === touch ? { ...one, status: "sent" as const, reason: null, at } : one
  )
  const after: Lead.Lead = { ...lead, touches, ...(isFirst && { status: "sent" as const, reason: null }) }
  return {
    ...nothing,
    ...reconsidered(lead, LeadNews.withFailure(after, null), settings, message),
    counts: isFirst ? { sent: 1, failed: -1 } : {}
  }
}

/**
 * A lead one of whose touches was settled one way and proves to be the other: an unknown outcome was sent after all, a
 * sent message failed later, or was delivered although it was told to have failed. Null when it changes nothing.
 */
export const prove = (
  lead: Lead.Lead,
  message: Message,
  now: Instant,
  settings: CampaignSettings | null
): Conclusion | null => {
  const touch = lead.touches.find((one) => one.step === message.step)
  if (touch === undefined) return null
  if (message.status === "failed") return failedLate(lead, touch, message, message.failedAt ?? now, settings)
  if (touch.status !== "failed") return null
  if (touch.reason === Messages.failedLate) return unfailed(lead, touch, message, settings)
  if (touch.reason !== "outcomeUnknown") return null
  // The parts after an unknown one were cancelled: proof makes such a touch partial.
  const proved = message.part + 1 < message.parts ? ("partial" as const) : ("sent" as const)
  const isFirst = lead.touches[0]?.step === message.step
  const sentAt = message.sentAt ?? now
  return {
    ...nothing,
    lead: {
      ...lead,
      touches: lead.touches.map((one) => (one === touch ? { ...one, status: proved, reason: null, at: sentAt } : one)),
      firstSentAt: lead.firstSentAt ?? sentAt,
      lastSentAt: Math.max(lead.lastSentAt ?? 0, sentAt),
      ...(isFirst && { status: proved, reason: null })
    },
    counts: isFirst ? { failed: -1, [proved]: 1 } : {}
  }
}
