/** The files of jobs in the store where media are: what a host has for the one serves the other. */
import { Context, Effect, Layer, Option, Stream } from "effect"
import { JobFileError, type JobFileStore } from "../job/JobFileStore.ts"
import type { MediaId, WorkspaceId } from "../workspace/Id.ts"
import * as Seed from "../workspace/Seed.ts"
import { type MediaKey, type MediaMissing, MediaStore, MediaStoreError, MediaTooLarge } from "./MediaStore.ts"

export class MediaJobFiles extends Context.Service<MediaJobFiles, JobFileStore | null>()(
  "@overture/core/MediaJobFiles"
) {
  /** Null where there is no store for media. */
  static readonly layer = Layer.effect(
    MediaJobFiles,
    Effect.map(Effect.serviceOption(MediaStore), (media) =>
      MediaJobFiles.of(Option.isSome(media) ? over(media.value) : null)
    )
  )
}

const failed = (file: string) => (error: MediaMissing | MediaStoreError | MediaTooLarge) =>
  error._tag === "MediaStoreError"
    ? new JobFileError({ file, problem: "its store did not answer as it should", retryable: error.retryable })
    : new JobFileError({
        file,
        problem: error._tag === "MediaMissing" ? "it is not there any more" : "it is too large",
        retryable: false
      })

/** Apart from media: a job that is done removes its file, and must never reach one that a chat shows. */
const keyOf = (workspace: WorkspaceId, id: MediaId): MediaKey => ({
  workspace,
  id: `med_${Seed.digest(`job|${id}`)}` as MediaId
})

/** The files of jobs in a store for media. */
export const over = (media: MediaStore["Service"]): JobFileStore => ({
  put: (workspace, id, content, mime) =>
    media.put(keyOf(workspace, id), content, { mime, maxBytes: Number.MAX_SAFE_INTEGER }).pipe(
      Effect.map(({ bytes }) => bytes),
      Effect.mapError((error) =>
        error instanceof MediaTooLarge || error instanceof MediaStoreError ? failed(id)(error) : error
      )
    ),
  get: (workspace, id) =>
    Stream.unwrap(Effect.map(media.get(keyOf(workspace, id)), ({ content }) => content)).pipe(
      Stream.mapError(failed(id))
    ),
  remove: (workspace, id) => media.delete(keyOf(workspace, id)).pipe(Effect.mapError(failed(id)))
})
