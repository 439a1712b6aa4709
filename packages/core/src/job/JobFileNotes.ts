/**
 * Notes every file of jobs before it is there: so that what nobody made a job of, and what a process that is gone left
 * behind, is found and goes in time.
 */
import { Context, Effect, Layer } from "effect"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { JobFileError, type JobFileStore } from "./JobFileStore.ts"
import { JobStore } from "./JobStore.ts"

export class JobFileNotes extends Context.Service<
  JobFileNotes,
  {
    /** A host's files, noted. */
    of(files: JobFileStore): JobFileStore
  }
>()("@overture/core/JobFileNotes") {
  static readonly layer = Layer.effect(
    JobFileNotes,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const store = yield* JobStore
  const time = yield* PacingTime
  const failed = (file: string) => (error: StorageError) =>
    new JobFileError({ file, problem: "it could not be noted", retryable: error.retryable })

  return JobFileNotes.of({
    of: (files) => ({
      put: (workspace, file, content, mime) =>
        Effect.flatMap(time.now, (at) => store.noteFile(workspace, file, at)).pipe(
          Effect.mapError(failed(file)),
          Effect.andThen(files.put(workspace, file, content, mime))
        ),
      get: (workspace, file) => files.get(workspace, file),
      remove: (workspace, file) =>
        Effect.andThen(files.remove(workspace, file), Effect.mapError(store.forgetFile(workspace, file), failed(file)))
    })
  })
})
