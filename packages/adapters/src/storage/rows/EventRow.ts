/** Events, without their place in the feed. */
import type { Actor, DomainEvent, EventType } from "@overture/core/event/DomainEvent"
import type { EventId, WorkspaceId } from "@overture/core/workspace/Id"
import * as Columns from "./Columns.ts"

export const columns = {
  id: "id",
  workspace_id: "id",
  type: "text",
  at: "bigint",
  subject: "text",
  actor: "json",
  cause: "text",
  data: "json"
} as const satisfies Columns.Columns

export interface EventRow {
  readonly id: EventId
  readonly workspace_id: WorkspaceId
  readonly type: EventType
  readonly at: number
  readonly subject: string
  readonly actor: string
  readonly cause: string | null
  readonly data: string
}

export const decode = (row: EventRow): DomainEvent => ({
  id: row.id,
  workspace: row.workspace_id,
  type: row.type,
  at: row.at,
  subject: row.subject,
  actor: Columns.json<Actor>(row.actor),
  cause: row.cause,
  data: Columns.record<DomainEvent["data"]>(row.data)
})

export const encode = (self: DomainEvent): Columns.Written<typeof columns> => ({
  id: self.id,
  workspace_id: self.workspace,
  type: self.type,
  at: self.at,
  subject: self.subject,
  actor: self.actor,
  cause: self.cause,
  data: self.data
})
