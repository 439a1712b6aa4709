/**
 * What a reply, an opt-out, a takeover or the end of a campaign does to a lead: what is being sent finishes and is marked,
 * what is claimed or queued is cancelled, what was to come is dropped or put off. Pure over locked rows.
 */
import type { Message } from "../chat/Message.ts"
import type { Fact } from "../event/DomainEvent.ts"
import { day, format, type Instant } from "../workspace/Instant.ts"
import type { CampaignSettings } from "./Campaign.ts"
import type { LeadChange } from "./LeadChange.ts"
import * as Lead from "./Lead.ts"
import type { LeadEnded } from "./Lead.ts"
import * as Sequence from "./Sequence.ts"

/** A lead change whose facts still want an id and a time. */
export type Conclusion = Omit<LeadChange, "events"> & { readonly facts: ReadonlyArray<Fact> }

/** For what changes a lead alone. */
export const nothing = {
  cancel: [],
  stop: [],
  queue: [],
  requeue: [],
  counts: {},
  wentOutOn: null,
  forget: false,
  facts: []
} as const

/** For a lead that changes by itself, and nobody is told of. */
export const alone = {
  cancel: [],
  stop: [],
  queue: [],
  requeue: [],
  counts: {},
  wentOutOn: null,
  forget: false,
  events: []
} as const

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

/** A lead whose first touch waits because a person took the chat over. */
export const putOff = (lead: Lead.Lead, at: Instant): Lead.Lead =>
  Lead.deferTo({ ...lead, claim: null, stop: null }, Math.max(lead.dueAt ?? 0, at + takeoverMs), "takenOver", at)

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
  settings !== null && (ended === "replied" || ended === "takenOver")
    ? Sequence.answered({ ...lead, stop: null }, settings, ended, at)
    : Lead.end(lead, ended)

const stopEvent = (before: Lead.Lead, after: Lead.Lead, ended: LeadEnded): Fact["type"] => {
  if (after.status === "skipped" && before.status !== "skipped") return "lead.skipped"
  if (ended === "replied") return "lead.replied"
  return after.ended === null && after.stop === null ? "lead.deferred" : "lead.ended"
}

/** What is told of a lead that was stopped or put off. */
export const stopFact = (before: Lead.Lead, after: Lead.Lead, ended: LeadEnded): Fact => ({
  workspace: before.workspace,
  type: stopEvent(before, after, ended),
  subject: before.id,
  actor: ended === "cancelled" ? { type: "campaign", id: before.campaign } : { type: "contact", id: before.contact },
  cause: null,
  data: {
    campaign: before.campaign,
    status: after.status,
    ...(after.ended === null && after.stop === null && ended !== "replied"
      ? { reason: ended, ...(after.dueAt !== null && { until: format(after.dueAt) }) }
      : { ended }),
    ...(after.status === "skipped" && after.reason !== null && { reason: after.reason })
  }
})

const wentOut = ({ status }: Message): boolean => status === "sent" || status === "delivered" || status === "read"

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
  }
}

/**
 * A lead told to stop; null when it changes nothing. Of leads whose step 0 is still open a reply changes none, and a
 * takeover puts them off. `settings` are those of its campaign; without them nothing may follow a conversation.
 */
export const stop = (
  lead: Lead.Lead,
  messages: ReadonlyArray<Message>,
  ended: LeadEnded,
  at: Instant,
  settings: CampaignSettings | null
): Conclusion | null => {
  const isReply = ended === "replied"
  const marked: Lead.Lead = isReply ? { ...lead, repliedAt: lead.repliedAt ?? at } : lead
  const sending = messages.filter((message) => message.status === "sending")
  // Counted with the field it counts, which is written even while the first touch is on its way.
  const counts = isReply && lead.repliedAt === null ? { replied: 1 } : {}
  const cancel = messages.flatMap(({ id, status }) => (status === "queued" ? [{ id, reason: ended }] : []))
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
  if (lead.step !== null && (lead.status === "sending" || messages.some(wentOut))) {
    const { after, counts: partial, partial: told } = betweenParts(marked, messages, settings, ended, at)
    return { ...nothing, lead: after, cancel, counts: { ...counts, ...partial }, facts: [told, ...fact(after)] }
  }
  if (Lead.isOpen(lead)) {
    if (isReply) return null
    if (ended === "takenOver") {
      const after = putOff(lead, at)
      return { ...nothing, forget, lead: after, cancel, facts: fact(after) }
    }
    const after = stopped(marked, ended, at)
    return { ...nothing, forget, lead: after, cancel, counts: { ...counts, skipped: 1 }, facts: fact(after) }
  }
  if (lead.step === null) {
    return isReply && lead.repliedAt === null && Lead.isTouched(lead)
      ? { ...nothing, lead: marked, counts, facts: fact(marked) }
      : null
  }
  const after = remaining({ ...marked, claim: null }, settings, ended, at)
  return { ...nothing, forget, lead: after, cancel, counts, facts: fact(after) }
}
