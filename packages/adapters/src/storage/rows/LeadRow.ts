/**
 * Leads. A claim sets `claim_id` and leaves `status` alone (`Lead.shown` tells): it is in no index, so that the update
 * stays inside its page. `follow_up` is kept beside the status as the order of the due index.
 */
import {
  isFollowUp,
  type Lead,
  type LeadEnded,
  type LeadStatus,
  type LeadTold,
  type Touch
} from "@overture/core/campaign/Lead"
import type {
  AccountId,
  CampaignId,
  ClaimId,
  ContactId,
  LeadId,
  StepId,
  WorkspaceId
} from "@overture/core/workspace/Id"
import type { Metadata } from "@overture/core/workspace/Json"
import * as Columns from "./Columns.ts"

/** Leads `l` between two parts of a touch, in the words of the partial index `lead_parts`. */
export const isBetweenParts =
  "(l.status = 'sending' or (l.follow_up = 1 and l.step_id is not null and l.due_at is null))"

export const columns = {
  id: "id",
  workspace_id: "id",
  campaign_id: "id",
  account_id: "id",
  contact_id: "id",
  reach: "text",
  wanted_id: "id",
  address: "text",
  status: "text",
  reason: "text",
  ended: "text",
  step_id: "id",
  due_at: "bigint",
  priority: "int",
  position: "int",
  attempts: "int",
  claim_id: "id",
  stop: "text",
  touches: "json",
  first_sent_at: "bigint",
  last_sent_at: "bigint",
  replied_at: "bigint",
  booked_at: "bigint",
  told: "json",
  external_ref: "text",
  metadata: "json",
  created_at: "bigint",
  follow_up: "int"
} as const satisfies Columns.Columns

/** What a rule may change of a lead that exists. */
export const stateColumns = Columns.pick(
  columns,
  "id",
  "account_id",
  "reach",
  "wanted_id",
  "address",
  "status",
  "reason",
  "ended",
  "step_id",
  "due_at",
  "priority",
  "attempts",
  "claim_id",
  "stop",
  "touches",
  "first_sent_at",
  "last_sent_at",
  "replied_at",
  "booked_at",
  "told",
  "metadata",
  "follow_up"
)

export interface LeadRow {
  readonly id: LeadId
  readonly workspace_id: WorkspaceId
  readonly campaign_id: CampaignId
  readonly account_id: AccountId | null
  readonly contact_id: ContactId
  readonly reach: string
  /** Empty = none, so that it can be asked for in an index. */
  readonly wanted_id: AccountId | ""
  readonly address: string
  readonly status: LeadStatus
  readonly reason: string | null
  readonly ended: LeadEnded | null
  readonly step_id: StepId | null
  readonly due_at: number | null
  readonly priority: number
  readonly position: number
  readonly attempts: number
  readonly claim_id: ClaimId | null
  readonly stop: LeadEnded | null
  readonly touches: string
  readonly first_sent_at: number | null
  readonly last_sent_at: number | null
  readonly replied_at: number | null
  readonly booked_at: number | null
  readonly told: string | null
  readonly external_ref: string | null
  readonly metadata: string
  readonly created_at: number
}

export const decode = (row: LeadRow): Lead => ({
  id: row.id,
  workspace: row.workspace_id,
  campaign: row.campaign_id,
  account: row.account_id,
  contact: row.contact_id,
  reach: row.reach,
  wanted: row.wanted_id === "" ? null : row.wanted_id,
  address: row.address,
  status: row.status,
  reason: row.reason,
  ended: row.ended,
  step: row.step_id,
  dueAt: row.due_at,
  priority: row.priority,
  position: row.position,
  attempts: row.attempts,
  claim: row.claim_id,
  stop: row.stop,
  touches: Columns.array<Touch>(row.touches),
  firstSentAt: row.first_sent_at,
  lastSentAt: row.last_sent_at,
  repliedAt: row.replied_at,
  bookedAt: row.booked_at,
  told: row.told === null ? null : Columns.json<LeadTold>(row.told),
  externalRef: row.external_ref,
  metadata: Columns.record<Metadata>(row.metadata),
  createdAt: row.created_at
})

export const encode = (self: Lead): Columns.Written<typeof columns> => ({
  ...encodeState(self),
  workspace_id: self.workspace,
  campaign_id: self.campaign,
  contact_id: self.contact,
  position: self.position,
  external_ref: self.externalRef,
  created_at: self.createdAt
})

export const encodeState = (self: Lead): Columns.Written<typeof stateColumns> => ({
  id: self.id,
  account_id: self.account,
  reach: self.reach,
  wanted_id: self.wanted ?? "",
  address: self.address,
  status: self.status,
  reason: self.reason,
  ended: self.ended,
  step_id: self.step,
  due_at: self.dueAt,
  priority: self.priority,
  attempts: self.attempts,
  claim_id: self.claim,
  stop: self.stop,
  touches: self.touches,
  first_sent_at: self.firstSentAt,
  last_sent_at: self.lastSentAt,
  replied_at: self.repliedAt,
  booked_at: self.bookedAt,
  told: self.told,
  metadata: self.metadata,
  follow_up: isFollowUp(self) ? 1 : 0
})
