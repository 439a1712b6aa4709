/** Members, without `last_turn`, which only turns write. */
import type { Member } from "@overture/core/workspace/Member"
import type { MemberId, WorkspaceId } from "@overture/core/workspace/Id"
import type * as Columns from "./Columns.ts"

export const columns = {
  id: "id",
  workspace_id: "id",
  name: "text",
  email: "text",
  role: "text",
  status: "text",
  external_ref: "text",
  created_at: "bigint"
} as const satisfies Columns.Columns

export interface MemberRow {
  readonly id: MemberId
  readonly workspace_id: WorkspaceId
  readonly name: string
  readonly email: string | null
  readonly role: Member["role"]
  readonly status: Member["status"]
  readonly external_ref: string | null
  readonly created_at: number
}

export const decode = (row: MemberRow): Member => ({
  id: row.id,
  workspace: row.workspace_id,
  name: row.name,
  email: row.email,
  role: row.role,
  status: row.status,
  externalRef: row.external_ref,
  createdAt: row.created_at
})

export const encode = (self: Member): Columns.Written<typeof columns> => ({
  id: self.id,
  workspace_id: self.workspace,
  name: self.name,
  email: self.email,
  role: self.role,
  status: self.status,
  external_ref: self.externalRef,
  created_at: self.createdAt
})
