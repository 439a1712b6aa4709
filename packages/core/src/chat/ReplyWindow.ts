/** Until when a channel lets us write freely in a chat. What it allows at other times is a template approved beforehand. */
import type { Channel } from "../channel/Channel.ts"
import type { ChannelPolicy } from "../channel/ChannelPolicy.ts"
import type { Content } from "../channel/Content.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Chat } from "./Chat.ts"
import type { Author } from "./Message.ts"

export interface ReplyWindow {
  readonly open: boolean
  /** The first instant at which it is closed; null = it has no end, or never was open. */
  readonly openUntil: Instant | null
}

/** The window of a chat, for messages that people write by hand (`human`) or for all others (`automated`). */
export const of = (
  policy: ChannelPolicy,
  by: "human" | "automated",
  chat: Pick<Chat, "lastInboundAt"> | null,
  now: Instant
): ReplyWindow => {
  const openMs = by === "human" ? policy.replyWindow.humanMs : policy.replyWindow.automatedMs
  if (openMs === null) return { open: true, openUntil: null }
  const openUntil = chat === null || chat.lastInboundAt === null ? null : chat.lastInboundAt + openMs
  return { open: openUntil !== null && openUntil > now, openUntil }
}

/** The window for what this author writes: a member does it by hand. */
export const ofAuthor = (
  policy: ChannelPolicy,
  { type }: Author,
  chat: Pick<Chat, "lastInboundAt"> | null,
  now: Instant
): ReplyWindow => of(policy, type === "member" ? "human" : "automated", chat, now)

/** A window as people are shown it. */
export interface ShownWindow extends ReplyWindow {
  /** What may be sent while it is closed; null = nothing. */
  readonly instead: "approvedTemplate" | null
}

/** Both windows of a chat. */
export const both = (
  { capabilities, policy }: Pick<Channel, "capabilities" | "policy">,
  chat: Pick<Chat, "lastInboundAt"> | null,
  now: Instant
): { readonly automated: ShownWindow; readonly human: ShownWindow } => {
  const instead = capabilities.approvedTemplates ? ("approvedTemplate" as const) : null
  return {
    automated: { ...of(policy, "automated", chat, now), instead },
    human: { ...of(policy, "human", chat, now), instead }
  }
}

/** Whether all of it may be sent in that window. */
export const permits = (self: ReplyWindow, contents: ReadonlyArray<Content>): boolean =>
  self.open || (contents.length > 0 && contents.every((content) => content.type === "approvedTemplate"))
