import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import { ContactFileError, type ContactFileSource } from "../../src/contact/ContactFileSource.ts"
import { ContactJobs } from "../../src/contact/ContactJobs.ts"
import { ContactLists } from "../../src/contact/ContactLists.ts"
import { Contacts } from "../../src/contact/Contacts.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import type { RowBatch } from "../../src/contact/ContactRow.ts"
import { system } from "../../src/event/DomainEvent.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import type { JobFileStore } from "../../src/job/JobFileStore.ts"
import { JobRunner } from "../../src/job/JobRunner.ts"
import { Jobs } from "../../src/job/Jobs.ts"
import type { Job } from "../../src/job/Job.ts"
import * as JobRules from "../../src/job/Job.ts"
import { JobHandlers, JobStopped } from "../../src/job/JobHandler.ts"
import { JobStore } from "../../src/job/JobStore.ts"
import {
  type ContactId,
  type ContactListId,
  fromUuid,
  type JobId,
  type MediaId,
  toUuid,
  type WorkspaceId
} from "../../src/workspace/Id.ts"
import { files, layer } from "./jobs.ts"
import { row, rules, scene } from "./people.ts"

const addressing = { channel: "sandbox", accounts: [] }
const hash = (address: string) => `hash of ${address.length}${address.at(-1)}`
const uploaded = fromUuid("med", "019aa000-0000-7000-8000-000000000001")

const fileOf = (batches: ReadonlyArray<RowBatch>, fingerprint = () => "f"): ContactFileSource => ({
  open: (_workspace, { file }) =>
    file === "gone"
      ? Effect.fail(new ContactFileError({ problem: "gone: there is no such file", retryable: false }))
      : Effect.succeed({ fingerprint: fingerprint(), batches: Stream.fromIterable(batches) })
})

const finished = (workspace: WorkspaceId, id: JobId) =>
  Effect.gen(function* () {
    yield* (yield* JobRunner).runOne
    return yield* (yield* Jobs).get(workspace, id)
  })

/** Contacts `p0`, `p1`, …, and their ids. */
const people = (workspace: WorkspaceId, count: number) =>
  Effect.gen(function* () {
    const contacts = yield* Contacts
    const list = yield* contacts.listNamed(workspace, "all")
    yield* contacts.importRows(
      workspace,
      list.id,
      Array.from({ length: count }, (_, i) => row(i + 2, `p${i}`, { name: `Person ${i}`, tags: ["old"] })),
      rules
    )
    const ids: Array<ContactId> = []
    const store = yield* ContactStore
    for (let i = 0; i < count; i++) ids.push(Option.getOrThrow(yield* store.byAddress(workspace, `sandbox//p${i}`)).id)
    return { ids, list: list.id }
  })

