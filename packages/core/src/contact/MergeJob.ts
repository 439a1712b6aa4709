/** The merging of lists as a job: one transaction makes the new list and says that it is made, so it is made once. */
import { Context, Effect, Layer, Schema } from "effect"
import { forGood, JobFailed, type JobHandler, type JobRun, make as handler } from "../job/JobHandler.ts"
import { ContactListId } from "../workspace/Id.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { ContactLists } from "./ContactLists.ts"

export const MergeInput = Schema.Struct({
  name: Schema.NonEmptyString,
  sources: Schema.Array(ContactListId).check(Schema.isMinLength(1), Schema.isMaxLength(100))
})
export type MergeInput = typeof MergeInput.Type

const Checkpoint = Schema.Struct({ list: ContactListId })

export const kind = "lists.merge"

export class MergeJob extends Context.Service<MergeJob, JobHandler>()("@overture/core/MergeJob") {
  static readonly layer = Layer.effect(
    MergeJob,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const lists = yield* ContactLists
  const { within } = yield* Transaction

  const run = Effect.fnUntraced(function* (run: JobRun<MergeInput, typeof Checkpoint.Type>) {
    const { checkpoint, input, job, progress } = run
    if (checkpoint !== null) return { list: checkpoint.list }
    const { name, sources } = input
    return yield* within(
      Effect.gen(function* () {
        const { id } = yield* lists.merge(job.workspace, name, sources, job.actor)
        yield* progress({ done: sources.length, total: sources.length, note: name, checkpoint: { list: id } })
        return { list: id }
      })
    ).pipe(
      Effect.catchTags({
        WorkspaceNotFound: forGood,
        ListNotFound: forGood,
        ListNotReady: ({ message }) => Effect.fail(new JobFailed({ problem: message, retryable: true }))
      })
    )
  })

  return MergeJob.of(handler({ kind, input: MergeInput, checkpoint: Checkpoint, run }))
})
