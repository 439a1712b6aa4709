/**
 * What areas above contacts hold of a person: they register it here, so that exporting and erasing a person reaches
 * everything in one transaction.
 */
import { Context, type Effect, type Schema } from "effect"
import type { Delivery } from "../event/Delivery.ts"
import type { DomainEvent } from "../event/DomainEvent.ts"
import type { WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Contact, ContactList } from "./Contact.ts"
import type { Suppression } from "./Suppression.ts"

/** What a party holds of a person. */
export interface Held {
  readonly data: Schema.Json
  /** The ids under which the feed may tell of the person. */
  readonly subjects: ReadonlyArray<string>
}

export interface PersonParty {
  /** The name of what it holds, a field of the exported person: `chats`. */
  readonly name: string
  export(workspace: WorkspaceId, contact: Contact): Effect.Effect<Held, StorageError>
  /**
   * Ends what is still to come for the person and removes what tells of them, before the contact itself goes. What must
   * stay (that a message went out) stays without the person. Returns the ids under which the feed may tell of them.
   */
  erase(workspace: WorkspaceId, contact: Contact, now: Instant): Effect.Effect<ReadonlyArray<string>, StorageError>
}

/** Everything we hold of one person. */
export interface PersonExport {
  readonly contact: Contact
  readonly lists: ReadonlyArray<ContactList>
  readonly suppressions: ReadonlyArray<Suppression>
  /** What was published of them. */
  readonly events: ReadonlyArray<DomainEvent>
  /** What webhook endpoints answered to that, as far as it is kept. */
  readonly deliveries: ReadonlyArray<Delivery>
  /** What other areas hold, by their names. */
  readonly more: Readonly<Record<string, Schema.Json>>
}

/** In the order in which they lock: leads before messages and chats. */
export const PersonParties = Context.Reference<ReadonlyArray<PersonParty>>("@overture/core/PersonParties", {
  defaultValue: () => []
})
