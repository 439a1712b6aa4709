/**
 * Purges what was kept long enough: a chore that goes through every workspace once an hour, batch by batch, each a short
 * transaction of its own. A workspace says how long it keeps what; what it does not say has a default.
 */
import { Clock, Context, Effect, Layer, Schema } from "effect"
import { EventStore } from "../event/EventStore.ts"
import { type Chore, turns } from "../workspace/Chore.ts"
import type { MediaId, WorkspaceId } from "../workspace/Id.ts"
import { hour, type Instant } from "../workspace/Instant.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import * as Retention from "../workspace/Retention.ts"
import { AllRetained, type Retained } from "../workspace/Retention.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { needed, type Workspace, type WorkspaceNotFound } from "../workspace/Workspace.ts"
import { keyLifeMs, WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import { fileIn, type Job } from "./Job.ts"
import { JobFileStore } from "./JobFileStore.ts"
import { forGood, type JobHandler, make as jobHandler } from "./JobHandler.ts"
import { JobStore } from "./JobStore.ts"

/** How many things of each kind were purged. */
export type Purged = Readonly<Partial<Record<Retention.RetentionKind | "idempotencyKeys", number>>>

export class Retentions extends Context.Service<
  Retentions,
  {
    /** Days of each kind, defaults included. */
    of(workspace: WorkspaceId): Effect.Effect<Required<Retention.Retention>, WorkspaceNotFound | StorageError>
    /** Purges a workspace now. */
    purge(workspace: WorkspaceId): Effect.Effect<Purged, WorkspaceNotFound | StorageError>
    /** `purge` as a job. */
    readonly handler: JobHandler
    readonly chore: Chore
  }
>()("@overture/core/Retentions") {
  static readonly layer = Layer.effect(
    Retentions,
    Effect.suspend(() => make)
  )
}

const everyMs = hour
const batch = 500
/** Between full batches, so that whoever sends has the database for itself in between (milliseconds). */
const pauseMs = 10

const make = Effect.gen(function* () {
  const workspaces = yield* WorkspaceStore
  const feed = yield* EventStore
  const jobs = yield* JobStore
  const files = yield* JobFileStore
  const time = yield* PacingTime

  const ofJobs: Retained = {
    kind: "jobs",
    purge: Effect.fnUntraced(function* (workspace, before, limit) {
      const ended = yield* jobs.ended(workspace, before, limit)
      // A file that cannot be removed keeps its job, so that it is not forgotten.
      const removable = yield* Effect.filter(ended, (job) =>
        files === null
          ? Effect.succeed(true)
          : Effect.forEach(filesOf(job), (file) => files.remove(workspace, file)).pipe(
              Effect.as(true),
              Effect.orElseSucceed(() => false)
            )
      )
      return yield* jobs.remove(
        workspace,
        removable.map(({ id }) => id)
      )
    })
  }
  /** Files that were put there to be imported, and what a process that is gone left of one. */
  const ofFiles = (kept: JobFileStore): Retained => ({
    kind: "unusedMedia",
    purge: Effect.fnUntraced(function* (workspace, before, limit) {
      const unused = yield* jobs.unusedFiles(workspace, before, limit)
      const removed = yield* Effect.filter(unused, (file) =>
        Effect.match(kept.remove(workspace, file), { onFailure: () => false, onSuccess: () => true })
      )
      return removed.length
    })
  })
  const all: ReadonlyArray<Retained> = [
    { kind: "events", purge: feed.purge },
    ofJobs,
    ...(files === null ? [] : [ofFiles(files)]),
    ...(yield* AllRetained)
  ]

  /** The earlier of both clocks: a virtual one that has leapt ahead purges nothing of today. */
  const present = Effect.map(Effect.all([time.now, Clock.currentTimeMillis]), ([pacing, real]) =>
    Math.min(pacing, real)
  )

  const purgeOne = Effect.fnUntraced(function* ({ id, retention = {} }: Workspace, now: Instant) {
    const purged: Partial<Record<keyof Purged, number>> = {}
    const due = [
      ...all.map(({ kind, purge }) => ({ kind, purge, before: Retention.cutoff(retention, kind, now) })),
      { kind: "idempotencyKeys" as const, purge: workspaces.purgeKeys, before: now - keyLifeMs }
    ]
    for (const { before, kind, purge } of due) {
      if (before === null) continue
      let count = 0
      for (let last = batch; last >= batch; ) {
        last = yield* purge(id, before, batch)
        count += last
        if (last >= batch) yield* Effect.sleep(pauseMs)
      }
      purged[kind] = (purged[kind] ?? 0) + count
    }
    return purged
  })

  const complete = ({ retention = {} }: Workspace) => ({ ...Retention.defaults, ...retention })

  const purge = Effect.fn("Retentions.purge")(function* (workspace: WorkspaceId) {
    const found = yield* needed(workspace)(yield* workspaces.get(workspace))
    return yield* purgeOne(found, yield* present)
  })

  const handler = jobHandler({
    kind: "retention.purge",
    input: Schema.Struct({}),
    checkpoint: Schema.Null,
    run: ({ job }) => purge(job.workspace).pipe(Effect.catchTag("WorkspaceNotFound", forGood))
  })

  const each = turns("retention")
  let nextAt = -Infinity
  return Retentions.of({
    of: Effect.fn("Retentions.of")(function* (workspace) {
      return complete(yield* needed(workspace)(yield* workspaces.get(workspace)))
    }),
    purge,
    handler,
    chore: {
      name: "retention",
      round: (real) =>
        Effect.gen(function* () {
          if (real < nextAt) return { worked: false, nextDue: nextAt }
          const now = yield* present
          const all = new Map((yield* workspaces.list).map((workspace) => [workspace.id, workspace]))
          yield* each([...all.keys()], real, (id) => Effect.asVoid(purgeOne(all.get(id)!, now)))
          nextAt = real + everyMs
          return { worked: false, nextDue: nextAt }
        })
    }
  })
})

/** The files that a job alone refers to: what was uploaded for it, and what it wrote. */
const filesOf = ({ input, result }: Job): ReadonlyArray<MediaId> =>
  [fileIn(input), fileIn(result)].filter((file) => file !== null)
