/** Which messages of a workspace a list shows. What is left out does not matter; all that is given must hold. */
import type { Content } from "../channel/Content.ts"
import type { AccountId, CampaignId, ChatId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Author, Message, MessageStatus } from "./Message.ts"
import * as SearchText from "./SearchText.ts"

export interface MessageFilter {
  readonly account?: AccountId | undefined
  readonly chat?: ChatId | undefined
  readonly direction?: Message["direction"] | undefined
  readonly status?: MessageStatus | undefined
  readonly author?: Author["type"] | undefined
  /** The member, campaign or key that wrote it. */
  readonly authorId?: string | undefined
  readonly campaign?: CampaignId | undefined
  /** Made at that time or later. */
  readonly since?: Instant | undefined
  /** Made before that time. */
  readonly until?: Instant | undefined
  /** Words in what it says (`SearchText`). Only what people wrote is looked through, not what campaigns sent. */
  readonly search?: string | undefined
}

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
  (self.search === undefined || SearchText.isIn(textOf(message.content), self.search))

/** The words of a content that are looked through. */
export const textOf = (content: Content): string =>
  content.type === "text" ? content.text : content.type === "media" ? (content.caption ?? "") : ""
