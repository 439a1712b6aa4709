/** What is known of a file. */
import type { Media } from "@overture/core/chat/Media"
import type * as Columns from "./Columns.ts"

export const columns = {
  id: "id",
  workspace_id: "id",
  kind: "text",
  status: "text",
  mime: "text",
  bytes: "bigint",
  sha256: "text",
  filename: "text",
  source: "text",
  url: "text",
  account_id: "id",
  message_id: "id",
  chat_id: "id",
  reason: "text",
  attempts: "int",
  due_at: "bigint",
  created_at: "bigint",
  expires_at: "bigint",
  used: "boolean"
} as const satisfies Columns.Columns

export interface MediaRow {
  readonly id: Media["id"]
  readonly workspace_id: Media["workspace"]
  readonly kind: Media["kind"]
  readonly status: Media["status"]
  readonly mime: string | null
  readonly bytes: number | null
  readonly sha256: string | null
  readonly filename: string | null
  readonly source: Media["source"]
  readonly url: string | null
  readonly account_id: Media["account"]
  readonly message_id: Media["message"]
  readonly chat_id: Media["chat"]
  readonly reason: string | null
  readonly attempts: number
  readonly due_at: number | null
  readonly created_at: number
  readonly expires_at: number | null
  readonly used: number
}

export const decode = (row: MediaRow): Media => ({
  id: row.id,
  workspace: row.workspace_id,
  kind: row.kind,
  status: row.status,
  mime: row.mime,
  bytes: row.bytes,
  sha256: row.sha256,
  filename: row.filename,
  source: row.source,
  url: row.url,
  account: row.account_id,
  message: row.message_id,
  chat: row.chat_id,
  reason: row.reason,
  attempts: row.attempts,
  dueAt: row.due_at,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  used: row.used !== 0
})

export const encode = (self: Media): Columns.Written<typeof columns> => ({
  id: self.id,
  workspace_id: self.workspace,
  kind: self.kind,
  status: self.status,
  mime: self.mime,
  bytes: self.bytes,
  sha256: self.sha256,
  filename: self.filename,
  source: self.source,
  url: self.url,
  account_id: self.account,
  message_id: self.message,
  chat_id: self.chat,
  reason: self.reason,
  attempts: self.attempts,
  due_at: self.dueAt,
  created_at: self.createdAt,
  expires_at: self.expiresAt,
  used: self.used
})
