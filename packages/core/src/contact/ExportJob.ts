/**
 * The export of a list as a job: a CSV file that is there whole or not at all, so a job that begins again writes it again.
 * The file goes with the job, and when somebody is erased.
 */
import { Context, Effect, Layer, Schema, Stream } from "effect"
import { JobFileStore } from "../job/JobFileStore.ts"
import { JobFailed, type JobHandler, type JobRun, make as handler } from "../job/JobHandler.ts"
import { ContactListId, fromUuid, toUuid } from "../workspace/Id.ts"
import { ContactLists } from "./ContactLists.ts"

export const ExportInput = Schema.Struct({
  list: ContactListId,
  /** As `CsvOptions.forSpreadsheets`. */
  forSpreadsheets: Schema.Boolean
})
export type ExportInput = typeof ExportInput.Type

export const kind = "lists.export"

export class ExportJob extends Context.Service<ExportJob, JobHandler>()("@overture/core/ExportJob") {
  static readonly layer = Layer.effect(
    ExportJob,
    Effect.suspend(() => make)
  )
}

const encoder = new TextEncoder()

/** How many rows a piece ends; a line break inside quotes counts, too: this is for people who wait. */
const rowsIn = (piece: string): number => piece.split("\r\n").length - 1

const make = Effect.gen(function* () {
  const lists = yield* ContactLists
  const files = yield* JobFileStore

  const run = Effect.fnUntraced(function* ({ input, job, progress }: JobRun<ExportInput, null>) {
    const { id, workspace } = job
    if (files === null) return yield* new JobFailed({ problem: "no JobFileStore here keeps files", retryable: false })
    const notFound = () => Effect.fail(new JobFailed({ problem: `there is no list ${input.list}`, retryable: false }))
    const { members, name } = yield* lists.get(workspace, input.list).pipe(Effect.catchTag("ListNotFound", notFound))
    let rows = -1
    const pieces = lists.csv(workspace, input.list, { forSpreadsheets: input.forSpreadsheets }).pipe(
      Stream.tap((piece) => {
        rows += rowsIn(piece)
        return progress({ done: Math.max(0, rows), total: members, note: name, checkpoint: null })
      }),
      Stream.map((piece) => encoder.encode(piece))
    )
    const file = fromUuid("med", toUuid(id))
    const bytes = yield* files.put(workspace, file, pieces, "text/csv; charset=utf-8").pipe(
      Effect.catchTags({
        ListNotFound: notFound,
        JobFileError: ({ problem, retryable }) => Effect.fail(new JobFailed({ problem, retryable }))
      })
    )
    return { file, bytes, rows: Math.max(0, rows) }
  })

  return ExportJob.of(handler({ kind, input: ExportInput, checkpoint: Schema.Null, run }))
})
