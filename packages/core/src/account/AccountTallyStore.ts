/** The port for what accounts did by day, and how far the feed was counted. */
import { Context, type Effect } from "effect"
import type { Position } from "../event/EventStore.ts"
import type { AccountId, EventId, WorkspaceId } from "../workspace/Id.ts"
import type { LocalDate } from "../workspace/LocalDate.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { AccountCounts, TallyRow } from "./AccountTally.ts"

/** How far a feed was counted. */
export interface TallyPlace {
  /** Of the last event that was looked at. */
  readonly position: Position
  /** The last one that counted; null = none before the position did. */
  readonly event: EventId | null
}

export class AccountTallyStore extends Context.Service<
  AccountTallyStore,
  {
    /** How far the workspace's feed was counted; null = nothing of it. */
    place(workspace: WorkspaceId): Effect.Effect<TallyPlace | null, StorageError>
    /** Adds the rows and moves on to `to`, where it still stands at `from`: of several processes one counts. Whether it did. */
    add(
      workspace: WorkspaceId,
      from: TallyPlace | null,
      to: TallyPlace,
      rows: ReadonlyArray<TallyRow>
    ): Effect.Effect<boolean, StorageError>
    /** The sums of all days and of those from `since` on. */
    totals(
      workspace: WorkspaceId,
      account: AccountId,
      since: LocalDate
    ): Effect.Effect<{ readonly allTime: AccountCounts; readonly recent: AccountCounts }, StorageError>
    /** The days from `since` on, in order. */
    days(
      workspace: WorkspaceId,
      account: AccountId,
      since: LocalDate
    ): Effect.Effect<ReadonlyArray<TallyRow>, StorageError>
  }
>()("@overture/core/AccountTallyStore") {}
