/**
 * What areas above accounts do when an operator changes some: they register it here, and it runs in the transaction of the
 * change, before the rows of accounts, groups and workspaces are locked.
 */
import { Context, type Effect } from "effect"
import type { AccountId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"

export interface AccountReaction {
  /**
   * An operator is about to switch accounts on or off, to set or clear what keeps them from sending, or to change limits,
   * their own or those of their group or workspace.
   */
  changing(accounts: ReadonlyArray<AccountId>, now: Instant): Effect.Effect<void, StorageError>
}

/** Run one after the other; none by default. */
export const AccountReactions = Context.Reference<ReadonlyArray<AccountReaction>>("@overture/core/AccountReactions", {
  defaultValue: () => []
})