describe("an import as a job", () => {
  const batches: ReadonlyArray<RowBatch> = [
    {
      rows: [row(2, "a"), row(3, "b")],
      rejected: [{ line: 4, column: "phone", reason: "not a phone number", value: "0049" }]
    },
    { rows: [row(5, "c", { channel: "nowhere" })], rejected: [] }
  ]
  const request = (workspace: WorkspaceId, file: string = uploaded) => ({
    workspace,
    actor: system,
    file,
    name: "people.csv",
    list: { name: "guests" },
    mode: "update" as const,
    addressing
  })

  it.effect("ends with a list that is ready, says what was left out, and keeps no file", () => {
    const { held, store } = files()
    held.set(uploaded, new Uint8Array(1))
    return Effect.gen(function* () {
      const { workspace } = yield* scene("import")
      const job = yield* (yield* ContactJobs).import(request(workspace))
      const list = yield* (yield* ContactLists).get(workspace, job.subject as ContactListId)
      assert.deepInclude(list, { name: "guests", status: "gathering", members: 0 })
      const done = yield* finished(workspace, job.id)
      assert.deepInclude(done.result, { records: 4, created: 2, merged: 0, rejected: 2 })
      assert.deepStrictEqual((done.result as { problems: unknown }).problems, [
        { line: 4, column: "phone", reason: "not a phone number" },
        { line: 5, column: "channel", reason: "there is no such channel here, only sandbox" }
      ])
      assert.deepInclude(yield* (yield* ContactLists).get(workspace, list.id), { status: "ready", members: 2 })
      assert.isFalse(held.has(uploaded))
    }).pipe(Effect.provide(layer({ contactFiles: fileOf(batches), files: store })))
  })

  it.effect("fails in words when the file is not there, or is not the one it began with", () => {
    let fingerprint = "one"
    const source = fileOf(batches, () => fingerprint)
    return Effect.gen(function* () {
      const { workspace } = yield* scene("files")
      const jobs = yield* ContactJobs
      const gone = yield* jobs.import(request(workspace, "gone"))
      assert.deepInclude(yield* finished(workspace, gone.id), {
        status: "failed",
        error: "gone: there is no such file"
      })
      const job = yield* jobs.import(request(workspace))
      yield* (yield* ContactStore).beginImport({
        workspace,
        id: job.id,
        list: job.subject as ContactListId,
        mode: "update",
        fingerprint: "one",
        records: 1,
        created: 1,
        merged: 0,
        rejected: 0,
        startedAt: 0,
        finishedAt: null
      })
      fingerprint = "two"
      assert.match((yield* finished(workspace, job.id)).error ?? "", /not the file that the import began with/)
    }).pipe(Effect.provide(layer({ contactFiles: source })))
  })

  it.effect("given up, leaves what it had on a list that is ready", () =>
    Effect.gen(function* () {
      const { workspace } = yield* scene("given up")
      const job = yield* (yield* ContactJobs).import(request(workspace))
      yield* (yield* Jobs).cancel(workspace, job.id)
      const [list] = (yield* (yield* ContactStore).lists(workspace, {})).data
      assert.strictEqual(list?.status, "ready")
      const feed = yield* (yield* EventStore).read(workspace, null, 10)
      assert.deepStrictEqual(
        feed.map(({ event: { data, type } }) => [type, data["complete"]]),
        [
          ["job.finished", undefined],
          ["list.ready", false]
        ]
      )
    }).pipe(Effect.provide(layer({ contactFiles: fileOf(batches) })))
  )

  it.effect("is unsupported where nothing reads files", () =>
    Effect.gen(function* () {
      const { workspace } = yield* scene("no files")
      const jobs = yield* ContactJobs
      assert.match((yield* Effect.flip(jobs.import(request(workspace)))).message, /ContactFileSource/)
      const list = fromUuid("lst", toUuid(workspace))
      const refused = yield* Effect.flip(jobs.export({ workspace, actor: system, list, forSpreadsheets: false }))
      assert.match(refused.message, /JobFileStore/)
    }).pipe(Effect.provide(layer()))
  )
})

describe("an export as a job", () => {
  it.effect("writes what the list's own export gives", () => {
    const { held, store } = files()
    return Effect.gen(function* () {
      const { workspace } = yield* scene("export")
      const { list } = yield* people(workspace, 450)
      const jobs = yield* ContactJobs
      const job = yield* jobs.export({ workspace, actor: system, list, forSpreadsheets: false })
      const done = yield* finished(workspace, job.id)
      assert.deepInclude(done.result, { rows: 450 })
      assert.deepStrictEqual(done.progress, { done: 450, total: 450, note: "all" })
      const file = (done.result as { file: MediaId }).file
      const lists = yield* ContactLists
      const expected = yield* Stream.mkString(lists.csv(workspace, list))
      assert.strictEqual(new TextDecoder().decode(held.get(file)), expected)
    }).pipe(Effect.provide(layer({ files: store })))
  })
})

describe("merging as a job", () => {
  it.effect("makes one list, and fails in words where a source is missing", () =>
    Effect.gen(function* () {
      const { build, workspace } = yield* scene("merge")
      const store = yield* ContactStore
      const contacts = yield* Contacts
      const lists: Array<ContactListId> = []
      for (const ids of [
        ["a", "b"],
        ["b", "c"]
      ]) {
        const list = yield* store.createList(build.contactList(workspace, { status: "ready" }))
        yield* contacts.importRows(
          workspace,
          list.id,
          ids.map((id, i) => row(i, id)),
          rules
        )
        lists.push(list.id)
      }
      const jobs = yield* ContactJobs
      const job = yield* jobs.merge({ workspace, actor: system, name: "both", sources: lists })
      const { result } = yield* finished(workspace, job.id)
      const made = yield* (yield* ContactLists).get(workspace, (result as { list: ContactListId }).list)
      assert.deepInclude(made, { name: "both", members: 3 })
      const missing = fromUuid("lst", toUuid(workspace))
      const failed = yield* jobs.merge({ workspace, actor: system, name: "none", sources: [missing] })
      assert.match((yield* finished(workspace, failed.id)).error ?? "", /there is no list/)
    }).pipe(Effect.provide(layer()))
  )
})

