/** The port for accounts. */
import { Context, type Effect, type Option, Schema } from "effect"
import type { DomainEvent } from "../event/DomainEvent.ts"
import { ChannelName } from "../channel/Address.ts"
import { AccountGroupId, type AccountId, type WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Page, PageRequest } from "../workspace/Page.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { type Account, availabilities } from "./Account.ts"

/** What accounts are looked for by; what is absent does not matter. */
export const AccountFilter = Schema.Struct({
  channel: Schema.optional(ChannelName),
  /** Null = in none. */
  group: Schema.optional(Schema.NullOr(AccountGroupId)),
  enabled: Schema.optional(Schema.Boolean),
  availability: Schema.optional(Schema.Array(Schema.Literals(availabilities))),
  /** Those that were removed, in place of the others. */
  removed: Schema.optional(Schema.Boolean),
  /** In its name, its platform's name for it or its externalRef; capitals do not matter in ASCII. */
  text: Schema.optional(Schema.String)
}).annotate({ identifier: "AccountFilter" })
export type AccountFilter = typeof AccountFilter.Type

export class AccountStore extends Context.Service<
  AccountStore,
  {
    /** Adds it, or returns the one that has its (channel, externalId) in the workspace already. */
    connect(
      account: Account,
      events: ReadonlyArray<DomainEvent>
    ): Effect.Effect<
      {
        readonly account: Account
        readonly created: boolean
      },
      StorageError
    >
    get(workspace: WorkspaceId, id: AccountId): Effect.Effect<Option.Option<Account>, StorageError>
    /** Those of these that are the workspace's, in order of their ids. */
    among(workspace: WorkspaceId, ids: ReadonlyArray<AccountId>): Effect.Effect<ReadonlyArray<Account>, StorageError>
    byExternalRef(workspace: WorkspaceId, ref: string): Effect.Effect<Option.Option<Account>, StorageError>
    /** Those that match, best availability first, then in order of their ids. */
    search(
      workspace: WorkspaceId,
      filter: AccountFilter,
      now: Instant,
      page: PageRequest
    ): Effect.Effect<Page<Account>, StorageError>
    /** All that there ever were, in order of their ids. */
    list(workspace: WorkspaceId, page: PageRequest): Effect.Effect<Page<Account>, StorageError>
    /**
     * Locks the rows in id order, applies the rule to each and writes what it changed with its events; the very
     * object it was given means unchanged, and nothing of it is written. Returns them in id order, without unknown ids.
     */
    modify(
      ids: ReadonlyArray<AccountId>,
      change: (account: Account) => { readonly account: Account; readonly events: ReadonlyArray<DomainEvent> }
    ): Effect.Effect<ReadonlyArray<Account>, StorageError>
    /** The accounts of every workspace that the platform knows by one of these names, in order of their ids. */
    byExternalId(
      channel: ChannelName,
      externalIds: ReadonlyArray<string>
    ): Effect.Effect<ReadonlyArray<Account>, StorageError>
    /** The accounts of every workspace on these channels that are to be asked (`Account.isHeard`), in order of their ids. */
    polled(
      channels: ReadonlyArray<ChannelName>
    ): Effect.Effect<ReadonlyArray<{ readonly account: Account; readonly cursor: string | null }>, StorageError>
    setPollCursor(id: AccountId, cursor: string | null): Effect.Effect<void, StorageError>
  }
>()("@overture/core/AccountStore") {}
