/**
 * What a reply, an opt-out, a takeover or the end of a campaign does to a lead: what is being sent finishes and is marked,
 * what is claimed or queued is cancelled, what was to come is dropped or put off. Pure over locked rows.
 */
import type { Message } from "../chat/Message.ts"
import * as Messages from "../chat/Message.ts"
import { type Fact, system } from "../event/DomainEvent.ts"
import { day, format, type Instant } from "../workspace/Instant.ts"
import type { CampaignSettings } from "./Campaign.ts"
import type { LeadChange } from "./LeadChange.ts"
import * as Lead from "./Lead.ts"
import type { LeadEnded } from "./Lead.ts"
import * as LeadNews from "./LeadNews.ts"
import * as Sequence from "./Sequence.ts"

/** A lead change whose facts still want an id and a time. */
export type Conclusion = Omit<LeadChange, "events"> & { readonly facts: ReadonlyArray<Fact> }

const leadAlone = {
  cancel: [],
  stop: [],
  queue: [],
  requeue: [],
  counts: {},
  wentOutOn: null,
  forget: false
} as const

/** For what changes a lead alone. */
export const nothing = { ...leadAlone, facts: [] } as const

/** For a lead that changes by itself, and nobody is told of. */
export const alone = { ...leadAlone, events: [] } as const

/** How long a lead that a person took over waits before it is looked at again. */
export const takeoverMs = day

/** A lead ended by someone else's doing: step 0 that is still open is skipped, a sequence just ends. */
export const stopped = (lead: Lead.Lead, ended: LeadEnded, at: Instant): Lead.Lead => {
  const reason = ended === "optedOut" ? "suppressed" : "cancelled"
  const open = Lead.isOpen(lead)
  const touches =
    open && lead.step !== null
      ? [...Lead.made(lead), { step: lead.step, status: "skipped" as const, reason, at }]
      : lead.touches
  return Lead.end({ ...lead, claim: null, touches, ...(open && { status: "skipped" as const, reason }) }, ended)
}

/** A lead whose first touch waits because a person took the chat over; it waits since the first time, until after the last. */
export const putOff = (lead: Lead.Lead, at: Instant): Lead.Lead => {
  const until = Math.max(lead.dueAt ?? 0, at + takeoverMs)
  const after = Lead.deferTo({ ...lead, claim: null, stop: null }, until, "takenOver", at)
  return {
    ...after,
    touches: after.touches.map((touch) =>
      touch.status === "deferred" && touch.reason === "takenOver" && touch.at > at ? { ...touch, at } : touch
    )
  }
}

/**
 * What is left of a touched lead once it was told to stop: after a reply or a takeover a step that may follow a
 * conversation, nothing otherwise.
 */
export const remaining = (
  lead: Lead.Lead,
  settings: CampaignSettings | null,
  ended: LeadEnded,
  at: Instant
): Lead.Lead =>
  LeadNews.isNews(ended)
    ? LeadNews.decided(
        LeadNews.isKnown(lead, ended)
          ? { ...lead, stop: null }
          : LeadNews.remembered({ ...lead, stop: null }, { type: ended, at }),
        settings
      )
    : Lead.end(lead, ended)

const stopEvent = (before: Lead.Lead, after: Lead.Lead, ended: LeadEnded): Fact["type"] => {
  if (after.status === "skipped" && before.status !== "skipped") return "lead.skipped"
  if (ended === "replied") return "lead.replied"
  return after.ended === null && after.stop === null ? "lead.deferred" : "lead.ended"
}

/** Who a stop comes from, as far as it is known; of a closed chat its own event says who closed it. */
const stoppedBy = ({ campaign, contact }: Lead.Lead, ended: LeadEnded): Fact["actor"] => {
  if (ended === "closed") return system
  return ended === "cancelled" ? { type: "campaign", id: campaign } : { type: "contact", id: contact }
}

/** What is told of a lead that was stopped or put off; `dropped` steps will not come because the person answered. */
export const stopFact = (before: Lead.Lead, after: Lead.Lead, ended: LeadEnded, dropped = 0): Fact => ({
  workspace: before.workspace,
  type: stopEvent(before, after, ended),
  subject: before.id,
  actor: stoppedBy(before, ended),
  data: {
    campaign: before.campaign,
    status: after.status,
    ...(after.ended === null && after.stop === null && ended !== "replied"
      ? { reason: ended, ...(after.dueAt !== null && { until: format(after.dueAt) }) }
      : { ended: after.ended ?? ended }),
    ...(dropped > 0 && { dropped }),
    ...(after.status === "skipped" && after.reason !== null && { reason: after.reason })
  }
})