describe("bulk verbs", () => {
  const tagsOf = (workspace: WorkspaceId, id: ContactId) =>
    Effect.flatMap(ContactStore, (store) =>
      Effect.map(store.get(workspace, id), (found) => (Option.isSome(found) ? found.value.tags : null))
    )

  it.effect("fewer than a hundred are answered at once, with who was not found", () =>
    Effect.gen(function* () {
      const { build, workspace } = yield* scene("few")
      const { ids } = yield* people(workspace, 98)
      const nobody = build.ids.next("con")
      const jobs = yield* ContactJobs
      const outcome = yield* jobs.tag({
        workspace,
        ids: [...ids, nobody, ids[0]!],
        with: { add: ["new", "old"], remove: [] },
        actor: system
      })
      assert.deepStrictEqual(outcome, { type: "done", answer: { requested: 99, done: 98, notFound: [nobody] } })
      assert.deepStrictEqual(yield* tagsOf(workspace, ids[97]!), ["old", "new"])
    }).pipe(Effect.provide(layer()))
  )

  it.effect("a hundred are a job with the same answer, done once though it is begun again", () =>
    Effect.gen(function* () {
      const { build, workspace } = yield* scene("many")
      const { ids } = yield* people(workspace, 120)
      const nobody = build.ids.next("con")
      const jobs = yield* ContactJobs
      const outcome = yield* jobs.tag({
        workspace,
        ids: [nobody, ...ids],
        with: { add: ["new"], remove: ["old"] },
        actor: system,
        key: "k"
      })
      assert.strictEqual(outcome.type, "job")
      const { id } = (outcome as { job: Job }).job
      // A process that is lost in its second chunk.
      const store = yield* JobStore
      const lease = { claim: build.ids.next("clm"), ms: 60_000 }
      const begun = Option.getOrThrow(yield* store.claim(["contacts.tag"], lease, (job) => JobRules.begin(job, 0)))
      const handler = (yield* JobHandlers).get("contacts.tag")!
      let steps = 0
      const lost = handler.run(begun, (step) =>
        Effect.gen(function* () {
          steps += 1
          if (steps === 2) return yield* new JobStopped({ reason: "lost" })
          yield* store.settle(id, lease, (job) => ({ job: JobRules.advance(job, step), events: [] }))
        })
      )
      assert.strictEqual((yield* Effect.flip(lost))._tag, "JobStopped")
      assert.deepStrictEqual(yield* tagsOf(workspace, ids[48]!), ["new"])
      assert.deepStrictEqual(yield* tagsOf(workspace, ids[49]!), ["old"])
      yield* TestClock.adjust("61 seconds")
      const done = yield* finished(workspace, id)
      assert.deepStrictEqual(done.result, { requested: 121, done: 120, notFound: [nobody] })
      for (const contact of ids) assert.deepStrictEqual(yield* tagsOf(workspace, contact), ["new"])
    }).pipe(Effect.provide(layer()))
  )

  it.effect("refuses more than a request may have, naming the limit", () =>
    Effect.gen(function* () {
      const { workspace } = yield* scene("too many")
      const ids = Array.from({ length: 10_001 }, (_, i) => `con_${i}`)
      const refused = yield* Effect.flip((yield* ContactJobs).remove({ workspace, ids, with: {}, actor: system }))
      assert.match(refused.message, /10001.*10000/)
    }).pipe(Effect.provide(layer()))
  )

  it.effect("who is deleted may come back, unless they said stop", () =>
    Effect.gen(function* () {
      const { workspace } = yield* scene("delete")
      const { ids, list } = yield* people(workspace, 3)
      const store = yield* ContactStore
      const stop = { workspace, address: "sandbox//p1", account: null, reason: "optedOut", at: 1 } as const
      yield* store.suppress([stop], [])
      const outcome = yield* (yield* ContactJobs).remove({ workspace, ids, with: {}, actor: system })
      assert.deepStrictEqual(outcome, { type: "done", answer: { requested: 3, done: 3, notFound: [] } })
      assert.isEmpty((yield* store.list(workspace, {})).data)
      assert.deepStrictEqual(yield* store.suppressions(workspace, ["sandbox//p0", "sandbox//p1"]), [stop])
      const back = yield* (yield* Contacts).importRows(workspace, list, [row(1, "p0")], rules)
      assert.strictEqual(back.created, 1)
    }).pipe(Effect.provide(layer()))
  )

  it.effect("who is erased stays away; without a hash nobody can be, in words", () =>
    Effect.gen(function* () {
      const erase = Effect.gen(function* () {
        const { workspace } = yield* scene("erase")
        const { ids, list } = yield* people(workspace, 2)
        const outcome = yield* Effect.result((yield* ContactJobs).erase({ workspace, ids, with: {}, actor: system }))
        const back = yield* (yield* Contacts).importRows(workspace, list, [row(1, "p0")], rules)
        return { outcome, back }
      })
      const erased = yield* Effect.provide(erase, layer({ hash }))
      assert.deepInclude(erased.outcome, { success: { type: "done", answer: { requested: 2, done: 2, notFound: [] } } })
      assert.strictEqual(erased.back.rejected[0]?.reason, "this person was erased")
      const refused = yield* Effect.provide(erase, layer())
      assert.match(refused.outcome._tag === "Failure" ? refused.outcome.failure.message : "", /AddressHash/)
    })
  )
})

