/** The port that makes an image fit what a platform takes. */
import { Context, Effect, Schema } from "effect"
import type { Image, ImageLimits } from "../channel/ProfileUpdate.ts"
import { Unsupported } from "../channel/Unsupported.ts"

/** The bytes are no image that can be used. */
export class InvalidImage extends Schema.TaggedError<InvalidImage>()("InvalidImage", {
  problem: Schema.String
}) {
  override get message(): string {
    return `image: ${this.problem}`
  }
}

export class ImageResizer extends Context.Service<
  ImageResizer,
  {
    /** Within the limits, upright, without what cameras write beside the picture; never larger than it was. */
    resize(bytes: Uint8Array, limits: ImageLimits): Effect.Effect<Image, InvalidImage | Unsupported>
  }
>()("@overture/core/ImageResizer") {
  /** Where the host gave none. */
  static readonly without = ImageResizer.of({
    resize: () => Effect.fail(new Unsupported({ what: "fit images to a profile", missing: "the port ImageResizer" }))
  })
}
