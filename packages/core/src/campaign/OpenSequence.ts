/**
 * A sequence of another campaign that a contact is in: a lead of the same contact, of a running campaign that is not the
 * candidate's, that is in a claim, or in status `sending`, or waits for a later step (`Lead.isFollowUp` and a step).
 */
import type { ContactTouch } from "../contact/Contact.ts"
import type { CampaignId, LeadId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { isTouched, type Lead } from "./Lead.ts"

export interface OpenSequence {
  readonly campaign: CampaignId
  readonly lead: LeadId
  /** When its next touch is due; null = one is being sent, or is between two parts. */
  readonly dueAt: Instant | null
}

/**
 * Whether a lead may have to wait for one: nothing was said to it yet, and its contact was touched by another campaign. Two
 * begun sequences would wait for each other for ever.
 */
export const mayWait = (lead: Lead, touches: ReadonlyArray<ContactTouch>): boolean =>
  touches.some(({ campaign }) => campaign !== lead.campaign) && !isTouched(lead)
