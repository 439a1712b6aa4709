/** The port for tenants, the switch that stops everything, and what a restart must know. */
import { Context, type Effect, type Option } from "effect"
import type { DayUse } from "./Budget.ts"
import type { WorkspaceId } from "./Id.ts"
import { day, type Instant } from "./Instant.ts"
import type { StorageError } from "./StorageError.ts"
import type { Workspace } from "./Workspace.ts"

/** A workspace as claims see it: locked where it has a cap. */
export interface WorkspaceState {
  readonly workspace: Workspace
  readonly use: DayUse
}

/** The pacing clock of a database: real, or virtual and kept here so that a later run goes on from it. */
export type PacingClock =
  | { readonly type: "real" }
  | { readonly type: "virtual"; readonly at: Instant }
  | { readonly type: "rate"; readonly rate: number; readonly realFrom: Instant; readonly from: Instant }

/** How long an idempotency key lives, milliseconds. */
export const keyLifeMs = day

export type Idempotency =
  | { readonly type: "new" }
  | { readonly type: "replay"; readonly response: string }
  | { readonly type: "mismatch" }

export class WorkspaceStore extends Context.Service<
  WorkspaceStore,
  {
    /** Creates it, or changes nothing when the id exists: false. */
    create(workspace: Workspace): Effect.Effect<boolean, StorageError>
    get(id: WorkspaceId): Effect.Effect<Option.Option<Workspace>, StorageError>
    list: Effect.Effect<ReadonlyArray<Workspace>, StorageError>
    /** Locks the row, applies the rule, writes: none when there is no such workspace. */
    modify(
      id: WorkspaceId,
      change: (workspace: Workspace) => Workspace
    ): Effect.Effect<Option.Option<Workspace>, StorageError>
    /**
     * Records an idempotency key in the caller's transaction; others that come with it wait for that one's end. `replay`
     * carries what `remember` stored; `mismatch` means that the key came with another body. A key lives 24 hours; one whose
     * response was never remembered is `new` again, for any body.
     */
    idempotent(
      workspace: WorkspaceId,
      key: string,
      fingerprint: string,
      now: Instant
    ): Effect.Effect<Idempotency, StorageError>
    remember(workspace: WorkspaceId, key: string, response: string): Effect.Effect<void, StorageError>
    /** Forgets the keys whose remembered response contains any of these texts: such a request is `new` again. */
    forgetResponses(workspace: WorkspaceId, texts: ReadonlyArray<string>): Effect.Effect<void, StorageError>
    /** Removes at most `limit` keys that were recorded before `before`, and says how many. */
    purgeKeys(workspace: WorkspaceId, before: Instant, limit: number): Effect.Effect<number, StorageError>
    /** The switch over everything: while on, no message of anyone begins. */
    readonly stopped: Effect.Effect<boolean, StorageError>
    stop(stopped: boolean): Effect.Effect<void, StorageError>
    readonly pacingClock: Effect.Effect<PacingClock, StorageError>
    /** A virtual clock never goes back: an earlier `at` than the stored one changes nothing. */
    setPacingClock(clock: PacingClock): Effect.Effect<void, StorageError>
    /** Locks the clock, applies the rule, writes: what all processes that ask at the same time get is the same clock. */
    agreePacingClock(choose: (stored: PacingClock) => PacingClock): Effect.Effect<PacingClock, StorageError>
  }
>()("@overture/core/WorkspaceStore") {}
