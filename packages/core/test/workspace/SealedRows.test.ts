import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { resealEach } from "../../src/workspace/SealedRows.ts"
import { VaultError } from "../../src/workspace/Vault.ts"

type State = "former" | "lost" | "changing" | "present"

/** Rows in order of their places; those that are `changing` keep what came meanwhile. */
const rowsOf = (states: Array<State>) => ({
  after: (last: number | null, limit: number) =>
    Effect.sync(() =>
      states
        .map((state, id) => ({ state, id }))
        .filter(({ id, state }) => state !== "present" && id > (last ?? -1))
        .slice(0, limit)
    ),
  idOf: ({ id }: { readonly id: number }) => id,
  reseal: ({ id, state }: { readonly id: number; readonly state: State }) =>
    Effect.gen(function* () {
      if (state === "lost") return yield* new VaultError({ reason: "unknownKey", key: String(id), setting: "keys" })
      states[id] = "present"
      return state === "former"
    })
})

describe("rows that are sealed again", () => {
  it.effect("are at most as many as asked for, whatever cannot be opened between them", () =>
    Effect.gen(function* () {
      const states: Array<State> = ["lost", "former", "changing", "lost", "former", "former"]
      assert.strictEqual(yield* resealEach(2, rowsOf(states)), 2)
      assert.deepStrictEqual(states, ["lost", "present", "present", "lost", "present", "former"])
      assert.strictEqual(yield* resealEach(2, rowsOf(states)), 1)
    })
  )

  it.effect("tell the first that cannot be opened once nothing else is left", () =>
    Effect.gen(function* () {
      const states: Array<State> = ["present", "lost", "lost"]
      assert.include((yield* Effect.flip(resealEach(9, rowsOf(states)))).message, "the key 1,")
      assert.strictEqual(yield* resealEach(9, rowsOf(["present"])), 0)
    })
  )
})
