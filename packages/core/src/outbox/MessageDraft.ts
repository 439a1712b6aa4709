/** A message as a member or the API asks for it, and why it cannot be sent: told before anything is queued. Pure. */
import { Schema } from "effect"
import * as Capability from "../channel/Capability.ts"
import type { Channel } from "../channel/Channel.ts"
import type { Content } from "../channel/Content.ts"
import type { Chat } from "../chat/Chat.ts"
import * as FirstWord from "../chat/FirstWord.ts"
import type { Party } from "../chat/Party.ts"
import * as ReplyWindow from "../chat/ReplyWindow.ts"
import type { Contact } from "../contact/Contact.ts"
import { isTombstone, type Suppression } from "../contact/Suppression.ts"
import type { MemberId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Metadata } from "../workspace/Json.ts"

export interface MessageDraft {
  readonly to: Party
  readonly content: Content
  /** The message that it answers, by our id or the platform's. */
  readonly replyTo?: string | undefined
  /** The platform's id of a comment by that person, which it answers in private: once for each comment, for ever. */
  readonly comment?: string | undefined
  readonly notBefore?: Instant | undefined
  readonly author:
    | { readonly type: "member"; readonly id: MemberId }
    | { readonly type: "api"; readonly id: string | null }
  /** Whether a message of the API takes the chat over, as a member's always does. */
  readonly takeOver?: boolean | undefined
  readonly externalRef?: string | undefined
  readonly metadata?: Metadata | undefined
}

/** A message that cannot be sent: which field of the draft is to blame, and why. */
export class SendRefused extends Schema.TaggedError<SendRefused>()("SendRefused", {
  field: Schema.Literals(["to", "content", "replyTo", "comment", "author"]),
  /** As of a skipped touch where there is one: `suppressed`, `policy`, `noConsent`, `replyWindowClosed`, `unsupported` … */
  reason: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.field}: ${this.detail}`
  }
}

/** What decides about a draft; `at` is when it would go out. */
export interface DraftContext {
  readonly channel: Channel
  readonly chat: Pick<Chat, "lastInboundAt"> | null
  readonly contact: Contact | null
  /** Of the person's address, for everyone or for this account. */
  readonly suppressions: ReadonlyArray<Suppression>
  readonly at: Instant
}

const windowOf = ({ author }: MessageDraft, { at, channel, chat }: DraftContext): ReplyWindow.ReplyWindow =>
  ReplyWindow.of(channel.policy, author.type === "member" ? "human" : "automated", chat, at)

/** Whether the person asked for no more, and a member answers what they wrote all the same. */
export const isDespiteOptOut = (draft: MessageDraft, context: DraftContext): boolean =>
  context.suppressions.length > 0 && draft.author.type === "member" && windowOf(draft, context).open

/** Why it cannot be sent; null where only the gates of the queue may still say so. */
export const refusal = (draft: MessageDraft, context: DraftContext): SendRefused | null => {
  const { channel, chat, contact, suppressions } = context
  const { capabilities, name } = channel
  const refuse = (field: SendRefused["field"], reason: string, detail: string) =>
    new SendRefused({ field, reason, detail })
  if (draft.takeOver === true && draft.author.type === "member") {
    return refuse("author", "unsupported", "a member's message takes the chat over without being asked to")
  }
  if (draft.comment !== undefined && capabilities.privateReplies !== true) {
    return refuse("comment", "unsupported", `${name} has no private replies`)
  }
  if (draft.replyTo !== undefined && !capabilities.replies) {
    return refuse("replyTo", "unsupported", `a message of ${name} cannot answer another`)
  }
  const unsupported = Capability.refusal(capabilities, draft.content)
  if (unsupported !== null) return refuse("content", "unsupported", unsupported)
  const isErased = suppressions.some(({ address }) => isTombstone(address))
  if (suppressions.length > 0 && (isErased || !isDespiteOptOut(draft, context))) {
    return refuse("to", "suppressed", "the person must not be written to")
  }
  if (draft.comment !== undefined) return null
  const unasked = chat === null || chat.lastInboundAt === null ? FirstWord.refused(channel, contact, context.at) : null
  if (unasked === "policy") return refuse("to", unasked, `on ${name} the person has to write first`)
  if (unasked === "noConsent") return refuse("to", unasked, `on ${name} the person has to consent first`)
  return ReplyWindow.permits(windowOf(draft, context), [draft.content])
    ? null
    : refuse(
        "content",
        "replyWindowClosed",
        `the reply window of the chat is closed${
          capabilities.approvedTemplates ? "; an approved template may be sent" : ""
        }`
      )
}
