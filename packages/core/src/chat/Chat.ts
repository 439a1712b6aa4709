/**
 * The conversation of one account with one participant. Its id is derived from both, so any writer knows it beforehand. It
 * runs in sessions: a member closes one, and what the person writes later opens the next.
 */
import { Schema } from "effect"
import * as Address from "../channel/Address.ts"
import { preview } from "../channel/Content.ts"
import { ParticipantProfile } from "../channel/ParticipantProfile.ts"
import { AccountId, ChatId, ContactId, MemberId, WorkspaceId } from "../workspace/Id.ts"
import { hour, Instant } from "../workspace/Instant.ts"
import * as Seed from "../workspace/Seed.ts"
import type { Message } from "./Message.ts"

/** What the platform told of the participant, and when it was asked. */
export class ChatProfile extends Schema.Opaque<ChatProfile>()(
  Schema.Struct({ ...ParticipantProfile.fields, refreshedAt: Instant }).annotate({ identifier: "ChatProfile" })
) {}

export class Chat extends Schema.Opaque<Chat>()(
  Schema.Struct({
    id: ChatId,
    workspace: WorkspaceId,
    /** Counts from 1 in each workspace; a number may be left out. */
    number: Schema.Int,
    account: AccountId,
    /** The key of the participant's address. */
    address: Schema.String,
    contact: Schema.NullOr(ContactId),
    /** As the platform has the participant, once it told; until then as the contact was known. */
    name: Schema.String,
    /** The platform's time of that name; null while it told none. */
    namedAt: Schema.NullOr(Instant),
    lastAt: Instant,
    lastText: Schema.String,
    lastDirection: Schema.Literals(["inbound", "outbound"]),
    /** The person's last message: what reply windows count from. */
    lastInboundAt: Schema.NullOr(Instant),
    /** Messages of the person that came since somebody last read the chat. */
    unread: Schema.Int,
    /** Up to when somebody read it; each member has a position of their own beside it. */
    readAt: Schema.NullOr(Instant),
    /** A member writes here by hand since then; null = automation may. */
    takenOverAt: Schema.NullOr(Instant),
    /** When a member last gave it back to automation, or closed its session. */
    givenBackAt: Schema.NullOr(Instant),
    /** Since when the present session runs, by our clock. */
    openedAt: Instant,
    /** When a member closed the session; null while it is open. */
    closedAt: Schema.NullOr(Instant),
    /** The first message of the person; null while they never wrote. */
    respondedAt: Schema.NullOr(Instant),
    bookedAt: Schema.NullOr(Instant),
    assignee: Schema.NullOr(MemberId),
    /** In the order of their letters. */
    tags: Schema.Array(Schema.String),
    pinnedAt: Schema.NullOr(Instant),
    /** Put away since then, until the person writes again. */
    archivedAt: Schema.NullOr(Instant),
    /** What was said until then is not shown; nor is the chat, until something is said after it. */
    deletedAt: Schema.NullOr(Instant),
    profile: Schema.NullOr(ChatProfile),
    createdAt: Instant
  }).annotate({ identifier: "Chat" })
) {}

/** Of a chat with which nobody has done anything yet. */
export const untended = {
  namedAt: null,
  readAt: null,
  takenOverAt: null,
  givenBackAt: null,
  closedAt: null,
  respondedAt: null,
  bookedAt: null,
  assignee: null,
  tags: [],
  pinnedAt: null,
  archivedAt: null,
  deletedAt: null,
  profile: null
} as const

/** The id of the chat of an account with an address. */
export const idOf = (account: AccountId, address: string): ChatId =>
  `cht_${Seed.digest(`${account}|${address}`)}` as ChatId

/** The chat without the person: that there was one, and when. */
export const erase = (self: Chat): Chat => ({
  ...self,
  address: Address.erased(self.id),
  contact: null,
  name: "",
  namedAt: null,
  lastText: "",
  unread: 0,
  tags: [],
  profile: null
})

/** The chat as lists show it once a message in it was erased by itself. */
export const withoutShown = (self: Chat, message: Pick<Message, "content">): Chat =>
  self.lastText === preview(message.content) ? { ...self, lastText: "" } : self

/** The chat as an opening finds it: one that was erased belongs again to a person who is known anew. */
export const opened = (self: Chat, opening: Pick<Chat, "address" | "contact" | "name">): Chat =>
  Address.isErased(self.address) && opening.contact !== null
    ? { ...self, address: opening.address, contact: opening.contact, name: opening.name, namedAt: null }
    : self

/** Whether its session runs. */
export const isOpen = (self: Pick<Chat, "closedAt">): boolean => self.closedAt === null

/** Whether the person waits for an answer: it is open, and what was said last is theirs. */
export const isWaiting = (self: Pick<Chat, "closedAt" | "lastDirection">): boolean =>
  isOpen(self) && self.lastDirection === "inbound"

