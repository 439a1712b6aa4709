/**
 * What areas above accounts do when an operator changes some, and when anything makes one able to send or unable: they
 * register it here, and it runs in the transaction of the change.
 */
import { Context, Effect } from "effect"
import type { AccountId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { type Account, isAble } from "./Account.ts"
import type { AccountStore } from "./AccountStore.ts"

export interface AccountReaction {
  /**
   * An operator is about to switch accounts on or off, to set or clear what keeps them from sending, or to change limits,
   * their own or those of their group or workspace. No row of accounts, groups and workspaces is locked yet.
   */
  changing(accounts: ReadonlyArray<AccountId>, now: Instant): Effect.Effect<void, StorageError>
  /** They did: what is read now is as it will be. The rows are locked, so nothing may be waited for. */
  changed?(accounts: ReadonlyArray<AccountId>, now: Instant): Effect.Effect<void, StorageError>
  /**
   * Accounts of a workspace, given as they are now, became able to send (`Account.isAble`) or are no longer, whoever did
   * that. Last in the transaction: nothing else is waited for after it.
   */
  turned?(workspace: WorkspaceId, accounts: ReadonlyArray<Account>, now: Instant): Effect.Effect<void, StorageError>
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

/** `AccountStore.modify`, with those accounts, as they are then, that it made able to send or unable. */
export const modifyTurning = (
  store: AccountStore["Service"],
  ids: ReadonlyArray<AccountId>,
  change: Parameters<AccountStore["Service"]["modify"]>[1]
): Effect.Effect<
  { readonly accounts: ReadonlyArray<Account>; readonly turned: ReadonlyArray<Account> },
  StorageError
> =>
  Effect.suspend(() => {
    const wasAble = new Map<AccountId, boolean>()
    const noting: typeof change = (before) => {
      wasAble.set(before.id, isAble(before))
      return change(before)
    }
    return Effect.map(store.modify(ids, noting), (accounts) => ({
      accounts,
      turned: accounts.filter((account) => isAble(account) !== wasAble.get(account.id))
    }))
  })

/**
 * Tells all of them that these accounts became able or unable, by workspace, in the order of their ids, as each waits for
 * its turn; nothing where there are none.
 */
export const tellTurned = (
  reactions: ReadonlyArray<AccountReaction>,
  turned: ReadonlyArray<Account>,
  now: Instant
): Effect.Effect<void, StorageError> =>
  Effect.forEach(
    [...Map.groupBy(turned, ({ workspace }) => workspace)].sort(([a], [b]) => (a < b ? -1 : 1)),
    ([workspace, accounts]) =>
      Effect.forEach(reactions, (reaction) => reaction.turned?.(workspace, accounts, now) ?? Effect.void, {
        discard: true
      }),
    { discard: true }
  )
