/**
 * The running state of one (campaign, account): the day it is in, what of the day's quota is used, which slot comes
 * next. `nextAt` is an alarm, not a slot: when it rings, `plan` works out from this row and the settings what it means.
 */
import type { LocalDate } from "../workspace/LocalDate.ts"
import type { AccountId, CampaignId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"

export interface PaceCounts {
  readonly sent: number
  readonly partial: number
  readonly failed: number
  readonly skipped: number
  /** Touches of any step that were made or may have been, and that failed. */
  readonly touched: number
  readonly replied: number
}

export const noCounts: PaceCounts = { sent: 0, partial: 0, failed: 0, skipped: 0, touched: 0, replied: 0 }

export interface Pace {
  readonly campaign: CampaignId
  readonly account: AccountId
  readonly workspace: WorkspaceId
  /** The settings version that `slot` and `quota` belong to. */
  readonly version: number
  /** While true it has no alarm. */
  readonly paused: boolean
  /** The campaign's local date that quota, used and slot belong to; null before the first. */
  readonly date: LocalDate | null
  /** Messages it may send on `date`. */
  readonly quota: number
  readonly used: number
  /** The next slot of the day's plan, 0-based. */
  readonly slot: number
  /** From when the rest of the day was laid anew, and what was used then; null = the whole day's plan. */
  readonly from: Instant | null
  readonly usedBefore: number
  readonly nextAt: Instant | null
  /** To when the account's gap deferred the slot at `slot`; null = its own instant. Only the gap extends a slot's life. */
  readonly deferredTo: Instant | null
  readonly rampDay: number
  /** The last date on which something went out. */
  readonly rampDate: LocalDate | null
  readonly counts: PaceCounts
  /** When the account left the campaign; null = it is in it. Then it rings only to give back what it holds. */
  readonly leftAt: Instant | null
}

/** A pace with something to be done for it: it rings at `alarm`, and once that is done sleeps until `until` (null = until someone acts). */
export interface Watch extends Pick<Pace, "campaign" | "account"> {
  readonly alarm: Instant
  readonly until: Instant | null
}

/** The pace of an account that a campaign has just been given: without an alarm until the campaign runs. */
export const initial = (
  campaign: { readonly id: CampaignId; readonly workspace: WorkspaceId },
  account: AccountId
): Pace => ({
  campaign: campaign.id,
  account,
  workspace: campaign.workspace,
  version: 0,
  paused: true,
  date: null,
  quota: 0,
  used: 0,
  slot: 0,
  from: null,
  usedBefore: 0,
  nextAt: null,
  deferredTo: null,
  rampDay: 0,
  rampDate: null,
  counts: noCounts,
  leftAt: null
})
