/**
 * What a settled message makes of its lead: the next part, the next step, or the end. Also what a reply, an opt-out or a
 * takeover does to leads, as these decide the same fields. Pure over locked rows.
 */
import type { Message } from "../chat/Message.ts"
import type { Fact } from "../event/DomainEvent.ts"
import type { Settled } from "../outbox/Settling.ts"
import type { Instant } from "../workspace/Instant.ts"
import { second } from "../workspace/Instant.ts"
import * as Seed from "../workspace/Seed.ts"
import * as Zone from "../workspace/Zone.ts"
import type { Campaign } from "./Campaign.ts"
import { seedKey, stepAt } from "./Campaign.ts"
import type { LeadChange } from "./CampaignStore.ts"
import * as Lead from "./Lead.ts"
import type { LeadEnded, TouchFate } from "./Lead.ts"

/** A lead change whose facts still want an id and a time. */
export type Conclusion = Omit<LeadChange, "events"> & { readonly facts: ReadonlyArray<Fact> }

const nothing = { cancel: [], stop: [], queue: [], counts: {}, wentOutOn: null, facts: [] } as const

/** Milliseconds between part `part - 1` and `part` of a touch; the same every time it is asked. */
export const partDelayMs = (campaign: Campaign, lead: Lead.Lead, part: number): number => {
  const { maxSeconds, minSeconds } = campaign.settings.partDelay
  const seed = `${seedKey(campaign)}|${lead.address}|${stepAt(campaign.settings, lead.step)?.index ?? 0}|${part}`
  return Math.round((minSeconds + Seed.random(seed)() * (maxSeconds - minSeconds)) * second)
}

const finish = (
  lead: Lead.Lead,
  campaign: Campaign,
  status: TouchFate,
  reason: string | null,
  at: Instant
): Lead.Lead => {
  const found = stepAt(campaign.settings, lead.step)
  const index = found?.index ?? (Lead.isOpen(lead) ? 0 : 1)
  const touched: Lead.Lead = {
    ...lead,
    claim: null,
    ...(index === 0 && { status, reason }),
    touches: lead.step === null ? lead.touches : [...Lead.made(lead), { step: lead.step, status, reason, at }]
  }
  if (lead.stop !== null) return Lead.end(touched, lead.stop)
  if (status === "failed") return Lead.end(touched, "failed")
  const next = campaign.settings.steps[index + 1]
  return next === undefined
    ? Lead.end(touched, "completed")
    : {
        ...touched,
        step: next.id,
        attempts: 0,
        dueAt: Zone.sameLocalTimeAfterDays(
          Zone.make(campaign.settings.timezone),
          touched.lastSentAt ?? at,
          next.sendAfterDays
        )
      }
}

/** The counts that a touch of step 0, or of a later one, adds to. */
const countsOf = (index: number, status: TouchFate) => ({
  touched: 1,
  ...(index === 0 && (status === "sent" || status === "partial" || status === "failed") && { [status]: 1 })
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
  const index = stepAt(campaign.settings, lead.step)?.index ?? (Lead.isOpen(lead) ? 0 : 1)
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
      counts: countsOf(index, status),
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
        lead: { ...out, dueAt: null, ...(index === 0 && { status: "sending" }) },
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
        const after = stopped(free, lead.stop, at)
        return {
          ...nothing,
          forget: message.part === 0,
          lead: after,
          cancel: cancel(lead.stop),
          counts: Lead.isOpen(lead) ? { skipped: 1 } : {},
          facts: [stopFact(lead, after, lead.stop)]
        }
      }
      return { ...nothing, forget: message.part === 0, lead: free }
  }
}

/** A lead ended by someone else's doing: step 0 that is still open is skipped, a sequence just ends. */
const stopped = (lead: Lead.Lead, ended: LeadEnded, at: Instant): Lead.Lead => {
  const reason = ended === "optedOut" ? "suppressed" : "cancelled"
  const open = Lead.isOpen(lead)
  const touches =
    open && lead.step !== null
      ? [...lead.touches, { step: lead.step, status: "skipped" as const, reason, at }]
      : lead.touches
  return Lead.end({ ...lead, claim: null, touches, ...(open && { status: "skipped" as const, reason }) }, ended)
}

const stopFact = (before: Lead.Lead, after: Lead.Lead, ended: LeadEnded): Fact => ({
  workspace: before.workspace,
  type:
    after.status === "skipped" && before.status !== "skipped"
      ? "lead.skipped"
      : ended === "replied"
        ? "lead.replied"
        : "lead.ended",
  subject: before.id,
  actor: { type: "contact", id: before.contact },
  cause: null,
  data: { campaign: before.campaign, ended, status: after.status }
})

