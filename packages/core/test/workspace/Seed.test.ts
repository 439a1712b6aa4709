/** What is derived from a text stays as it is for ever: ids of chats are in databases, and days were drawn from seeds. */
import { assert, describe, it } from "@effect/vitest"
import * as Seed from "../../src/workspace/Seed.ts"
import { Schema } from "effect"

describe("what a text becomes", () => {
  it("is what it was in the first version", () => {
    assert.strictEqual(Seed.digest(""), "027ae52ecfc796215593990d4b41437c")
    assert.strictEqual(Seed.digest("0"), "f74d4ea548cf1fefe93e04175f3557ce")
    assert.strictEqual(Seed.digest("acc_1|ann"), "79d9341d55a03b25229dec42252568e8")
    const next = Seed.random("cmp_1|acc_1|2026-03-09")
    assert.deepStrictEqual(
      [next(), next(), next()].map((one) => one * 2 ** 32),
      [1898113617, 355747292, 3669814258]
    )
  })

  it.prop("is the digits of its words", { text: Schema.String }, ({ text }) => {
    const digits = Seed.hash(text).map((word) => word.toString(16).padStart(8, "0"))
    assert.strictEqual(Seed.digest(text), digits.join(""))
  })
})
