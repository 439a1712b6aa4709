/** A message as a member or the API asks for it, and why it cannot be sent: told before anything is queued. Pure. */
import { Result, Schema } from "effect"
import * as Capability from "../channel/Capability.ts"
import type { Channel } from "../channel/Channel.ts"
import { Content } from "../channel/Content.ts"
import type { Chat } from "../chat/Chat.ts"
import * as FirstWord from "../chat/FirstWord.ts"
import { Party } from "../chat/Party.ts"
import * as ReplyWindow from "../chat/ReplyWindow.ts"
import type { Contact } from "../contact/Contact.ts"
import { isTombstone, type Suppression } from "../contact/Suppression.ts"
import { MemberId } from "../workspace/Id.ts"
import { Instant } from "../workspace/Instant.ts"
import { Metadata } from "../workspace/Json.ts"
import * as Problem from "../workspace/Problem.ts"

const Words = Content.check(
  Schema.makeFilter(
    (content) =>
      content.type !== "text" ||
      content.text.trim() !== "" || { path: ["text"], issue: "expected words, got only space" }
  )
)

const name = Schema.optional(Schema.NonEmptyString)

export const MessageDraft = Schema.Struct({
  to: Party,
  content: Words,
  /** The message that it answers, by our id or the platform's. */
  replyTo: name,
  /** The platform's id of a comment by that person, which it answers in private: once for each comment, for ever. */
  comment: name,
  notBefore: Schema.optional(Instant),
  /** Who did it. Only the engine itself speaks as the system, a campaign or a contact. */
  author: Schema.Union([
    Schema.Struct({ type: Schema.Literal("member"), id: MemberId }),
    Schema.Struct({ type: Schema.Literal("api"), id: Schema.NullOr(Schema.String) })
  ]),
  /** Whether a message of the API takes the chat over, as a member's always does. */
  takeOver: Schema.optional(Schema.Boolean),
  /** For 24 hours the same key is the same message, whoever sends it again. */
  key: Schema.optional(Schema.NonEmptyString.check(Schema.isMaxLength(255))),
  externalRef: name,
  metadata: Schema.optional(Metadata)
}).annotate({ identifier: "MessageDraft" })
export type MessageDraft = typeof MessageDraft.Type

/** A message that cannot be sent: which field of the draft is to blame, and why. */
export class SendRefused extends Schema.TaggedError<SendRefused>()("SendRefused", {
  field: Schema.String,
  /**
   * As of a skipped touch where there is one: `suppressed`, `policy`, `noConsent`, `replyWindowClosed`, `unsupported` …;
   * `invalid` where the field holds what it cannot.
   */
  reason: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.field}: ${this.detail}`
  }
}

const decode = Problem.decoder(Schema.toType(MessageDraft))

/** The draft, or the first field of it that is none. */
export const check = (draft: MessageDraft): Result.Result<MessageDraft, SendRefused> =>
  Result.mapError(decode(draft), ({ field, message }) => new SendRefused({ field, reason: "invalid", detail: message }))

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
  ReplyWindow.ofAuthor(channel.policy, author, chat, at)

/** Whether the person asked for no more, and a member answers what they wrote all the same. */
export const isDespiteOptOut = (draft: MessageDraft, context: DraftContext): boolean =>
  context.suppressions.length > 0 && draft.author.type === "member" && windowOf(draft, context).open

/** Why it cannot be sent; null where only the gates of the queue may still say so. */
export const refusal = (draft: MessageDraft, context: DraftContext): SendRefused | null => {
  const { channel, chat, contact, suppressions } = context
  const { capabilities, name } = channel
  const refuse = (field: keyof MessageDraft, reason: string, detail: string) =>
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
