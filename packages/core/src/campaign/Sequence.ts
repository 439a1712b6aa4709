/**
 * Which step a lead takes next, and when: also where an edit changed the steps while it was on its way, and where a person
 * answered. No step comes twice to one lead, whatever order an edit gives them. Pure.
 */
import type { Instant } from "../workspace/Instant.ts"
import * as Zone from "../workspace/Zone.ts"
import { type CampaignSettings, stepAt } from "./Campaign.ts"
import * as Lead from "./Lead.ts"
import type { Step } from "./Step.ts"

/** When a step that counts from `from` is due; null for step 0, which goes in its turn. */
const dueAt = (settings: CampaignSettings, step: Step, from: Instant): Instant | null =>
  step.type === "first" ? null : Zone.sameLocalTimeAfterDays(Zone.make(settings.timezone), from, step.sendAfterDays)

/** The place of the lead's present step; of the last one it had where an edit took that away, -1 = it had none. */
export const placeOf = (settings: CampaignSettings, lead: Lead.Lead): number => {
  const present = stepAt(settings, lead.step)
  if (present !== null) return present.index
  const had = new Set<string>(Lead.made(lead).map(({ step }) => step))
  const last = settings.steps.findLastIndex(({ id }) => had.has(id))
  return last < 0 && !Lead.isOpen(lead) ? 0 : last
}

/** The steps that may still come after place `index`: not had yet, and none for the silent once the person wrote. */
const following = (settings: CampaignSettings, lead: Lead.Lead, index: number): ReadonlyArray<Step> => {
  const had = new Set<string>(Lead.made(lead).map(({ step }) => step))
  return settings.steps
    .slice(index + 1)
    .filter(({ id, type }) => !had.has(id) && (type !== "noReply" || lead.repliedAt === null))
}

/** The lead with the step after place `index` to come, counted from `from`; `completed` where none is left. */
export const proceed = (lead: Lead.Lead, settings: CampaignSettings, index: number, from: Instant): Lead.Lead => {
  const [next] = following(settings, lead, index)
  return next === undefined
    ? Lead.end(lead, "completed")
    : { ...lead, step: next.id, attempts: 0, dueAt: dueAt(settings, next, from), touches: Lead.made(lead) }
}

/** A lead whose step an edit took away: it takes the next, due by that step's own delay. Null where its step is there. */
export const relocate = (lead: Lead.Lead, settings: CampaignSettings, now: Instant): Lead.Lead | null =>
  lead.step === null || stepAt(settings, lead.step) !== null
    ? null
    : proceed(lead, settings, placeOf(settings, lead), lead.lastSentAt ?? now)

/**
 * A touched lead whose contact answered, or whose chat a person took over, at `at`. Steps for the silent are passed over;
 * the next of the others comes its days after `at`, and where there is none the sequence ends.
 */
export const answered = (
  lead: Lead.Lead,
  settings: CampaignSettings,
  ended: "replied" | "takenOver",
  at: Instant
): Lead.Lead => {
  const place = placeOf(settings, lead)
  // The present step is still to come, unless its touch was made just now.
  const had = new Set<string>(Lead.made(lead).map(({ step }) => step))
  const isToCome = lead.step !== null && !had.has(lead.step) && stepAt(settings, lead.step) !== null
  const coming = following(settings, { ...lead, repliedAt: null }, isToCome ? place - 1 : place)
  const next = coming.find(({ type }) => type === "noReplyResponded")
  if (next === undefined) return Lead.end(lead, ended)
  const dropped = coming
    .filter(({ type }) => type === "noReply")
    .map(({ id }): Lead.Touch => ({ step: id, status: "skipped", reason: ended, at }))
  const isSame = lead.step === next.id
  return {
    ...lead,
    step: next.id,
    attempts: isSame ? lead.attempts : 0,
    dueAt: dueAt(settings, next, at),
    stop: null,
    touches: [...Lead.made(lead), ...dropped]
  }
}

/** A lead that waits for a step counted from the last message of its chat, after a message at `at`; null for others. */
export const spoken = (lead: Lead.Lead, settings: CampaignSettings, at: Instant): Lead.Lead | null => {
  const present = stepAt(settings, lead.step)
  const waits = lead.claim === null && lead.dueAt !== null && lead.stop === null
  return present?.step.type === "noReplyResponded" && waits
    ? { ...lead, dueAt: dueAt(settings, present.step, at), touches: Lead.made(lead) }
    : null
}
