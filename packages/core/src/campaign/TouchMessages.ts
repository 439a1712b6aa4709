/**
 * The rows of one touch: a message for each part, the first in the claim, the others waiting for the one before. A touch
 * that is tried again has rows for its missing parts alone.
 */
import * as Address from "../channel/Address.ts"
import type { Content } from "../channel/Content.ts"
import * as Chat from "../chat/Chat.ts"
import { type Message, type Reservation, untried } from "../chat/Message.ts"
import type { ClaimId, IdGenerator } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { DuePace, LeadCandidate } from "./CampaignStore.ts"
import type { Step } from "./Step.ts"

export interface TouchDraft {
  readonly due: DuePace
  readonly candidate: LeadCandidate
  readonly step: Step
  readonly address: Address.Address
  /** Rendered, one for each part. */
  readonly contents: ReadonlyArray<Content>
  readonly reserved: Reservation
}

/**
 * The parts that are still to be sent, first part first: those without a row, and those whose row waits or was cancelled
 * before it began. What went out, or may have, is never among them.
 */
export const missingParts = (step: Step, messages: ReadonlyArray<Message>): ReadonlyArray<number> =>
  step.parts.flatMap((_, part) =>
    messages.every((row) => row.part !== part || row.status === "queued" || row.status === "cancelled") ? [part] : []
  )

/** The rows to be written. A part that an earlier try left queued keeps its id and what was counted of it. */
export const messagesOf = (
  { address, candidate, contents, due, reserved, step }: TouchDraft,
  claim: ClaimId,
  ids: IdGenerator,
  now: Instant
): ReadonlyArray<Message> => {
  const { campaign } = due
  const { account } = due.account
  const { lead } = candidate
  const key = Address.key(address)
  const earlier = new Map(candidate.messages.map((message) => [message.part, message]))
  const missing = missingParts(step, candidate.messages)
  return missing.flatMap((part): ReadonlyArray<Message> => {
    const former = earlier.get(part)
    const content = contents[part]
    if (content === undefined) return []
    return [
      {
        ...untried,
        id: former?.id ?? ids.next("msg"),
        workspace: lead.workspace,
        account: account.id,
        chat: Chat.idOf(account.id, key),
        contact: lead.contact,
        address: key,
        direction: "outbound",
        author: { type: "campaign", id: campaign.id },
        campaign: campaign.id,
        campaignVersion: campaign.version,
        lead: lead.id,
        step: step.id,
        part,
        parts: contents.length,
        content,
        status: "queued",
        attempts: former?.attempts ?? 0,
        tries: former?.tries ?? 0,
        details: former?.details ?? null,
        claim: part === missing[0] ? claim : null,
        reserved,
        createdAt: former?.createdAt ?? now
      }
    ]
  })
}
