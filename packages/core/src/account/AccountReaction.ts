/**
 * What areas above accounts do when an operator changes one: they register it here, and it runs in the transaction of the
 * change, before the account's row is locked.
 */
import { Context, type Effect } from "effect"
import type { AccountId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"

export interface AccountReaction {
  /** An operator is about to switch it on or off, to set or clear what keeps it from sending, or to change its limits. */
  changing(account: AccountId, now: Instant): Effect.Effect<void, StorageError>
}

/** Run one after the other; none by default. */
export const AccountReactions = Context.Reference<ReadonlyArray<AccountReaction>>("@overture/core/AccountReactions", {
  defaultValue: () => []
})
