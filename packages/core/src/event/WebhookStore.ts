/**
 * The port for webhook endpoints and their deliveries. An endpoint is a cursor in the feed of its workspace: nothing is
 * written when an event is, and a delivery becomes a row only when it failed, waits behind one that did, or is among the
 * last that succeeded. One process at a time holds an endpoint, by a lease on the database's clock; what it writes is
 * fenced by it.
 */
import { Context, type Effect, type Option } from "effect"
import type { ClaimId, DeliveryId, WebhookEndpointId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Page, PageRequest } from "../workspace/Page.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Delivery } from "./Delivery.ts"
import type { DomainEvent } from "./DomainEvent.ts"
import type { Position } from "./EventStore.ts"
import type { WebhookEndpoint } from "./WebhookEndpoint.ts"

/** A part of the feed that an endpoint gets once more. */
export interface Replay {
  /** How far it came; null = at the beginning of the feed. */
  readonly after: Position | null
  /** Its last event. */
  readonly until: Position
  /** Of events between these places, those that happened from `since` to before `before`. */
  readonly since: Instant
  readonly before: Instant
}

/** An endpoint with what only its deliveries need. */
export interface EndpointState {
  readonly endpoint: WebhookEndpoint
  /** Sealed. */
  readonly secret: string
  /** Sealed; null = there is none. */
  readonly formerSecret: string | null
  /** JSON of the values of its headers, sealed; null = it has none. */
  readonly headers: string | null
  /** How far it was told the feed; null = nothing of it. */
  readonly cursor: Position | null
  readonly replay: Replay | null
}

/** A delivery with its place in the feed and what it is kept in order by. */
export interface DeliveryRow {
  readonly delivery: Delivery
  readonly position: Position
  readonly key: string
}

/** The time-limited right to one endpoint. */
export interface EndpointLease {
  readonly endpoint: WebhookEndpointId
  readonly claim: ClaimId
  /** Counts changes by members. */
  readonly version: number
  /** Counts the people erased from its workspace: answers to what was sent before are not kept. */
  readonly erasures: number
}

export interface ClaimedEndpoint {
  readonly state: EndpointState
  readonly lease: EndpointLease
  /** Whether any of its deliveries waits. */
  readonly hasWaiting: boolean
}

/** A delivery whose time has come, or that waits behind one. */
export interface DueDelivery extends DeliveryRow {
  /** null = the feed no longer has it. */
  readonly event: DomainEvent | null
}

/** What one process made of an endpoint since it last wrote. */
export interface DeliveryWrites {
  readonly cursor: Position | null
  /** Where the cursor was when it was last read or written: one that a member moved since stays. */
  readonly cursorBefore: Position | null
  readonly replay: Replay | null
  /** New and changed deliveries. */
  readonly rows: ReadonlyArray<DeliveryRow>
  readonly health: WebhookEndpoint["health"]
  readonly disabled: WebhookEndpoint["disabled"]
  readonly events: ReadonlyArray<DomainEvent>
  /** Those that failed since then are due at once: the endpoint is back. */
  readonly recoveredSince: Instant | null
  /** Holds the endpoint that much longer; null gives it back. */
  readonly holdMs: number | null
}

/** The rule by which an endpoint changes; what it gives back is written, with its events. */
export type EndpointRule = (state: EndpointState) => {
  readonly state: EndpointState
  readonly events: ReadonlyArray<DomainEvent>
}

export class WebhookStore extends Context.Service<
  WebhookStore,
  {
    /** Creates it while the workspace has fewer than `most`; false = it has not. Its cursor is the end of the feed. */
    create(state: Omit<EndpointState, "cursor" | "replay">, most: number): Effect.Effect<boolean, StorageError>
    get(workspace: WorkspaceId, id: WebhookEndpointId): Effect.Effect<Option.Option<EndpointState>, StorageError>
    /** In order of their ids. */
    list(workspace: WorkspaceId, page: PageRequest): Effect.Effect<Page<WebhookEndpoint>, StorageError>
    /**
     * Locks the row, applies the rule, writes; id, workspace, creation and the lease stay. None when there is no such endpoint.
     * Where it was disabled and no longer is, what waits is due at once.
     */
    modify(
      workspace: WorkspaceId,
      id: WebhookEndpointId,
      now: Instant,
      rule: EndpointRule
    ): Effect.Effect<Option.Option<EndpointState>, StorageError>
    /** Removes it and its deliveries; false = there is no such endpoint. */
    remove(workspace: WorkspaceId, id: WebhookEndpointId): Effect.Effect<boolean, StorageError>
    /** Cancels what waits, as the endpoint is to go on from the present; returns how many. */
    cancelWaiting(workspace: WorkspaceId, id: WebhookEndpointId, now: Instant): Effect.Effect<number, StorageError>
    /** Its deliveries, those that changed last first. */
    deliveries(
      workspace: WorkspaceId,
      id: WebhookEndpointId,
      page: PageRequest
    ): Effect.Effect<Page<Delivery>, StorageError>
    /** Lets a delivery wait for an attempt at once, with a schedule of its own, whatever became of it. */
    redeliver(
      workspace: WorkspaceId,
      id: WebhookEndpointId,
      delivery: DeliveryId,
      now: Instant
    ): Effect.Effect<Option.Option<Delivery>, StorageError>

    /**
     * Leases endpoints of these formats, one for each of `claims` at most, that are enabled, have something to be told at
     * `now` and are held by nobody: those that waited longest first. Spans workspaces.
     */
    claim(request: {
      readonly now: Instant
      readonly formats: ReadonlyArray<string>
      readonly durationMs: number
      readonly claims: ReadonlyArray<ClaimId>
    }): Effect.Effect<ReadonlyArray<ClaimedEndpoint>, StorageError>
    /**
     * What is due of an endpoint, longest first, at most `limit`; then, in feed order, at most `limit` of those that wait
     * behind them.
     */
    due(
      endpoint: WebhookEndpointId,
      now: Instant,
      limit: number
    ): Effect.Effect<ReadonlyArray<DueDelivery>, StorageError>
    /** Which of these keys have deliveries that wait. */
    waiting(endpoint: WebhookEndpointId, keys: ReadonlyArray<string>): Effect.Effect<ReadonlySet<string>, StorageError>
    /**
     * Writes what was made of an endpoint, in one transaction. Of each key among `rows`, the first that waits is due, at `now`
     * where it was due at no time; of those that succeeded the last `keptPerEndpoint` stay. `changed`: a member changed the
     * endpoint, so its health, switch and replay stay as they are; or somebody was erased, so what was read before is not to
     * be told any more. `lost`: somebody else holds it, or it is gone, and nothing
     * was written.
     */
    settle(
      lease: EndpointLease,
      now: Instant,
      writes: DeliveryWrites
    ): Effect.Effect<"held" | "changed" | "lost", StorageError>
    /** The deliveries of events about these subjects whose answers are kept, in order of their ids. */
    about(workspace: WorkspaceId, subjects: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<Delivery>, StorageError>
    /** Removes at most `limit` deliveries of a workspace that ended before; returns how many. */
    purge(workspace: WorkspaceId, before: Instant, limit: number): Effect.Effect<number, StorageError>
    /** At most `limit` endpoints with a secret that does not begin so, in order of their ids. */
    sealedOtherwise(
      prefix: string,
      after: WebhookEndpointId | null,
      limit: number
    ): Effect.Effect<ReadonlyArray<EndpointState>, StorageError>
  }
>()("@overture/core/WebhookStore") {}
