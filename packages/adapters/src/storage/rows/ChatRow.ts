/**
 * Chats. Most are of people who never answer: what an opening does not write is null in them, and stays so until somebody
 * does something with the chat.
 */
import type { Chat, ChatProfile } from "@overture/core/chat/Chat"
import type { AccountId, ChatId, ContactId, MemberId, WorkspaceId } from "@overture/core/workspace/Id"
import * as Columns from "./Columns.ts"

/** What is written when a chat is opened. */
export const openedColumns = {
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
  created_at: "bigint"
} as const satisfies Columns.Columns

/** What people do with a chat. */
const tendedColumns = {
  read_at: "bigint",
  taken_over_at: "bigint",
  given_back_at: "bigint",
  opened_at: "bigint",
  closed_at: "bigint",
  responded_at: "bigint",
  booked_at: "bigint",
  assignee_id: "id",
  tags: "json",
  pinned_at: "bigint",
  archived_at: "bigint",
  deleted_at: "bigint",
  profile: "json",
  named_at: "bigint"
} as const satisfies Columns.Columns

export const columns = { ...openedColumns, ...tendedColumns } as const satisfies Columns.Columns

/** What a rule may change of a chat that exists. */
export const stateColumns = {
  ...Columns.pick(
    openedColumns,
    "id",
    "contact_id",
    "name",
    "last_at",
    "last_text",
    "last_direction",
    "last_inbound_at",
    "unread",
    "created_at"
  ),
  ...tendedColumns,
  tended: "int"
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
  readonly created_at: number
  readonly read_at: number | null
  readonly taken_over_at: number | null
  readonly given_back_at: number | null
  readonly opened_at: number | null
  readonly closed_at: number | null
  readonly responded_at: number | null
  readonly booked_at: number | null
  readonly assignee_id: MemberId | null
  readonly tags: string | null
  readonly pinned_at: number | null
  readonly archived_at: number | null
  readonly deleted_at: number | null
  readonly profile: string | null
  readonly named_at: number | null
}

export const decode = (row: ChatRow): Chat => ({
  id: row.id,
  workspace: row.workspace_id,
  number: row.number,
  account: row.account_id,
  address: row.address,
  contact: row.contact_id,
  name: row.name,
  namedAt: row.named_at,
  lastAt: row.last_at,
  lastText: row.last_text,
  lastDirection: row.last_direction,
  lastInboundAt: row.last_inbound_at,
  unread: row.unread,
  readAt: row.read_at,
  takenOverAt: row.taken_over_at,
  givenBackAt: row.given_back_at,
  openedAt: row.opened_at ?? row.created_at,
  closedAt: row.closed_at,
  respondedAt: row.responded_at,
  bookedAt: row.booked_at,
  assignee: row.assignee_id,
  tags: row.tags === null ? noTags : Columns.array(row.tags),
  pinnedAt: row.pinned_at,
  archivedAt: row.archived_at,
  deletedAt: row.deleted_at,
  profile: row.profile === null ? null : Columns.json<ChatProfile>(row.profile),
  createdAt: row.created_at
})

const noTags: ReadonlyArray<string> = []

/** Whether anybody answered or did something with it: by this the lists of an inbox pass by what campaigns opened. */
const isTended = (self: Chat): boolean =>
  self.respondedAt !== null ||
  self.bookedAt !== null ||
  self.assignee !== null ||
  self.closedAt !== null ||
  self.pinnedAt !== null ||
  self.archivedAt !== null ||
  self.tags.length > 0

export const encodeState = (self: Chat): Columns.Written<typeof stateColumns> => ({
  id: self.id,
  contact_id: self.contact,
  name: self.name,
  last_at: self.lastAt,
  last_text: self.lastText,
  last_direction: self.lastDirection,
  last_inbound_at: self.lastInboundAt,
  unread: self.unread,
  created_at: self.createdAt,
  read_at: self.readAt,
  taken_over_at: self.takenOverAt,
  given_back_at: self.givenBackAt,
  opened_at: self.openedAt === self.createdAt ? null : self.openedAt,
  closed_at: self.closedAt,
  responded_at: self.respondedAt,
  booked_at: self.bookedAt,
  assignee_id: self.assignee,
  tags: self.tags.length === 0 ? null : self.tags,
  pinned_at: self.pinnedAt,
  archived_at: self.archivedAt,
  deleted_at: self.deletedAt,
  profile: self.profile,
  named_at: self.namedAt,
  tended: isTended(self) ? 1 : null
})
