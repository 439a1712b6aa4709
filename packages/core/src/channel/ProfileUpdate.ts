/**
 * How an account shows itself to people, as far as its platform lets it be changed from here: which fields, within which
 * limits, and what became of a change.
 */
import { Schema } from "effect"
import type { AccountTrouble } from "./Outcome.ts"

export const ProfileField = Schema.Literals(["name", "about", "image", "banner"])
export type ProfileField = typeof ProfileField.Type

/** What an image is made to fit before it goes to the platform. */
export class ImageLimits extends Schema.Opaque<ImageLimits>()(
  Schema.Struct({
    mime: Schema.Literals(["image/jpeg", "image/png"]),
    /** Pixels. */
    maxWidth: Schema.Int,
    maxHeight: Schema.Int,
    maxBytes: Schema.Int,
    /** Whether it is cut to `maxWidth` × `maxHeight`, its middle staying, in place of only being made smaller. */
    cut: Schema.Boolean
  }).annotate({ identifier: "ImageLimits" })
) {}

/** What of its profile an account can change; a field that is absent cannot be changed. */
export class ProfileLimits extends Schema.Opaque<ProfileLimits>()(
  Schema.Struct({
    name: Schema.optionalKey(Schema.Struct({ maxLength: Schema.Int })),
    about: Schema.optionalKey(Schema.Struct({ maxLength: Schema.Int })),
    image: Schema.optionalKey(ImageLimits),
    banner: Schema.optionalKey(ImageLimits)
  }).annotate({ identifier: "ProfileLimits" })
) {}

export interface Image {
  readonly mime: string
  readonly width: number
  readonly height: number
  readonly bytes: Uint8Array
}

/** What is to be changed; absent stays. */
export interface ProfileUpdate {
  readonly name?: string | undefined
  readonly about?: string | undefined
  readonly image?: Image | undefined
  readonly banner?: Image | undefined
}

/** What became of it. Doing the same update again must be harmless: who asked may not have heard the answer. */
export interface ProfileResult {
  /** The fields that the platform has now as they should be. */
  readonly applied: ReadonlyArray<ProfileField>
  /** Why not all; null = all of them. `rejected` and an account's trouble are not tried again by themselves. */
  readonly refusal: {
    readonly type: "rejected" | "transient" | AccountTrouble
    readonly code?: string | undefined
    readonly detail?: string | undefined
    /** Not before, milliseconds from now. */
    readonly retryAfterMs?: number | undefined
  } | null
}
