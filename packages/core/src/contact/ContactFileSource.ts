/** The port that reads contact files, whatever their format: those that were uploaded, and those of the host's own disk. */
import { Context, type Effect, Schema, type Stream } from "effect"
import { MediaId, type WorkspaceId } from "../workspace/Id.ts"
import type { RowBatch } from "./ContactRow.ts"

/** Where a contact file is, and how it is read. */
export const ContactFileRef = Schema.Struct({
  /** The id of an uploaded file, or a path below the directory that the host opened. */
  file: Schema.Union([MediaId, Schema.NonEmptyString]),
  /** Tells the format by its ending, and is what problems call it. */
  name: Schema.NonEmptyString,
  /** Of phone numbers that are written without one, `DE`. */
  country: Schema.optionalKey(
    Schema.String.check(Schema.isPattern(/^[A-Z]{2}$/, { expected: "a country such as DE" }))
  ),
  /** What columns hold whose titles do not say it: a field, `attributes.NAME`, or null to leave it out. */
  mapping: Schema.optionalKey(Schema.Record(Schema.String, Schema.NullOr(Schema.String)))
})
export type ContactFileRef = typeof ContactFileRef.Type

/** The file cannot be read, or not beyond a place; says which and what to do. */
export class ContactFileError extends Schema.TaggedError<ContactFileError>()("ContactFileError", {
  problem: Schema.String,
  retryable: Schema.Boolean
}) {
  override get message(): string {
    return this.problem
  }
}

export interface ContactFile {
  /** Changes with the bytes of the file and with how it is read. */
  readonly fingerprint: string
  /** From its beginning, the same records in the same order each time. */
  readonly batches: Stream.Stream<RowBatch, ContactFileError>
}

export interface ContactFileSource {
  open(workspace: WorkspaceId, ref: ContactFileRef): Effect.Effect<ContactFile, ContactFileError>
}

/** Null where the host reads no files. */
export const ContactFileSource = Context.Reference<ContactFileSource | null>("@overture/core/ContactFileSource", {
  defaultValue: () => null
})
