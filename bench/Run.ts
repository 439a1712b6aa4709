/**
 * What a measured run is told, and what is said between the bench and its child processes. Every run is a fresh process
 * over a fresh copy of the same seeded database, so nobody inherits a warm heap, a warm plan or a dead row.
 */

/** Where a run finds its leads. */
export type Storage =
  | { readonly type: "postgres"; readonly url: string }
  | { readonly type: "sqlite"; readonly path: string }

/** One process of a run. */
export interface Task {
  readonly contestant: "engine" | "graphile" | "pgboss"
  readonly storage: Storage
  /** Leads of the whole run, of all its processes. */
  readonly leads: number
  /** Of the engine. */
  readonly sendConcurrency: number
  /**
   * What a peer's handler does for a lead: all of the engine's work, by its own statements; all that the engine writes, but
   * none of what it reads, locks and decides; or lead, message, chat and one event.
   */
  readonly writes: "ledger" | "same" | "four"
  readonly worker: string
}

/** From a child. */
export type Said =
  /** Connected, with its jobs in the queue. */
  | { readonly type: "ready" }
  /** Nothing is due: is the run over? */
  | { readonly type: "idle"; readonly sent: number }
  | { readonly type: "finished"; readonly sent: number; readonly written: number | null; readonly cpuMicros: number }

/** To a child. */
export type Told = { readonly type: "go" } | { readonly type: "answer"; readonly over: boolean }

/** The counts a correct run leaves, by which a bench that measures a broken run notices. */
export interface Left {
  readonly sentLeads: number
  readonly sentMessages: number
  readonly chats: number
  readonly events: number
}
