/**
 * A further attempt of a touch that failed, was skipped, or went out in part: of the same rows, under all gates, from its
 * first missing part on. What may have gone out is tried again only where a person says that it did not. Pure.
 */
import * as Address from "../channel/Address.ts"
import type { Message } from "../chat/Message.ts"
import * as Messages from "../chat/Message.ts"
import type { StepId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { type CampaignSettings, stepAt } from "./Campaign.ts"
import * as Lead from "./Lead.ts"
import * as LeadNews from "./LeadNews.ts"
import { type Conclusion, nothing } from "./LeadStopping.ts"

/** Why a lead is left as it is. */
export type Refusal =
  /** Nothing of it failed, it is on its way, or its step or its person is gone. */
  | "nothingToRetry"
  /** The person answered, booked or closed it, or someone took the chat over. */
  | "answered"
  /** It may have gone out, and nobody said that it did not. */
  | "outcomeUnknown"

const answers: ReadonlyArray<Lead.LeadEnded | null> = ["replied", "takenOver", "booked", "closed"]

/** The touch that a retry would make again, and why it came to nothing; null where there is none. */
export const candidate = (
  lead: Lead.Lead,
  settings: CampaignSettings
): { readonly step: StepId; readonly reason: string | null } | null => {
  if (Lead.isOpen(lead) || lead.claim !== null || lead.stop !== null || Address.isErased(lead.address)) return null
  const [first] = settings.steps
  if (lead.status !== "sent") return { step: first.id, reason: lead.reason }
  const last = Lead.made(lead).at(-1)
  const isOver = lead.step === null && (last?.status === "failed" || last?.status === "partial")
  return last !== undefined && isOver && stepAt(settings, last.step) !== null
    ? { step: last.step, reason: last.reason }
    : null
}

const isUnknown = ({ reason, status }: Message): boolean => status === "failed" && reason === "outcomeUnknown"

/** The lead with its touch to come again, or why not. `messages` are the rows of that touch. */
export const retry = (
  lead: Lead.Lead,
  messages: ReadonlyArray<Message>,
  settings: CampaignSettings,
  includeUnknown: boolean,
  now: Instant
): Conclusion | Refusal => {
  const found = candidate(lead, settings)
  const present = found === null ? null : stepAt(settings, found.step)
  if (found === null || present === null) return "nothingToRetry"
  if (answers.includes(lead.ended)) return "answered"
  if (!includeUnknown && (found.reason === "outcomeUnknown" || messages.some(isUnknown))) return "outcomeUnknown"
  if (messages.length >= present.step.parts.length && messages.every(Messages.wentOut)) return "nothingToRetry"
  const isFirst = present.index === 0
  const status = lead.account === null ? "pending" : "assigned"
  const after = LeadNews.withFailures({
    ...lead,
    step: found.step,
    dueAt: isFirst ? null : now,
    attempts: 0,
    ended: null,
    ...(isFirst && { status, reason: null }),
    touches: Lead.made(lead).filter(({ step }) => step !== found.step)
  })
  return {
    ...nothing,
    lead: after,
    // Where the platform may know the former key: a person said that it did not arrive, or the platform itself.
    requeue: messages.flatMap((message) => {
      const isSpent = isUnknown(message) || Messages.isFailedLate(message)
      return message.status === "failed" ? [{ id: message.id, tries: message.tries + (isSpent ? 1 : 0) }] : []
    }),
    counts:
      isFirst && (lead.status === "failed" || lead.status === "skipped" || lead.status === "partial")
        ? { [lead.status]: -1 }
        : {},
    facts: [
      {
        workspace: lead.workspace,
        type: "lead.retried",
        subject: lead.id,
        actor: { type: "campaign", id: lead.campaign },
        data: { campaign: lead.campaign, touch: found.step, ...(found.reason !== null && { reason: found.reason }) }
      }
    ]
  }
}
