/**
 * Makes images fit with sharp: upright, sRGB, without metadata, as small as the platform wants them. Only what cameras and
 * browsers make is read, so that no image can reach for files or the network.
 */
import { ImageResizer, InvalidImage } from "@overture/core/account/ImageResizer"
import type { Image, ImageLimits } from "@overture/core/channel/ProfileUpdate"
import { Effect } from "effect"
import sharp, { type Sharp } from "sharp"

/** The largest file that is read, in bytes, and the most pixels that it may have. */
const maxInputBytes = 20 * 1024 * 1024
const maxInputPixels = 50_000_000
const formats: ReadonlySet<string> = new Set(["jpeg", "png", "webp", "gif", "heif"])

/** How often it is made smaller where no quality is enough. */
const maxShrinks = 8

const invalid = (problem: string) => new InvalidImage({ problem })

interface Size {
  readonly width: number
  readonly height: number
}

/** What it becomes, never larger than it is; `cut` keeps the proportion of the limits, else its own stays. */
const fitted = ({ height, width }: Size, { cut, maxHeight, maxWidth }: ImageLimits): Size => {
  const scale = Math.min(1, cut ? Math.min(width / maxWidth, height / maxHeight) : 1)
  return { width: Math.max(1, Math.round(maxWidth * scale)), height: Math.max(1, Math.round(maxHeight * scale)) }
}

/** Ways to write it, the best first. */
const encodings: Record<ImageLimits["mime"], ReadonlyArray<(picture: Sharp) => Sharp>> = {
  "image/jpeg": [90, 75, 60, 45].map(
    (quality) => (picture) => picture.flatten({ background: "#ffffff" }).jpeg({ quality })
  ),
  "image/png": [(picture) => picture.png(), (picture) => picture.png({ palette: true, effort: 2 })]
}

/** Written in the best way that is small enough, or made smaller by what is missing until one is. */
const shrunk = async (source: Sharp, whole: Size, limits: ImageLimits): Promise<Image | null> => {
  let size = fitted(whole, limits)
  for (let shrinks = 0; shrinks <= maxShrinks; shrinks++) {
    const fit = limits.cut ? "cover" : "inside"
    const picture = source.clone().resize({ ...size, fit, withoutEnlargement: true })
    let least = Infinity
    for (const encoding of encodings[limits.mime]) {
      const { data, info } = await encoding(picture.clone()).toBuffer({ resolveWithObject: true })
      if (data.length <= limits.maxBytes) {
        return { mime: limits.mime, width: info.width, height: info.height, bytes: new Uint8Array(data) }
      }
      least = Math.min(least, data.length)
      size = { width: info.width, height: info.height }
    }
    const factor = Math.max(0.3, 0.95 * Math.sqrt(limits.maxBytes / least))
    size = {
      width: Math.max(1, Math.round(size.width * factor)),
      height: Math.max(1, Math.round(size.height * factor))
    }
  }
  return null
}

const resize = async (bytes: Uint8Array, limits: ImageLimits): Promise<Image | InvalidImage> => {
  const source = sharp(bytes, { limitInputPixels: maxInputPixels, failOn: "error", animated: false })
  const { autoOrient, format } = await source.metadata()
  if (!formats.has(format)) return invalid(`is ${format}, expected JPEG, PNG, WebP, GIF or AVIF`)
  const image = await shrunk(source.autoOrient(), autoOrient, limits)
  return image ?? invalid(`cannot be made smaller than ${limits.maxBytes} bytes`)
}

/** The port over sharp. */
export const make = (): ImageResizer["Service"] =>
  ImageResizer.of({
    resize: Effect.fn("SharpImages.resize")(function* (bytes, limits) {
      if (bytes.length > maxInputBytes) {
        return yield* invalid(`has ${bytes.length} bytes, at most ${maxInputBytes} are read`)
      }
      const image = yield* Effect.tryPromise({
        try: () => resize(bytes, limits),
        catch: (error) =>
          invalid(
            error instanceof Error && /pixel limit/i.test(error.message)
              ? `has more than ${maxInputPixels} pixels`
              : "cannot be read as JPEG, PNG, WebP, GIF or AVIF"
          )
      })
      return image instanceof InvalidImage ? yield* image : image
    })
  })
