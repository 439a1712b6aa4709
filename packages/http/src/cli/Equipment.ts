/** What a process that sends has beside its channels: where files are kept, what fits images, what reads uploaded lists. */
import * as ContactFiles from "@overture/adapters/sources/ContactFiles"
import type { Options } from "@overture/core/Overture"
import { Effect, Option } from "effect"
import type { CliFailure } from "./Failure.ts"
import * as MediaPlace from "./MediaPlace.ts"

export type Equipment = Pick<Options, "media" | "imageResizer" | "contactFiles">

/** Without a place for media, files of messages stay at their platforms. */
export const make = (media: Option.Option<MediaPlace.MediaPlace>): Effect.Effect<Equipment, CliFailure> =>
  Effect.gen(function* () {
    // It brings native code, which no other command should wait for.
    const SharpImages = yield* Effect.promise(() => import("@overture/adapters/accounts/SharpImages"))
    return {
      imageResizer: SharpImages.make(),
      contactFiles: (files) => ContactFiles.make({ files }),
      ...(Option.isSome(media) && { media: yield* MediaPlace.open(media.value) })
    }
  })
