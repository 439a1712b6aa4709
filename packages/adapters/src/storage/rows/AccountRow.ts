/** Accounts, with what a claim counts in their row. */
import type { Account, AccountLimits, AccountState, AttentionReason } from "@overture/core/account/Account"
import type { AccountAccess } from "@overture/core/account/AccountAccess"
import type { AccountGroupId, AccountId, WorkspaceId } from "@overture/core/workspace/Id"
import type { Metadata } from "@overture/core/workspace/Json"
import * as Columns from "./Columns.ts"
import { use, type UseRow } from "./WorkspaceRow.ts"

/** Without what claims and pollers write beside it: `use_day`, `use_count`, `last_touch_at`, `poll_cursor`. */
export const columns = {
  id: "id",
  workspace_id: "id",
  channel: "text",
  external_id: "text",
  name: "text",
  group_id: "id",
  enabled: "boolean",
  banned: "boolean",
  attention: "json",
  resting_until: "bigint",
  rested_ms: "bigint",
  failures_in_row: "int",
  daily_cap: "int",
  min_gap_ms: "bigint",
  timezone: "text",
  external_ref: "text",
  metadata: "json",
  limits: "json",
  access: "json",
  created_at: "bigint",
  removed_at: "bigint"
} as const satisfies Columns.Columns

/** What `state` reads. */
export const stateColumns = {
  ...columns,
  use_day: "text",
  use_count: "int",
  last_touch_at: "bigint"
} as const satisfies Columns.Columns

export interface AccountRow {
  readonly id: AccountId
  readonly workspace_id: WorkspaceId
  readonly channel: string
  readonly external_id: string
  readonly name: string
  readonly group_id: AccountGroupId | null
  readonly enabled: number
  readonly banned: number
  readonly attention: string
  readonly resting_until: number | null
  readonly rested_ms: number
  readonly failures_in_row: number
  readonly daily_cap: number | null
  readonly min_gap_ms: number
  readonly timezone: string | null
  readonly external_ref: string | null
  readonly metadata: string
  readonly limits: string | null
  readonly access: string | null
  readonly created_at: number
  readonly removed_at: number | null
}

export interface AccountStateRow extends AccountRow, UseRow {
  readonly last_touch_at: number | null
}

export const decode = (row: AccountRow): Account => ({
  id: row.id,
  workspace: row.workspace_id,
  channel: row.channel,
  externalId: row.external_id,
  name: row.name,
  group: row.group_id,
  enabled: row.enabled !== 0,
  banned: row.banned !== 0,
  attention: Columns.array<AttentionReason>(row.attention),
  restingUntil: row.resting_until,
  restedMs: row.rested_ms,
  failuresInRow: row.failures_in_row,
  dailyCap: row.daily_cap,
  minGapMs: row.min_gap_ms,
  timezone: row.timezone,
  externalRef: row.external_ref,
  metadata: Columns.record<Metadata>(row.metadata),
  ...(row.limits !== null && { limits: Columns.record<AccountLimits>(row.limits) }),
  ...(row.access !== null && { access: Columns.record<AccountAccess>(row.access) }),
  createdAt: row.created_at,
  ...(row.removed_at !== null && { removedAt: row.removed_at })
})

export const state = (row: AccountStateRow): AccountState => ({
  account: decode(row),
  use: use(row),
  lastTouchAt: row.last_touch_at
})

export const encode = (self: Account): Columns.Written<typeof columns> => ({
  id: self.id,
  workspace_id: self.workspace,
  channel: self.channel,
  external_id: self.externalId,
  name: self.name,
  group_id: self.group,
  enabled: self.enabled,
  banned: self.banned,
  attention: self.attention,
  resting_until: self.restingUntil,
  rested_ms: self.restedMs,
  failures_in_row: self.failuresInRow,
  daily_cap: self.dailyCap,
  min_gap_ms: self.minGapMs,
  timezone: self.timezone,
  external_ref: self.externalRef,
  metadata: self.metadata,
  limits: self.limits ?? null,
  access: self.access ?? null,
  created_at: self.createdAt,
  removed_at: self.removedAt ?? null
})
