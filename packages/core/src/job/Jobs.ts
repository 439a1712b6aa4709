/**
 * Jobs as their users see them: submitted once by key, looked at, cancelled, retried, waited for. Whether anything runs
 * them is the business of the `JobRunner` of some process.
 */
import { Clock, Context, Effect, Layer, Option, Schema } from "effect"
import { type Actor, type DomainEvent, stamped } from "../event/DomainEvent.ts"
import type { IdGenerator, JobId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import { second } from "../workspace/Instant.ts"
import { canonical } from "../workspace/Json.ts"
import * as Paging from "../workspace/Page.ts"
import type { Page, PageRequest } from "../workspace/Page.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import * as Workspace from "../workspace/Workspace.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import * as JobRules from "./Job.ts"
import type { Job, JobKind } from "./Job.ts"
import { JobHandlers, type JobInputInvalid } from "./JobHandler.ts"
import { JobFilter, JobStore } from "./JobStore.ts"

export class JobNotFound extends Schema.TaggedError<JobNotFound>()("JobNotFound", { job: Schema.String }) {
  override get message(): string {
    return `there is no job ${this.job}`
  }
}

/** No area of this engine does such work. */
export class JobKindUnknown extends Schema.TaggedError<JobKindUnknown>()("JobKindUnknown", {
  kind: Schema.String,
  known: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `there is no kind of job ${this.kind}, only ${this.known.join(", ")}`
  }
}

/** The key came before, with other work. */
export class JobKeyTaken extends Schema.TaggedError<JobKeyTaken>()("JobKeyTaken", {
  key: Schema.String,
  job: Schema.String
}) {
  override get message(): string {
    return `the key ${this.key} belongs to ${this.job}, which does something else; give new work a key of its own`
  }
}

export interface NewJob {
  readonly workspace: WorkspaceId
  readonly kind: JobKind
  readonly input: unknown
  readonly actor: Actor
  /** The same key is the same job. */
  readonly key?: string | undefined
  /** The id of what it works on. */
  readonly subject?: string | undefined
  /** How much there is to do, where that is known. */
  readonly total?: number | undefined
}

export type SubmitError = Workspace.WorkspaceNotFound | JobKindUnknown | JobInputInvalid | JobKeyTaken | StorageError

export class Jobs extends Context.Service<
  Jobs,
  {
    /** Queues work; inside a transaction it is there when that commits. */
    submit(job: NewJob): Effect.Effect<{ readonly job: Job; readonly created: boolean }, SubmitError>
    get(workspace: WorkspaceId, id: JobId): Effect.Effect<Job, JobNotFound | StorageError>
    /** The newest first. */
    page(
      workspace: WorkspaceId,
      filter: JobFilter,
      page: PageRequest
    ): Effect.Effect<Page<Job>, StorageError | Paging.InvalidListRequest>
    /**
     * One that is queued or has failed is over at once, one that runs at its next progress; what it did stays done. One
     * that is over stays as it is.
     */
    cancel(workspace: WorkspaceId, id: JobId): Effect.Effect<Job, JobNotFound | StorageError>
    /** One that failed or was cancelled goes on from its last checkpoint; others stay as they are. */
    retry(workspace: WorkspaceId, id: JobId): Effect.Effect<Job, JobNotFound | StorageError>
    /** The job once it is over, or as it is after `atMostMs` of real time. @default 60000 */
    wait(workspace: WorkspaceId, id: JobId, atMostMs?: number): Effect.Effect<Job, JobNotFound | StorageError>
  }
>()("@overture/core/Jobs") {
  static readonly layer = Layer.effect(
    Jobs,
    Effect.suspend(() => make)
  )
}

/** How often a waiter looks (milliseconds). */
const lookEveryMs = 250

/** The event that tells of a job's progress or end. */
export const eventOf = (
  { actor, id, kind, progress: { done, total }, status, workspace }: Job,
  type: "job.progressed" | "job.finished",
  at: number,
  ids: IdGenerator
): DomainEvent => stamped(ids, at, { workspace, type, subject: id, actor, data: { kind, status, done, total } })

const checkList = Paging.checker(Schema.Struct({ filter: JobFilter, page: Paging.requestOf([""]) }))

const make = Effect.gen(function* () {
  const store = yield* JobStore
  const workspaces = yield* WorkspaceStore
  const handlers = yield* JobHandlers
  const time = yield* PacingTime
  const transaction = yield* Transaction
  const makeIds = (yield* Ids).generator

  const needed = (id: JobId) => (found: Option.Option<Job>) =>
    Option.isSome(found) ? Effect.succeed(found.value) : Effect.fail(new JobNotFound({ job: id }))

  const get = Effect.fn("Jobs.get")(function* (workspace: WorkspaceId, id: JobId) {
    return yield* needed(id)(yield* store.get(workspace, id))
  })

  return Jobs.of({
    get,
    submit: Effect.fn("Jobs.submit")(function* (given) {
      const { actor, key = null, kind, subject = null, total = null, workspace } = given
      yield* Workspace.needed(workspace)(yield* workspaces.get(workspace))
      const handler = handlers.get(kind)
      if (handler === undefined) return yield* new JobKindUnknown({ kind, known: [...handlers.keys()] })
      const input = yield* handler.check(given.input)
      const ids = yield* makeIds
      const submitted = yield* store.submit({
        id: ids.next("job"),
        workspace,
        kind,
        key,
        subject,
        input,
        status: "queued",
        progress: { done: 0, total, note: "" },
        checkpoint: null,
        result: null,
        error: null,
        cancelRequested: false,
        actor,
        attempts: 0,
        createdAt: yield* time.now,
        startedAt: null,
        finishedAt: null
      })
      const { created, job } = submitted
      // The input of one that is over may be gone with a person.
      const isOther = job.kind !== kind || (job.input !== null && canonical(job.input) !== canonical(input))
      if (!created && isOther) return yield* new JobKeyTaken({ key: key ?? "", job: job.id })
      return submitted
    }),
    page: Effect.fn("Jobs.page")(function* (workspace, filter, page) {
      const asked = yield* Effect.fromResult(checkList({ filter, page }))
      return yield* Paging.ofList("jobs", asked.page, (own) => store.list(workspace, asked.filter, own))
    }),
    cancel: Effect.fn("Jobs.cancel")(function* (workspace, id) {
      const ids = yield* makeIds
      const now = yield* time.now
      return yield* transaction.within(
        Effect.gen(function* () {
          let isNew = false
          const changed = yield* store.modify(workspace, id, (before) => {
            const job = JobRules.cancel(before, now)
            isNew = job.status === "cancelled" && before.status !== "cancelled"
            return { job, events: isNew ? [eventOf(job, "job.finished", now, ids)] : [] }
          })
          const job = yield* needed(id)(changed)
          const tidy = handlers.get(job.kind)?.onCancelled
          if (isNew && tidy !== undefined) yield* tidy(job)
          return job
        })
      )
    }),
    retry: Effect.fn("Jobs.retry")(function* (workspace, id) {
      return yield* needed(id)(yield* store.modify(workspace, id, (job) => ({ job: JobRules.retry(job), events: [] })))
    }),
    wait: Effect.fn("Jobs.wait")(function* (workspace, id, atMostMs = 60 * second) {
      const until = (yield* Clock.currentTimeMillis) + atMostMs
      while (true) {
        const job = yield* get(workspace, id)
        const left = until - (yield* Clock.currentTimeMillis)
        if (JobRules.isOver(job) || !(left > 0)) return job
        yield* Effect.sleep(Math.min(lookEveryMs, left))
      }
    })
  })
})
