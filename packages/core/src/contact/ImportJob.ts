/**
 * An import as a job. The import itself knows how far it came, chunk by chunk, so a job that begins again goes on there; an
 * uploaded file is kept until the import is done, and no longer.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { AccountStore } from "../account/AccountStore.ts"
import { forGood, JobFailed, type JobHandler, type JobRun, make as handler } from "../job/JobHandler.ts"
import { JobFileStore } from "../job/JobFileStore.ts"
import { AccountId, ContactListId, type MediaId } from "../workspace/Id.ts"
import { MergeMode } from "./Contact.ts"
import { ContactFileRef, ContactFileSource } from "./ContactFileSource.ts"
import { ContactImports } from "./ContactImports.ts"
import type { RowProblem } from "./ContactRow.ts"
import * as ListEnd from "./ListEnd.ts"

/** What rows mean that name no channel, or whose ids belong to one account. */
export const Addressing = Schema.Struct({ channel: Schema.NullOr(Schema.String), accounts: Schema.Array(AccountId) })
export type Addressing = typeof Addressing.Type

export const ImportInput = Schema.Struct({
  ...ContactFileRef.fields,
  list: Schema.NullOr(ContactListId),
  mode: MergeMode,
  addressing: Addressing
})
export type ImportInput = typeof ImportInput.Type

/** A row that was left out: where and why, without what it said. */
const Problem = Schema.Struct({ line: Schema.Int, column: Schema.String, reason: Schema.String })
const Checkpoint = Schema.Struct({ problems: Schema.Array(Problem) })

/** Of the rows left out, how many the result names. */
const problemsTold = 100

export const kind = "contacts.import"

export class ImportJob extends Context.Service<ImportJob, JobHandler>()("@overture/core/ImportJob") {
  static readonly layer = Layer.effect(
    ImportJob,
    Effect.suspend(() => make)
  )
}

/** What stands in a value must not outlive the person it tells of. */
const told = ({ column, line, reason }: RowProblem) => ({ line, column, reason })

const make = Effect.gen(function* () {
  const imports = yield* ContactImports
  const accounts = yield* AccountStore
  const source = yield* ContactFileSource
  const files = yield* JobFileStore
  const end = yield* ListEnd.ListEnd

  const failed = (error: { readonly message: string; readonly retryable?: boolean }) =>
    new JobFailed({ problem: error.message, retryable: error.retryable === true })

  const run = Effect.fnUntraced(function* (run: JobRun<ImportInput, typeof Checkpoint.Type>) {
    const { input, job, progress } = run
    const { addressing, list, mode, ...ref } = input
    const { workspace } = job
    if (source === null)
      return yield* new JobFailed({ problem: "no ContactFileSource here reads files", retryable: false })
    const file = yield* source.open(workspace, ref).pipe(Effect.mapError(failed))
    const known = yield* Effect.forEach(addressing.accounts, (id) => accounts.get(workspace, id))
    let problems = run.checkpoint?.problems ?? []
    let pending: ReadonlyArray<RowProblem> = []
    const at = yield* imports
      .run({
        workspace,
        id: job.id,
        list,
        mode,
        rules: { channel: addressing.channel, accounts: known.flatMap(Option.toArray) },
        fingerprint: file.fingerprint,
        source: file.batches,
        onRejected: (rejected) =>
          Effect.sync(() => {
            pending = rejected
          }),
        onProgress: ({ records }) =>
          Effect.suspend(() => {
            problems = [...problems, ...pending.map(told)].slice(0, problemsTold)
            pending = []
            return progress({ done: records, note: ref.name, checkpoint: { problems } })
          })
      })
      .pipe(
        Effect.catchTags({
          ContactFileError: (error) => Effect.fail(failed(error)),
          WorkspaceNotFound: forGood,
          ImportMismatch: () =>
            Effect.fail(
              new JobFailed({ problem: `${ref.name} is not the file that the import began with`, retryable: false })
            ),
          // Another process took the job and is ahead; if it is not, it will be this one again.
          ImportOvertaken: (error) => Effect.fail(new JobFailed({ problem: error.message, retryable: true }))
        })
      )
    if (files !== null && ref.file.startsWith("med_")) {
      // What cannot be removed now goes with the job.
      yield* Effect.ignore(files.remove(workspace, ref.file as MediaId))
    }
    const { created, merged, records, rejected } = at
    return { records, created, merged, rejected, problems }
  })

  return ImportJob.of(handler({ kind, input: ImportInput, checkpoint: Checkpoint, run, onCancelled: end.given }))
})
