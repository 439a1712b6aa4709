/** How files reach a platform: by a URL that it fetches, or as bytes; and how large they may be. */
import { Schema } from "effect"
import type { Instant } from "../workspace/Instant.ts"
import type { MediaKind } from "./Content.ts"

/** What a platform takes of one kind. */
const FileLimits = Schema.Struct({
  maxBytes: Schema.Int,
  /** Types, such as `image/jpeg`; absent = all. */
  mimes: Schema.optionalKey(Schema.Array(Schema.String))
})

export class MediaIntake extends Schema.Opaque<MediaIntake>()(
  Schema.Struct({
    by: Schema.Literals(["url", "bytes", "either"]),
    /** By kind; one that is absent has no limit that we know of. */
    limits: Schema.optionalKey(
      Schema.Struct({
        image: Schema.optionalKey(FileLimits),
        video: Schema.optionalKey(FileLimits),
        audio: Schema.optionalKey(FileLimits),
        file: Schema.optionalKey(FileLimits)
      })
    )
  }).annotate({ identifier: "MediaIntake" })
) {}

/** A file as a channel is handed it. */
export interface OutboundMedia {
  readonly kind: MediaKind
  /** Null where nobody knows: the file is at a URL of somebody else's. */
  readonly mime: string | null
  readonly filename: string | null
  readonly source:
    | { readonly type: "bytes"; readonly bytes: Uint8Array }
    /** Answers until then at least; null = as long as its owner likes. */
    | { readonly type: "url"; readonly url: string; readonly until: Instant | null }
}

/** Why a platform does not take a file, in words; null when it does. */
export const refusal = (
  { limits }: MediaIntake,
  kind: MediaKind,
  { bytes, mime }: { readonly bytes: number | null; readonly mime: string | null }
): string | null => {
  const limit = limits?.[kind]
  if (limit === undefined) return null
  if (bytes !== null && bytes > limit.maxBytes) {
    return `the ${kind} has ${bytes} bytes, at most ${limit.maxBytes} are allowed`
  }
  return mime !== null && limit.mimes?.includes(mime) === false
    ? `${mime} cannot be sent here, but ${limit.mimes.join(", ")}`
    : null
}
