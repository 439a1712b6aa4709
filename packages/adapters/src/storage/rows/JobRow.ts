/** Jobs, without the lease of whoever runs them. */
import type { Actor } from "@overture/core/event/DomainEvent"
import type { Job } from "@overture/core/job/Job"
import type { JobId, WorkspaceId } from "@overture/core/workspace/Id"
import type { Schema } from "effect"
import * as Columns from "./Columns.ts"

/** Without `claim_id` and `until`, which are written beside it. */
export const columns = {
  id: "id",
  workspace_id: "id",
  kind: "text",
  key: "text",
  subject: "id",
  input: "json",
  status: "text",
  done: "bigint",
  total: "bigint",
  note: "text",
  checkpoint: "json",
  result: "json",
  error: "text",
  cancel_requested: "boolean",
  actor: "json",
  attempts: "int",
  created_at: "bigint",
  started_at: "bigint",
  finished_at: "bigint"
} as const satisfies Columns.Columns

export interface JobRow {
  readonly id: JobId
  readonly workspace_id: WorkspaceId
  readonly kind: string
  readonly key: string | null
  readonly subject: string | null
  readonly input: string | null
  readonly status: Job["status"]
  readonly done: number
  readonly total: number | null
  readonly note: string
  readonly checkpoint: string | null
  readonly result: string | null
  readonly error: string | null
  readonly cancel_requested: number
  readonly actor: string
  readonly attempts: number
  readonly created_at: number
  readonly started_at: number | null
  readonly finished_at: number | null
}

const json = (text: string | null): Schema.Json => (text === null ? null : Columns.json<Schema.Json>(text))

export const decode = (row: JobRow): Job => ({
  id: row.id,
  workspace: row.workspace_id,
  kind: row.kind,
  key: row.key,
  subject: row.subject,
  input: json(row.input),
  status: row.status,
  progress: { done: row.done, total: row.total, note: row.note },
  checkpoint: json(row.checkpoint),
  result: json(row.result),
  error: row.error,
  cancelRequested: row.cancel_requested !== 0,
  actor: Columns.json<Actor>(row.actor),
  attempts: row.attempts,
  createdAt: row.created_at,
  startedAt: row.started_at,
  finishedAt: row.finished_at
})

export const encode = (self: Job): Columns.Written<typeof columns> => ({
  id: self.id,
  workspace_id: self.workspace,
  kind: self.kind,
  key: self.key,
  subject: self.subject,
  input: self.input,
  status: self.status,
  done: self.progress.done,
  total: self.progress.total,
  note: self.progress.note,
  checkpoint: self.checkpoint,
  result: self.result,
  error: self.error,
  cancel_requested: self.cancelRequested,
  actor: self.actor,
  attempts: self.attempts,
  created_at: self.createdAt,
  started_at: self.startedAt,
  finished_at: self.finishedAt
})
