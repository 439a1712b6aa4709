import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { TestClock } from "effect/testing"
import { ContactJobs, type GatherRequest } from "../../src/contact/ContactJobs.ts"
import { type ContactSource, SourceRefused } from "../../src/contact/ContactSource.ts"
import { type ContactReaction, ContactReactions } from "../../src/contact/ContactReaction.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import { everyone, type Gathering, judge, rowOf } from "../../src/contact/Gathering.ts"
import { system } from "../../src/event/DomainEvent.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import { JobRunner } from "../../src/job/JobRunner.ts"
import * as JobRules from "../../src/job/Job.ts"
import { JobStore } from "../../src/job/JobStore.ts"
import { Jobs } from "../../src/job/Jobs.ts"
import { type ContactId, type ContactListId, fromUuid, toUuid, type WorkspaceId } from "../../src/workspace/Id.ts"
import { StorageError } from "../../src/workspace/StorageError.ts"
import { layer, person, source } from "./jobs.ts"
import { row, rules, scene } from "./people.ts"
import { Contacts } from "../../src/contact/Contacts.ts"

const addressing = { channel: "sandbox", accounts: [] }

const gathering = (more: Partial<Gathering> = {}): Gathering => ({ ...everyone("test", {}), ...more })

const membersOf = (workspace: WorkspaceId, list: ContactListId) =>
  Effect.flatMap(ContactStore, (store) =>
    Effect.map(store.members(workspace, list, 0, 500), (members) =>
      members.map(({ contact }) => contact.addresses[0]!.externalId)
    )
  )

const gather = (workspace: WorkspaceId, more: Partial<Gathering> = {}, request: Partial<GatherRequest> = {}) =>
  Effect.gen(function* () {
    const jobs = yield* ContactJobs
    const job = yield* jobs.gather({
      workspace,
      actor: system,
      list: { name: "found" },
      gathering: gathering(more),
      addressing,
      ...request
    })
    return { job, list: job.subject as ContactListId }
  })

describe("who is wanted", () => {
  const ana = person("ana", { text: "Best  PASTÉIS in town", location: "Lisbon, Portugal", country: "pt" })
  const shy = person("shy")
  const cases: ReadonlyArray<readonly [string, Partial<Gathering>, string | null, string | null]> = [
    ["everyone", {}, null, null],
    ["a keyword of the text, whatever its case and spaces", { keywords: ["best pastéis"] }, null, "keyword"],
    ["a keyword of the name", { keywords: ["person ana"] }, null, "keyword"],
    ["one of several keywords", { keywords: ["nothing", "town"] }, null, "keyword"],
    [
      "an excluded keyword goes before all",
      { keywords: ["town"], excludedKeywords: ["pastéis"] },
      "excludedKeyword",
      "keyword"
    ],
    ["a location", { locations: ["Porto", "lisbon"] }, null, "location"],
    ["a country", { countries: ["DE", "PT"] }, null, "country"],
    ["another country", { countries: ["DE"] }, "country", "country"]
  ]
  for (const [name, settings, ofAna, ofShy] of cases) {
    it(name, () => {
      const verdict = judge(gathering(settings))
      assert.deepStrictEqual([verdict(ana), verdict(shy)], [ofAna, ofShy])
    })
  }

  it("what the source tells is an attribute, unless a column has that name", () => {
    const told = { ...ana, joinedAt: 0, row: { ...ana.row, attributes: { location: "Porto" } } }
    assert.deepStrictEqual(rowOf(told).attributes, {
      text: "Best  PASTÉIS in town",
      location: "Porto",
      country: "pt",
      joinedAt: "1970-01-01T00:00:00.000Z"
    })
  })
})

