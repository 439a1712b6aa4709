/** Paces, and the counts that paces and campaigns both keep. */
import type { Pace, PaceCounts } from "@overture/core/campaign/Pace"
import type { AccountId, CampaignId, WorkspaceId } from "@overture/core/workspace/Id"
import type { LocalDate } from "@overture/core/workspace/LocalDate"
import * as Columns from "./Columns.ts"

export const countColumns = {
  sent: "int",
  partial: "int",
  failed: "int",
  skipped: "int",
  touched: "int",
  replied: "int"
} as const satisfies Columns.Columns

export const columns = {
  campaign_id: "id",
  account_id: "id",
  workspace_id: "id",
  version: "int",
  paused: "boolean",
  date: "text",
  quota: "int",
  used: "int",
  slot: "int",
  from_at: "bigint",
  used_before: "int",
  next_at: "bigint",
  deferred_to: "bigint",
  ramp_day: "int",
  ramp_date: "text",
  left_at: "bigint",
  ...countColumns
} as const satisfies Columns.Columns

/** What a claim writes of a pace whose counts it leaves alone; never the ramp. */
export const stateColumns = Columns.pick(
  columns,
  "campaign_id",
  "account_id",
  "version",
  "paused",
  "date",
  "quota",
  "used",
  "slot",
  "from_at",
  "used_before",
  "next_at",
  "deferred_to"
)

export interface PaceRow extends PaceCounts {
  readonly campaign_id: CampaignId
  readonly account_id: AccountId
  readonly workspace_id: WorkspaceId
  readonly version: number
  readonly paused: number
  readonly date: LocalDate | null
  readonly quota: number
  readonly used: number
  readonly slot: number
  readonly from_at: number | null
  readonly used_before: number
  readonly next_at: number | null
  readonly deferred_to: number | null
  readonly ramp_day: number
  readonly ramp_date: LocalDate | null
  readonly left_at: number | null
}

export const counts = (row: PaceCounts): PaceCounts => ({
  sent: row.sent,
  partial: row.partial,
  failed: row.failed,
  skipped: row.skipped,
  touched: row.touched,
  replied: row.replied
})

export const decode = (row: PaceRow): Pace => ({
  campaign: row.campaign_id,
  account: row.account_id,
  workspace: row.workspace_id,
  version: row.version,
  paused: row.paused !== 0,
  date: row.date,
  quota: row.quota,
  used: row.used,
  slot: row.slot,
  from: row.from_at,
  usedBefore: row.used_before,
  nextAt: row.next_at,
  deferredTo: row.deferred_to,
  rampDay: row.ramp_day,
  rampDate: row.ramp_date,
  counts: counts(row),
  leftAt: row.left_at
})

export const encode = (self: Pace): Columns.Written<typeof columns> => ({
  ...encodeState(self),
  workspace_id: self.workspace,
  ramp_day: self.rampDay,
  ramp_date: self.rampDate,
  left_at: self.leftAt,
  ...self.counts
})

export const encodeState = (self: Pace): Columns.Written<typeof stateColumns> => ({
  campaign_id: self.campaign,
  account_id: self.account,
  version: self.version,
  paused: self.paused,
  date: self.date,
  quota: self.quota,
  used: self.used,
  slot: self.slot,
  from_at: self.from,
  used_before: self.usedBefore,
  next_at: self.nextAt,
  deferred_to: self.deferredTo
})
