import { keyOf, type VaultError } from "@overture/core/workspace/Vault"
import * as TestVault from "@overture/core/testing/TestVault"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as fc from "fast-check"
import { randomBytes } from "node:crypto"
import * as KeyVault from "../../src/vault/KeyVault.ts"

const key = () => randomBytes(32).toString("base64")
const [first, second] = [key(), key()]
const open = (keys: string) => KeyVault.make(Redacted.make(keys))
const secret = "EAAG-token-éü🎭"

const kinds = [
  ["the key vault", open(`new:${second},old:${first}`), open(`old:${first}`), open(`other:${key()}`)],
  [
    "the test vault",
    Effect.succeed(TestVault.make(["new", "old"])),
    Effect.succeed(TestVault.make(["old"])),
    Effect.succeed(TestVault.make(["other"]))
  ]
] as const

for (const [name, present, former, foreign] of kinds) {
  describe(name, () => {
    it("opens what it sealed in its context, and shows nothing of it", async () => {
      const texts = fc.string({ unit: "binary", maxLength: 300 })
      const property = fc.asyncProperty(texts, fc.string({ maxLength: 40 }), (plain, context) =>
        Effect.runPromise(
          Effect.gen(function* () {
            const vault = yield* present
            const sealed = yield* vault.seal(Redacted.make(plain), context)
            assert.strictEqual(Redacted.value(yield* vault.open(sealed, context)), plain)
            assert.strictEqual(keyOf(sealed), "new")
            if (plain.length > 3) assert.notInclude(sealed, plain)
          })
        )
      )
      await fc.assert(property)
    })

    it.effect("opens what a former key sealed, and no longer without it", () =>
      Effect.gen(function* () {
        const sealed = yield* (yield* former).seal(Redacted.make(secret), "account:1")
        assert.strictEqual(Redacted.value(yield* (yield* present).open(sealed, "account:1")), secret)
        const error = yield* Effect.flip((yield* foreign).open(sealed, "account:1"))
        assert.deepStrictEqual([error.reason, error.key], ["unknownKey", "old"])
      })
    )

    it.effect("opens nothing in another context, and nothing that was changed", () =>
      Effect.gen(function* () {
        const vault = yield* present
        const sealed = yield* vault.seal(Redacted.make(secret), "account:1")
        const refused = (text: string, context: string) =>
          Effect.map(Effect.flip(vault.open(text, context)), (error: VaultError) => {
            assert.strictEqual(error.reason, "unreadable")
            assert.notInclude(JSON.stringify(error) + error.message, secret)
          })
        yield* refused(sealed, "account:2")
        const parts = sealed.split(".")
        for (const [index, part] of parts.entries()) {
          if (index < 2) continue
          // A character in the middle: the last one of base64url may carry unused bits.
          const at = part.length >> 1
          const other = part[at] === "1" ? "2" : "1"
          const changed = part.slice(0, at) + other + part.slice(at + 1)
          yield* refused(parts.with(index, changed).join("."), "account:1")
        }
        for (const text of ["", secret, "v1.new..", `v1.new.${parts[2]}.AA`, `v1.new.A.${parts[3]}`]) {
          yield* refused(text, "account:1")
        }
      })
    )
  })
}

describe("keys from a configuration", () => {
  it.effect("the same secret is another text each time", () =>
    Effect.gen(function* () {
      const vault = yield* open(`a:${first}`)
      const texts = yield* Effect.forEach([1, 2, 3], () => vault.seal(Redacted.make(secret), "x"))
      assert.strictEqual(new Set(texts).size, 3)
    })
  )

  it.effect("without a key nothing is sealed, and the variable is named", () =>
    Effect.gen(function* () {
      for (const keys of [null, Redacted.make(""), Redacted.make("  ")]) {
        const vault = yield* KeyVault.make(keys)
        const error = yield* Effect.flip(vault.seal(Redacted.make(secret), "x"))
        assert.strictEqual(error.reason, "noKey")
        assert.include(error.message, "OVERTURE_SECRET_KEYS")
        assert.strictEqual(vault.currentKey, null)
      }
    })
  )

  it.effect("keys that cannot be used are refused by their place, without a word of them", () =>
    Effect.gen(function* () {
      const short = randomBytes(16).toString("base64")
      for (const [keys, problem] of [
        [first, "key 1: expected ID:BASE64"],
        [`${first}:2026a`, "key 1: expected an id of 1 to 32 of A-Z, a-z, 0-9, _ and -"],
        [`a:${first},b:${short}`, "key 2 (b): expected 32 bytes, got 16"],
        [`a:${first},a:${second}`, "key 2: the id a is there twice"],
        [`a:${first},`, "key 2: expected ID:BASE64"],
        [`a:not base64!`, "key 1 (a): expected Base64 after the colon"]
      ] as const) {
        const error = yield* Effect.flip(open(keys))
        assert.strictEqual(error.message, `OVERTURE_SECRET_KEYS: ${problem}`)
        for (const part of [first, second, short]) assert.notInclude(JSON.stringify(error), part)
      }
    })
  )
})
