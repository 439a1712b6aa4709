/**
 * What jobs hold of a person. One that is over and names them is emptied; one that is still to do is emptied of their
 * addresses and goes on for the others. Files are removed whole: who is in an export nobody has looked up, and it can be
 * written again, as one is that is just being written; of an import that came to nothing the file is not needed any more.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { isOver, Job } from "../job/Job.ts"
import * as JobRules from "../job/Job.ts"
import { JobFileStore } from "../job/JobFileStore.ts"
import { JobStore } from "../job/JobStore.ts"
import type { MediaId, WorkspaceId } from "../workspace/Id.ts"
import { walk } from "../workspace/Page.ts"
import { StorageError } from "../workspace/StorageError.ts"
import type { Contact } from "./Contact.ts"
import * as ExportJob from "./ExportJob.ts"
import * as ImportJob from "./ImportJob.ts"
import type { PersonParty } from "./PersonParty.ts"

const encode = Schema.encodeSync(Schema.toCodecJson(Schema.Array(Job)))

export class JobPersons extends Context.Service<JobPersons, PersonParty>()("@overture/core/JobPersons") {
  static readonly layer = Layer.effect(
    JobPersons,
    Effect.suspend(() => make)
  )
}

/** The uploaded or written file of a job that is over. */
const fileOf = ({ input, kind, result }: Job): MediaId | null =>
  JobRules.fileIn(kind === ExportJob.kind ? result : kind === ImportJob.kind ? input : null)

const make = Effect.gen(function* () {
  const store = yield* JobStore
  const files = yield* JobFileStore

  const textsOf = ({ addresses, externalRef }: Contact) => [
    ...addresses.map(({ externalId }) => externalId),
    ...(externalRef === null ? [] : [externalRef])
  ]

  /**
   * An export that is not over begins again, by another lease, so that whoever writes it now cannot end it; it rests, so
   * that they stop first. Locked until the erasure has ended, none begins before that. Tells it as it is then.
   */
  const beginAgain = (workspace: WorkspaceId, { id }: Job) =>
    store.modify(workspace, id, (before) => ({
      job: isOver(before) ? before : JobRules.release(before),
      events: [],
      restMs: JobRules.restMs(before)
    }))

  const removeFiles = Effect.fnUntraced(function* (workspace: WorkspaceId) {
    if (files === null) return
    for (const kind of [ExportJob.kind, ImportJob.kind]) {
      yield* walk(
        (page) => store.list(workspace, { kind }, page),
        Effect.fnUntraced(function* (jobs) {
          for (const found of jobs) {
            const isOpenExport = kind === ExportJob.kind && !isOver(found)
            const job = isOpenExport ? Option.getOrElse(yield* beginAgain(workspace, found), () => found) : found
            const file = isOver(job) ? fileOf(job) : null
            if (file === null) continue
            yield* files
              .remove(workspace, file)
              .pipe(
                Effect.mapError(
                  (cause) => new StorageError({ operation: "JobPersons.erase", retryable: cause.retryable, cause })
                )
              )
            yield* store.modify(workspace, job.id, (before) => ({
              job: kind === ExportJob.kind ? { ...before, result: null } : JobRules.erase(before, []),
              events: []
            }))
          }
          return true
        })
      )
    }
  })

  /** Jobs that came to nothing keep from where they would go on, and why they do not: in words of others. */
  const removeEnds = Effect.fnUntraced(function* (workspace: WorkspaceId, texts: ReadonlyArray<string>) {
    for (const status of ["failed", "cancelled"] as const) {
      yield* walk(
        (page) => store.list(workspace, { status }, page),
        Effect.fnUntraced(function* (jobs) {
          for (const job of jobs) {
            if (!JobRules.mentions(job, texts)) continue
            yield* store.modify(workspace, job.id, (before) => ({ job: JobRules.erase(before, texts), events: [] }))
          }
          return true
        })
      )
    }
  })

  return JobPersons.of({
    name: "jobs",
    export: Effect.fn("JobPersons.export")(function* (workspace, contact) {
      const jobs = yield* store.naming(workspace, [contact.id, ...textsOf(contact)])
      return { data: encode(jobs), subjects: [] }
    }),
    erase: Effect.fn("JobPersons.erase")(function* (workspace, contact) {
      // Before their jobs forget which ones they are.
      yield* removeFiles(workspace)
      const texts = textsOf(contact)
      yield* removeEnds(workspace, [...texts, contact.name])
      const named = new Set((yield* store.naming(workspace, texts)).map(({ id }) => id))
      for (const found of yield* store.naming(workspace, [contact.id, ...texts])) {
        // The id alone tells nothing; whoever runs the job may hold the contact and wait for the job's row.
        if (!isOver(found) && !named.has(found.id)) continue
        yield* store.modify(workspace, found.id, (job) => ({ job: JobRules.erase(job, texts), events: [] }))
      }
      return []
    })
  })
})
