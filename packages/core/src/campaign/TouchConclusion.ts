/** What a settled message makes of its lead: the next part, the next step, or the end. Pure over locked rows. */
import type { Message } from "../chat/Message.ts"
import type { Settled } from "../outbox/Settling.ts"
import type { Instant } from "../workspace/Instant.ts"
import { second } from "../workspace/Instant.ts"
import * as Seed from "../workspace/Seed.ts"
import type { Campaign } from "./Campaign.ts"
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
  // An earlier touch failed late while this one was on its way.
  if (touched.told?.failedAt !== undefined) return LeadNews.decided(touched, campaign.settings)
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
      if (lead.stop !== null && message.part > 0) return done(free, "partial", lead.stop, { cancel: cancel(lead.stop) })
      if (lead.stop !== null) {
        const isPutOff = isFirst && lead.stop === "takenOver"
        const after = isPutOff
          ? putOff(free, at)
          : isFirst
            ? stopped(free, lead.stop, at)
            : remaining(free, campaign.settings, lead.stop, at)
        return {
          ...nothing,
          forget: true,
          lead: after,
          cancel: cancel(lead.stop),
          counts: isFirst && !isPutOff ? { skipped: 1 } : {},
          facts: [stopFact(lead, after, lead.stop)]
        }
      }
      return { ...nothing, forget: message.part === 0, lead: free }
  }
}
