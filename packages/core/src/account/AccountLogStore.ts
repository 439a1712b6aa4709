/** The port for the error logs of accounts. */
import { Context, type Effect } from "effect"
import type { AccountId, WorkspaceId } from "../workspace/Id.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { AccountLogEntry } from "./AccountLog.ts"

export class AccountLogStore extends Context.Service<
  AccountLogStore,
  {
    /** Adds them, in the caller's transaction; what is the same as an entry of the last minute before it is left out. Locks no row. */
    append(entries: ReadonlyArray<AccountLogEntry>): Effect.Effect<void, StorageError>
    /** The latest 50 of the account, latest first; none in another workspace. */
    latest(workspace: WorkspaceId, account: AccountId): Effect.Effect<ReadonlyArray<AccountLogEntry>, StorageError>
    /** Removes what is older than the latest 50 of its account, at most `limit` of all accounts; how many went. */
    trim(limit: number): Effect.Effect<number, StorageError>
    /** Removes the entries that tell of these addresses or have one of these texts (`AccountLog.tellsOf`). */
    forget(
      workspace: WorkspaceId,
      addresses: ReadonlyArray<string>,
      texts?: ReadonlyArray<string>
    ): Effect.Effect<void, StorageError>
    /** The same entries, latest first. */
    about(
      workspace: WorkspaceId,
      addresses: ReadonlyArray<string>,
      texts?: ReadonlyArray<string>
    ): Effect.Effect<ReadonlyArray<AccountLogEntry>, StorageError>
  }
>()("@overture/core/AccountLogStore") {}
