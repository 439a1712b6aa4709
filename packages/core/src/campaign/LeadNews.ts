/**
 * What a lead's sequence has to do with what its contact did, or a member towards them: the first reply, takeover, booking,
 * closing, opt-out or late failure by the platform's time decides what is left of it. Platforms tell late and out of order, so a
 * lead remembers when each happened first, and its end is worked out anew from all of them: any order leaves the same.
 * Pure.
 */
import { failedLate } from "../chat/Message.ts"
import { second, type Instant } from "../workspace/Instant.ts"
import type { CampaignSettings } from "./Campaign.ts"
import { stepAt } from "./Campaign.ts"
import * as Lead from "./Lead.ts"
import type { LeadEnded } from "./Lead.ts"
import * as Sequence from "./Sequence.ts"

/** What ends a sequence from outside. Of two at the same instant the one named first counts. */
const causes = ["optedOut", "booked", "closed", "failed", "replied", "takenOver"] as const

export type NewsType = Exclude<(typeof causes)[number], "failed">

const isCause = (ended: LeadEnded): ended is (typeof causes)[number] => causes.some((cause) => cause === ended)

/** Whether it is told by a platform, and remembered with its time. */
export const isNews = (ended: LeadEnded): ended is NewsType => ended !== "failed" && isCause(ended)

/** Something that happened to the contact, by the platform's time. */
export interface News {
  readonly type: NewsType
  readonly at: Instant
}

/** How far the platform's clock may be from ours, or how coarse: an answer is not from before the touch for that. */
const clockMs = 5 * second

const first = (known: Instant | null | undefined, at: Instant): Instant => Math.min(known ?? at, at)

/** The lead that knows of it; the very same where it knew. */
export const remembered = (lead: Lead.Lead, { at, type }: News): Lead.Lead => {
  const told = lead.told ?? {}
  const last = Math.max(told.lastAt ?? at, at)
  switch (type) {
    case "replied": {
      const repliedAt = first(lead.repliedAt, at)
      return repliedAt === lead.repliedAt && last === told.lastAt
        ? lead
        : { ...lead, repliedAt, told: { ...told, lastAt: last } }
    }
    case "takenOver": {
      const takenOverAt = first(told.takenOverAt, at)
      return takenOverAt === told.takenOverAt && last === told.lastAt
        ? lead
        : { ...lead, told: { ...told, takenOverAt, lastAt: last } }
    }
    case "optedOut": {
      const optedOutAt = first(told.optedOutAt, at)
      return optedOutAt === told.optedOutAt ? lead : { ...lead, told: { ...told, optedOutAt } }
    }
    case "booked": {
      const bookedAt = first(lead.bookedAt, at)
      return bookedAt === lead.bookedAt ? lead : { ...lead, bookedAt }
    }
    case "closed": {
      const closedAt = first(told.closedAt, at)
      return closedAt === told.closedAt ? lead : { ...lead, told: { ...told, closedAt } }
    }
  }
}

/** The lead with the time at which the first of its touches failed late, where any did. */
export const withFailures = (lead: Lead.Lead): Lead.Lead => {
  const { failedAt: _failedAt, ...others } = lead.told ?? {}
  const failures = lead.touches.flatMap(({ at, reason, status }) =>
    status === "failed" && reason === failedLate ? [at] : []
  )
  const told = failures.length === 0 ? others : { ...others, failedAt: Math.min(...failures) }
  return { ...lead, told: Object.keys(told).length === 0 ? null : told }
}

/** When the contact was first touched; null = never. */
const touchedAt = (lead: Lead.Lead): Instant | null =>
  lead.firstSentAt ??
  Lead.made(lead).reduce<Instant | null>((at, touch) => (touch.status === "skipped" ? at : first(at, touch.at)), null)

/** Whether something said at `at` answers the lead's touches: what was said before the first one does not. */
export const isAnswer = (lead: Lead.Lead, at: Instant): boolean => {
  const from = touchedAt(lead)
  return from === null || at >= from - clockMs
}

/**
 * Whether it can be about this lead: what was wished before it was enrolled is for its gates to know, and a takeover that is
 * over says nothing to one that was first touched after it, or was not yet.
 */
export const concerns = (
  lead: Lead.Lead,
  { at, isOver = false, type }: News & { readonly isOver?: boolean }
): boolean =>
  type === "optedOut"
    ? at >= lead.createdAt - clockMs
    : type !== "takenOver" || !isOver || (touchedAt(lead) !== null && isAnswer(lead, at))

