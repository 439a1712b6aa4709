/**
 * What areas above contacts hold of a person: they register it here, so that exporting and erasing a person reaches
 * everything in one transaction.
 */
import { Context, type Effect, type Schema } from "effect"
import type { WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Contact } from "./Contact.ts"

export interface PersonParty {
  /** The name of what it holds, a field of the exported person: `chats`. */
  readonly name: string
  /** Everything it holds of the person. */
  export(workspace: WorkspaceId, contact: Contact): Effect.Effect<Schema.Json, StorageError>
  /** Ends what is still to come for the person and removes what tells of them. Before the contact itself goes. */
  erase(workspace: WorkspaceId, contact: Contact, now: Instant): Effect.Effect<void, StorageError>
}

export const PersonParties = Context.Reference<ReadonlyArray<PersonParty>>("@overture/core/PersonParties", {
  defaultValue: () => []
})
