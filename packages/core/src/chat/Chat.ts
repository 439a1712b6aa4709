/** The conversation of one account with one participant. Its id is derived from both, so any writer knows it beforehand. */
import { Schema } from "effect"
import * as Address from "../channel/Address.ts"
import { AccountId, ChatId, ContactId, WorkspaceId } from "../workspace/Id.ts"
import { Instant } from "../workspace/Instant.ts"
import * as Seed from "../workspace/Seed.ts"

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
    name: Schema.String,
    lastAt: Instant,
    lastText: Schema.String,
    lastDirection: Schema.Literals(["inbound", "outbound"]),
    /** The person's last message: what reply windows count from. */
    lastInboundAt: Schema.NullOr(Instant),
    unread: Schema.Int,
    /** A member writes here by hand since then; null = automation may. */
    takenOverAt: Schema.NullOr(Instant),
    closedAt: Schema.NullOr(Instant),
    createdAt: Instant
  }).annotate({ identifier: "Chat" })
) {}

/** The id of the chat of an account with an address. */
export const idOf = (account: AccountId, address: string): ChatId =>
  `cht_${Seed.digest(`${account}|${address}`)}` as ChatId

/** The chat without the person: that there was one, and when. */
export const erase = (self: Chat): Chat => ({
  ...self,
  address: Address.erased(self.id),
  contact: null,
  name: "",
  lastText: "",
  unread: 0
})

/** The chat as an opening finds it: one that was erased belongs again to a person who is known anew. */
export const opened = (self: Chat, opening: Pick<Chat, "address" | "contact" | "name">): Chat =>
  Address.isErased(self.address) && opening.contact !== null
    ? { ...self, address: opening.address, contact: opening.contact, name: opening.name }
    : self

export class ChatNotFound extends Schema.TaggedError<ChatNotFound>()("ChatNotFound", { chat: Schema.String }) {
  override get message(): string {
    return `there is no chat ${this.chat} in this workspace`
  }
}