const timeOf = (lead: Lead.Lead, ended: (typeof causes)[number]): Instant | null => {
  switch (ended) {
    case "optedOut":
      return lead.told?.optedOutAt ?? null
    case "booked":
      return lead.bookedAt
    case "closed":
      return lead.told?.closedAt ?? null
    case "failed":
      return lead.told?.failedAt ?? null
    case "replied":
      return lead.repliedAt
    case "takenOver":
      return lead.told?.takenOverAt ?? null
  }
}

/** Whether the lead knows that this happened. */
export const isKnown = (lead: Lead.Lead, type: NewsType): boolean => timeOf(lead, type) !== null

/** Whether its person booked, or a member closed their chat: no step that comes later is for them. */
export const isSettled = (lead: Lead.Lead): boolean => isKnown(lead, "booked") || isKnown(lead, "closed")

/** Whether news may still change how the lead ended: it did not end for reasons of its campaign. */
const isOpenToNews = (lead: Lead.Lead): boolean =>
  lead.ended === null || (isCause(lead.ended) && timeOf(lead, lead.ended) !== null)

/** What ends everything weighs more than what a conversation may follow, where their times cannot be compared. */
const weights: Record<NewsType, number> = { takenOver: 0, replied: 1, closed: 2, booked: 3, optedOut: 4 }

export const isWeightier = (one: LeadEnded, other: LeadEnded): boolean =>
  isNews(one) && isNews(other) && weights[one] > weights[other]

const leavesSequence = (ended: string): ended is "replied" | "takenOver" => ended === "replied" || ended === "takenOver"

/** Whether a touch is that of a step for the silent which was passed over because somebody spoke. */
const isDropped = (touch: Lead.Touch, settings: CampaignSettings | null): boolean =>
  touch.status === "skipped" &&
  touch.reason !== null &&
  leavesSequence(touch.reason) &&
  settings !== null &&
  stepAt(settings, touch.step)?.step.type === "noReply"

/**
 * A touched lead of which nothing is being sent, with what is left of its sequence after all it knows of: a reply and a
 * takeover leave a step that may follow a conversation, its days after the last that was said; the others leave nothing.
 * `before` is the lead as it was before it knew the latest; `settings` are those of its campaign, without which nothing
 * may follow a conversation.
 */
export const decided = (lead: Lead.Lead, settings: CampaignSettings | null, before = lead): Lead.Lead => {
  if (!isOpenToNews(before)) return lead
  const happened = causes
    .flatMap((ended) => {
      const at = timeOf(lead, ended)
      return at === null ? [] : [{ ended, at }]
    })
    .sort((a, b) => a.at - b.at)
  const made = Lead.made(lead)
  const base = { ...lead, touches: made.filter((touch) => !isDropped(touch, settings)) }
  const coming = settings === null ? [] : Sequence.coming(settings, base)
  const next = coming.find(({ type }) => type === "noReplyResponded")
  const end = happened.find(({ ended }) => next === undefined || !leavesSequence(ended))
  const spoken = next === undefined ? undefined : happened.find((one) => leavesSequence(one.ended) || one === end)
  const dropping = spoken === end ? undefined : spoken
  const had = new Set<string>(made.map(({ step }) => step))
  const touches = [
    ...made.flatMap((touch) =>
      !isDropped(touch, settings)
        ? [touch]
        : dropping !== undefined && next !== undefined
          ? [touch.at < dropping.at ? touch : { ...touch, reason: dropping.ended, at: dropping.at }]
          : next === undefined
            ? [touch]
            : []
    ),
    ...(dropping === undefined
      ? []
      : coming
          .filter(({ id, type }) => type === "noReply" && !had.has(id))
          .map(({ id }): Lead.Touch => ({ step: id, status: "skipped", reason: dropping.ended, at: dropping.at })))
  ]
  const free: Lead.Lead = { ...lead, touches, stop: null }
  if (end !== undefined) return Lead.end(free, end.ended)
  if (settings !== null && next !== undefined && dropping !== undefined) {
    const isSame = lead.step === next.id
    const last = Math.max(lead.told?.lastAt ?? 0, lead.lastSentAt ?? 0)
    const dueAt = Sequence.dueAt(settings, next, last)
    return {
      ...free,
      ended: null,
      step: next.id,
      attempts: isSame ? lead.attempts : 0,
      dueAt: isSame && lead.dueAt !== null && dueAt !== null ? Math.max(lead.dueAt, dueAt) : dueAt
    }
  }
  // What had ended it did not happen: it goes on where it was.
  return settings === null || lead.ended === null
    ? free
    : Sequence.proceed({ ...free, ended: null }, settings, Sequence.placeOf(settings, base), lead.lastSentAt ?? 0)
}
