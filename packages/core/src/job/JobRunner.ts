/**
 * Runs jobs in one process, as many at a time as it has places. A lease makes sure that each is run by one process; one
 * that is killed loses its lease, and another goes on from the last checkpoint. What a handler fails with is told in its
 * own words; a defect is told to the log alone, as nobody knows what is in it.
 */
import { Clock, Context, Effect, Layer, Option, type Schema } from "effect"
import type { Chore } from "../workspace/Chore.ts"
import { type ClaimId, Ids, type WorkspaceId } from "../workspace/Id.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import * as JobRules from "./Job.ts"
import type { Job, JobStep } from "./Job.ts"
import { JobHandlers, JobStopped } from "./JobHandler.ts"
import { eventOf } from "./Jobs.ts"
import { type JobLease, JobStore } from "./JobStore.ts"

export interface JobOptions {
  /** Jobs that this process runs at the same time. @default 4 */
  readonly places: number
  /** How long a process that says nothing keeps a job, in milliseconds. @default 30000 */
  readonly leaseMs: number
}

/** How this process runs jobs. */
export const JobOptions = Context.Reference<JobOptions>("@overture/core/JobOptions", {
  defaultValue: () => ({ places: 4, leaseMs: 30_000 })
})

/** What a run came to. */
type Ending =
  | { readonly type: "succeeded"; readonly result: Schema.Json }
  | { readonly type: "failed"; readonly error: string }
  | { readonly type: "again"; readonly error: string }
  | { readonly type: "cancelled" }
  | { readonly type: "lost" }

export class JobRunner extends Context.Service<
  JobRunner,
  {
    /** Claims one job and runs it to its end; false when there was none. */
    readonly runOne: Effect.Effect<boolean, StorageError>
    /** One for each place, so that a long job holds up no other. */
    readonly chores: ReadonlyArray<Chore>
  }
