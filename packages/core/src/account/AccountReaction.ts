/**
 * What areas above accounts do when an operator changes some: they register it here, and it runs in the transaction of the
 * change.
 */
import { Context, Effect } from "effect"
import type { AccountId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"

export interface AccountReaction {
  /**
   * An operator is about to switch accounts on or off, to set or clear what keeps them from sending, or to change limits,
   * their own or those of their group or workspace. No row of accounts, groups and workspaces is locked yet.
   */
  changing(accounts: ReadonlyArray<AccountId>, now: Instant): Effect.Effect<void, StorageError>
  /** They did: what is read now is as it will be. The rows are locked, so nothing may be waited for. */
  changed?(accounts: ReadonlyArray<AccountId>, now: Instant): Effect.Effect<void, StorageError>
}

/** What is registered, run one after the other; nothing by default. */
export const AccountReactions = Context.Reference<ReadonlyArray<AccountReaction>>("@overture/core/AccountReactions", {
  defaultValue: () => []
})

/** Tells all of them that an operator changed these accounts. */
export const tellChanged = (
  reactions: ReadonlyArray<AccountReaction>,
  accounts: ReadonlyArray<AccountId>,
  now: Instant
): Effect.Effect<void, StorageError> =>
  Effect.forEach(reactions, (reaction) => reaction.changed?.(accounts, now) ?? Effect.void, { discard: true })
