/**
 * The port for jobs. Verbs of people take the workspace; `claim` and what follows it span workspaces. A claim is the right
 * to run a job until its lease ends: whoever lost it writes nothing more.
 */
import { Context, type Effect, type Option, Schema } from "effect"
import type { DomainEvent } from "../event/DomainEvent.ts"
import type { ClaimId, JobId, MediaId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Page, PageRequest } from "../workspace/Page.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { type Job, JobKind, JobStatus } from "./Job.ts"

/** Which jobs a list shows; absent = all. */
export const JobFilter = Schema.Struct({
  kind: Schema.optional(JobKind),
  status: Schema.optional(JobStatus),
  subject: Schema.optional(Schema.String)
}).annotate({ identifier: "JobFilter" })
export type JobFilter = typeof JobFilter.Type

/** What a rule makes of a job. */
export interface JobChange {
  readonly job: Job
  readonly events: ReadonlyArray<DomainEvent>
  /** Of one that becomes queued: how long it rests before it may be claimed. @default 0 */
  readonly restMs?: number | undefined
}

/** The right to run one job. */
export interface JobLease {
  readonly claim: ClaimId
  /** How long it lasts from each claim, renewal and change, by the database's clock. */
  readonly ms: number
}

export class JobStore extends Context.Service<
  JobStore,
  {
    /** Queues a job; where its workspace has one with the same key, that one is given and nothing is written. */
    submit(job: Job): Effect.Effect<{ readonly job: Job; readonly created: boolean }, StorageError>
    get(workspace: WorkspaceId, id: JobId): Effect.Effect<Option.Option<Job>, StorageError>
    byKey(workspace: WorkspaceId, key: string): Effect.Effect<Option.Option<Job>, StorageError>
    /** The newest first. */
    list(workspace: WorkspaceId, filter: JobFilter, page: PageRequest): Effect.Effect<Page<Job>, StorageError>
    /** Locks the job, applies the rule, writes with its events: none when there is no such job. */
    modify(
      workspace: WorkspaceId,
      id: JobId,
      rule: (job: Job) => JobChange
    ): Effect.Effect<Option.Option<Job>, StorageError>
    /**
     * Takes a job of these kinds that is queued and has rested, or whose lease has run out, and writes what `begin` makes of
     * it. The oldest of the workspace of which the fewest are running, and none of `except`; no two callers get the same one.
     */
    claim(
      kinds: ReadonlyArray<JobKind>,
      lease: JobLease,
      begin: (job: Job) => Job,
      except?: ReadonlyArray<WorkspaceId>
    ): Effect.Effect<Option.Option<Job>, StorageError>
    /** Whether the lease still holds; then it is renewed. */
    renew(id: JobId, lease: JobLease): Effect.Effect<boolean, StorageError>
    /** `modify` by whoever runs it: none, and nothing is written, when the lease was lost. While it runs the lease is renewed. */
    settle(id: JobId, lease: JobLease, rule: (job: Job) => JobChange): Effect.Effect<Option.Option<Job>, StorageError>
    /** Jobs in whose input, checkpoint or result one of these stands as a text of its own. Reads all of the workspace. */
    naming(workspace: WorkspaceId, texts: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<Job>, StorageError>
    /** Jobs that ended before `before`, the oldest first: what `remove` may be given. */
    ended(workspace: WorkspaceId, before: Instant, limit: number): Effect.Effect<ReadonlyArray<Job>, StorageError>
    /** Removes jobs; says how many there were. */
    remove(workspace: WorkspaceId, ids: ReadonlyArray<JobId>): Effect.Effect<number, StorageError>
    /** Remembers that there is a file since then; one that is remembered is so from now on. */
    noteFile(workspace: WorkspaceId, file: MediaId, at: Instant): Effect.Effect<void, StorageError>
    forgetFile(workspace: WorkspaceId, file: MediaId): Effect.Effect<void, StorageError>
    /** Files noted before `before` that no job's input or result refers to (`Job.fileIn`), the oldest first. */
    unusedFiles(
      workspace: WorkspaceId,
      before: Instant,
      limit: number
    ): Effect.Effect<ReadonlyArray<MediaId>, StorageError>
  }
>()("@overture/core/JobStore") {}
