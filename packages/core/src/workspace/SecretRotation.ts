/**
 * Brings all secrets under the vault's present key, so that a former one can be taken away. Runs by itself beside the
 * driver; a process without keys leaves everything as it is.
 */
import { Context, Effect, Layer } from "effect"
import type { Chore } from "./Chore.ts"
import { hour, type Instant } from "./Instant.ts"
import { SealedRowSets } from "./SealedRows.ts"
import type { StorageError } from "./StorageError.ts"
import { Vault, type VaultError } from "./Vault.ts"

/** Rows that are sealed again at a time. */
const batch = 100

export interface Resealed {
  /** `SealedRows.name` */
  readonly name: string
  readonly rows: number
}

export class SecretRotation extends Context.Service<
  SecretRotation,
  {
    /** Seals again whatever another key sealed. Fails where a key is missing, after all rows that could be done. */
    readonly rotate: Effect.Effect<ReadonlyArray<Resealed>, StorageError | VaultError>
    readonly chore: Chore
  }
>()("@overture/core/SecretRotation") {
  static readonly layer = Layer.effect(
    SecretRotation,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const sets = yield* SealedRowSets
  const vault = yield* Vault

  const rotate = Effect.gen(function* () {
    const done: Array<Resealed> = []
    const failures: Array<VaultError> = []
    for (const set of sets) {
      let rows = 0
      while (true) {
        const more = yield* Effect.catchTag(set.reseal(batch), "VaultError", (error) => {
          failures.push(error)
          return Effect.succeed(0)
        })
        rows += more
        if (more === 0) break
      }
      done.push({ name: set.name, rows })
    }
    const [failure] = failures
    return failure === undefined ? done : yield* failure
  })

  let dueAt = -Infinity

  return SecretRotation.of({
    rotate: Effect.withSpan(rotate, "SecretRotation.rotate"),
    chore: {
      name: "secret rotation",
      round: Effect.fnUntraced(function* (now: Instant) {
        if (now < dueAt || vault.currentKey === null) return { worked: false, nextDue: now < dueAt ? dueAt : null }
        yield* Effect.catchTag(rotate, "VaultError", ({ message }) => Effect.logWarning(message))
        dueAt = now + hour
        return { worked: false, nextDue: dueAt }
      })
    }
  })
})