/** Whether it was deleted, and nothing was said since. */
export const isDeleted = (self: Pick<Chat, "deletedAt" | "lastAt">): boolean =>
  self.deletedAt !== null && self.lastAt <= self.deletedAt

/** The chat once something is known to have been said in it at `at`, also where that came late. */
export const since = (self: Chat, at: Instant): Chat =>
  at >= self.createdAt
    ? self
    : { ...self, createdAt: at, openedAt: self.openedAt === self.createdAt ? at : self.openedAt }

/**
 * The chat after a message of the person of the platform's time `at` came in at `now`, beside what the message does to the
 * preview (a `ChatTouch`): they responded, a closed session is followed by the next, and the chat is no longer archived or
 * deleted. Several such messages leave the same in any order, but for `openedAt`.
 */
export const received = (self: Chat, at: Instant, now: Instant): Chat => {
  const respondedAt = self.respondedAt === null ? at : Math.min(self.respondedAt, at)
  const deletedAt = self.deletedAt === null ? null : Math.min(self.deletedAt, at - 1)
  const isAsItWas =
    respondedAt === self.respondedAt &&
    deletedAt === self.deletedAt &&
    self.closedAt === null &&
    self.archivedAt === null
  if (isAsItWas) return self
  return {
    ...self,
    respondedAt,
    deletedAt,
    archivedAt: null,
    closedAt: null,
    openedAt: self.closedAt === null ? self.openedAt : now
  }
}

/** The chat once the person booked at `at`; the first booking counts. */
export const booked = (self: Chat, at: Instant): Chat =>
  self.bookedAt !== null && self.bookedAt <= at ? self : { ...self, bookedAt: at }

/** The chat given back to automation; one that nobody took over stays as it is. */
export const resumed = (self: Chat, now: Instant): Chat =>
  self.takenOverAt === null ? self : { ...self, takenOverAt: null, givenBackAt: now }

/** The chat with its session closed: automation may write again. One that is closed is given back where it was taken over since. */
export const closed = (self: Chat, now: Instant): Chat =>
  isOpen(self) ? { ...self, closedAt: now, takenOverAt: null, givenBackAt: now } : resumed(self, now)

/** Whether what was written by hand at `at` takes it over: what was written before it was given back, and told late, does not. */
export const isTakenOverBy = (self: Pick<Chat, "givenBackAt">, at: Instant): boolean =>
  self.givenBackAt === null || at > self.givenBackAt

/** The chat with a session that a member opened; one that is open stays as it is. */
export const reopened = (self: Chat, now: Instant): Chat =>
  isOpen(self) ? self : { ...self, closedAt: null, openedAt: now }

/** The chat hidden with all that was said in it, until something is said later; its session is closed. */
export const deleted = (self: Chat, now: Instant): Chat => ({
  ...closed(self, now),
  deletedAt: Math.max(now, self.lastAt),
  unread: 0,
  pinnedAt: null
})

/** A deleted chat as somebody asks for it again: it is shown, without what was said before it was deleted. */
export const restored = (self: Chat, now: Instant): Chat =>
  self.deletedAt !== null && isDeleted(self)
    ? { ...reopened(self, now), lastAt: Math.max(now, self.deletedAt + 1), lastText: "", lastDirection: "outbound" }
    : self

/** The chat once somebody read it up to `at`, with as many messages of the person as came later. Never read less. */
export const read = (self: Chat, at: Instant, unread: number): Chat =>
  (self.readAt ?? -Infinity) >= at && self.unread <= unread
    ? self
    : { ...self, readAt: Math.max(self.readAt ?? at, at), unread: Math.min(self.unread, unread) }

/** How long what the platform told of the participant is good for, in milliseconds. */
const profileMs = hour

/** Whether the platform may be asked about the participant again. */
export const isProfileStale = (self: Pick<Chat, "profile">, now: Instant): boolean =>
  self.profile === null || now - self.profile.refreshedAt >= profileMs

/** The chat once the platform called the participant so at `at`: the last name counts, of two at once the greater. */
export const named = (self: Chat, name: string, at: Instant): Chat => {
  const before = self.namedAt ?? -Infinity
  return at > before || (at === before && name > self.name) ? { ...self, name, namedAt: at } : self
}

/** Whether the platform calls the participant otherwise than it did. */
export const isRenamed = (before: Pick<Chat, "name" | "namedAt">, after: Pick<Chat, "name">): boolean =>
  before.namedAt !== null && before.name !== after.name

/** The chat with what the platform tells of the participant now; null = nothing new. */
export const profiled = (self: Chat, profile: ParticipantProfile | null, now: Instant): Chat => ({
  ...(profile?.name === undefined || profile.name === "" ? self : { ...self, name: profile.name, namedAt: now }),
  profile: { ...(profile ?? self.profile), refreshedAt: now }
})

export class ChatNotFound extends Schema.TaggedError<ChatNotFound>()("ChatNotFound", { chat: Schema.String }) {
  override get message(): string {
    return `there is no chat ${this.chat} in this workspace`
  }
}