describe("gathering a list", () => {
  const pages = [[person("a"), person("b"), person("a")], [person("c", { text: "spam" })], [person("d"), person("b")]]

  it.effect("goes through all pages, and then the list is ready", () => {
    const test = source(pages)
    return Effect.gen(function* () {
      const { workspace } = yield* scene("pages")
      const { job, list } = yield* gather(workspace, { excludedKeywords: ["spam"] })
      const store = yield* ContactStore
      assert.strictEqual(
        (yield* store.getList(workspace, list)).pipe((found) => (found._tag === "Some" ? found.value.status : "")),
        "gathering"
      )
      yield* (yield* JobRunner).runOne
      const done = yield* (yield* Jobs).get(workspace, job.id)
      assert.deepInclude(done.result, { found: 6, created: 3, merged: 2, rejected: 0, unchanged: false })
      assert.deepInclude(done, { status: "succeeded" })
      assert.deepStrictEqual(yield* membersOf(workspace, list), ["a", "b", "d"])
      assert.deepStrictEqual(test.asked, [null, "1", "2"])
      const feed = yield* (yield* EventStore).read(workspace, null, 50)
      const ready = feed.filter(({ event }) => event.type === "list.ready")
      assert.deepStrictEqual(
        ready.map(({ event: { cause, data, subject } }) => [subject, cause, data["complete"]]),
        [[list, job.id, true]]
      )
    }).pipe(Effect.provide(layer({ sources: [test.source] })))
  })

  it.effect("never takes more than was asked for, however they are spread over pages", () =>
    Effect.gen(function* () {
      for (const [max, expected] of [
        [1, ["a"]],
        [2, ["a", "b"]],
        [3, ["a", "b", "c"]],
        [9, ["a", "b", "c", "d"]]
      ] as const) {
        const test = source(pages)
        yield* Effect.gen(function* () {
          const { workspace } = yield* scene(`max ${max}`)
          const { list } = yield* gather(workspace, { max })
          yield* (yield* JobRunner).runOne
          assert.deepStrictEqual(yield* membersOf(workspace, list), [...expected])
        }).pipe(Effect.provide(layer({ sources: [test.source] })))
      }
    })
  )

  it.effect("leaves out who is known already where only new people are wanted", () => {
    const test = source(pages)
    return Effect.gen(function* () {
      const { build, workspace } = yield* scene("new")
      const contacts = yield* Contacts
      const other = yield* (yield* ContactStore).createList(build.contactList(workspace))
      yield* contacts.importRows(workspace, other.id, [row(1, "b"), row(2, "d")], rules)
      const { job, list } = yield* gather(workspace, { onlyNew: true })
      yield* (yield* JobRunner).runOne
      assert.deepStrictEqual(yield* membersOf(workspace, list), ["a", "c"])
      const { result } = yield* (yield* Jobs).get(workspace, job.id)
      assert.deepInclude(result, { created: 2 })
    }).pipe(Effect.provide(layer({ sources: [test.source] })))
  })

  it.effect("tries a page again as often as was asked, and goes on with the page it was at", () => {
    const test = source(pages, 2)
    return Effect.gen(function* () {
      const { workspace } = yield* scene("retries")
      const { job, list } = yield* gather(workspace, { retries: 2 })
      const runner = yield* JobRunner
      for (let i = 0; i < 3; i++) {
        yield* runner.runOne
        yield* TestClock.adjust("1 minute")
      }
      assert.strictEqual((yield* (yield* Jobs).get(workspace, job.id)).status, "succeeded")
      assert.deepStrictEqual(yield* membersOf(workspace, list), ["a", "b", "c", "d"])
    }).pipe(Effect.provide(layer({ sources: [test.source] })))
  })

  it.effect("fails with the source's words, and the list stays to be gathered until that is given up", () => {
    const test = source(pages, 9)
    return Effect.gen(function* () {
      const { workspace } = yield* scene("fails")
      const { job, list } = yield* gather(workspace, { retries: 0 })
      yield* (yield* JobRunner).runOne
      const jobs = yield* Jobs
      assert.deepInclude(yield* jobs.get(workspace, job.id), { status: "failed", error: "test: nobody answers" })
      const store = yield* ContactStore
      const statusOf = Effect.map(store.lists(workspace, {}), ({ data }) => data.find(({ id }) => id === list)?.status)
      assert.strictEqual(yield* statusOf, "gathering")
      yield* jobs.cancel(workspace, job.id)
      assert.strictEqual(yield* statusOf, "ready")
    }).pipe(Effect.provide(layer({ sources: [test.source] })))
  })

  it.effect("again: override leaves nobody else on the list, preserve keeps everyone and their data", () => {
    const test = source([[person("a", { row: { ...person("a").row, name: "New" } }), person("z")]])
    return Effect.gen(function* () {
      const { build, workspace } = yield* scene("modes")
      const store = yield* ContactStore
      const contacts = yield* Contacts
      const runner = yield* JobRunner
      const filled = (name: string) =>
        Effect.gen(function* () {
          const list = yield* store.createList(build.contactList(workspace, { name, status: "ready" }))
          yield* contacts.importRows(workspace, list.id, [row(1, "a", { name: "Old" }), row(2, "y")], rules)
          return list.id
        })
      const nameOf = (id: string) =>
        Effect.map(store.byAddress(workspace, `sandbox//${id}`), (found) =>
          found._tag === "Some" ? found.value.name : ""
        )
      const kept = yield* filled("kept")
      yield* gather(workspace, { mode: "preserve" }, { list: { id: kept } })
      yield* runner.runOne
      assert.deepStrictEqual(yield* membersOf(workspace, kept), ["a", "y", "z"])
      assert.strictEqual(yield* nameOf("a"), "Old")
      const replaced = yield* filled("replaced")
      yield* gather(workspace, { mode: "override" }, { list: { id: replaced } })
      assert.deepStrictEqual(yield* membersOf(workspace, replaced), ["a", "y"])
      yield* runner.runOne
      assert.deepStrictEqual(yield* membersOf(workspace, replaced), ["a", "z"])
      assert.strictEqual(yield* nameOf("a"), "New")
      const cut = yield* filled("cut")
      yield* gather(workspace, { mode: "override", max: 1 }, { list: { id: cut } })
      yield* runner.runOne
      assert.deepStrictEqual(yield* membersOf(workspace, cut), ["a"])
    }).pipe(Effect.provide(layer({ sources: [test.source] })))
  })

  it.effect("again: a source that has not changed is not read", () => {
    const test = source([[person("a")]])
    return Effect.gen(function* () {
      const { workspace } = yield* scene("unchanged")
      const runner = yield* JobRunner
      const { list } = yield* gather(workspace)
      yield* runner.runOne
      const again = yield* (yield* ContactJobs).gatherAgain({ workspace, actor: system, list, mode: "preserve" })
      yield* runner.runOne
      const { result, status } = yield* (yield* Jobs).get(workspace, again.id)
      assert.strictEqual(status, "succeeded")
      assert.deepInclude(result, { unchanged: true, found: 0, version: "v1" })
      assert.deepStrictEqual(yield* membersOf(workspace, list), ["a"])
    }).pipe(Effect.provide(layer({ sources: [test.source] })))
  })

  it.effect("one list is gathered once at a time, and a key is one gathering", () => {
    const test = source(pages)
    return Effect.gen(function* () {
      const { workspace } = yield* scene("busy")
      const { job, list } = yield* gather(workspace, {}, { key: "k" })
      assert.strictEqual((yield* gather(workspace, {}, { key: "k" })).job.id, job.id)
      const refused = yield* Effect.flip(gather(workspace, {}, { list: { id: list } }))
      assert.strictEqual(refused._tag, "ListNotReady")
      assert.lengthOf((yield* (yield* ContactStore).lists(workspace, {})).data, 1)
    }).pipe(Effect.provide(layer({ sources: [test.source] })))
  })

  it.effect(
    "one that is retried waits while another fills the list, which is to be gathered again until it is done",
    () => {
      const test = source(pages, 1)
      return Effect.gen(function* () {
        const { workspace } = yield* scene("retried")
        const jobs = yield* Jobs
        const jobStore = yield* JobStore
        const store = yield* ContactStore
        const runner = yield* JobRunner
        const { job, list } = yield* gather(workspace, { retries: 0 })
        yield* runner.runOne
        yield* jobs.cancel(workspace, job.id)
        const statusOf = Effect.map(store.getList(workspace, list), (found) => Option.getOrThrow(found).status)
        assert.strictEqual(yield* statusOf, "ready")

        const other = yield* gather(workspace, {}, { list: { id: list } })
        const lease = { claim: fromUuid("clm", toUuid(job.id)), ms: 600_000 }
        yield* jobStore.claim([other.job.kind], lease, (before) => JobRules.begin(before, 0))
        yield* jobs.retry(workspace, job.id)
        yield* runner.runOne
        const waiting = yield* jobs.get(workspace, job.id)
        assert.strictEqual(waiting.status, "queued")
        assert.include(waiting.error, other.job.id)
        assert.deepStrictEqual(yield* membersOf(workspace, list), [])

        yield* jobStore.settle(other.job.id, lease, (before) => ({ job: JobRules.succeed(before, {}, 0), events: [] }))
        yield* store.setListReady(workspace, list, [])
        yield* TestClock.adjust("1 minute")
        yield* runner.runOne
        assert.strictEqual((yield* jobs.get(workspace, job.id)).status, "succeeded")
        assert.deepStrictEqual(yield* membersOf(workspace, list), ["a", "b", "c", "d"])
        assert.strictEqual(yield* statusOf, "ready")
      }).pipe(Effect.provide(layer({ sources: [test.source] })))
    }
  )

  it.effect("of several that want the same list at the same time one gets it", () => {
    const test = source(pages)
    return Effect.gen(function* () {
      const { workspace } = yield* scene("at once")
      const { list } = yield* gather(workspace)
      yield* (yield* JobRunner).runOne
      const again = Effect.result(gather(workspace, { mode: "override" }, { list: { id: list } }))
      const results = yield* Effect.all([again, again, again], { concurrency: "unbounded" })
      assert.deepStrictEqual(results.map(({ _tag }) => _tag).sort(), ["Failure", "Failure", "Success"])
    }).pipe(Effect.provide(layer({ sources: [test.source] })))
  })

  it.effect("a page that names itself as the next one ends the gathering", () => {
    const test = source([[person("a")], [person("b")]])
    const looping = {
      ...test.source,
      page: (request: Parameters<typeof test.source.page>[0]) =>
        Effect.map(test.source.page(request), (page) => (page === "unchanged" ? page : { ...page, cursor: "1" }))
    }
    return Effect.gen(function* () {
      const { workspace } = yield* scene("loop")
      const { job, list } = yield* gather(workspace)
      yield* (yield* JobRunner).runOne
      const { error, status } = yield* (yield* Jobs).get(workspace, job.id)
      assert.strictEqual(status, "failed")
      assert.match(error ?? "", /names itself/)
      assert.deepStrictEqual(yield* membersOf(workspace, list), ["a"])
    }).pipe(Effect.provide(layer({ sources: [looping] })))
  })

  it.effect.each([
    ["a keyword", { keywords: ["zq-5550199"] }],
    ["an excluded keyword", { excludedKeywords: ["spam", "zq-5550199"] }],
    ["the query", { query: { group: "zq-5550199" } }]
  ] as const)("whose %s is that of somebody erased ends at once, in words, and nobody joins", ([, asked]) => {
    const test = source(pages)
    const check: ContactSource["check"] = (query) =>
      JSON.stringify(query) === '{"group":""}'
        ? Effect.fail(new SourceRefused({ source: "test", problem: "group: expected the name of a group" }))
        : Effect.succeed(query as never)
    return Effect.gen(function* () {
      const { workspace } = yield* scene("erased word")
      const contacts = yield* Contacts
      const people = yield* contacts.listNamed(workspace, "people")
      yield* contacts.importRows(workspace, people.id, [row(2, "zq-5550199")], rules)
      const { job, list } = yield* gather(workspace, asked)
      const [known] = (yield* (yield* ContactStore).list(workspace, {})).data
      yield* contacts.erase(workspace, known!.id, system)
      while (yield* (yield* JobRunner).runOne);
      const { attempts, error, status } = yield* (yield* Jobs).get(workspace, job.id)
      assert.deepStrictEqual({ attempts, status }, { attempts: 1, status: "failed" })
      assert.match(error ?? "", /somebody whom it named may have been erased since/)
      assert.deepStrictEqual([yield* membersOf(workspace, list), test.asked], [[], []])
      yield* gather(workspace, {}, { list: { id: list } })
      while (yield* (yield* JobRunner).runOne);
      assert.deepStrictEqual(yield* membersOf(workspace, list), ["a", "b", "c", "d"])
    }).pipe(Effect.provide(layer({ sources: [{ ...test.source, check }], hash: (address) => `hash of ${address}` })))
  })

  it.effect("keeps whom it took although others could not hear of them, and sees to it that they do", () => {
    const test = source(pages)
    const heard: Array<ReadonlyArray<ContactId>> = []
    let refusals = 1
    const gone = new StorageError({ operation: "changed", retryable: true, cause: new Error("it is away") })
    const reaction: ContactReaction = {
      changed: (_, contacts) =>
        Effect.suspend(() => {
          if (refusals-- > 0) return Effect.fail(gone)
          heard.push(contacts)
          return Effect.void
        })
    }
    return Effect.gen(function* () {
      const { workspace } = yield* scene("others hear")
      const contacts = yield* Contacts
      const people = yield* contacts.listNamed(workspace, "people")
      yield* contacts.importRows(workspace, people.id, [row(2, "a", { attributes: { text: "old" } })], rules)
      const known = yield* (yield* ContactStore).byAddress(workspace, "sandbox//a")
      const a = known._tag === "Some" ? known.value.id : assert.fail("nobody was imported")
      const { job, list } = yield* gather(workspace, { mode: "override" })
      const runner = yield* JobRunner
      yield* runner.runOne
      assert.deepStrictEqual([yield* membersOf(workspace, list), heard], [["a", "b"], []])
      for (let round = 0; round < 5; round++) {
        yield* TestClock.adjust(JobRules.restMs(job))
        yield* runner.runOne
      }
      assert.deepInclude(yield* (yield* Jobs).get(workspace, job.id), { status: "succeeded" })
      assert.deepStrictEqual(heard[0], [a])
      assert.deepStrictEqual(yield* membersOf(workspace, list), ["a", "b", "c", "d"])
    }).pipe(
      Effect.provide(layer({ sources: [test.source] }).pipe(Layer.provide(Layer.succeed(ContactReactions, [reaction]))))
    )
  })

  it.effect("without the source it answers which port is missing, and writes nothing", () =>
    Effect.gen(function* () {
      const { workspace } = yield* scene("missing")
      const refused = yield* Effect.flip(gather(workspace, { source: "elsewhere" }))
      assert.strictEqual(refused._tag, "Unsupported")
      assert.match(refused.message, /ContactSource/)
      assert.isEmpty((yield* (yield* ContactStore).lists(workspace, {})).data)
    }).pipe(Effect.provide(layer()))
  )
})