/**
 * A lead told to stop: what is being sent finishes and is marked, what is claimed or queued is cancelled, what was to
 * come is dropped. Null when it changes nothing. A reply (`replied`) leaves a lead alone whose step 0 is still open.
 */
export const stop = (
  lead: Lead.Lead,
  messages: ReadonlyArray<Message>,
  ended: LeadEnded,
  at: Instant
): Conclusion | null => {
  const isReply = ended === "replied"
  const repliedAt = isReply ? (lead.repliedAt ?? at) : lead.repliedAt
  const marked: Lead.Lead = { ...lead, repliedAt }
  const sending = messages.filter((message) => message.status === "sending")
  // Counted with the field it counts, which is written even while the first touch is on its way.
  const counts = isReply && lead.repliedAt === null ? { replied: 1 } : {}
  const queued = messages.filter((message) => message.status === "queued")
  const cancel = queued.map((message) => ({ id: message.id, reason: ended }))
  const fact = (after: Lead.Lead): ReadonlyArray<Fact> => [stopFact(lead, after, ended)]
  // Claimed and not begun: the claim remembered a touch that will not be made.
  const forget = lead.claim !== null

  if (sending.length > 0) {
    if (lead.stop !== null) return null
    const after = { ...marked, stop: ended }
    return {
      ...nothing,
      lead: after,
      counts,
      stop: sending.map(({ id }) => ({ id, reason: ended })),
      cancel,
      facts: fact(after)
    }
  }
  if (lead.status === "sending") {
    // Between two parts: what went out stays, the rest is stopped.
    const touches =
      lead.step === null
        ? lead.touches
        : [...lead.touches, { step: lead.step, status: "partial" as const, reason: ended, at }]
    const after = Lead.end({ ...marked, claim: null, status: "partial", reason: ended, touches }, ended)
    const partial: Fact = {
      workspace: lead.workspace,
      type: "lead.partial",
      subject: lead.id,
      actor: { type: "campaign", id: lead.campaign },
      cause: null,
      data: {
        campaign: lead.campaign,
        step: lead.step,
        account: lead.account,
        contact: lead.contact,
        chat: messages[0]?.chat ?? null,
        reason: ended,
        ended
      }
    }
    const facts = [partial, ...fact(after)]
    return { ...nothing, lead: after, cancel, counts: { ...counts, partial: 1, touched: 1 }, facts }
  }
  if (Lead.isOpen(lead)) {
    if (isReply) return null
    const after = stopped(marked, ended, at)
    return { ...nothing, forget, lead: after, cancel, counts: { ...counts, skipped: 1 }, facts: fact(after) }
  }
  if (lead.step === null) {
    return isReply && lead.repliedAt === null && Lead.isTouched(lead)
      ? { ...nothing, lead: marked, counts, facts: fact(marked) }
      : null
  }
  const after = Lead.end({ ...marked, claim: null }, ended)
  return { ...nothing, forget, lead: after, cancel, counts, facts: fact(after) }
}

/**
 * A lead whose first touch was settled one way and proves to be the other: an unknown outcome was sent after all, or a
 * sent message failed later. Null when it changes nothing.
 */
export const prove = (lead: Lead.Lead, message: Message, at: Instant): Conclusion | null => {
  const failed = message.status === "failed"
  const touches = lead.touches.map((touch) =>
    touch.step === message.step && touch.status === (failed ? "sent" : "failed")
      ? {
          ...touch,
          status: failed
            ? ("failed" as const)
            : message.part + 1 < message.parts
              ? ("partial" as const)
              : ("sent" as const),
          reason: failed ? message.reason : null,
          at
        }
      : touch
  )
  const touch = lead.touches.find((one) => one.step === message.step)
  const isFirst = lead.touches[0]?.step === message.step
  if (touch === undefined) return null
  // The parts after an unknown one were cancelled: proof makes such a touch partial.
  const proved = message.part + 1 < message.parts ? ("partial" as const) : ("sent" as const)
  if (failed) {
    if (touch.status !== "sent") return null
    const after: Lead.Lead = { ...lead, touches, ...(isFirst && { status: "failed" as const, reason: message.reason }) }
    return {
      ...nothing,
      lead: after.claim !== null || after.step === null ? after : Lead.end(after, "failed"),
      counts: isFirst ? { sent: -1, failed: 1 } : {}
    }
  }
  if (touch.status !== "failed" || touch.reason !== "outcomeUnknown") return null
  const sentAt = message.sentAt ?? at
  return {
    ...nothing,
    lead: {
      ...lead,
      touches,
      firstSentAt: lead.firstSentAt ?? sentAt,
      lastSentAt: Math.max(lead.lastSentAt ?? 0, sentAt),
      ...(isFirst && { status: proved, reason: null })
    },
    counts: isFirst ? { failed: -1, [proved]: 1 } : {}
  }
}
