/**
 * What areas above contacts hold of a person: they register it here, so that exporting and erasing a person reaches
 * everything in one transaction.
 */
import { Context, type Effect, type Schema } from "effect"
import type { WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Contact } from "./Contact.ts"

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

/** In the order in which they lock: leads before messages and chats. */
export const PersonParties = Context.Reference<ReadonlyArray<PersonParty>>("@overture/core/PersonParties", {
  defaultValue: () => []
})
