/** Messages. Written whole: every change of one comes from a rule that answers the whole message. */
import type { Content } from "@overture/core/channel/Content"
import type { Author, Message, MessageStatus, Reservation } from "@overture/core/chat/Message"
import type { MessageDetails } from "@overture/core/chat/MessageDetails"
import type {
  AccountId,
  CampaignId,
  ChatId,
  ClaimId,
  ContactId,
  LeadId,
  MessageId,
  StepId,
  WorkspaceId
} from "@overture/core/workspace/Id"
import type { Metadata } from "@overture/core/workspace/Json"
import * as Columns from "./Columns.ts"

export const columns = {
  id: "id",
  workspace_id: "id",
  account_id: "id",
  chat_id: "id",
  contact_id: "id",
  address: "text",
  direction: "text",
  author_type: "text",
  author_id: "text",
  campaign_id: "id",
  campaign_version: "int",
  lead_id: "id",
  step_id: "id",
  part: "int",
  parts: "int",
  content: "json",
  status: "text",
  reason: "text",
  error_code: "text",
  error_detail: "text",
  attempts: "int",
  tries: "int",
  external_id: "text",
  reply_to: "text",
  not_before: "bigint",
  due_at: "bigint",
  claim_id: "id",
  stop: "text",
  reserved: "json",
  created_at: "bigint",
  begun_at: "bigint",
  sent_at: "bigint",
  delivered_at: "bigint",
  read_at: "bigint",
  failed_at: "bigint",
  external_ref: "text",
  metadata: "json",
  details: "json"
} as const satisfies Columns.Columns

/** What a rule may change of a message that exists: the rest is fixed by its first insert. */
export const stateColumns = Columns.pick(
  columns,
  "id",
  "contact_id",
  "content",
  "status",
  "reason",
  "error_code",
  "error_detail",
  "attempts",
  "tries",
  "external_id",
  "not_before",
  "due_at",
  "claim_id",
  "stop",
  "reserved",
  "begun_at",
  "sent_at",
  "delivered_at",
  "read_at",
  "failed_at",
  "metadata",
  "details"
)

export interface MessageRow {
  readonly id: MessageId
  readonly workspace_id: WorkspaceId
  readonly account_id: AccountId
  readonly chat_id: ChatId
  readonly contact_id: ContactId | null
  readonly address: string
  readonly direction: Message["direction"]
  readonly author_type: Author["type"]
  readonly author_id: string | null
  readonly campaign_id: CampaignId | null
  readonly campaign_version: number | null
  readonly lead_id: LeadId | null
  readonly step_id: StepId | null
  readonly part: number
  readonly parts: number
  readonly content: string
  readonly status: MessageStatus
  readonly reason: string | null
  readonly error_code: string | null
  readonly error_detail: string | null
  readonly attempts: number
  readonly tries: number
  readonly external_id: string | null
  readonly reply_to: string | null
  readonly not_before: number | null
  readonly due_at: number | null
  readonly claim_id: ClaimId | null
  readonly stop: string | null
  readonly reserved: string | null
  readonly created_at: number
  readonly begun_at: number | null
  readonly sent_at: number | null
  readonly delivered_at: number | null
  readonly read_at: number | null
  readonly failed_at: number | null
  readonly external_ref: string | null
  readonly metadata: string
  readonly details: string | null
}

export const decode = (row: MessageRow): Message => ({
  id: row.id,
  workspace: row.workspace_id,
  account: row.account_id,
  chat: row.chat_id,
  contact: row.contact_id,
  address: row.address,
  direction: row.direction,
  author: { type: row.author_type, id: row.author_id },
  campaign: row.campaign_id,
  campaignVersion: row.campaign_version,
  lead: row.lead_id,
  step: row.step_id,
  part: row.part,
  parts: row.parts,
  content: Columns.json<Content>(row.content),
  status: row.status,
  reason: row.reason,
  errorCode: row.error_code,
  errorDetail: row.error_detail,
  attempts: row.attempts,
  tries: row.tries,
  externalId: row.external_id,
  replyTo: row.reply_to,
  notBefore: row.not_before,
  dueAt: row.due_at,
  claim: row.claim_id,
  stop: row.stop,
  reserved: row.reserved === null ? null : Columns.json<Reservation>(row.reserved),
  createdAt: row.created_at,
  begunAt: row.begun_at,
  sentAt: row.sent_at,
  deliveredAt: row.delivered_at,
  readAt: row.read_at,
  failedAt: row.failed_at,
  externalRef: row.external_ref,
  metadata: Columns.record<Metadata>(row.metadata),
  details: row.details === null ? null : Columns.json<MessageDetails>(row.details)
})

export const encode = (self: Message): Columns.Written<typeof columns> => ({
  ...encodeState(self),
  workspace_id: self.workspace,
  account_id: self.account,
  chat_id: self.chat,
  address: self.address,
  direction: self.direction,
  author_type: self.author.type,
  author_id: self.author.id,
  campaign_id: self.campaign,
  campaign_version: self.campaignVersion,
  lead_id: self.lead,
  step_id: self.step,
  part: self.part,
  parts: self.parts,
  reply_to: self.replyTo,
  created_at: self.createdAt,
  external_ref: self.externalRef
})

export const encodeState = (self: Message): Columns.Written<typeof stateColumns> => ({
  id: self.id,
  contact_id: self.contact,
  content: self.content,
  status: self.status,
  reason: self.reason,
  error_code: self.errorCode,
  error_detail: self.errorDetail,
  attempts: self.attempts,
  tries: self.tries,
  external_id: self.externalId,
  not_before: self.notBefore,
  due_at: self.dueAt,
  claim_id: self.claim,
  stop: self.stop,
  reserved: self.reserved,
  begun_at: self.begunAt,
  sent_at: self.sentAt,
  delivered_at: self.deliveredAt,
  read_at: self.readAt,
  failed_at: self.failedAt,
  metadata: self.metadata,
  details: self.details
})
