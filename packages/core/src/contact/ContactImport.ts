/**
 * An import from a source that is too large for one transaction: it goes in chunks, and how far it came is written with
 * each. A process that dies leaves an import that goes on where it was, without doubling anything.
 */
import { Schema } from "effect"
import { ContactListId, WorkspaceId } from "../workspace/Id.ts"
import { Instant } from "../workspace/Instant.ts"
import type { Contact } from "./Contact.ts"
import { MergeMode } from "./Contact.ts"

export class ContactImport extends Schema.Opaque<ContactImport>()(
  Schema.Struct({
    workspace: WorkspaceId,
    /** Given by whoever starts it; the same id goes on with the same import. */
    id: Schema.NonEmptyString,
    list: Schema.NullOr(ContactListId),
    mode: MergeMode,
    /** Tells one source from another: an import goes on only with the source it began with. */
    fingerprint: Schema.String,
    /** Records of the source that are done, whatever became of them. */
    records: Schema.Int,
    created: Schema.Int,
    merged: Schema.Int,
    rejected: Schema.Int,
    startedAt: Instant,
    finishedAt: Schema.NullOr(Instant)
  }).annotate({ identifier: "ContactImport" })
) {}

/** The next records of an import. */
export interface ImportChunk {
  readonly contacts: ReadonlyArray<Contact>
  /** How many records it comes to, those included that were rejected. */
  readonly records: number
  /** Records that became no contact; those that match two contacts are found by the store. */
  readonly rejected: number
}

/** The import of that id reads another source, another list or in another mode. */
export class ImportMismatch extends Schema.TaggedError<ImportMismatch>()("ImportMismatch", {
  id: Schema.String,
  field: Schema.Literals(["fingerprint", "list", "mode"])
}) {
  override get message(): string {
    const what = { fingerprint: "another source", list: "another list", mode: "another mode" }[this.field]
    return `the import ${this.id} began with ${what}; give a new import an id of its own`
  }
}

/** Another process does the same import at this moment, and is ahead. */
export class ImportOvertaken extends Schema.TaggedError<ImportOvertaken>()("ImportOvertaken", { id: Schema.String }) {
  override get message(): string {
    return `the import ${this.id} is being done by another process`
  }
}
