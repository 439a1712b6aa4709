/** Jobs over the memory storage, with kinds of work that a test can steer. */
import { Deferred, Effect, Layer, Ref, Schema } from "effect"
import { system } from "../../src/event/DomainEvent.ts"
import * as JobHandler from "../../src/job/JobHandler.ts"
import { JobHandlers } from "../../src/job/JobHandler.ts"
import { JobRunner } from "../../src/job/JobRunner.ts"
import { Jobs } from "../../src/job/Jobs.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import * as Builders from "../../src/testing/Builders.ts"
import { Ids } from "../../src/workspace/Id.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"

const Input = Schema.Struct({ to: Schema.Int })

/** Counts to a number, one step at a time; `step` is what a test makes happen in each. */
export const counting = (
  step: (run: { readonly n: number; readonly attempts: number }) => Effect.Effect<void, JobHandler.JobFailed> = () =>
    Effect.void,
  onCancelled?: JobHandler.JobHandler["onCancelled"]
) =>
  JobHandler.make({
    kind: "test.count",
    input: Input,
    checkpoint: Schema.Int,
    onCancelled,
    run: ({ checkpoint, input, job, progress }) =>
      Effect.gen(function* () {
        for (let n = (checkpoint ?? 0) + 1; n <= input.to; n++) {
          yield* step({ n, attempts: job.attempts })
          yield* progress({ done: n, total: input.to, note: `at ${n}`, checkpoint: n })
        }
        return { counted: input.to }
      })
  })

export const layer = (...handlers: ReadonlyArray<JobHandler.JobHandler>) =>
  Layer.mergeAll(Jobs.layer, JobRunner.layer).pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        MemoryStorage.layer,
        Layer.succeed(JobHandlers, JobHandlers.from(handlers)),
        Ids.layer,
        PacingTime.layer
      )
    )
  )

export const scene = (seed: string) =>
  Effect.gen(function* () {
    const build = Builders.make(seed)
    const { id: workspace } = build.workspace()
    yield* (yield* WorkspaceStore).create({ ...build.workspace(), id: workspace })
    const jobs = yield* Jobs
    const runner = yield* JobRunner
    const count = (to: number, key?: string) =>
      Effect.map(
        jobs.submit({ workspace, kind: "test.count", input: { to }, actor: system, key }),
        (submitted) => submitted.job
      )
    return { build, count, jobs, runner, workspace }
  })

/** A step that waits at one number until it is let go. */
export const gateAt = (at: number) =>
  Effect.gen(function* () {
    const reached = yield* Deferred.make<void>()
    const go = yield* Deferred.make<void>()
    const seen = yield* Ref.make<ReadonlyArray<number>>([])
    return {
      reached: Deferred.await(reached),
      open: Deferred.succeed(go, undefined),
      seen: Ref.get(seen),
      step: ({ n }: { readonly n: number }) =>
        Effect.gen(function* () {
          yield* Ref.update(seen, (all) => [...all, n])
          if (n !== at) return
          yield* Deferred.succeed(reached, undefined)
          yield* Deferred.await(go)
        })
    }
  })