>()("@overture/core/JobRunner") {
  static readonly layer = Layer.effect(
    JobRunner,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const store = yield* JobStore
  const handlers = yield* JobHandlers
  const time = yield* PacingTime
  const transaction = yield* Transaction
  const makeIds = (yield* Ids).generator
  const { leaseMs, places } = yield* JobOptions
  const kinds = [...handlers.keys()]
  /** How many jobs of each workspace are running here. */
  const running = new Map<WorkspaceId, number>()
  /** Workspaces that have all places but one: that one is for others. */
  const greedy = () => (places < 2 ? [] : [...running].filter(([, count]) => count >= places - 1).map(([id]) => id))

  /** Ends with `JobStopped` when the lease was lost, and not before. */
  const renewing = (job: Job, lease: JobLease) =>
    Effect.gen(function* () {
      yield* Effect.sleep(lease.ms / 3)
      // Storage that is away takes the lease with it, and then the next answer says so.
      const holds = yield* Effect.orElseSucceed(store.renew(job.id, lease), () => true)
      if (!holds) return yield* new JobStopped({ reason: "lost" })
    }).pipe(Effect.forever)

  const progressOf = (job: Job, lease: JobLease) => {
    let toldAt = -Infinity
    return Effect.fnUntraced(function* (step: JobStep) {
      const [real, now, ids] = [yield* Clock.currentTimeMillis, yield* time.now, yield* makeIds]
      const isTold = real - toldAt >= JobRules.tellEveryMs
      const after = yield* store.settle(job.id, lease, (before) => {
        const next = before.cancelRequested ? before : JobRules.advance(before, step)
        return { job: next, events: isTold && next !== before ? [eventOf(next, "job.progressed", now, ids)] : [] }
      })
      if (Option.isNone(after)) return yield* new JobStopped({ reason: "lost" })
      if (after.value.cancelRequested) return yield* new JobStopped({ reason: "cancelled" })
      if (isTold) toldAt = real
    })
  }

  const attempt = (job: Job, lease: JobLease): Effect.Effect<Ending> => {
    const handler = handlers.get(job.kind)
    if (job.cancelRequested) return Effect.succeed({ type: "cancelled" })
    if (handler === undefined) return Effect.succeed({ type: "again", error: `nothing here does ${job.kind}` })
    if (job.attempts > JobRules.mostAttempts) {
      const error = job.error ?? `it was begun ${JobRules.mostAttempts} times and came no further`
      return Effect.succeed({ type: "failed", error })
    }
    return handler.run(job, progressOf(job, lease)).pipe(
      Effect.raceFirst(renewing(job, lease)),
      Effect.map((result): Ending => ({ type: "succeeded", result })),
      Effect.catchTags({
        JobStopped: ({ reason }) => Effect.succeed<Ending>({ type: reason }),
        JobFailed: ({ problem, retryable }) =>
          Effect.succeed<Ending>({ type: retryable ? "again" : "failed", error: problem }),
        JobInputInvalid: ({ message }) => Effect.succeed<Ending>({ type: "failed", error: message }),
        StorageError: (error) =>
          Effect.as(Effect.logWarning(`${job.kind} ${job.id}: ${error.message}`), {
            type: "again",
            error: "the database could not be reached, or refused what was asked"
          } as const)
      }),
      Effect.catchDefect((defect) =>
        Effect.as(Effect.logError(`${job.kind} ${job.id} broke`, defect), {
          type: "failed",
          error: `it broke for a reason of our own, which is in the log under ${job.id}`
        } as const)
      )
    )
  }

  const settled =
    (ending: Exclude<Ending, { readonly type: "lost" }>, now: number) =>
    (job: Job): Job => {
      switch (ending.type) {
        case "succeeded":
          return JobRules.succeed(job, ending.result, now)
        case "failed":
          return JobRules.fail(job, ending.error, now)
        case "cancelled":
          return JobRules.cancelled(job, now)
        case "again":
          return job.attempts >= JobRules.mostAttempts
            ? JobRules.fail(job, ending.error, now)
            : JobRules.release({ ...job, error: ending.error })
      }
    }

  const end = Effect.fnUntraced(function* (job: Job, lease: JobLease, ending: Ending) {
    if (ending.type === "lost") return
    const [now, ids] = [yield* time.now, yield* makeIds]
    yield* transaction.within(
      Effect.gen(function* () {
        const after = yield* store.settle(job.id, lease, (before) => {
          const next = settled(ending, now)(before)
          return {
            job: next,
            events: JobRules.isOver(next) ? [eventOf(next, "job.finished", now, ids)] : [],
            restMs: JobRules.restMs(before)
          }
        })
        const tidy = handlers.get(job.kind)?.onCancelled
        if (Option.isSome(after) && ending.type === "cancelled" && tidy !== undefined) yield* tidy(after.value)
      })
    )
  })

  const work = (job: Job, lease: JobLease) =>
    attempt(job, lease).pipe(
      // Whoever stops the process gives the job to the next one at once.
      Effect.onInterrupt(() =>
        Effect.ignore(
          store.settle(job.id, lease, (before) => ({
            job: JobRules.release({ ...before, attempts: before.attempts - 1 }),
            events: []
          }))
        )
      ),
      Effect.flatMap((ending) => Effect.uninterruptible(end(job, lease, ending)))
    )

  const runOne = Effect.gen(function* () {
    if (kinds.length === 0) return false
    const now = yield* time.now
    const claim: ClaimId = (yield* makeIds).next("clm")
    const lease = { claim, ms: leaseMs }
    return yield* Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const job = yield* store.claim(kinds, lease, (before) => JobRules.begin(before, now), greedy())
        if (Option.isNone(job)) return false
        const { workspace } = job.value
        running.set(workspace, (running.get(workspace) ?? 0) + 1)
        yield* restore(work(job.value, lease)).pipe(
          Effect.ensuring(
            Effect.sync(() => {
              const left = (running.get(workspace) ?? 1) - 1
              if (left === 0) running.delete(workspace)
              else running.set(workspace, left)
            })
          )
        )
        return true
      })
    )
  })

  return JobRunner.of({
    runOne,
    chores: Array.from({ length: places }, (_, i) => ({
      name: `jobs ${i + 1}`,
      round: () => Effect.map(runOne, (worked) => ({ worked, nextDue: null }))
    }))
  })
})
