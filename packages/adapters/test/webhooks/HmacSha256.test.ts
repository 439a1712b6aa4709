/** Our keyed hash against node:crypto's: for whatever key and text they say the same. */
import * as HmacSha256 from "../../src/webhooks/HmacSha256.ts"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { createHmac } from "node:crypto"

/** Texts of any characters, repeated: keys around the size of a block, and texts around what is kept in memory. */
const repeated = (most: number) =>
  Schema.Struct({ unit: Schema.String, times: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: most })) })
const textOf = ({ times, unit }: { readonly unit: string; readonly times: number }) => unit.repeat(times)

describe("HMAC-SHA-256", () => {
  it.prop(
    "says what node:crypto says, of several texts under one key",
    {
      key: repeated(30),
      encoding: Schema.Literals(["base64", "utf8"]),
      texts: Schema.Array(repeated(3_000))
    },
    ({ encoding, key, texts }) => {
      const plain = textOf(key)
      const text = encoding === "utf8" ? plain : Buffer.from(plain).toString("base64")
      const ours = HmacSha256.make({ text, encoding })
      for (const one of texts.map(textOf)) {
        for (const written of ["base64", "hex"] as const) {
          const expected = createHmac("sha256", text, { encoding }).update(one).digest(written)
          assert.strictEqual(ours(one, written), expected)
        }
      }
    }
  )

  it("takes texts of any length, also such as are no whole characters", () => {
    const ours = HmacSha256.make({ text: "key", encoding: "utf8" })
    for (const length of [0, 1, 5_461, 5_462, 16_384, 16_385, 100_000]) {
      for (const unit of ["a", "€", "\ud83d\ude00", "\ud83d"]) {
        const text = unit.repeat(length).slice(0, length)
        assert.strictEqual(ours(text, "hex"), createHmac("sha256", "key").update(text).digest("hex"))
      }
    }
  })
})