describe("erasing a person", () => {
  it.effect("who is in an export that is just being written leaves no file with them: it is written again", () => {
    const { held, store } = files()
    let meanwhile: Effect.Effect<void> = Effect.void
    const slow: JobFileStore = {
      ...store,
      put: (...given) => Effect.tap(store.put(...given), () => meanwhile)
    }
    return Effect.gen(function* () {
      const { workspace } = yield* scene("export under way")
      const { ids, list } = yield* people(workspace, 3)
      const [jobs, contacts] = [yield* Jobs, yield* Contacts]
      const { id } = yield* (yield* ContactJobs).export({ workspace, actor: system, list, forSpreadsheets: false })
      meanwhile = Effect.suspend(() => {
        meanwhile = Effect.void
        return Effect.orDie(contacts.erase(workspace, ids[1]!, system))
      })
      for (let round = 0; round < 4; round++) {
        yield* (yield* JobRunner).runOne
        yield* TestClock.adjust("1 minute")
      }
      const job = yield* jobs.get(workspace, id)
      assert.deepInclude(job, { status: "succeeded" })
      assert.deepInclude(job.result, { rows: 2 })
      const written = [...held.values()].map((bytes) => new TextDecoder().decode(bytes)).join("")
      assert.match(written, /p0/)
      assert.notMatch(written, /p1/)
    }).pipe(Effect.provide(layer({ files: slow, hash })))
  })

  it.effect("empties the jobs that name them, removes files that may hold them, and leaves open work to go on", () => {
    const { held, store } = files()
    held.set(uploaded, new Uint8Array(1))
    return Effect.gen(function* () {
      const { workspace } = yield* scene("person")
      const { ids, list } = yield* people(workspace, 120)
      const [jobs, work, contacts] = [yield* Jobs, yield* ContactJobs, yield* Contacts]
      const tag = (add: string) => work.tag({ workspace, ids, with: { add: [add], remove: [] }, actor: system })
      const idOf = (outcome: { readonly type: string; readonly job?: Job }) => outcome.job!.id
      const over = idOf(yield* tag("one"))
      yield* finished(workspace, over)
      const exported = yield* work.export({ workspace, actor: system, list, forSpreadsheets: false })
      const { result } = yield* finished(workspace, exported.id)
      const failed = yield* work.import({
        workspace,
        actor: system,
        file: uploaded,
        name: "x.csv",
        list: { id: list },
        mode: "fill",
        addressing
      })
      yield* jobs.cancel(workspace, failed.id)
      const open = idOf(yield* tag("p7"))

      const known = yield* contacts.export(workspace, ids[7]!)
      assert.isAtLeast((known.more["jobs"] as ReadonlyArray<unknown>).length, 2)
      yield* contacts.erase(workspace, ids[7]!, system)
      assert.deepInclude(yield* jobs.get(workspace, over), { input: null, result: null })
      assert.isFalse(held.has((result as { file: string }).file))
      assert.isFalse(held.has(uploaded))
      // Their address was a tag as well: it is emptied, so the job fails for what it says, and does not tell of them.
      assert.notInclude(JSON.stringify(yield* jobs.get(workspace, open)), '"p7"')
      const others = idOf(yield* tag("two"))
      yield* jobs.cancel(workspace, open)
      const done = yield* finished(workspace, others)
      assert.deepStrictEqual(done.result, { requested: 120, done: 119, notFound: [ids[7]!] })
    }).pipe(Effect.provide(layer({ files: store, hash, contactFiles: fileOf([]) })))
  })
})
