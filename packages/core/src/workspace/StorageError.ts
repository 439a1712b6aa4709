/** The one error of every storage port: the database could not do what was asked, and nothing of it is half-written. */
import { Schema } from "effect"

export class StorageError extends Schema.TaggedError<StorageError>()("StorageError", {
  /** The verb that failed, `OutboxStore.settle`. */
  operation: Schema.String,
  /** Whether the same call may succeed later: a lost connection, a deadlock, a busy file. */
  retryable: Schema.Boolean,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `${this.operation}: ${this.cause instanceof Error ? this.cause.message : "the storage failed"}`
  }
}

/** Whether it is a storage that may be back soon: what concerns everyone, and not one row. */
export const isAway = (error: unknown): boolean => error instanceof StorageError && error.retryable
