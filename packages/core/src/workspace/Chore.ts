/**
 * Work that a process does beside sending: webhook deliveries, jobs, media, retention. Areas register theirs, and the driver
 * runs each in a fiber of its own, so that none of them holds up a message. Chores follow the real clock.
 */
import { Context, type Effect } from "effect"
import type { Instant } from "./Instant.ts"
import type { StorageError } from "./StorageError.ts"

export interface Chore {
  /** What it does, for logs. */
  readonly name: string
  /**
   * Does what is due at `now` and says whether there was anything, and when more is: null = nothing known. Several processes
   * may run it at once; interrupted or killed, it loses nothing.
   */
  round(now: Instant): Effect.Effect<{ readonly worked: boolean; readonly nextDue: Instant | null }, StorageError>
}

/** The chores of this engine. */
export class Chores extends Context.Service<Chores, ReadonlyArray<Chore>>()("@overture/core/Chores") {}
