/**
 * Which step a lead takes next, and when: also where an edit changed the steps while it was on its way. No step comes twice to one lead, whatever order an edit gives them. Pure.
 */
import type { Instant } from "../workspace/Instant.ts"
import * as Zone from "../workspace/Zone.ts"
import { type CampaignSettings, stepAt } from "./Campaign.ts"
import * as Lead from "./Lead.ts"
import type { Step } from "./Step.ts"

/** When a step that counts from `from` is due; null for step 0, which goes in its turn. */
export const dueAt = (settings: CampaignSettings, step: Step, from: Instant): Instant | null =>
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

/** The steps that a touched lead has before it, whatever the person wrote; its present one unless its touch was made just now. */
export const coming = (settings: CampaignSettings, lead: Lead.Lead): ReadonlyArray<Step> => {
  const place = placeOf(settings, lead)
  const had = new Set<string>(Lead.made(lead).map(({ step }) => step))
  const isToCome = lead.step !== null && !had.has(lead.step) && stepAt(settings, lead.step) !== null
  return following(settings, { ...lead, repliedAt: null }, isToCome ? place - 1 : place)
}

/**
 * How many steps for the silent a first reply takes from a touched lead. Its present step is among them unless that
 * `isUnderWay`: what has begun to go out finishes.
 */
export const dropped = (lead: Lead.Lead, settings: CampaignSettings, isUnderWay: boolean): number => {
  if (lead.step === null) return 0
  const place = placeOf(settings, lead)
  return following(settings, lead, isUnderWay ? place : place - 1).filter(({ type }) => type === "noReply").length
}

/** A lead that waits for a step counted from the last message of its chat, after a message at `at`; null for others. */
export const spoken = (lead: Lead.Lead, settings: CampaignSettings, at: Instant): Lead.Lead | null => {
  const present = stepAt(settings, lead.step)
  const waits = lead.claim === null && lead.dueAt !== null && lead.stop === null
  return present?.step.type === "noReplyResponded" && waits
    ? { ...lead, dueAt: dueAt(settings, present.step, at), touches: Lead.made(lead) }
    : null
}
