import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import { EventStore } from "../../src/event/EventStore.ts"
import * as JobRules from "../../src/job/Job.ts"
import { JobFileNotes } from "../../src/job/JobFileNotes.ts"
import { JobFileStore } from "../../src/job/JobFileStore.ts"
import { JobStore } from "../../src/job/JobStore.ts"
import { Retentions } from "../../src/job/Retentions.ts"
import type { MediaId, WorkspaceId } from "../../src/workspace/Id.ts"
import { day, hour } from "../../src/workspace/Instant.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import { AllRetained, cutoff, type Retained, type Retention } from "../../src/workspace/Retention.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"
import { files } from "../contact/jobs.ts"
import { counting, layer as work, scene } from "./work.ts"

const now = 1_000 * day

/** An area that keeps things by the day on which they came. */
const area = (things: Array<{ readonly workspace: WorkspaceId; readonly at: number }>) => {
  const asked: Array<number> = []
  const retained: Retained = {
    kind: "media",
    purge: (workspace, before, limit) =>
      Effect.sync(() => {
        asked.push(limit)
        const old = things.filter((thing) => thing.workspace === workspace && thing.at < before).slice(0, limit)
        for (const thing of old) things.splice(things.indexOf(thing), 1)
        return old.length
      })
  }
  return { asked, retained }
}

const keep = (workspace: WorkspaceId, retention: Retention) =>
  Effect.flatMap(WorkspaceStore, (store) => store.modify(workspace, (before) => ({ ...before, retention })))

const layer = (...retained: ReadonlyArray<Retained>) =>
  Retentions.layer.pipe(Layer.provide(Layer.succeed(AllRetained, retained)), Layer.provideMerge(work(counting())))

describe("how long things are kept", () => {
  it("is days of the workspace's own, else of the default, and null is for ever", () => {
    assert.strictEqual(cutoff({}, "deliveries", now), now - 30 * day)
    assert.strictEqual(cutoff({ deliveries: 2 }, "deliveries", now), now - 2 * day)
    assert.isNull(cutoff({ deliveries: null }, "deliveries", now))
    assert.isNull(cutoff({}, "media", now))
  })

  it.effect("is a setting of each workspace, kind by kind", () =>
    Effect.gen(function* () {
      const { build, workspace } = yield* scene("settings")
      const retentions = yield* Retentions
      yield* keep(workspace, { media: 5, events: null })
      assert.deepInclude(yield* retentions.of(workspace), { media: 5, events: null, jobs: 90 })
      const missing = yield* Effect.flip(retentions.of(build.workspace().id))
      assert.strictEqual(missing._tag, "WorkspaceNotFound")
    }).pipe(Effect.provide(layer()))
  )
})

