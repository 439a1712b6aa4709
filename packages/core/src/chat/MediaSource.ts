/**
 * The port by which files at URLs are fetched: whole, bounded, and never from where a stranger must not send us (see the
 * adapter). Redirects are followed, each checked like the first.
 */
import { Context, type Effect, Schema } from "effect"
import { MediaTrouble } from "./Media.ts"

export interface FetchRequest {
  readonly url: string
  /** Sent to the host of `url` alone, never to where it redirects. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly maxBytes: number
}

export interface Fetched {
  readonly bytes: Uint8Array
  /** What the server said it is. */
  readonly mime: string | null
  readonly filename: string | null
}

/** The file did not come. */
export class MediaUnavailable extends Schema.TaggedError<MediaUnavailable>()("MediaUnavailable", {
  reason: MediaTrouble,
  /** In words, without the URL: that may hold a token. */
  detail: Schema.String
}) {
  override get message(): string {
    return `the file could not be fetched: ${this.detail}`
  }
}

export class MediaSource extends Context.Service<
  MediaSource,
  {
    download(request: FetchRequest): Effect.Effect<Fetched, MediaUnavailable>
  }
>()("@overture/core/MediaSource") {}
