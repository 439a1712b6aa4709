/**
 * Which leads are to be changed, and what becomes of one: the new state and everything that goes with it, as a rule
 * answers it for a locked lead. A storage writes that in one transaction and nothing else.
 */
import type { Message } from "../chat/Message.ts"
import type { DomainEvent } from "../event/DomainEvent.ts"
import type { AccountId, CampaignId, ContactId, LeadId, MessageId, StepId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Lead, LeadStatus } from "./Lead.ts"
import type { PaceCounts } from "./Pace.ts"

/** The new state of a lead under lock, and what becomes of its messages. */
export interface LeadChange {
  readonly lead: Lead
  /** Queued rows to be cancelled; what they reserve is given back. */
  readonly cancel: ReadonlyArray<{ readonly id: MessageId; readonly reason: string }>
  /** Rows being sent: nothing may follow or repeat them. */
  readonly stop: ReadonlyArray<{ readonly id: MessageId; readonly reason: string }>
  /** Queued rows that become due: the next part of a touch. */
  readonly queue: ReadonlyArray<{ readonly id: MessageId; readonly dueAt: Instant }>
  /** Added to the counts of the lead's pace, by the account it had before; of the campaign itself where it had none. */
  readonly counts: Partial<PaceCounts>
  /** The touch went out, or may have, on this campaign date: what the ramp counts. */
  readonly wentOutOn: string | null
  /**
   * The touch of the step that the lead had before did not go out: the contact's row forgets it (`ContactTouch` of that
   * lead and step), so that it counts for no frequency.
   */
  readonly forget: boolean
  /**
   * Failed or cancelled rows that are to be tried again: queued, without claim, due time or reservation, with no attempts
   * counted and these tries.
   */
  readonly requeue: ReadonlyArray<{ readonly id: MessageId; readonly tries: number }>
  readonly events: ReadonlyArray<DomainEvent>
}

const summed = (one: Partial<PaceCounts>, other: Partial<PaceCounts>): Partial<PaceCounts> => {
  const counts: { -readonly [K in keyof PaceCounts]?: number } = { ...one }
  for (const name of Object.keys(other) as ReadonlyArray<keyof PaceCounts>) {
    counts[name] = (counts[name] ?? 0) + (other[name] ?? 0)
  }
  return counts
}

/** Two changes of one lead, one after the other, as one; what is being sent stops for the reason given last. */
export const joined = (one: LeadChange, other: LeadChange): LeadChange => ({
  lead: other.lead,
  cancel: [...one.cancel, ...other.cancel],
  stop: [...one.stop.filter(({ id }) => !other.stop.some((later) => later.id === id)), ...other.stop],
  queue: [...one.queue, ...other.queue],
  counts: summed(one.counts, other.counts),
  wentOutOn: one.wentOutOn ?? other.wentOutOn,
  forget: one.forget || other.forget,
  requeue: [...one.requeue, ...other.requeue],
  events: [...one.events, ...other.events]
})

/** Which leads a change is shown: named ones, or those of a campaign or of contacts. */
export type LeadSelector =
  | {
      readonly type: "ids"
      readonly ids: ReadonlyArray<LeadId>
      /** Of which step the rule is shown the messages, of each lead that has such a row; the present one where absent. */
      readonly step?: ((lead: Lead) => StepId | null) | undefined
      /**
       * Messages as the caller has just locked or written them in its transaction. A touch of one part that is among them is
       * not read again. Absent = none.
       */
      readonly known?: ReadonlyArray<Message> | undefined
    }
  /** Leads of a campaign with something open, claimed or to come that nothing has stopped yet; at most `limit`. */
  | { readonly type: "active"; readonly campaign: CampaignId; readonly limit: number }
  /** Leads of these contacts that have something open, claimed or to come; with `ended` also those that have nothing. */
  | {
      readonly type: "contacts"
      readonly workspace: WorkspaceId
      readonly contacts: ReadonlyArray<ContactId>
      readonly ended?: boolean | undefined
    }
  /** Unclaimed leads of a campaign in these states, of one account where given; at most `limit`. */
  | {
      readonly type: "campaign"
      readonly campaign: CampaignId
      readonly account?: AccountId | undefined
      readonly statuses: ReadonlyArray<LeadStatus>
      readonly limit: number
    }