describe("purging", () => {
  it.effect("goes through every workspace once an hour, in batches, each by its own days", () => {
    const things: Array<{ workspace: WorkspaceId; at: number }> = []
    const { asked, retained } = area(things)
    return Effect.gen(function* () {
      const { build, workspace } = yield* scene("hourly")
      const other = build.workspace()
      yield* (yield* WorkspaceStore).create(other)
      const retentions = yield* Retentions
      yield* TestClock.setTime(now)
      for (let i = 0; i < 1_201; i++) things.push({ workspace, at: now - 3 * day })
      things.push({ workspace, at: now - day }, { workspace: other.id, at: 0 })
      yield* keep(workspace, { media: 2 })
      const fiber = yield* Effect.forkChild(retentions.chore.round(now))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(fiber), { worked: false, nextDue: now + hour })
      const before = asked.length
      yield* retentions.chore.round(now + hour - 1)
      assert.strictEqual(asked.length, before)
      assert.deepStrictEqual(
        things.map(({ at }) => at),
        [now - day, 0]
      )
      assert.deepStrictEqual(asked, [500, 500, 500])
    }).pipe(Effect.provide(layer(retained)))
  })

  it.effect("goes on with the others where it fails for one, which has its turn again later", () => {
    const things: Array<{ workspace: WorkspaceId; at: number }> = []
    const { retained } = area(things)
    let broken: WorkspaceId | null = null
    const failing: Retained = {
      ...retained,
      purge: (workspace, before, limit) =>
        workspace === broken
          ? Effect.die(new Error("a row that nobody can read"))
          : retained.purge(workspace, before, limit)
    }
    return Effect.gen(function* () {
      const { build, workspace } = yield* scene("broken")
      const other = build.workspace({ retention: { media: 2 } })
      yield* (yield* WorkspaceStore).create(other)
      yield* keep(workspace, { media: 2 })
      const retentions = yield* Retentions
      yield* TestClock.setTime(now)
      for (const id of [workspace, other.id]) things.push({ workspace: id, at: 0 })
      broken = workspace
      yield* retentions.chore.round(now)
      assert.deepStrictEqual(things, [{ workspace, at: 0 }])
      broken = null
      yield* retentions.chore.round(now + hour)
      assert.deepStrictEqual(things, [])
    }).pipe(Effect.provide(layer(failing)))
  })

  it.effect("goes by the earlier clock: a virtual one that has leapt ahead takes nothing of today", () => {
    const things: Array<{ workspace: WorkspaceId; at: number }> = []
    const { retained } = area(things)
    const ahead = Retentions.layer.pipe(
      Layer.provide(Layer.succeed(AllRetained, [retained])),
      Layer.provide(PacingTime.layerVirtual(2 * now)),
      Layer.provideMerge(work(counting()))
    )
    return Effect.gen(function* () {
      const { workspace } = yield* scene("virtual")
      const retentions = yield* Retentions
      yield* TestClock.setTime(now)
      things.push({ workspace, at: now - day }, { workspace, at: now - 3 * day })
      yield* keep(workspace, { media: 2 })
      yield* retentions.purge(workspace)
      assert.deepStrictEqual(
        things.map(({ at }) => at),
        [now - day]
      )
    }).pipe(Effect.provide(ahead))
  })

  it.effect("takes old files that no job came of, and those of a job with it", () => {
    const held = files()
    const noted = Layer.effect(
      JobFileStore,
      Effect.map(JobFileNotes, (notes) => notes.of(held.store))
    ).pipe(Layer.provide(JobFileNotes.layer))
    const engine = Retentions.layer.pipe(
      Layer.provide(Layer.succeed(AllRetained, [])),
      Layer.provideMerge(noted),
      Layer.provideMerge(work(counting()))
    )
    return Effect.gen(function* () {
      const { build, count, workspace } = yield* scene("files")
      const jobStore = yield* JobStore
      const store = yield* JobFileStore
      assert.isNotNull(store)
      const upload = (days: number, content = Stream.make(new Uint8Array(1))) =>
        Effect.gen(function* () {
          const file = build.ids.next("med")
          yield* TestClock.setTime(now - days * day)
          yield* Effect.exit(store.put(workspace, file, content, "text/csv"))
          return file
        })
      // One that is forgotten, and one that was cut off.
      yield* upload(31)
      yield* upload(31, Stream.die("the line is dead"))
      const imported = yield* upload(31)
      const waiting = yield* upload(31)
      const young = yield* upload(29)
      const jobOf = (file: MediaId) =>
        Effect.gen(function* () {
          const { id } = yield* count(1)
          yield* jobStore.modify(workspace, id, (job) => ({ job: { ...job, input: { file } }, events: [] }))
          return id
        })
      const over = yield* jobOf(imported)
      yield* jobStore.modify(workspace, over, (job) => ({ job: JobRules.fail(job, "no", now - 91 * day), events: [] }))
      yield* jobOf(waiting)
      yield* TestClock.setTime(now)
      assert.deepInclude(yield* (yield* Retentions).purge(workspace), { jobs: 1, unusedMedia: 2 })
      assert.deepStrictEqual(new Set(held.held.keys()), new Set<string>([waiting, young]))
      assert.deepInclude(yield* (yield* Retentions).purge(workspace), { jobs: 0, unusedMedia: 0 })
    }).pipe(Effect.provide(engine))
  })

  it.effect("takes old jobs, keys and events, and nothing that is open or young", () =>
    Effect.gen(function* () {
      const { build, count, jobs, workspace } = yield* scene("own")
      const [store, workspaces, feed] = [yield* JobStore, yield* WorkspaceStore, yield* EventStore]
      yield* TestClock.setTime(now)
      const ended = (days: number) =>
        Effect.gen(function* () {
          const { id } = yield* count(1)
          yield* store.modify(workspace, id, (job) => ({ job: JobRules.fail(job, "no", now - days * day), events: [] }))
          return id
        })
      const [old, young, open] = [yield* ended(91), yield* ended(89), (yield* count(1)).id]
      yield* workspaces.idempotent(workspace, "old", "f", now - 2 * day)
      yield* workspaces.idempotent(workspace, "young", "f", now)
      yield* workspaces.remember(workspace, "young", "answer")
      yield* feed.append([400, 366, 364].map((days) => build.event(workspace, `${days}`, { at: now - days * day })))
      const [first] = yield* feed.read(workspace, null, 1)
      const purged = yield* (yield* Retentions).purge(workspace)
      assert.deepStrictEqual(purged, { events: 2, idempotencyKeys: 1, jobs: 1 })
      assert.isTrue(Option.isNone(yield* store.get(workspace, old)))
      for (const id of [young, open]) assert.strictEqual((yield* jobs.get(workspace, id)).id, id)
      assert.deepStrictEqual(yield* workspaces.idempotent(workspace, "young", "f", now), {
        type: "replay",
        response: "answer"
      })
      const left = yield* feed.read(workspace, null, 9)
      assert.deepStrictEqual(
        left.map(({ event }) => event.subject),
        ["364"]
      )
      const behind = yield* Effect.flip(feed.read(workspace, first!.position, 9))
      assert.strictEqual(behind._tag, "CursorExpired")
    }).pipe(Effect.provide(layer()))
  )
})
