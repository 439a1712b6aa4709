/**
 * The port of the feed. A reader sees only what lies below every open transaction, so continuing after a position never
 * skips an event, however late its writer commits.
 */
import { Context, type Effect, Schema } from "effect"
import type { WorkspaceId } from "../workspace/Id.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { DomainEvent } from "./DomainEvent.ts"

/** Opaque: epoch, transaction and number. Compare only for equality. */
export type Position = string

/** The position comes from before a restore, or from another database. */
export class CursorExpired extends Schema.TaggedError<CursorExpired>()("CursorExpired", { position: Schema.String }) {
  override get message(): string {
    return `the position ${this.position} is no longer known; read the feed from its beginning`
  }
}

export interface FeedEvent {
  readonly position: Position
  readonly event: DomainEvent
}

/** What readers of the feed do not see yet, because a transaction before it is still open. */
export interface FeedLag {
  /** Events of all workspaces that wait. */
  readonly hidden: number
  /** How long the oldest open transaction that writes has been open, milliseconds; 0 = there is none. */
  readonly heldMs: number
  /** Who holds it open, where the database tells. */
  readonly holder: string | null
}

export class EventStore extends Context.Service<
  EventStore,
  {
    append(events: ReadonlyArray<DomainEvent>): Effect.Effect<void, StorageError>
    readonly lag: Effect.Effect<FeedLag, StorageError>
    /** All events about these subjects, in feed order. Reads the whole feed of the workspace. */
    about(
      workspace: WorkspaceId,
      subjects: ReadonlyArray<string>
    ): Effect.Effect<ReadonlyArray<DomainEvent>, StorageError>
    /** Applies `DomainEvent.erase` to all events about these subjects; their places in the feed stay. As slow as `about`. */
    erase(workspace: WorkspaceId, subjects: ReadonlyArray<string>): Effect.Effect<void, StorageError>
    /** At most `limit` events after a position (null = from the beginning), in feed order. */
    read(
      workspace: WorkspaceId,
      after: Position | null,
      limit: number
    ): Effect.Effect<ReadonlyArray<FeedEvent>, StorageError | CursorExpired>
  }
>()("@overture/core/EventStore") {}
