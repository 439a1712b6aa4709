import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Ref } from "effect"
import { TestClock } from "effect/testing"
import { system } from "../../src/event/DomainEvent.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import * as JobRules from "../../src/job/Job.ts"
import { JobFailed } from "../../src/job/JobHandler.ts"
import { JobStore } from "../../src/job/JobStore.ts"
import type { WorkspaceId } from "../../src/workspace/Id.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"
import { counting, gateAt, layer, scene } from "./work.ts"

const told = (workspace: WorkspaceId) =>
  Effect.flatMap(EventStore, (feed) =>
    Effect.map(feed.read(workspace, null, 100), (read) =>
      read.map(({ event: { data, type } }) => [type, data["status"], data["done"]])
    )
  )

describe("submitting", () => {
  it.effect("gives the same job for the same key, and refuses the key for other work", () =>
    Effect.gen(function* () {
      const { count, jobs, workspace } = yield* scene("keys")
      const first = yield* count(3, "k")
      assert.strictEqual((yield* count(3, "k")).id, first.id)
      const refused = yield* Effect.flip(count(4, "k"))
      assert.strictEqual(refused._tag, "JobKeyTaken")
      assert.notStrictEqual((yield* count(4)).id, (yield* count(4)).id)
      assert.deepStrictEqual((yield* jobs.get(workspace, first.id)).progress, { done: 0, total: null, note: "" })
    }).pipe(Effect.provide(layer(counting())))
  )

  it.effect("refuses what no handler does and what none could read, naming both", () =>
    Effect.gen(function* () {
      const { jobs, workspace } = yield* scene("refused")
      const submit = (kind: string, input: unknown) =>
        Effect.flip(jobs.submit({ workspace, kind, input, actor: system }))
      assert.match((yield* submit("test.other", {})).message, /test\.other.*only test\.count/)
      const invalid = yield* submit("test.count", { to: "ten", from: 1 })
      assert.strictEqual(invalid._tag, "JobInputInvalid")
      assert.match(invalid.message, /"to"/)
      assert.match(invalid.message, /"from"/)
      assert.isEmpty((yield* jobs.page(workspace, {}, {})).data)
    }).pipe(Effect.provide(layer(counting())))
  )

  it.effect("shows another workspace nothing", () =>
    Effect.gen(function* () {
      const { build, count, jobs } = yield* scene("foreign")
      const { id } = yield* count(1)
      const other = build.workspace().id
      for (const verb of [jobs.get, jobs.cancel, jobs.retry, jobs.wait]) {
        assert.strictEqual((yield* Effect.flip(verb(other, id)))._tag, "JobNotFound")
      }
    }).pipe(Effect.provide(layer(counting())))
  )
})

describe("running", () => {
  it.effect("comes to its result, and says so in the feed", () =>
    Effect.gen(function* () {
      const { count, jobs, runner, workspace } = yield* scene("whole")
      const { id } = yield* count(3)
      assert.isTrue(yield* runner.runOne)
      assert.isFalse(yield* runner.runOne)
      const done = yield* jobs.get(workspace, id)
      assert.deepInclude(done, { status: "succeeded", result: { counted: 3 }, error: null })
      assert.deepStrictEqual(done.progress, { done: 3, total: 3, note: "at 3" })
      assert.deepStrictEqual(yield* told(workspace), [
        ["job.progressed", "running", 1],
        ["job.finished", "succeeded", 3]
      ])
    }).pipe(Effect.provide(layer(counting())))
  )

  it.effect("tells of progress every two seconds at most", () =>
    Effect.gen(function* () {
      const { count, runner, workspace } = yield* scene("throttled")
      yield* count(10)
      const fiber = yield* Effect.forkChild(runner.runOne)
      for (let i = 0; i < 10; i++) yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      const progressed = (yield* told(workspace)).filter(([type]) => type === "job.progressed")
      assert.deepStrictEqual(
        progressed.map(([, , done]) => done),
        [1, 3, 5, 7, 9]
      )
    }).pipe(Effect.provide(layer(counting(() => Effect.sleep("1 second")))))
  )

  it.effect("goes on from its checkpoint when its process is gone, in another one", () =>
    Effect.gen(function* () {
      const gate = yield* gateAt(0)
      yield* Effect.gen(function* () {
        const { count, jobs, runner, workspace } = yield* scene("gone")
        const { id } = yield* count(6)
        const store = yield* JobStore
        // A process that came to 3 and was killed.
        yield* store.claim(["test.count"], lease(1), (job) => JobRules.begin(job, 0))
        yield* store.settle(id, lease(1), (job) => ({
          job: JobRules.advance(job, { done: 3, total: 6, checkpoint: 3 }),
          events: []
        }))
        assert.isFalse(yield* runner.runOne)
        yield* TestClock.adjust("61 seconds")
        assert.isTrue(yield* runner.runOne)
        assert.deepInclude(yield* jobs.get(workspace, id), { status: "succeeded", result: { counted: 6 } })
        assert.deepStrictEqual(yield* gate.seen, [4, 5, 6])
      }).pipe(Effect.provide(layer(counting(gate.step))))
    })
  )

  it.effect("gives the job back at once when its process is stopped in good order", () =>
    Effect.gen(function* () {
      const gate = yield* gateAt(2)
      yield* Effect.gen(function* () {
        const { count, jobs, runner, workspace } = yield* scene("stopped")
        const { id } = yield* count(3)
        const fiber = yield* Effect.forkChild(runner.runOne)
        yield* gate.reached
        yield* Fiber.interrupt(fiber)
        assert.deepInclude(yield* jobs.get(workspace, id), { status: "queued", checkpoint: 1 })
        yield* gate.open
        assert.isTrue(yield* runner.runOne)
        assert.strictEqual((yield* jobs.get(workspace, id)).status, "succeeded")
        assert.deepStrictEqual(yield* gate.seen, [1, 2, 2, 3])
      }).pipe(Effect.provide(layer(counting(gate.step))))
    })
  )

  it.effect("keeps its lease however long a step takes", () =>
    Effect.gen(function* () {
      const gate = yield* gateAt(1)
      yield* Effect.gen(function* () {
        const { count, jobs, runner, workspace } = yield* scene("long")
        const { id } = yield* count(1)
        const fiber = yield* Effect.forkChild(runner.runOne)
        yield* gate.reached
        for (let i = 0; i < 60; i++) yield* TestClock.adjust("10 seconds")
        assert.isFalse(yield* runner.runOne)
        yield* gate.open
        yield* Fiber.join(fiber)
        assert.deepInclude(yield* jobs.get(workspace, id), { status: "succeeded", attempts: 1 })
      }).pipe(Effect.provide(layer(counting(gate.step))))
    })
  )
})

