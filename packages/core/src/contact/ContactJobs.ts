/**
 * What is done to people in bulk, as their users ask for it: imports, exports, merging, gathering, tagging, deleting and
 * erasing. What a port is missing for is refused before anything is written. A key makes each of them one job, however
 * often it is asked for.
 */
import { Context, Effect, Layer, Option } from "effect"
import { Unsupported } from "../channel/Unsupported.ts"
import type { Actor } from "../event/DomainEvent.ts"
import type { BulkTooLarge } from "../job/Bulk.ts"
import { type BulkOutcome, type BulkRequest, Bulks } from "../job/Bulks.ts"
import type { Job, JobKind } from "../job/Job.ts"
import { JobFileStore } from "../job/JobFileStore.ts"
import type { JobFailed } from "../job/JobHandler.ts"
import { Jobs, type SubmitError } from "../job/Jobs.ts"
import { JobStore } from "../job/JobStore.ts"
import type { ContactListId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { ContactBulks, type Plainly, type TagChange } from "./ContactBulks.ts"
import { ContactFileSource } from "./ContactFileSource.ts"
import { ListNotFound, ListNotReady } from "./Contacts.ts"
import { ContactSources, type SourceRefused } from "./ContactSource.ts"
import { ContactStore } from "./ContactStore.ts"
import * as ExportJob from "./ExportJob.ts"
import * as GatherJob from "./GatherJob.ts"
import type { Gathering } from "./Gathering.ts"
import * as ImportJob from "./ImportJob.ts"
import * as MergeJob from "./MergeJob.ts"

/** A list that exists, or the name of one that is made. */
export type ListChoice = { readonly id: ContactListId } | { readonly name: string }

interface Request {
  readonly workspace: WorkspaceId
  readonly actor: Actor
  /** The same key is the same job. */
  readonly key?: string | undefined
}

export interface ImportRequest extends Request, Omit<ImportJob.ImportInput, "list"> {
  readonly list: ListChoice
}

export interface GatherRequest extends Request, Omit<GatherJob.GatherInput, "list"> {
  readonly list: ListChoice
}

export class ContactJobs extends Context.Service<
  ContactJobs,
  {
    /** A list that is made for it is `gathering` until its import is done. */
    import(request: ImportRequest): Effect.Effect<Job, ListNotFound | ListNotReady | Unsupported | SubmitError>
    /** Fills a list from a source; it is `gathering` until that is done, and nothing else fills it meanwhile. */
    gather(
      request: GatherRequest
    ): Effect.Effect<Job, ListNotFound | ListNotReady | SourceRefused | Unsupported | SubmitError>
    /** Gathers a list from the same source as the last time, where the source has changed since. */
    gatherAgain(
      request: Request & { readonly list: ContactListId; readonly mode: Gathering["mode"] }
    ): Effect.Effect<Job, ListNotFound | ListNotReady | SourceRefused | Unsupported | SubmitError>
    /** A CSV file, found in the job's result. */
    export(request: Request & ExportJob.ExportInput): Effect.Effect<Job, Unsupported | SubmitError>
    /** A new list of everyone on the others; its id is in the job's result. */
    merge(request: Request & MergeJob.MergeInput): Effect.Effect<Job, SubmitError>
    tag(request: BulkRequest<TagChange>): Effect.Effect<BulkOutcome, BulkTooLarge | JobFailed | SubmitError>
    remove(request: BulkRequest<Plainly>): Effect.Effect<BulkOutcome, BulkTooLarge | JobFailed | SubmitError>
    erase(request: BulkRequest<Plainly>): Effect.Effect<BulkOutcome, BulkTooLarge | JobFailed | SubmitError>
  }
>()("@overture/core/ContactJobs") {
  static readonly layer = Layer.effect(
    ContactJobs,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const jobs = yield* Jobs
  const jobStore = yield* JobStore
  const bulks = yield* Bulks
  const verbs = yield* ContactBulks
  const store = yield* ContactStore
  const sources = yield* ContactSources
  const files = yield* JobFileStore
  const contactFiles = yield* ContactFileSource
  const time = yield* PacingTime
  const { within } = yield* Transaction
  const makeIds = (yield* Ids).generator

  /** The list that a job with this key works on already. */
  const subjectOf = (workspace: WorkspaceId, key: string | undefined) =>
    key === undefined
      ? Effect.succeed(null)
      : Effect.map(jobStore.byKey(workspace, key), (found) =>
          Option.isSome(found) ? (found.value.subject as ContactListId | null) : null
        )

  const listFor = Effect.fnUntraced(function* (workspace: WorkspaceId, choice: ListChoice) {
    if ("id" in choice) {
      const list = yield* store.getList(workspace, choice.id)
      return Option.isSome(list) ? list.value : yield* new ListNotFound({ list: choice.id })
    }
    const known = yield* store.listByName(workspace, choice.name)
    if (Option.isSome(known)) return known.value
    const id = (yield* makeIds).next("lst")
    const createdAt = yield* time.now
    return yield* store.createList({ id, workspace, name: choice.name, status: "gathering", createdAt })
  })

  /** Whether a job of these kinds that fills the list is not over. */
  const isBusy = Effect.fnUntraced(function* (
    workspace: WorkspaceId,
    subject: ContactListId,
    kinds: ReadonlyArray<JobKind>
  ) {
    const open = yield* Effect.forEach(
      kinds.flatMap((kind) => (["queued", "running"] as const).map((status) => ({ kind, status, subject }))),
      (filter) => jobStore.list(workspace, filter, { limit: 1 })
    )
    return open.some(({ data }) => data.length > 0)
  })

  const gather = Effect.fn("ContactJobs.gather")(function* (request: GatherRequest) {
    const { actor, addressing, gathering, key, workspace } = request
    const source = sources.get(gathering.source)
    if (source === undefined) {
      const what = `gather people from ${gathering.source}`
      return yield* new Unsupported({ what, missing: `the port ContactSource of that name` })
    }
    const query = yield* source.check(gathering.query)
    return yield* within(
      Effect.gen(function* () {
        const submit = (list: ContactListId) =>
          jobs.submit({
            workspace,
            kind: GatherJob.kind,
            input: { list, gathering: { ...gathering, query }, addressing },
            actor,
            key,
            subject: list
          })
        const known = yield* subjectOf(workspace, key)
        if (known !== null) return (yield* submit(known)).job
        const list = yield* listFor(workspace, request.list)
        // Its row is locked first: of two at the same time one sees the other's job.
        yield* store.gatherList(workspace, list.id, false)
        if (yield* isBusy(workspace, list.id, [GatherJob.kind, ImportJob.kind])) {
          return yield* new ListNotReady({ list: list.name })
        }
        return (yield* submit(list.id)).job
      })
    )
  })

  return ContactJobs.of({
    gather,
    import: Effect.fn("ContactJobs.import")(function* ({ actor, key, list, workspace, ...given }) {
      if (contactFiles === null) {
        return yield* new Unsupported({ what: "import a file", missing: "the port ContactFileSource" })
      }
      return yield* within(
        Effect.gen(function* () {
          const known = yield* subjectOf(workspace, key)
          const found = known === null ? yield* listFor(workspace, list) : null
          if (found !== null && (yield* isBusy(workspace, found.id, [GatherJob.kind]))) {
            return yield* new ListNotReady({ list: found.name })
          }
          const id = known ?? found!.id
          const { job } = yield* jobs.submit({
            workspace,
            kind: ImportJob.kind,
            input: { ...given, list: id },
            actor,
            key,
            subject: id
          })
          return job
        })
      )
    }),
    gatherAgain: Effect.fn("ContactJobs.gatherAgain")(function* ({ list, mode, ...request }) {
      const { data } = yield* jobStore.list(
        request.workspace,
        { subject: list, kind: GatherJob.kind, status: "succeeded" },
        { limit: 1 }
      )
      const [last] = data
      const input = last === undefined ? null : GatherJob.inputOf(last)
      if (last === undefined || input === null) return yield* new ListNotFound({ list })
      // What is on the list may have changed meanwhile: only what adds to it may rest on the former time.
      const version = mode === "preserve" ? GatherJob.versionOf(last) : null
      const { addressing } = input
      return yield* gather({
        ...request,
        addressing,
        list: { id: list },
        gathering: { ...input.gathering, mode, version }
      })
    }),
    export: Effect.fn("ContactJobs.export")(function* ({ actor, forSpreadsheets, key, list, workspace }) {
      if (files === null) return yield* new Unsupported({ what: "export to a file", missing: "the port JobFileStore" })
      const input = { list, forSpreadsheets }
      return (yield* jobs.submit({ workspace, kind: ExportJob.kind, input, actor, key, subject: list })).job
    }),
    merge: Effect.fn("ContactJobs.merge")(function* ({ actor, key, name, sources: from, workspace }) {
      const input = { name, sources: from }
      return (yield* jobs.submit({ workspace, kind: MergeJob.kind, input, actor, key, total: from.length })).job
    }),
    tag: Effect.fn("ContactJobs.tag")((request) => bulks.run(verbs.tag, request)),
    remove: Effect.fn("ContactJobs.remove")((request) => bulks.run(verbs.remove, request)),
    erase: Effect.fn("ContactJobs.erase")((request) => bulks.run(verbs.erase, request))
  })
})
