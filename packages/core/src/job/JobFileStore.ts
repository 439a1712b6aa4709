/**
 * The port for the files of jobs: what was uploaded to be imported, what an export wrote. A file is there whole or not at
 * all. A host without one gives no such jobs.
 */
import { Context, type Effect, Schema, type Stream } from "effect"
import type { MediaId, WorkspaceId } from "../workspace/Id.ts"

/** A file that cannot be written or read, in words for people. */
export class JobFileError extends Schema.TaggedError<JobFileError>()("JobFileError", {
  file: Schema.String,
  problem: Schema.String,
  /** Whether the same call may succeed later without anyone doing something. */
  retryable: Schema.Boolean
}) {
  override get message(): string {
    return `the file ${this.file}: ${this.problem}`
  }
}

export interface JobFileStore {
  /** Keeps what the stream gives, in place of what was there; where the stream fails that stays. Returns its bytes. */
  put<E, R>(
    workspace: WorkspaceId,
    file: MediaId,
    content: Stream.Stream<Uint8Array, E, R>,
    mime: string
  ): Effect.Effect<number, E | JobFileError, R>
  get(workspace: WorkspaceId, file: MediaId): Stream.Stream<Uint8Array, JobFileError>
  /** Of none is fine, too. */
  remove(workspace: WorkspaceId, file: MediaId): Effect.Effect<void, JobFileError>
}

/** Where jobs keep files; null where the host gave nothing. */
export const JobFileStore = Context.Reference<JobFileStore | null>("@overture/core/JobFileStore", {
  defaultValue: () => null
})
