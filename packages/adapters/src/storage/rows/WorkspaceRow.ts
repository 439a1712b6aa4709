/** Workspaces, with what of today's plan they have used. */
import type { DayUse } from "@overture/core/workspace/Budget"
import type { WorkspaceId } from "@overture/core/workspace/Id"
import type { Metadata } from "@overture/core/workspace/Json"
import type { LocalDate } from "@overture/core/workspace/LocalDate"
import type { Retention } from "@overture/core/workspace/Retention"
import type { Workspace } from "@overture/core/workspace/Workspace"
import type { WorkspaceState } from "@overture/core/workspace/WorkspaceStore"
import * as Columns from "./Columns.ts"

/** Without `use_day` and `use_count`, which only budgets write. */
export const columns = {
  id: "id",
  name: "text",
  timezone: "text",
  paused: "boolean",
  daily_cap: "int",
  opt_out_scope: "text",
  opt_out_reply: "text",
  assignment: "text",
  created_at: "bigint",
  metadata: "json",
  retention: "json"
} as const satisfies Columns.Columns

/** What `state` reads. */
export const stateColumns = { ...columns, use_day: "text", use_count: "int" } as const satisfies Columns.Columns

export interface WorkspaceRow {
  readonly id: WorkspaceId
  readonly name: string
  readonly timezone: string
  readonly paused: number
  readonly daily_cap: number | null
  readonly opt_out_scope: Workspace["optOutScope"]
  readonly opt_out_reply: string | null
  readonly assignment: Workspace["assignment"] | null
  readonly created_at: number
  readonly metadata: string
  readonly retention: string | null
}

export interface UseRow {
  readonly use_day: LocalDate | null
  readonly use_count: number
}

export const decode = (row: WorkspaceRow): Workspace => ({
  id: row.id,
  name: row.name,
  timezone: row.timezone,
  paused: row.paused !== 0,
  dailyCap: row.daily_cap,
  optOutScope: row.opt_out_scope,
  ...(row.opt_out_reply !== null && { optOutReply: row.opt_out_reply }),
  ...(row.assignment !== null && row.assignment !== undefined && { assignment: row.assignment }),
  createdAt: row.created_at,
  metadata: Columns.record<Metadata>(row.metadata),
  ...(row.retention !== null && { retention: Columns.record<Retention>(row.retention) })
})

/** The day a budget counts, of a workspace or an account. */
export const use = (row: UseRow): DayUse => ({ day: row.use_day, used: row.use_count })

export const state = (row: WorkspaceRow & UseRow): WorkspaceState => ({ workspace: decode(row), use: use(row) })

export const encode = (self: Workspace): Columns.Written<typeof columns> => ({
  id: self.id,
  name: self.name,
  timezone: self.timezone,
  paused: self.paused,
  daily_cap: self.dailyCap,
  opt_out_scope: self.optOutScope,
  opt_out_reply: self.optOutReply ?? null,
  assignment: self.assignment ?? null,
  created_at: self.createdAt,
  metadata: self.metadata,
  retention: self.retention ?? null
})
