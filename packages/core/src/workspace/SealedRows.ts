/**
 * Rows that hold sealed texts. Areas register theirs, so that a new key reaches all of them and the former one can be
 * taken away.
 */
import { Context, type Effect } from "effect"
import type { StorageError } from "./StorageError.ts"
import type { VaultError } from "./Vault.ts"

export interface SealedRows {
  /** What they are, for people: `credentials of accounts`. */
  readonly name: string
  /**
   * Seals again, with the vault's present key, at most `limit` rows that another key sealed; returns how many it changed.
   * A row that changes meanwhile keeps the newer text. What no key opens is passed by, and is the error once nothing else
   * is left.
   */
  reseal(limit: number): Effect.Effect<number, StorageError | VaultError>
}

/** None by default. */
export const SealedRowSets = Context.Reference<ReadonlyArray<SealedRows>>("@overture/core/SealedRowSets", {
  defaultValue: () => []
})
