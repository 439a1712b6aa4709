/**
 * The port of the feed. A reader sees only what lies below every open transaction, so continuing after a position never
 * skips an event, however late its writer commits.
 */
import { Context, type Effect, Schema } from "effect"
import type { WorkspaceId } from "../workspace/Id.ts"
import { day, type Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { DomainEvent, EventType } from "./DomainEvent.ts"

/** How long an event stays past its time for an endpoint that is still to get it: nobody may be there to serve that one. */
export const longestWaitMs = 30 * day

/** Opaque: epoch, transaction and number. Compare only for equality. */
export type Position = string

/** What follows the position was purged, or it comes from before a restore or from another database. */
export class CursorExpired extends Schema.TaggedError<CursorExpired>()("CursorExpired", { position: Schema.String }) {
  override get message(): string {
    return `the position ${this.position} is no longer known; read the feed from its beginning`
  }
}

export interface FeedEvent {
  readonly position: Position
  readonly event: DomainEvent
}

/** A part of the feed. */
export interface Scan {
  /** null = from the beginning. */
  readonly after: Position | null
  /** Its last event; null = as far as readers see. */
  readonly until: Position | null
  /** null = all. */
  readonly types: ReadonlyArray<EventType> | null
  /** How many events are looked at, at most. */
  readonly limit: number
}

export interface Scanned {
  /** Those of the types that were asked for, in feed order. */
  readonly events: ReadonlyArray<FeedEvent>
  /** Where to go on: the last event that was looked at. */
  readonly position: Position | null
  /** How many were looked at: fewer than the limit at the end. */
  readonly looked: number
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
    /**
     * Applies `DomainEvent.erase` to all events about these subjects; their places in the feed stay. What webhook endpoints
     * answered to them is forgotten. As slow as `about`.
     */
    erase(workspace: WorkspaceId, subjects: ReadonlyArray<string>): Effect.Effect<void, StorageError>
    /** At most `limit` events after a position (null = from the beginning), in feed order. */
    read(
      workspace: WorkspaceId,
      after: Position | null,
      limit: number
    ): Effect.Effect<ReadonlyArray<FeedEvent>, StorageError | CursorExpired>
    /** The same for a part of the feed and some types, of which only those travel. */
    scan(workspace: WorkspaceId, scan: Scan): Effect.Effect<Scanned, StorageError | CursorExpired>
    /** The last position that readers see (null = there is none): of an event from before `before`, where that is given. */
    last(workspace: WorkspaceId, before: Instant | null): Effect.Effect<Position | null, StorageError>
    /**
     * Removes at most `limit` events from the beginning of the feed, as long as each is older than `before` and no enabled
     * webhook endpoint is still to get it, or has not for `longestWaitMs` more; returns how many. Positions before what is
     * left expire.
     */
    purge(workspace: WorkspaceId, before: Instant, limit: number): Effect.Effect<number, StorageError>
  }
>()("@overture/core/EventStore") {}
