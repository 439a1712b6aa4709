/**
 * The port that makes several store verbs one: inside `within` all of them commit together or not at all. A verb called
 * outside opens a transaction of its own; `within` inside `within` joins the outer one. A host may enter its own
 * transaction by the same port (see the storage adapters).
 */
import { Context, type Effect } from "effect"
import type { StorageError } from "./StorageError.ts"

export class Transaction extends Context.Service<
  Transaction,
  {
    /** Runs `effect` in one transaction; a failure, defect or interruption rolls it back. */
    within<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | StorageError, R>
  }
>()("@overture/core/Transaction") {}
