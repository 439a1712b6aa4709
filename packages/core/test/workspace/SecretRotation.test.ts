/** A new key reaches every registered set of rows, whatever is wrong with one of them, and by itself once an hour. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import * as TestVault from "../../src/testing/TestVault.ts"
import { hour } from "../../src/workspace/Instant.ts"
import { type SealedRows, SealedRowSets } from "../../src/workspace/SealedRows.ts"
import { SecretRotation } from "../../src/workspace/SecretRotation.ts"
import { StorageError } from "../../src/workspace/StorageError.ts"
import { keyOf, Vault } from "../../src/workspace/Vault.ts"

const vault = TestVault.make(["new", "old"])

/** Rows of these keys, in an array. */
const rowsOf = (name: string, keys: ReadonlyArray<"new" | "old" | "lost">) =>
  Effect.gen(function* () {
    const texts = yield* Effect.forEach(keys, (key, i) =>
      TestVault.make([key]).seal(Redacted.make(`s${i}`), `row:${i}`)
    )
    const set: SealedRows = {
      name,
      reseal: (limit) =>
        Effect.gen(function* () {
          let changed = 0
          for (const [i, text] of texts.entries()) {
            if (keyOf(text) === "new" || changed === limit) continue
            if (keyOf(text) === "lost" && texts.some((other) => keyOf(other) === "old")) continue
            texts[i] = yield* vault.seal(yield* vault.open(text, `row:${i}`), `row:${i}`)
            changed += 1
          }
          return changed
        })
    }
    return { set, keys: () => texts.map(keyOf) }
  })

const rotation = (sets: ReadonlyArray<SealedRows>, over: Vault["Service"] = vault) =>
  SecretRotation.layer.pipe(
    Layer.provide(Layer.mergeAll(Layer.succeed(SealedRowSets, sets), Layer.succeed(Vault, over)))
  )

describe("rotation", () => {
  it.effect("seals all rows of all sets again, and none twice", () =>
    Effect.gen(function* () {
      const one = yield* rowsOf(
        "one",
        Array.from({ length: 250 }, () => "old")
      )
      const two = yield* rowsOf("two", ["new", "old"])
      const rotate = Effect.flatMap(SecretRotation, (found) => found.rotate).pipe(
        Effect.provide(rotation([one.set, two.set]))
      )
      assert.deepStrictEqual(yield* rotate, [
        { name: "one", rows: 250 },
        { name: "two", rows: 1 }
      ])
      assert.isTrue([...one.keys(), ...two.keys()].every((key) => key === "new"))
      assert.deepStrictEqual(yield* rotate, [
        { name: "one", rows: 0 },
        { name: "two", rows: 0 }
      ])
    })
  )

  it.effect("does what it can before it names a key that is missing", () =>
    Effect.gen(function* () {
      const one = yield* rowsOf("one", ["lost", "old"])
      const two = yield* rowsOf("two", ["old"])
      const error = yield* Effect.flatMap(SecretRotation, (found) => Effect.flip(found.rotate)).pipe(
        Effect.provide(rotation([one.set, two.set]))
      )
      assert.include(error.message, "the key lost")
      assert.deepStrictEqual([one.keys(), two.keys()], [["lost", "new"], ["new"]])
    })
  )

  it.effect("runs by itself once an hour, and never without a key", () =>
    Effect.gen(function* () {
      const { keys, set } = yield* rowsOf("one", ["old"])
      const round = (now: number) => Effect.flatMap(SecretRotation, ({ chore }) => chore.round(now))
      const without = yield* Effect.provide(round(0), rotation([set], Vault.without("KEYS")))
      assert.deepStrictEqual([without, keys()], [{ worked: false, nextDue: null }, ["old"]])
      yield* Effect.gen(function* () {
        assert.strictEqual((yield* round(5)).nextDue, 5 + hour)
        assert.deepStrictEqual(keys(), ["new"])
        assert.strictEqual((yield* round(6)).nextDue, 5 + hour)
        assert.strictEqual((yield* round(5 + hour)).nextDue, 5 + 2 * hour)
      }).pipe(Effect.provide(rotation([set])))
    })
  )

  it.effect("is not put off by a storage that was away for a moment", () =>
    Effect.gen(function* () {
      const { keys, set } = yield* rowsOf("one", ["old"])
      let isAway = true
      const away: SealedRows = {
        ...set,
        reseal: (limit) =>
          Effect.suspend(() =>
            isAway
              ? Effect.fail(new StorageError({ operation: "reseal", retryable: true, cause: "away" }))
              : set.reseal(limit)
          )
      }
      yield* Effect.gen(function* () {
        const { chore } = yield* SecretRotation
        assert.strictEqual((yield* Effect.flip(chore.round(5)))._tag, "StorageError")
        isAway = false
        assert.strictEqual((yield* chore.round(6)).nextDue, 6 + hour)
        assert.deepStrictEqual(keys(), ["new"])
      }).pipe(Effect.provide(rotation([away])))
    })
  )
})
