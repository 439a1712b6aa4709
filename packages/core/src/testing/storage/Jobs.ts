/** What `JobStore` promises: one runner for each job, nothing written by whoever lost it, and turns for every workspace. */
import { Effect, Layer, Option, type Schema } from "effect"
import { JobPersons } from "../../contact/JobPersons.ts"
import { EventStore } from "../../event/EventStore.ts"
import * as JobRules from "../../job/Job.ts"
import type { Job } from "../../job/Job.ts"
import { type JobChange, type JobLease, JobStore } from "../../job/JobStore.ts"
import type { MediaId, WorkspaceId } from "../../workspace/Id.ts"
import { Transaction } from "../../workspace/Transaction.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { Contents, expectPaged, fails, LeaseClock, refuse, type StorageCase, storageCase } from "./StorageCase.ts"

const { start } = Builders
const kind = "suite.work"
const minute = 60_000

const scene = (seed: string) =>
  Effect.gen(function* () {
    const build = Builders.make(seed)
    const store = yield* JobStore
    const [mine, other] = [build.workspace().id, build.workspace().id]
    const job = (workspace: WorkspaceId, overrides: Partial<Job> = {}): Job => ({
      id: build.ids.next("job"),
      workspace,
      kind,
      key: null,
      subject: null,
      input: { n: 1, list: [null, "ü"] },
      status: "queued",
      progress: { done: 0, total: null, note: "" },
      checkpoint: null,
      result: null,
      error: null,
      cancelRequested: false,
      actor: { type: "api", id: "key" },
      attempts: 0,
      createdAt: start,
      startedAt: null,
      finishedAt: null,
      ...overrides
    })
    const queue = (workspace: WorkspaceId, overrides: Partial<Job> = {}) =>
      Effect.map(store.submit(job(workspace, overrides)), (submitted) => submitted.job)
    const lease = (): JobLease => ({ claim: build.ids.next("clm"), ms: minute })
    const claim = (made: JobLease, kinds = [kind]) =>
      Effect.map(
        store.claim(kinds, made, (before) => JobRules.begin(before, start + 1)),
        Option.getOrNull
      )
    return { build, claim, job, lease, mine, other, queue, store }
  })

