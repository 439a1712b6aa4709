/** Account groups, with what of today's cap their accounts have used. */
import type { AccountGroup, AccountGroupState } from "@overture/core/account/AccountGroup"
import type { AccountGroupId, WorkspaceId } from "@overture/core/workspace/Id"
import type { Metadata } from "@overture/core/workspace/Json"
import * as Columns from "./Columns.ts"
import { use, type UseRow } from "./WorkspaceRow.ts"

/** Without `use_day` and `use_count`, which only budgets write. */
export const columns = {
  id: "id",
  workspace_id: "id",
  name: "text",
  daily_cap: "int",
  timezone: "text",
  metadata: "json",
  created_at: "bigint"
} as const satisfies Columns.Columns

/** What `state` reads. */
export const stateColumns = { ...columns, use_day: "text", use_count: "int" } as const satisfies Columns.Columns

export interface AccountGroupRow {
  readonly id: AccountGroupId
  readonly workspace_id: WorkspaceId
  readonly name: string
  readonly daily_cap: number | null
  readonly timezone: string | null
  readonly metadata: string
  readonly created_at: number
}

export interface AccountGroupStateRow extends AccountGroupRow, UseRow {}

export const decode = (row: AccountGroupRow): AccountGroup => ({
  id: row.id,
  workspace: row.workspace_id,
  name: row.name,
  dailyCap: row.daily_cap,
  timezone: row.timezone,
  metadata: Columns.record<Metadata>(row.metadata),
  createdAt: row.created_at
})

export const state = (row: AccountGroupStateRow): AccountGroupState => ({ group: decode(row), use: use(row) })

export const encode = (self: AccountGroup): Columns.Written<typeof columns> => ({
  id: self.id,
  workspace_id: self.workspace,
  name: self.name,
  daily_cap: self.dailyCap,
  timezone: self.timezone,
  metadata: self.metadata,
  created_at: self.createdAt
})
