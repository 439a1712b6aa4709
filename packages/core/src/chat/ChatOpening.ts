/** What makes a chat where there is none, and is told once by whoever makes it. */
import { type Actor, type DomainEvent, stamped } from "../event/DomainEvent.ts"
import type { AccountId, ChatId, ContactId, IdGenerator, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"

/** A chat that must exist, by what identifies it. */
export interface ChatOpening {
  readonly id: ChatId
  readonly workspace: WorkspaceId
  readonly account: AccountId
  readonly address: string
  readonly contact: ContactId | null
  readonly name: string
  readonly at: Instant
  /** Told where this opening makes the chat, and only there. */
  readonly created: DomainEvent
}

/** The opening of a chat that `actor` begins. */
export const make = (ids: IdGenerator, place: Omit<ChatOpening, "created">, actor: Actor): ChatOpening => ({
  ...place,
  created: stamped(ids, place.at, {
    workspace: place.workspace,
    type: "chat.created",
    subject: place.id,
    actor,
    data: { account: place.account, ...(place.contact !== null && { contact: place.contact }) }
  })
})
