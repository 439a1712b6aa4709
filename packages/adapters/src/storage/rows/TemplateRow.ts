/** Saved contents. */
import type { Content } from "@overture/core/channel/Content"
import type { Template } from "@overture/core/chat/Template"
import type { TemplateId, WorkspaceId } from "@overture/core/workspace/Id"
import * as Columns from "./Columns.ts"

export const columns = {
  id: "id",
  workspace_id: "id",
  name: "text",
  content: "json",
  created_at: "bigint",
  changed_at: "bigint"
} as const satisfies Columns.Columns

export interface TemplateRow {
  readonly id: TemplateId
  readonly workspace_id: WorkspaceId
  readonly name: string | null
  readonly content: string
  readonly created_at: number
  readonly changed_at: number
}

export const decode = (row: TemplateRow): Template => ({
  id: row.id,
  workspace: row.workspace_id,
  name: row.name,
  content: Columns.json<Content>(row.content),
  createdAt: row.created_at,
  changedAt: row.changed_at
})

export const encode = (self: Template): Columns.Written<typeof columns> => ({
  id: self.id,
  workspace_id: self.workspace,
  name: self.name,
  content: self.content,
  created_at: self.createdAt,
  changed_at: self.changedAt
})