describe("places", () => {
  it.effect("are never all taken by one workspace", () =>
    Effect.gen(function* () {
      const gate = yield* gateAt(1)
      yield* Effect.gen(function* () {
        const { build, count, jobs, runner } = yield* scene("greedy")
        for (let i = 0; i < 4; i++) yield* count(1)
        const chores = runner.chores.slice(0, 4)
        const rounds = yield* Effect.forEach(chores, ({ round }) => Effect.forkChild(round(0)))
        yield* gate.reached
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* gate.seen, [1, 1, 1])
        const other = build.workspace()
        yield* (yield* WorkspaceStore).create(other)
        yield* jobs.submit({ workspace: other.id, kind: "test.count", input: { to: 1 }, actor: system })
        const theirs = yield* Effect.forkChild(runner.runOne)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* gate.seen, [1, 1, 1, 1])
        yield* gate.open
        yield* Fiber.join(theirs)
        for (const round of rounds) yield* Fiber.join(round)
        assert.isTrue(yield* runner.runOne)
        assert.isFalse(yield* runner.runOne)
      }).pipe(Effect.provide(layer(counting(gate.step))))
    })
  )
})

describe("failing", () => {
  const failing = (retryable: boolean) =>
    counting(({ n }) => (n === 2 ? Effect.fail(new JobFailed({ problem: "no more numbers", retryable })) : Effect.void))

  it.effect("says why, and a retry goes on from where it was", () =>
    Effect.gen(function* () {
      const broken = yield* Ref.make(true)
      const handler = counting(({ n }) =>
        Effect.flatMap(Ref.get(broken), (is) =>
          is && n === 2 ? Effect.fail(new JobFailed({ problem: "no two", retryable: false })) : Effect.void
        )
      )
      yield* Effect.gen(function* () {
        const { count, jobs, runner, workspace } = yield* scene("failed")
        const { id } = yield* count(3)
        yield* runner.runOne
        assert.deepInclude(yield* jobs.get(workspace, id), { status: "failed", error: "no two", checkpoint: 1 })
        yield* Ref.set(broken, false)
        assert.isFalse(yield* runner.runOne)
        yield* jobs.retry(workspace, id)
        yield* runner.runOne
        assert.deepInclude(yield* jobs.get(workspace, id), { status: "succeeded", error: null })
      }).pipe(Effect.provide(layer(handler)))
    })
  )

  it.effect("tries again what may come to something, with growing rests, and not for ever", () =>
    Effect.gen(function* () {
      const { count, jobs, runner, workspace } = yield* scene("again")
      const { id } = yield* count(3)
      const rests: Array<number> = []
      for (let waited = 0; (yield* jobs.get(workspace, id)).status !== "failed"; waited += 5) {
        assert.isBelow(waited, 1_000)
        if (yield* runner.runOne) rests.push(waited)
        yield* TestClock.adjust("5 seconds")
      }
      assert.deepStrictEqual(rests, [0, 5, 15, 35, 75])
      assert.strictEqual((yield* jobs.get(workspace, id)).error, "no more numbers")
    }).pipe(Effect.provide(layer(failing(true))))
  )

  it.effect("of what breaks only the log knows the reason", () =>
    Effect.gen(function* () {
      const { count, jobs, runner, workspace } = yield* scene("defect")
      const { id } = yield* count(1)
      yield* runner.runOne
      const { error, status } = yield* jobs.get(workspace, id)
      assert.strictEqual(status, "failed")
      assert.notMatch(error ?? "", /token/)
      assert.match(error ?? "", new RegExp(id))
    }).pipe(Effect.provide(layer(counting(() => Effect.die(new Error("token abc"))))))
  )

  it.effect("does not give up what comes further each time, however often its process is killed", () =>
    Effect.gen(function* () {
      const { count, jobs, runner, workspace } = yield* scene("unlucky")
      const { id } = yield* count(20)
      const store = yield* JobStore
      for (let n = 1; n <= 3 * JobRules.mostAttempts; n++) {
        yield* store.claim(["test.count"], lease(n), (job) => JobRules.begin(job, 0))
        yield* store.settle(id, lease(n), (job) => ({
          job: JobRules.advance(job, { done: n, checkpoint: n }),
          events: []
        }))
        yield* TestClock.adjust("2 minutes")
      }
      yield* runner.runOne
      assert.deepInclude(yield* jobs.get(workspace, id), { status: "succeeded" })
    }).pipe(Effect.provide(layer(counting())))
  )

  it.effect("gives up what kills its process each time", () =>
    Effect.gen(function* () {
      const { count, jobs, runner, workspace } = yield* scene("poison")
      const { id } = yield* count(1)
      const store = yield* JobStore
      for (let i = 0; i < JobRules.mostAttempts; i++) {
        yield* store.claim(["test.count"], lease(i), (job) => JobRules.begin(job, 0))
        yield* TestClock.adjust("2 minutes")
      }
      yield* runner.runOne
      assert.deepInclude(yield* jobs.get(workspace, id), { status: "failed" })
    }).pipe(Effect.provide(layer(counting())))
  )
})

