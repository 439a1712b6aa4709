/** Chats. */
import type { Chat } from "@overture/core/chat/Chat"
import type { AccountId, ChatId, ContactId, WorkspaceId } from "@overture/core/workspace/Id"
import type * as Columns from "./Columns.ts"

export const columns = {
  id: "id",
  workspace_id: "id",
  number: "int",
  account_id: "id",
  address: "text",
  contact_id: "id",
  name: "text",
  last_at: "bigint",
  last_text: "text",
  last_direction: "text",
  last_inbound_at: "bigint",
  unread: "int",
  taken_over_at: "bigint",
  closed_at: "bigint",
  created_at: "bigint"
} as const satisfies Columns.Columns

export interface ChatRow {
  readonly id: ChatId
  readonly workspace_id: WorkspaceId
  readonly number: number
  readonly account_id: AccountId
  readonly address: string
  readonly contact_id: ContactId | null
  readonly name: string
  readonly last_at: number
  readonly last_text: string
  readonly last_direction: Chat["lastDirection"]
  readonly last_inbound_at: number | null
  readonly unread: number
  readonly taken_over_at: number | null
  readonly closed_at: number | null
  readonly created_at: number
}

export const decode = (row: ChatRow): Chat => ({
  id: row.id,
  workspace: row.workspace_id,
  number: row.number,
  account: row.account_id,
  address: row.address,
  contact: row.contact_id,
  name: row.name,
  lastAt: row.last_at,
  lastText: row.last_text,
  lastDirection: row.last_direction,
  lastInboundAt: row.last_inbound_at,
  unread: row.unread,
  takenOverAt: row.taken_over_at,
  closedAt: row.closed_at,
  createdAt: row.created_at
})
