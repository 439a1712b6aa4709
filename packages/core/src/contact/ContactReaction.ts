/**
 * What areas above people do when something that is known of some of them changes: they register it here, and it runs once
 * the change has committed, as what it locks comes before people in the order of locks. It may not have run where a process
 * died in between: whoever goes on then asks for it again.
 */
import { Context, Effect } from "effect"
import type { ContactId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"

export interface ContactReaction {
  /** Names, addresses, tags, attributes or zones of these people are others now, or were told of again. */
  changed(workspace: WorkspaceId, contacts: ReadonlyArray<ContactId>, now: Instant): Effect.Effect<void, StorageError>
}

/** Has all of them hear of these people; nobody is called about nothing. */
export const tellChanged = (
  reactions: ReadonlyArray<ContactReaction>,
  workspace: WorkspaceId,
  contacts: ReadonlyArray<ContactId>,
  now: Instant
): Effect.Effect<void, StorageError> =>
  contacts.length === 0
    ? Effect.void
    : Effect.forEach(reactions, (reaction) => reaction.changed(workspace, contacts, now), { discard: true })

/** Run one after the other; none by default. */
export const ContactReactions = Context.Reference<ReadonlyArray<ContactReaction>>("@overture/core/ContactReactions", {
  defaultValue: () => []
})
