/** Runs a bulk verb: at once where it is short, else as a job. */
import { Context, Effect, Layer } from "effect"
import type { Actor } from "../event/DomainEvent.ts"
import type { WorkspaceId } from "../workspace/Id.ts"
import { Transaction } from "../workspace/Transaction.ts"
import * as Bulk from "./Bulk.ts"
import type { Job } from "./Job.ts"
import type { JobFailed } from "./JobHandler.ts"
import { Jobs, type SubmitError } from "./Jobs.ts"

export interface BulkRequest<With> {
  readonly workspace: WorkspaceId
  readonly ids: ReadonlyArray<string>
  readonly with: With
  readonly actor: Actor
  /** Of the job, where it becomes one: the same key is the same job. */
  readonly key?: string | undefined
}

export type BulkOutcome =
  | { readonly type: "done"; readonly answer: Bulk.BulkAnswer }
  | { readonly type: "job"; readonly job: Job }

export class Bulks extends Context.Service<
  Bulks,
  {
    /** Does it, or submits it: `Bulk.jobFrom` things or more are a job. */
    run<With>(
      bulk: Bulk.Bulk<With>,
      request: BulkRequest<With>
    ): Effect.Effect<BulkOutcome, Bulk.BulkTooLarge | JobFailed | SubmitError>
  }
>()("@overture/core/Bulks") {
  static readonly layer = Layer.effect(
    Bulks,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const jobs = yield* Jobs
  const { within } = yield* Transaction
  return Bulks.of({
    run: Effect.fn("Bulks.run")(function* (bulk, { actor, key, with: given, workspace, ...request }) {
      const ids = yield* Bulk.itemsOf(request.ids)
      if (ids.length < Bulk.jobFrom) {
        const answer = yield* Bulk.now(bulk, within, { workspace, ids, with: given, actor })
        return { type: "done", answer } as const
      }
      const { kind } = bulk
      const { job } = yield* jobs.submit({
        workspace,
        kind,
        input: { ids, with: given },
        actor,
        key,
        total: ids.length
      })
      return { type: "job", job } as const
    })
  })
})
