/**
 * Bulk work that goes on beside everything else: it tells how far it came, can be cancelled, and goes on from its last
 * checkpoint when its process dies. The rules here are its whole life: queued → running → succeeded, failed or cancelled.
 */
import { Schema } from "effect"
import { Actor } from "../event/DomainEvent.ts"
import { JobId, MediaId, WorkspaceId } from "../workspace/Id.ts"
import { Instant, minute, second } from "../workspace/Instant.ts"

export const JobStatus = Schema.Literals(["queued", "running", "succeeded", "failed", "cancelled"])
export type JobStatus = typeof JobStatus.Type

/** The name of a kind: `contacts.import`. */
export const JobKind = Schema.String.check(
  Schema.isPattern(/^[a-z][a-zA-Z]*(\.[a-z][a-zA-Z]*)+$/, { expected: "a kind of job such as contacts.import" })
)
export type JobKind = typeof JobKind.Type

export class JobProgress extends Schema.Opaque<JobProgress>()(
  Schema.Struct({
    done: Schema.Int,
    /** Null while nobody knows. */
    total: Schema.NullOr(Schema.Int),
    /** What it does now, for people. */
    note: Schema.String
  }).annotate({ identifier: "JobProgress" })
) {}

export class Job extends Schema.Opaque<Job>()(
  Schema.Struct({
    id: JobId,
    workspace: WorkspaceId,
    kind: JobKind,
    /** Given by whoever submits it: the same key is the same job. */
    key: Schema.NullOr(Schema.String),
    /** The id of what it works on, by which its jobs are found: a list. */
    subject: Schema.NullOr(Schema.String),
    input: Schema.Json,
    status: JobStatus,
    progress: JobProgress,
    /** From where its handler goes on; null = from the start. */
    checkpoint: Schema.Json,
    /** Null until it succeeded. */
    result: Schema.Json,
    /** Why it failed, or was interrupted the last time, for people. */
    error: Schema.NullOr(Schema.String),
    /** Asked for while it was running; it ends at its next progress. */
    cancelRequested: Schema.Boolean,
    actor: Actor,
    /** How often it was begun since it last came further. */
    attempts: Schema.Int,
    createdAt: Instant,
    startedAt: Schema.NullOr(Instant),
    finishedAt: Schema.NullOr(Instant)
  }).annotate({ identifier: "Job" })
) {}

/** What a handler tells of how far it came. */
export interface JobStep {
  readonly done: number
  /** Absent = as before. */
  readonly total?: number | null | undefined
  readonly note?: string | undefined
  readonly checkpoint: Schema.Json
}

/** A job that is over changes no more, unless it is retried. */
export const isOver = ({ status }: Job): boolean => status !== "queued" && status !== "running"

/** The job as a process takes it up. */
export const begin = (self: Job, now: Instant): Job => ({
  ...self,
  status: "running",
  attempts: self.attempts + 1,
  startedAt: self.startedAt ?? now
})

export const advance = (self: Job, step: JobStep): Job => ({
  ...self,
  progress: {
    done: step.done,
    total: step.total === undefined ? self.progress.total : step.total,
    note: step.note ?? self.progress.note
  },
  checkpoint: step.checkpoint,
  error: null,
  attempts: 1
})

export const succeed = (self: Job, result: Schema.Json, now: Instant): Job => ({
  ...self,
  status: "succeeded",
  progress: { ...self.progress, total: self.progress.total ?? self.progress.done },
  checkpoint: null,
  result,
  error: null,
  finishedAt: now
})

export const fail = (self: Job, error: string, now: Instant): Job => ({
  ...self,
  status: "failed",
  error,
  finishedAt: now
})

export const cancelled = (self: Job, now: Instant): Job => ({ ...self, status: "cancelled", finishedAt: now })

/** Back into the queue, to go on later from where it is. */
export const release = (self: Job): Job => ({ ...self, status: "queued" })

/** What asking for its end makes of it: one that runs ends at its next progress, one that failed is given up. */
export const cancel = (self: Job, now: Instant): Job => {
  switch (self.status) {
    case "queued":
    case "failed":
      return cancelled(self, now)
    case "running":
      return self.cancelRequested ? self : { ...self, cancelRequested: true }
    case "succeeded":
    case "cancelled":
      return self
  }
}

/** One that failed or was cancelled goes on from its last checkpoint. */
export const retry = (self: Job): Job =>
  self.status === "failed" || self.status === "cancelled"
    ? { ...self, status: "queued", error: null, cancelRequested: false, attempts: 0, finishedAt: null }
    : self

/** How often it is begun without coming further before it has failed: whatever kills its process does so for ever. */
export const mostAttempts = 5

/** How long it rests before it is begun again, in milliseconds: 5 s, doubling to 10 min. */
export const restMs = (self: Job): number => Math.min(10 * minute, 5 * second * 2 ** Math.max(0, self.attempts - 1))

/** How often progress is told in the feed at most (milliseconds). */
export const tellEveryMs = 2 * second

const isMediaId = Schema.is(MediaId)

/** The file that an input or a result refers to by its field `file`; null where it is none of ours. */
export const fileIn = (value: Schema.Json): MediaId | null => {
  const file = typeof value === "object" && value !== null && "file" in value ? value.file : null
  return isMediaId(file) ? file : null
}

type Json = Schema.Json

const forget = (value: Json, texts: ReadonlySet<string>): Json => {
  if (typeof value === "string") return texts.has(value) ? "" : value
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return (value as ReadonlyArray<Json>).map((item) => forget(item, texts))
  return Object.fromEntries(
    Object.entries(value as Readonly<Record<string, Json>>).map(([name, item]) => [
      texts.has(name) ? "" : name,
      forget(item, texts)
    ])
  )
}

/** Texts that are shorter stand in too many others to say that somebody is meant. */
export const shortestMention = 5

/** Whether one of the texts stands anywhere in it, also within others: in a cursor, in the words of an error. */
export const mentions = (
  { checkpoint, error, input, progress, result }: Job,
  texts: ReadonlyArray<string>
): boolean => {
  const all = JSON.stringify([input, checkpoint, result, error, progress.note])
  return texts.some((text) => text.length >= shortestMention && all.includes(JSON.stringify(text).slice(1, -1)))
}

/**
 * The job without a person, told by `texts`. One that is over loses its whole input and result; of one that is still to
 * do only what names the person is emptied, so that it goes on for the others.
 */
export const erase = (self: Job, texts: ReadonlyArray<string>): Job => {
  if (isOver(self)) {
    return {
      ...self,
      input: null,
      checkpoint: null,
      result: null,
      error: null,
      progress: { ...self.progress, note: "" }
    }
  }
  const known = new Set(texts)
  return {
    ...self,
    input: forget(self.input, known),
    checkpoint: forget(self.checkpoint, known),
    progress: { ...self.progress, note: "" }
  }
}
