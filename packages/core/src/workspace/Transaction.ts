/**
 * The port that makes several store verbs one: inside `within` all of them commit together or not at all. A verb called
 * outside opens a transaction of its own; `within` inside `within` joins the outer one. A host may enter its own
 * transaction by the same port (see the storage adapters).
 */
import { Context, type Effect } from "effect"
import type { StorageError } from "./StorageError.ts"

/** How often an outermost transaction is run at most. */
export const tries = 5

export class Transaction extends Context.Service<
  Transaction,
  {
    /**
     * Runs `effect` in one transaction; a failure, defect or interruption rolls it back. Where others were in its way (a
     * deadlock, or a `StorageError` that says it is `retryable`), the outermost one is run again from its beginning, a few
     * times: what it remembers outside of itself it would remember twice.
     */
    within<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | StorageError, R>
  }
>()("@overture/core/Transaction") {}
