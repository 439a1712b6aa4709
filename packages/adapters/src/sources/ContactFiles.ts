/**
 * Contact files for imports that are jobs: those that were uploaded, and those below one folder of the host's own disk. No
 * path leads out of that folder, and without one there are only uploaded files.
 */
import {
  type ContactFile,
  ContactFileError,
  type ContactFileRef,
  type ContactFileSource
} from "@overture/core/contact/ContactFileSource"
import type { JobFileStore } from "@overture/core/job/JobFileStore"
import type { MediaId, WorkspaceId } from "@overture/core/workspace/Id"
import { Effect, Stream } from "effect"
import { isSupportedCountry } from "libphonenumber-js/min"
import { createHash } from "node:crypto"
import { realpath } from "node:fs/promises"
import path from "node:path"
import { bytesOf, problemOf } from "./Bytes.ts"
import * as ContactFormat from "./ContactFormat.ts"

export interface Options {
  /** Where uploaded files are. */
  readonly files?: JobFileStore | null | undefined
  /** The folder whose files may be imported by their paths. */
  readonly folder?: string | undefined
}

const refused = (problem: string, retryable = false) => new ContactFileError({ problem, retryable })

/** The file below a folder that a path names, links followed. */
const below = (folder: string, name: string): Effect.Effect<string, ContactFileError> =>
  Effect.tryPromise({
    try: async () => [await realpath(folder), await realpath(path.resolve(folder, name))] as const,
    catch: (cause) => refused(`${name}: ${problemOf(cause)}`)
  }).pipe(
    Effect.flatMap(([root, file]) =>
      file.startsWith(root + path.sep)
        ? Effect.succeed(file)
        : Effect.fail(refused(`${name}: it lies outside of the folder for imports`))
    )
  )

export const make = ({ files = null, folder }: Options): ContactFileSource => {
  const bytesIn = (
    workspace: WorkspaceId,
    { file, name }: ContactFileRef
  ): Effect.Effect<Stream.Stream<Uint8Array, ContactFileError>, ContactFileError> => {
    if (file.startsWith("med_") && files !== null) {
      return Effect.succeed(
        files
          .get(workspace, file as MediaId)
          .pipe(Stream.mapError(({ problem, retryable }) => refused(`${name}: ${problem}`, retryable)))
      )
    }
    if (folder === undefined) {
      return Effect.fail(refused(`${name}: files are uploaded here, and none is read by its path`))
    }
    return Effect.map(below(folder, file), (found) => bytesOf(found, (problem) => refused(`${name}: ${problem}`)))
  }

  return {
    open: Effect.fn("ContactFiles.open")(function* (workspace, ref): Effect.fn.Return<ContactFile, ContactFileError> {
      const { country, mapping = {}, name } = ref
      if (country !== undefined && !isSupportedCountry(country))
        return yield* refused(`country: there is no country ${country}`)
      const bytes = yield* bytesIn(workspace, ref)
      const hash = createHash("sha256").update(JSON.stringify({ name, country: country ?? null, mapping }))
      yield* Stream.runForEach(bytes, (slice) => Effect.sync(() => hash.update(slice)))
      return {
        fingerprint: hash.digest("hex"),
        batches: ContactFormat.read(ContactFormat.byName(name), bytes, { name, mapping, defaultCountry: country }).pipe(
          Stream.mapError((error) => (error._tag === "ContactFileError" ? error : refused(error.message)))
        )
      }
    })
  }
}
