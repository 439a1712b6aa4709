/**
 * Rows that hold sealed texts. Areas register theirs, so that a new key reaches all of them and the former one can be
 * taken away.
 */
import { Context, Effect, Result } from "effect"
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

/**
 * `SealedRows.reseal` of rows that a store gives in order of their ids: `after` gives at most `limit` that another key
 * sealed, `reseal` says whether it changed the row.
 */
export const resealEach = Effect.fnUntraced(function* <Row, Id>(
  limit: number,
  rows: {
    readonly after: (last: Id | null, limit: number) => Effect.Effect<ReadonlyArray<Row>, StorageError>
    readonly idOf: (row: Row) => Id
    readonly reseal: (row: Row) => Effect.Effect<boolean, StorageError | VaultError>
  }
) {
  let last: Id | null = null
  let unopened: VaultError | null = null
  let changed = 0
  while (changed < limit) {
    const page: ReadonlyArray<Row> = yield* rows.after(last, limit - changed)
    if (page.length === 0) break
    last = rows.idOf(page.at(-1)!)
    for (const row of page) {
      const done = yield* Effect.result(rows.reseal(row))
      if (Result.isSuccess(done)) changed += done.success ? 1 : 0
      else if (done.failure._tag === "VaultError") unopened ??= done.failure
      else return yield* done.failure
    }
  }
  return changed === 0 && unopened !== null ? yield* unopened : changed
})

/** None by default. */
export const SealedRowSets = Context.Reference<ReadonlyArray<SealedRows>>("@overture/core/SealedRowSets", {
  defaultValue: () => []
})
