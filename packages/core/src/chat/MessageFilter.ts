/** Which messages of a workspace a list shows. What is left out does not matter; all that is given must hold. */
import { Schema } from "effect"
import * as Content from "../channel/Content.ts"
import { AccountId, CampaignId, ChatId } from "../workspace/Id.ts"
import { Instant } from "../workspace/Instant.ts"
import { Author, Message, MessageStatus } from "./Message.ts"
import * as SearchText from "./SearchText.ts"

export const MessageFilter = Schema.Struct({
  account: Schema.optional(AccountId),
  chat: Schema.optional(ChatId),
  direction: Schema.optional(Message.fields.direction),
  status: Schema.optional(MessageStatus),
  author: Schema.optional(Author.fields.type),
  /** The member, campaign or key that wrote it. */
  authorId: Schema.optional(Schema.String),
  campaign: Schema.optional(CampaignId),
  /** Made at that time or later. */
  since: Schema.optional(Instant),
  /** Made before that time. */
  until: Schema.optional(Instant),
  /** Words in what it says (`SearchText`). Only what people wrote is looked through, not what campaigns sent. */
  search: Schema.optional(Schema.String)
}).annotate({ identifier: "MessageFilter" })
export type MessageFilter = typeof MessageFilter.Type

/** Whether only messages can pass that no campaign sent. */
export const isTalk = (self: MessageFilter): boolean =>
  self.search !== undefined ||
  self.direction === "inbound" ||
  self.status === "received" ||
  (self.author !== undefined && self.author !== "campaign")

export const admits = (self: MessageFilter, message: Message): boolean =>
  (!isTalk(self) || message.lead === null) &&
  (self.account === undefined || message.account === self.account) &&
  (self.chat === undefined || message.chat === self.chat) &&
  (self.direction === undefined || message.direction === self.direction) &&
  (self.status === undefined || message.status === self.status) &&
  (self.author === undefined || message.author.type === self.author) &&
  (self.authorId === undefined || message.author.id === self.authorId) &&
  (self.campaign === undefined || message.campaign === self.campaign) &&
  (self.since === undefined || message.createdAt >= self.since) &&
  (self.until === undefined || message.createdAt < self.until) &&
  (self.search === undefined || SearchText.isIn(Content.words(message.content), self.search))
