/** The port for the sealed secrets of accounts: what only `Senders` opens, right before a channel is asked. */
import { Context, type Effect, type Option } from "effect"
import type { AccountId, WorkspaceId } from "../workspace/Id.ts"
import type { StorageError } from "../workspace/StorageError.ts"

/** Sealed texts; null = none. */
export interface SealedAccess {
  readonly credentials: string | null
  /** The URL of a proxy. */
  readonly egress: string | null
}

/** Sealed texts of an account at a version of its `AccountAccess`. */
export interface AccountSecrets extends SealedAccess {
  readonly account: AccountId
  readonly workspace: WorkspaceId
  readonly version: number
}

export class AccountSecretStore extends Context.Service<
  AccountSecretStore,
  {
    /** Those of an account of any workspace: whoever sends has it from a claim. */
    get(account: AccountId): Effect.Effect<Option.Option<AccountSecrets>, StorageError>
    /** Takes the place of what there was; the caller's transaction holds the account's row. */
    put(secrets: AccountSecrets): Effect.Effect<void, StorageError>
    /** At most `limit` that hold a text which does not begin with `prefix`, after `after` (null = from the first), in order of the accounts' ids. */
    sealedOtherwise(
      prefix: string,
      after: AccountId | null,
      limit: number
    ): Effect.Effect<ReadonlyArray<AccountSecrets>, StorageError>
    /** Writes `to` where the row still holds `from`; whether it did. The version stays, as what is sealed is the same. */
    replace(account: AccountId, from: SealedAccess, to: SealedAccess): Effect.Effect<boolean, StorageError>
  }
>()("@overture/core/AccountSecretStore") {}
