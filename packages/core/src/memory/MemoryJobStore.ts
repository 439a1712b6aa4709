/** Jobs in memory. */
import { Option, type Schema } from "effect"
import type { Job, JobKind } from "../job/Job.ts"
import { fileIn, isOver } from "../job/Job.ts"
import { type JobChange, type JobLease, JobStore } from "../job/JobStore.ts"
import type { JobId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Memory } from "./Memory.ts"
import { append } from "./MemoryEventStore.ts"
import { by, firstOf, page } from "./Paging.ts"
import { type JobRow, within } from "./State.ts"

/** Whether one of the texts is a value or a name anywhere in it. */
const names = (value: Schema.Json, texts: ReadonlySet<string>): boolean => {
  if (typeof value === "string") return texts.has(value)
  if (typeof value !== "object" || value === null) return false
  return Object.entries(value).some(
    ([name, item]: [string, Schema.Json]) => (!Array.isArray(value) && texts.has(name)) || names(item, texts)
  )
}

const byEnd = by<JobRow>(
  ({ job }) => job.finishedAt ?? 0,
  ({ job }) => job.id
)

export const make = ({ state, timed, verb }: Memory) => {
  const rowOf = (workspace: WorkspaceId, id: JobId) => {
    const row = state.jobs.get(id)
    return row?.job.workspace === workspace ? row : undefined
  }
  /** `leaseMs` null: whoever runs it keeps what is left of the lease. */
  const write = (row: JobRow, { events, job, restMs = 0 }: JobChange, now: Instant, leaseMs: number | null) => {
    const isRunning = job.status === "running"
    const leased = leaseMs === null ? row.until : now + leaseMs
    const until = isOver(job) ? null : isRunning ? leased : now + restMs
    state.jobs.set(job.id, { job, claim: isRunning ? row.claim : null, until })
    append(state, events)
    return job
  }
  const runningOf = (workspace: WorkspaceId) =>
    [...state.jobsByWorkspace.get(workspace).values()].filter(({ job }) => job.status === "running").length
  const held = (id: JobId, lease: JobLease) => {
    const row = state.jobs.get(id)
    return row !== undefined && row.claim === lease.claim ? row : undefined
  }
  return JobStore.of({
    submit: (job) =>
      timed((now) => {
        const key = job.key === null ? null : within(job.workspace, job.key)
        const [known] = key === null ? [] : state.jobsByKey.get(key).values()
        if (known !== undefined) return { job: known.job, created: false }
        state.jobs.set(job.id, { job, claim: null, until: now })
        return { job, created: true }
      }),
    get: (workspace, id) => verb(() => Option.fromUndefinedOr(rowOf(workspace, id)?.job)),
    byKey: (workspace, key) =>
      verb(() => {
        const [row] = state.jobsByKey.get(within(workspace, key)).values()
        return Option.fromUndefinedOr(row?.job)
      }),
    list: (workspace, { kind, status, subject }, request) =>
      verb(() => {
        const jobs = Array.from(state.jobsByWorkspace.get(workspace).values(), ({ job }) => job).filter(
          (job) =>
            (kind === undefined || job.kind === kind) &&
            (status === undefined || job.status === status) &&
            (subject === undefined || job.subject === subject)
        )
        return page(jobs, request, ({ id }) => [id], "descending")
      }),
    modify: (workspace, id, rule) =>
      timed((now) => {
        const row = rowOf(workspace, id)
        if (row === undefined) return Option.none()
        const change = rule(row.job)
        return Option.some(change.job === row.job ? row.job : write(row, change, now, null))
      }),
    claim: (kinds: ReadonlyArray<JobKind>, lease, begin, except = []) =>
      timed((now) => {
        const due = [...state.jobs.values()].filter(
          ({ job, until }) =>
            until !== null && until <= now && kinds.includes(job.kind) && !except.includes(job.workspace)
        )
        const [row] = firstOf(
          due,
          1,
          by(
            ({ job }) => runningOf(job.workspace),
            ({ job }) => job.id
          )
        )
        if (row === undefined) return Option.none()
        const job: Job = begin(row.job)
        state.jobs.set(job.id, { job, claim: lease.claim, until: now + lease.ms })
        return Option.some(job)
      }),
    renew: (id, lease) =>
      timed((now) => {
        const row = held(id, lease)
        if (row === undefined) return false
        state.jobs.set(id, { ...row, until: now + lease.ms })
        return true
      }),
    settle: (id, lease, rule) =>
      timed((now) => {
        const row = held(id, lease)
        return row === undefined ? Option.none() : Option.some(write(row, rule(row.job), now, lease.ms))
      }),
    naming: (workspace, texts) =>
      verb(() => {
        const meant = new Set(texts)
        return Array.from(state.jobsByWorkspace.get(workspace).values(), ({ job }) => job)
          .filter(({ checkpoint, input, result }) => names([input, checkpoint, result], meant))
          .sort(by((job) => job.id))
      }),
    ended: (workspace, before, limit) =>
      verb(() => {
        const over = [...state.jobsByWorkspace.get(workspace).values()].filter(
          ({ job }) => job.finishedAt !== null && job.finishedAt < before
        )
        return firstOf(over, limit, byEnd).map(({ job }) => job)
      }),
    remove: (workspace, ids) =>
      verb(() => {
        const known = [...new Set(ids)].filter((id) => rowOf(workspace, id) !== undefined)
        for (const id of known) state.jobs.delete(id)
        return known.length
      }),
    noteFile: (workspace, file, at) => verb(() => state.jobFiles.set(within(workspace, file), { workspace, file, at })),
    forgetFile: (workspace, file) => verb(() => state.jobFiles.delete(within(workspace, file))),
    unusedFiles: (workspace, before, limit) =>
      verb(() => {
        const jobs = [...state.jobsByWorkspace.get(workspace).values()]
        const used = new Set(jobs.flatMap(({ job }) => [fileIn(job.input), fileIn(job.result)]))
        const old = [...state.jobFiles.values()].filter(
          (row) => row.workspace === workspace && row.at < before && !used.has(row.file)
        )
        return firstOf(
          old,
          limit,
          by(
            ({ at }) => at,
            ({ file }) => file
          )
        ).map(({ file }) => file)
      })
  })
}