const only = (job: Job): JobChange => ({ job, events: [] })
const advanced = (done: number, checkpoint: Schema.Json) => (job: Job) =>
  only(JobRules.advance(job, { done, total: 9, note: "half way", checkpoint }))

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("jobs: one key is one job of its workspace, and what is written is read back", function* () {
    const { job, mine, other, store } = yield* scene("submit")
    const first = job(mine, { key: "k", subject: "lst_1" })
    Expect.equal(yield* store.submit(first), { job: first, created: true }, "a new job")
    const again = job(mine, { key: "k", input: { other: true } })
    Expect.equal(yield* store.submit(again), { job: first, created: false }, "the same key again")
    Expect.equal((yield* store.submit(job(other, { key: "k" }))).created, true, "the key in another workspace")
    Expect.equal((yield* store.submit(job(mine))).created, true, "a job without key")
    Expect.equal((yield* store.submit(job(mine))).created, true, "another one")
    Expect.equal(Option.getOrNull(yield* store.get(mine, first.id)), first, "the job")
    Expect.equal(Option.getOrNull(yield* store.byKey(mine, "k")), first, "the job by its key")
    Expect.ok(Option.isNone(yield* store.byKey(mine, "other")), "a job by a key that nobody gave")
    Expect.ok(Option.isNone(yield* store.get(other, first.id)), "another workspace read it")
    Expect.ok(Option.isNone(yield* store.modify(other, first.id, refuse)), "another workspace changed it")
    const ended = JobRules.succeed(
      JobRules.advance(first, { done: 3, total: 4, note: "n", checkpoint: { at: [1] } }),
      { list: "lst" },
      7
    )
    yield* store.modify(mine, first.id, () => only(ended))
    Expect.equal(Option.getOrNull(yield* store.get(mine, first.id)), ended, "the job after its end")
  }),

  storageCase("jobs: a list shows the newest first, of a kind, a status or a subject", function* () {
    const { mine, other, queue, store } = yield* scene("list")
    const jobs: Array<Job> = []
    for (const subject of ["a", "b", null, "a", "b"]) jobs.push(yield* queue(mine, { subject }))
    yield* queue(other)
    const odd = yield* queue(mine, { kind: "suite.other" })
    yield* store.modify(mine, jobs[0]!.id, (job) => only(JobRules.cancelled(job, 5)))
    const ids = (some: ReadonlyArray<Job>) => some.map(({ id }) => id as string)
    yield* expectPaged((page) => store.list(mine, {}, page), ids([...jobs, odd]).reverse(), "all jobs")
    yield* expectPaged((page) => store.list(mine, { kind }, page), ids(jobs).reverse(), "of a kind")
    yield* expectPaged((page) => store.list(mine, { subject: "a" }, page), ids([jobs[3]!, jobs[0]!]), "of a subject")
    const found = yield* store.list(mine, { status: "cancelled", subject: "a" }, {})
    Expect.equal(ids(found.data), [jobs[0]!.id as string], "of a status and a subject")
  }),

  storageCase("jobs: a claim takes the oldest of these kinds, once", function* () {
    const { claim, lease, mine, queue, store } = yield* scene("claim")
    Expect.equal(yield* claim(lease()), null, "a claim of nothing")
    const [one, two, odd] = [yield* queue(mine), yield* queue(mine), yield* queue(mine, { kind: "suite.other" })]
    Expect.equal(yield* claim(lease(), ["suite.third"]), null, "a claim of another kind")
    const claims = yield* Effect.forEach([1, 2, 3], () => claim(lease()), { concurrency: "unbounded" })
    const taken = claims.flatMap((found) => (found === null ? [] : [found.id as string])).toSorted()
    Expect.equal(taken, [one.id as string, two.id as string].toSorted(), "what three claims at once took")
    const stored = Option.getOrNull(yield* store.get(mine, one.id))
    Expect.equal(stored, JobRules.begin(one, start + 1), "a job that was claimed")
    Expect.equal((yield* claim(lease(), ["suite.other"]))?.id ?? null, odd.id, "a claim of the other kind")
  }),

  storageCase("jobs: the workspace of which the fewest run has the next turn", function* () {
    const { claim, lease, mine, other, queue, store } = yield* scene("turns")
    for (let i = 0; i < 4; i++) yield* queue(mine)
    yield* queue(other)
    const order: Array<string> = []
    const except = yield* store.claim([kind], lease(), (job) => JobRules.begin(job, start), [mine, other])
    Expect.ok(Option.isNone(except), "a claim took a job of a workspace that it was to leave out")
    for (let i = 0; i < 5; i++) order.push((yield* claim(lease()))?.workspace ?? "none")
    Expect.equal(order, [mine, other, mine, mine, mine] as Array<string>, "whose job each claim took")
  }),

  storageCase("jobs: who lost the lease writes nothing, and the next one goes on from the checkpoint", function* () {
    const { build, claim, lease, mine, queue, store } = yield* scene("lost")
    const { advance } = yield* LeaseClock
    const { id } = yield* queue(mine)
    const [first, second] = [lease(), lease()]
    yield* claim(first)
    yield* advance(minute / 2)
    Expect.ok(yield* store.renew(id, first), "a lease could not be renewed")
    yield* advance((2 * minute) / 3)
    Expect.equal(yield* claim(second), null, "a claim of a job whose lease was renewed")
    const at = Option.getOrNull(yield* store.settle(id, first, advanced(5, { line: 5 })))
    Expect.equal(at?.progress ?? null, { done: 5, total: 9, note: "half way" }, "how far it came")
    yield* advance((2 * minute) / 3)
    Expect.equal(yield* claim(second), null, "a claim of a job that came further")
    yield* advance(minute)
    const next = yield* claim(second)
    Expect.equal([next?.checkpoint ?? null, next?.attempts ?? 0], [{ line: 5 }, 2], "what the next one goes on from")
    Expect.ok(!(yield* store.renew(id, first)), "a lost lease was renewed")
    Expect.ok(Option.isNone(yield* store.settle(id, first, refuse)), "a lost lease wrote")
    const event = build.event(mine, id, { type: "job.finished" })
    yield* store.settle(id, second, (job) => ({ job: JobRules.succeed(job, { n: 1 }, 9), events: [event] }))
    Expect.ok(Option.isNone(yield* store.settle(id, second, refuse)), "a job that is over was settled again")
    yield* advance(minute)
    Expect.equal(yield* claim(lease()), null, "a claim of a job that is over")
    const feed = yield* (yield* EventStore).read(mine, null, 9)
    Expect.equal(
      feed.map((read) => read.event),
      [event],
      "the feed"
    )
  }),

  storageCase("jobs: one that goes back to the queue rests first", function* () {
    const { claim, lease, mine, queue, store } = yield* scene("rest")
    const { advance } = yield* LeaseClock
    const { id } = yield* queue(mine)
    const first = lease()
    yield* claim(first)
    yield* store.settle(id, first, (job) => ({ ...only(JobRules.release(job)), restMs: minute }))
    Expect.equal(yield* claim(lease()), null, "a claim of a job that rests")
    Expect.ok(!(yield* store.renew(id, first)), "the lease of a job that was given back was renewed")
    yield* advance(minute)
    Expect.equal((yield* claim(lease()))?.id ?? null, id, "a claim of a job that has rested")
  }),

  storageCase("jobs: asking for the end of one that runs leaves it to who runs it", function* () {
    const { claim, lease, mine, queue, store } = yield* scene("cancel")
    const { id } = yield* queue(mine)
    const first = lease()
    yield* claim(first)
    yield* store.modify(mine, id, (job) => only(JobRules.cancel(job, 3)))
    Expect.equal(yield* claim(lease()), null, "a claim of a job that runs")
    let seen: Job | null = null
    yield* store.settle(id, first, (job) => {
      seen = job
      return only(JobRules.cancelled(job, 4))
    })
    Expect.ok(seen !== null && (seen as Job).cancelRequested, "who runs it is not told", seen)
    const again = yield* store.modify(mine, id, (job) => only(JobRules.retry(job)))
    Expect.equal(Option.getOrNull(again)?.status ?? null, "queued", "the job retried")
    Expect.equal((yield* claim(lease()))?.id ?? null, id, "a claim of a job that is retried")
  }),

  storageCase("jobs: how far one came is written with what it did, or neither is", function* () {
    const { build, claim, lease, mine, queue, store } = yield* scene("together")
    const { within } = yield* Transaction
    const { id } = yield* queue(mine)
    const first = lease()
    const begun = yield* claim(first)
    const done = store.settle(id, first, (job) => ({
      job: JobRules.advance(job, { done: 1, checkpoint: 1 }),
      events: [build.event(mine, id)]
    }))
    yield* fails(within(Effect.andThen(done, Effect.fail("later"))), "the transaction")
    Expect.equal(Option.getOrNull(yield* store.get(mine, id)), begun, "the job")
    Expect.equal(yield* (yield* EventStore).read(mine, null, 9), [], "the feed")
  }),

  storageCase("jobs: those that name a person are found by a whole text", function* () {
    const { mine, other, queue, store } = yield* scene("naming")
    const text = `o"brien\\ \u0001 ü`
    const jobs = [
      yield* queue(mine, { input: { people: ["x", { deep: text }] } }),
      yield* queue(mine, { input: null, checkpoint: [text] }),
      yield* queue(mine, { result: { [text]: 1 } })
    ]
    yield* queue(mine, { input: { people: [`${text} and more`, "x"] }, result: null })
    yield* queue(other, { input: text })
    const found = (texts: ReadonlyArray<string>) =>
      Effect.map(store.naming(mine, texts), (named) => named.map(({ id }) => id as string))
    Expect.equal(
      yield* found(["nobody", text]),
      jobs.map(({ id }) => id as string),
      "jobs that name someone"
    )
    Expect.equal(yield* found([]), [], "jobs that name nobody")
  }),

  storageCase("jobs: of a person who is erased nothing stays, and open work goes on for the others", function* () {
    const { build, mine, queue, store } = yield* scene("erased")
    const contact = build.contact(mine, {
      externalRef: "crm-77",
      addresses: [{ channel: Builders.channel, scope: "", externalId: "person-of-jobs" }]
    })
    const over = yield* queue(mine, { input: { to: "person-of-jobs" }, checkpoint: ["crm-77"], result: [contact.id] })
    yield* store.modify(mine, over.id, (job) =>
      only(
        JobRules.fail({ ...job, progress: { ...job.progress, note: "person-of-jobs" } }, "person-of-jobs is away", 3)
      )
    )
    const open = yield* queue(mine, {
      input: { to: ["x", "person-of-jobs"], with: { "crm-77": 1, ids: [contact.id] } }
    })
    const other = yield* queue(mine, { input: { to: "somebody" } })
    const held = Layer.provide(JobPersons.layer, Layer.succeed(JobStore, store))
    yield* Effect.provide(
      Effect.gen(function* () {
        const party = yield* JobPersons
        const told = JSON.stringify(yield* party.export(mine, contact))
        for (const { id } of [over, open]) Expect.ok(told.includes(id), "the export leaves a job out")
        yield* party.erase(mine, contact, start)
      }),
      held
    )
    const rows = (yield* (yield* Contents).rows).map(({ text }) => text)
    const telling = rows.filter((text) => /person-of-jobs|crm-77/.test(text))
    Expect.equal(telling, [], "what still tells of them")
    const left = Option.getOrNull(yield* store.get(mine, open.id))
    Expect.equal(left?.input ?? null, { to: ["x", ""], with: { "": 1, ids: [contact.id] } }, "the open work")
    Expect.equal(Option.getOrNull(yield* store.get(mine, other.id)), other, "another's work")
  }),

  storageCase("jobs: files that no job refers to are found once they are old, the oldest first", function* () {
    const { build, mine, other, queue, store } = yield* scene("files")
    const [old, oldest, young, uploaded, written, again, gone, theirs] = Array.from({ length: 8 }, () =>
      build.ids.next("med")
    ) as [MediaId, MediaId, MediaId, MediaId, MediaId, MediaId, MediaId, MediaId]
    const at = new Map([old, oldest, young, uploaded, written, again, gone].map((file) => [file, start + 5]))
    at.set(oldest, start).set(young, start + 9)
    for (const [file, noted] of at) yield* store.noteFile(mine, file, noted)
    yield* store.noteFile(mine, again, start + 9)
    yield* store.noteFile(other, theirs, start)
    yield* store.forgetFile(mine, gone)
    yield* store.forgetFile(mine, theirs)
    yield* queue(mine, { input: { file: uploaded, name: "people.csv" } })
    yield* queue(mine, { input: ["x"], result: { file: written } })
    yield* queue(other, { input: { file: old } })
    const unused = (limit: number) =>
      Effect.map(store.unusedFiles(mine, start + 9, limit), (found) => found as ReadonlyArray<string>)
    Expect.equal(yield* unused(9), [oldest, old], "all")
    Expect.equal(yield* unused(1), [oldest], "the first")
    Expect.equal(yield* store.unusedFiles(other, start + 9, 9), [theirs], "of another workspace")
  }),

  storageCase("jobs: what ended long ago is removed, the oldest first, and nothing else", function* () {
    const { mine, other, queue, store } = yield* scene("purge")
    const end = (workspace: WorkspaceId, at: number) =>
      Effect.tap(queue(workspace), ({ id }) => store.modify(workspace, id, (job) => only(JobRules.fail(job, "no", at))))
    const [young, old, oldest] = [yield* end(mine, 30), yield* end(mine, 20), yield* end(mine, 10)]
    const [open, theirs] = [yield* queue(mine), yield* end(other, 10)]
    const ended = (limit: number) =>
      Effect.map(store.ended(mine, 30, limit), (found) => found.map(({ id }) => id as string))
    Expect.equal(yield* ended(1), [oldest.id as string], "the first")
    Expect.equal(yield* ended(9), [oldest.id, old.id] as Array<string>, "all")
    Expect.equal(yield* store.remove(mine, [old.id, oldest.id, theirs.id]), 2, "how many were removed")
    const left = yield* store.list(mine, {}, {})
    Expect.equal(
      left.data.map(({ id }) => id as string),
      [open.id, young.id] as Array<string>,
      "what is left"
    )
    Expect.ok(Option.isSome(yield* store.get(other, theirs.id)), "another workspace's job was removed")
  })
]
