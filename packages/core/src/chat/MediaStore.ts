/**
 * The port for the bytes of media, each under the workspace and id of its row. A file is there whole or not at all; one
 * that is put again replaces the former. A store keeps no names and knows no people; a key that is no id is refused
 * (`checked`) by every verb.
 */
import { Context, Effect, Schema, type Stream } from "effect"
import { MediaId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"

/** Where the bytes of a file are. */
export interface MediaKey {
  readonly workspace: WorkspaceId
  readonly id: MediaId
}

/** More bytes came than were allowed; none of them is kept. */
export class MediaTooLarge extends Schema.TaggedError<MediaTooLarge>()("MediaTooLarge", { maxBytes: Schema.Int }) {
  override get message(): string {
    return `the file has more than ${this.maxBytes} bytes`
  }
}

/** There are no bytes under this key. */
export class MediaMissing extends Schema.TaggedError<MediaMissing>()("MediaMissing", { media: Schema.String }) {
  override get message(): string {
    return `the file ${this.media} is not in the media store`
  }
}

/** The store could not do what was asked: a full disk, no permission, no answer. Nothing of it is half-written. */
export class MediaStoreError extends Schema.TaggedError<MediaStoreError>()("MediaStoreError", {
  /** The verb that failed, `FileMedia.put`. */
  operation: Schema.String,
  /** Whether the same call may succeed later without anyone doing something. */
  retryable: Schema.Boolean,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `${this.operation}: ${this.cause instanceof Error ? this.cause.message : "the media store failed"}`
  }
}

const isWorkspaceId = Schema.is(WorkspaceId)
const isMediaId = Schema.is(MediaId)

/** The key, if both are ids: what else is called so could lead out of the place in which a store keeps its files. */
export const checked = (operation: string, key: MediaKey): Effect.Effect<MediaKey, MediaStoreError> =>
  isWorkspaceId(key.workspace) && isMediaId(key.id)
    ? Effect.succeed(key)
    : Effect.fail(
        new MediaStoreError({
          operation,
          retryable: false,
          cause: new Error("expected the ids of a workspace and a file")
        })
      )

/** The bytes from `start` to before `end`; without `end` to the last. What lies beyond the file is left out. */
export interface ByteRange {
  readonly start: number
  readonly end?: number | undefined
}

export interface MediaBytes {
  /** Of the whole file, whatever range was asked for. */
  readonly bytes: number
  readonly content: Stream.Stream<Uint8Array, MediaStoreError>
}

export class MediaStore extends Context.Service<
  MediaStore,
  {
    /**
     * Keeps what the stream gives and says how much that was. A stream that fails, has more than `maxBytes` or is interrupted
     * leaves what was there before.
     */
    put<E, R>(
      key: MediaKey,
      content: Stream.Stream<Uint8Array, E, R>,
      options: { readonly mime: string; readonly maxBytes: number }
    ): Effect.Effect<{ readonly bytes: number; readonly sha256: string }, E | MediaTooLarge | MediaStoreError, R>
    get(key: MediaKey, range?: ByteRange): Effect.Effect<MediaBytes, MediaMissing | MediaStoreError>
    /** Removes the bytes with whatever an interrupted `put` left; none are fine, too. */
    delete(key: MediaKey): Effect.Effect<void, MediaStoreError>
    /** A URL at which anyone may fetch the file until `until`; null where this store has none to give. */
    url(
      key: MediaKey,
      options: { readonly until: Instant; readonly mime: string; readonly filename: string | null }
    ): Effect.Effect<string | null, MediaStoreError>
  }
>()("@overture/core/MediaStore") {}