describe("cancelling", () => {
  it.effect("ends one that waits at once, and one that runs at its next progress, with what it did", () =>
    Effect.gen(function* () {
      const gate = yield* gateAt(2)
      const tidied = yield* Ref.make(0)
      const handler = counting(gate.step, () => Ref.update(tidied, (n) => n + 1))
      yield* Effect.gen(function* () {
        const { count, jobs, runner, workspace } = yield* scene("cancel")
        const { id: running } = yield* count(5)
        const fiber = yield* Effect.forkChild(runner.runOne)
        yield* gate.reached
        const { id: waiting } = yield* count(5)
        assert.strictEqual((yield* jobs.cancel(workspace, waiting)).status, "cancelled")
        assert.deepInclude(yield* jobs.cancel(workspace, running), { status: "running", cancelRequested: true })
        assert.strictEqual(yield* Ref.get(tidied), 1)
        yield* gate.open
        yield* Fiber.join(fiber)
        assert.deepInclude(yield* jobs.get(workspace, running), { status: "cancelled", checkpoint: 1, result: null })
        assert.strictEqual(yield* Ref.get(tidied), 2)
        assert.deepStrictEqual(yield* gate.seen, [1, 2])
        assert.isFalse(yield* runner.runOne)
        assert.strictEqual((yield* jobs.cancel(workspace, running)).status, "cancelled")
        const ends = (yield* told(workspace)).filter(([type]) => type === "job.finished")
        assert.lengthOf(ends, 2)
      }).pipe(Effect.provide(layer(handler)))
    })
  )

  it.effect("reaches one whose process is gone before it could hear of it", () =>
    Effect.gen(function* () {
      const { count, jobs, runner, workspace } = yield* scene("orphan")
      const { id } = yield* count(5)
      const store = yield* JobStore
      yield* store.claim(["test.count"], lease(1), (job) => JobRules.begin(job, 0))
      yield* jobs.cancel(workspace, id)
      yield* TestClock.adjust("2 minutes")
      yield* runner.runOne
      assert.deepInclude(yield* jobs.get(workspace, id), { status: "cancelled", checkpoint: null })
    }).pipe(Effect.provide(layer(counting())))
  )
})

describe("waiting", () => {
  it.effect("ends with the job, or when it has waited long enough", () =>
    Effect.gen(function* () {
      const { count, jobs, runner, workspace } = yield* scene("wait")
      const { id } = yield* count(2)
      const short = yield* Effect.forkChild(jobs.wait(workspace, id, 1_000))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(short)).status, "queued")
      const long = yield* Effect.forkChild(jobs.wait(workspace, id))
      yield* TestClock.adjust("1 second")
      yield* runner.runOne
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(long)).status, "succeeded")
    }).pipe(Effect.provide(layer(counting())))
  )
})

const lease = (n: number) => ({ claim: `clm_${String(n).padStart(32, "0")}` as never, ms: 60_000 })
