/**
 * The answer to a person who asked for no more: the only automatic message that a suppressed address gets. Pure: they get
 * it once, however often, wherever and in whatever order they ask, until they come back; within a day, or not at all.
 */
import type { Suppression } from "../contact/Suppression.ts"
import type { ContactId, MessageId } from "../workspace/Id.ts"
import { day, type Instant } from "../workspace/Instant.ts"
import * as Seed from "../workspace/Seed.ts"
import type { Chat } from "./Chat.ts"
import type { Message } from "./Message.ts"
import * as Messages from "./Message.ts"

const author = { type: "system", id: "optOutReply" } as const

/** How long after the person asked it may still go. */
const soonMs = day

/** A contact who asked for no more, in which chat and when. */
export interface Stop {
  readonly contact: ContactId
  readonly chat: Pick<Chat, "id" | "workspace" | "account" | "address">
  readonly at: Instant
  /** When they last came back from an earlier wish; null = they never did. */
  readonly cameBackAt: Instant | null
}

/** The answer to a stop, to be queued at `now`; null where it comes too late. */
export const answer = (text: string, { at, cameBackAt, chat, contact }: Stop, now: Instant): Message | null => {
  if (at + soonMs <= now) return null
  const { account, address, id, workspace } = chat
  return {
    ...Messages.untried,
    ...Messages.single,
    // The same for every stop of this person until they come back, so that the second is known to be answered.
    id: `msg_${Seed.digest(`${workspace}|${contact}|optOutReply|${cameBackAt}`)}` as MessageId,
    workspace,
    account,
    chat: id,
    contact,
    address,
    direction: "outbound",
    author,
    content: { type: "text", text },
    status: "queued",
    dueAt: now,
    createdAt: now
  }
}

/** Whether it is such an answer. */
export const isOne = (message: Pick<Message, "author">): boolean =>
  message.author.type === author.type && message.author.id === author.id

/** Whether such an answer may go: to an address that is suppressed by opt-outs and nothing else, and while it is an answer. */
export const mayGo = (
  answer: Pick<Message, "createdAt">,
  suppressions: ReadonlyArray<Pick<Suppression, "reason">>,
  now: Instant
): boolean =>
  suppressions.length > 0 &&
  suppressions.every(({ reason }) => reason === "optedOut") &&
  now < answer.createdAt + soonMs
