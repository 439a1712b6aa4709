/** Real images made to fit, and what is refused. */
import type { ImageLimits } from "@overture/core/channel/ProfileUpdate"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import sharp, { type Sharp } from "sharp"
import * as SharpImages from "../../src/accounts/SharpImages.ts"

const { resize } = SharpImages.make()

/** Noise: whatever is made of it is as large as it can be. */
const noise = (width: number, height: number) =>
  sharp({
    create: { width, height, channels: 3, background: "#888", noise: { type: "gaussian", mean: 128, sigma: 60 } }
  })

/** Left half red, right half blue. */
const halves = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: "#f00" } }).composite([
    {
      input: { create: { width: width >> 1, height, channels: 3, background: "#00f" } },
      left: width - (width >> 1),
      top: 0
    }
  ])

const bytesOf = (image: Sharp, format: "jpeg" | "png" | "webp" | "gif" = "png") =>
  Effect.promise(async () => new Uint8Array(await image.toFormat(format).toBuffer()))

const limits = (overrides: Partial<ImageLimits> = {}): ImageLimits => ({
  mime: "image/jpeg",
  maxWidth: 500,
  maxHeight: 500,
  maxBytes: 1_000_000,
  cut: false,
  ...overrides
})

const seen = (bytes: Uint8Array) => Effect.promise(() => sharp(bytes).metadata())
const pixel = (bytes: Uint8Array, left: number, top: number) =>
  Effect.promise(async () => [
    ...(await sharp(bytes).extract({ left, top, width: 1, height: 1 }).removeAlpha().raw().toBuffer())
  ])
const isNear = (a: ReadonlyArray<number>, b: ReadonlyArray<number>) => a.every((one, i) => Math.abs(one - b[i]!) < 12)

describe("an image that fits", () => {
  for (const [from, to, cut] of [
    [[1000, 400], [500, 200], false],
    [[400, 1000], [200, 500], false],
    [[300, 200], [300, 200], false],
    [[1000, 400], [400, 400], true],
    [[600, 600], [500, 500], true],
    [[100, 60], [60, 60], true]
  ] as const) {
    it.effect(`${from.join(" × ")} becomes ${to.join(" × ")}${cut ? ", cut" : ""}`, () =>
      Effect.gen(function* () {
        const image = yield* resize(yield* bytesOf(halves(from[0], from[1])), limits({ cut }))
        const [width, height] = to
        assert.deepStrictEqual([image.width, image.height], [width, height])
        const found = yield* seen(image.bytes)
        assert.deepStrictEqual([found.width, found.height, found.format], [width, height, "jpeg"])
        // Its middle stays: red to the left of it, blue to the right.
        const row = height >> 1
        assert.isTrue(isNear(yield* pixel(image.bytes, 2, row), [254, 0, 0]), "left")
        assert.isTrue(isNear(yield* pixel(image.bytes, width - 3, row), [0, 0, 254]), "right")
      })
    )
  }

  it.effect("takes no more bytes than allowed, in either format", () =>
    Effect.gen(function* () {
      const bytes = yield* bytesOf(noise(800, 600))
      for (const mime of ["image/jpeg", "image/png"] as const) {
        const image = yield* resize(bytes, limits({ mime, maxWidth: 700, maxHeight: 700, maxBytes: 60_000 }))
        assert.isAtMost(image.bytes.length, 60_000)
        assert.strictEqual(`image/${(yield* seen(image.bytes)).format}`, mime)
        assert.isTrue(Math.abs(image.width / image.height - 4 / 3) < 0.02, `${image.width} × ${image.height}`)
      }
    })
  )

  it.effect("is upright, and tells nothing that the camera wrote", () =>
    Effect.gen(function* () {
      const taken = yield* Effect.promise(async () => {
        const exif = { IFD0: { Artist: "Quillfeather" }, IFD3: { GPSLatitude: "51/1 0/1 0/1" } }
        return new Uint8Array(await halves(200, 100).jpeg().withMetadata({ orientation: 6, exif }).toBuffer())
      })
      assert.include(Buffer.from(taken).toString("latin1"), "Quillfeather")
      const image = yield* resize(taken, limits())
      assert.deepStrictEqual([image.width, image.height], [100, 200])
      assert.isTrue(isNear(yield* pixel(image.bytes, 50, 5), [254, 0, 0]), "red is on top")
      const found = yield* seen(image.bytes)
      assert.deepStrictEqual([found.exif, found.orientation], [undefined, undefined])
      assert.notInclude(Buffer.from(image.bytes).toString("latin1"), "Quillfeather")
    })
  )

  it.effect("is white where it could be looked through", () =>
    Effect.gen(function* () {
      const glass = sharp({
        create: { width: 20, height: 20, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } }
      })
      for (const format of ["png", "webp", "gif"] as const) {
        const image = yield* resize(yield* bytesOf(glass, format), limits())
        assert.isTrue(isNear(yield* pixel(image.bytes, 5, 5), [255, 255, 255]), format)
      }
    })
  )
})

describe("what is no image that can be used", () => {
  it.effect("is refused, and told why", () =>
    Effect.gen(function* () {
      const whole = yield* bytesOf(noise(300, 300), "jpeg")
      const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
      const bomb = yield* bytesOf(sharp({ create: { width: 8000, height: 7000, channels: 3, background: "#000" } }))
      for (const [bytes, problem, more] of [
        [new Uint8Array(), "cannot be read as JPEG, PNG, WebP, GIF or AVIF"],
        [new TextEncoder().encode("hello"), "cannot be read as JPEG, PNG, WebP, GIF or AVIF"],
        [whole.slice(0, whole.length >> 1), "cannot be read as JPEG, PNG, WebP, GIF or AVIF"],
        [new TextEncoder().encode(svg), "is svg, expected JPEG, PNG, WebP, GIF or AVIF"],
        [bomb, "has more than 50000000 pixels"],
        [new Uint8Array(20 * 1024 * 1024 + 1), "has 20971521 bytes, at most 20971520 are read"],
        [whole, "cannot be made smaller than 100 bytes", { maxBytes: 100 }]
      ] as const) {
        const error = yield* Effect.flip(resize(bytes, limits(more)))
        assert.strictEqual(error.message, `image: ${problem}`)
      }
    })
  )
})