/** A lead whose touch is between two parts: what went out stays, the rest is stopped. */
const betweenParts = (
  lead: Lead.Lead,
  messages: ReadonlyArray<Message>,
  settings: CampaignSettings | null,
  ended: LeadEnded,
  at: Instant
): { readonly after: Lead.Lead; readonly partial: Fact; readonly counts: LeadChange["counts"] } => {
  const isFirst = Lead.isOpen(lead)
  const touches =
    lead.step === null
      ? lead.touches
      : [...Lead.made(lead), { step: lead.step, status: "partial" as const, reason: ended, at }]
  const partial = { ...lead, claim: null, touches, ...(isFirst && { status: "partial" as const, reason: ended }) }
  return {
    after: remaining(partial, settings, ended, at),
    counts: { ...(isFirst && { partial: 1 }), touched: 1 },
    partial: {
      workspace: lead.workspace,
      type: "lead.partial",
      subject: lead.id,
      actor: { type: "campaign", id: lead.campaign },
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
  }
}

/** A lead that an opt-out kept from its first touch, when an earlier one is told of. */
const stoppedBefore = (lead: Lead.Lead, at: Instant): Lead.Lead | null => {
  const former = lead.told?.optedOutAt
  if (lead.ended !== "optedOut" || former === undefined || former <= at) return null
  const touches = lead.touches.map((touch) =>
    touch.status === "skipped" && touch.reason === "suppressed" && touch.at === former ? { ...touch, at } : touch
  )
  return { ...LeadNews.remembered(lead, { type: "optedOut", at }), touches }
}

/** What ends sequences that began, and nothing else. */
const leavesOpen = (ended: LeadEnded): boolean => ended === "booked" || ended === "closed"

/** A touched lead of which nothing is on its way, after news; null when they change nothing. */
const heard = (
  lead: Lead.Lead,
  news: LeadNews.News,
  settings: CampaignSettings | null,
  cancel: LeadChange["cancel"],
  dropped: number
): Conclusion | null => {
  const isReply = news.type === "replied"
  if (!LeadNews.isAnswer(lead, news.at) && (isReply || leavesOpen(news.type))) return null
  const knowing = LeadNews.remembered(lead, news)
  const after = LeadNews.decided(knowing, settings, lead)
  if (JSON.stringify(after) === JSON.stringify(lead)) return null
  const isMoved = after.step !== lead.step || after.dueAt !== lead.dueAt || after.ended !== lead.ended
  const isFirst = isReply && lead.repliedAt === null
  const isTold = isMoved || isFirst || (news.type === "takenOver" && after.ended === null)
  return {
    ...nothing,
    // What is claimed and not begun will not be made: the claim had remembered it.
    ...(isMoved ? { lead: { ...after, claim: null }, forget: lead.claim !== null, cancel } : { lead: after }),
    counts: isFirst ? { replied: 1 } : {},
    facts: isTold ? [stopFact(lead, after, news.type, dropped)] : []
  }
}

/**
 * A lead told to stop, by news at the platform's time or for reasons of ours; null when it changes nothing. Of leads whose
 * step 0 is still open a reply, a booking and a closing change none, and a takeover puts them off. `settings` are those of its
 * campaign; without them nothing may follow a conversation.
 */
export const stop = (
  lead: Lead.Lead,
  messages: ReadonlyArray<Message>,
  ended: LeadEnded,
  at: Instant,
  settings: CampaignSettings | null
): Conclusion | null => {
  const isReply = ended === "replied"
  const marked = LeadNews.isNews(ended) ? LeadNews.remembered(lead, { type: ended, at }) : lead
  const sending = messages.filter((message) => message.status === "sending")
  // Counted with the field it counts, which is written even while the first touch is on its way.
  const counts = isReply && lead.repliedAt === null ? { replied: 1 } : {}
  const cancel = messages.flatMap(({ id, status }) => (status === "queued" ? [{ id, reason: ended }] : []))
  const isUnderWay =
    lead.step !== null && (lead.status === "sending" || sending.length > 0 || messages.some(Messages.wentOut))
  const dropped = isReply && settings !== null ? Sequence.dropped(lead, settings, isUnderWay) : 0
  const fact = (after: Lead.Lead): ReadonlyArray<Fact> => [stopFact(lead, after, ended, dropped)]
  const forget = lead.claim !== null

  if (sending.length > 0) {
    if (lead.stop !== null && !LeadNews.isWeightier(ended, lead.stop)) {
      return marked === lead ? null : { ...nothing, lead: marked, counts }
    }
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
  if (isUnderWay) {
    const { after, counts: partial, partial: told } = betweenParts(marked, messages, settings, ended, at)
    return { ...nothing, lead: after, cancel, counts: { ...counts, ...partial }, facts: [told, ...fact(after)] }
  }
  if (Lead.isOpen(lead)) {
    if (isReply || leavesOpen(ended)) return null
    if (ended === "takenOver") {
      const after = putOff(lead, at)
      return { ...nothing, forget, lead: after, cancel, facts: fact(after) }
    }
    const after = stopped(marked, ended, at)
    return { ...nothing, forget, lead: after, cancel, counts: { ...counts, skipped: 1 }, facts: fact(after) }
  }
  if (!Lead.isTouched(lead)) {
    const after = ended === "optedOut" ? stoppedBefore(lead, at) : null
    return after === null ? null : { ...nothing, lead: after }
  }
  if (LeadNews.isNews(ended)) return heard(lead, { type: ended, at }, settings, cancel, dropped)
  if (lead.step === null) return null
  const after = remaining({ ...lead, claim: null }, settings, ended, at)
  return { ...nothing, forget, lead: after, cancel, counts, facts: fact(after) }
}
