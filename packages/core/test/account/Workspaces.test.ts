import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { Workspaces } from "../../src/account/Workspaces.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import type { WorkspaceId } from "../../src/workspace/Id.ts"
import { day, hour } from "../../src/workspace/Instant.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"
import { engine, make, type Person, start } from "../engine/Scene.ts"

const admin = { type: "member", id: "mbr_1" } as const
const people = (count: number): ReadonlyArray<Person> => Array.from({ length: count }, (_, i) => ({ id: `p${i}` }))
const pacing = {
  pacing: { rangeMin: 48, rangeMax: 48, jitter: 0, catchUp: "skip" as const, newShare: 0.25 }
}

const told = (workspace: WorkspaceId) =>
  Effect.map(
    Effect.flatMap(EventStore, (feed) => feed.read(workspace, null, 1_000)),
    (events) => events.map(({ event }) => event).filter(({ type }) => type.startsWith("workspace."))
  )

describe("a workspace", () => {
  it.effect("goes on where it was as soon as it is no longer paused", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const workspaces = yield* Workspaces
      const campaign = yield* scene.campaign("long", [yield* scene.account("a")], people(60), pacing)
      yield* scene.start(campaign.id)
      yield* scene.run(start + 2 * hour)
      const before = channel.asked.length
      assert.isAbove(before, 0)
      yield* workspaces.change(scene.workspace.id, { paused: true }, admin)
      yield* scene.run(start + day)
      assert.strictEqual(channel.asked.length, before)
      yield* workspaces.change(scene.workspace.id, { paused: false }, admin)
      yield* scene.run(start + 3 * day)
      assert.strictEqual(channel.asked.length, 60)
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("lets campaigns go on that were too large for its plan once the plan allows them", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const workspaces = yield* Workspaces
      const campaign = yield* scene.campaign("wide", [yield* scene.account("a")], people(3), pacing, [2])
      yield* workspaces.change(scene.workspace.id, { dailyCap: 1 }, admin)
      yield* scene.start(campaign.id)
      yield* scene.run(start + day)
      assert.strictEqual(channel.asked.length, 0)
      yield* workspaces.change(scene.workspace.id, { dailyCap: null }, admin)
      yield* scene.run(start + 2 * day)
      assert.strictEqual(channel.asked.length, 6)
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("wakes nobody of another", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const [mine, other] = [yield* make(channel), yield* make(channel, "other")]
      const workspaces = yield* Workspaces
      yield* workspaces.change(other.workspace.id, { paused: true }, admin)
      const campaign = yield* other.campaign("still", [yield* other.account("b")], people(3), pacing)
      yield* other.start(campaign.id)
      yield* other.run(start + day)
      yield* workspaces.change(mine.workspace.id, { paused: false, timezone: "Asia/Tokyo" }, admin)
      yield* other.run(start + 2 * day)
      assert.strictEqual(channel.asked.length, 0)
    }).pipe(Effect.provide(engine(channel)))
  })
})

describe("the settings of a workspace", () => {
  it.effect("begin with defaults and change one by one; each change tells by whom, and none tells nothing", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const workspaces = yield* Workspaces
      const made = yield* workspaces.create({ name: "Mine", timezone: "asia/tokyo" }, admin)
      assert.deepInclude(made, { name: "Mine", timezone: "Asia/Tokyo", paused: false, dailyCap: null })
      const full = {
        name: "Ours",
        timezone: "Europe/Berlin",
        paused: true,
        dailyCap: 7,
        optOutScope: "address",
        optOutReply: "Done.",
        assignment: "leastLoad",
        metadata: { plan: "small" }
      } as const
      const changed = yield* workspaces.change(made.id, { ...full, retention: { events: 7 } }, admin)
      assert.deepStrictEqual(changed, { ...made, ...full, retention: { events: 7 } })
      const kept = yield* workspaces.change(made.id, { retention: { media: null } }, admin)
      assert.deepStrictEqual(kept.retention, { events: 7, media: null })
      const { assignment: _assignment, optOutReply: _reply, ...plain } = { ...kept, dailyCap: null }
      const cleared = { optOutReply: null, assignment: null, dailyCap: null }
      assert.deepStrictEqual(yield* workspaces.change(made.id, cleared, admin), plain)
      yield* workspaces.change(made.id, { ...cleared, paused: true }, admin)
      assert.deepStrictEqual(yield* workspaces.get(made.id), plain)
      const events = yield* told(made.id)
      assert.deepStrictEqual(
        events.map(({ actor, data, subject, type }) => [type, subject, actor, data["fields"] ?? null]),
        [
          ["workspace.created", made.id, admin, null],
          ["workspace.changed", made.id, admin, [...Object.keys(full), "retention"].sort()],
          ["workspace.changed", made.id, admin, ["retention"]],
          ["workspace.changed", made.id, admin, ["assignment", "dailyCap", "optOutReply"]]
        ]
      )
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("that make no sense are refused by their field, and nothing is changed or told", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const workspaces = yield* Workspaces
      const wrong: ReadonlyArray<readonly [string, Record<string, unknown>]> = [
        ["timezone", { timezone: "Europe/Berln" }],
        ["dailyCap", { dailyCap: 0 }],
        ["dailyCap", { dailyCap: 1.5 }],
        ["dailyCap", { dailyCap: 1e12 }],
        ["name", { name: "" }],
        ["paused", { paused: "yes" }],
        ["optOutReply", { optOutReply: "" }],
        ["optOutScope", { optOutScope: "person" }],
        ["assignment", { assignment: "random" }],
        ["retention.events", { retention: { events: 0 } }],
        ["retention.letters", { retention: { letters: 3 } }],
        ["pause", { pause: true }]
      ]
      for (const [field, change] of wrong) {
        const refused = yield* Effect.flip(workspaces.change(scene.workspace.id, { name: "new", ...change }, admin))
        assert.strictEqual(refused._tag === "InvalidWorkspace" ? refused.field : refused._tag, field)
        assert.include(refused.message, field)
      }
      const refused = yield* Effect.flip(workspaces.create({ name: "x", timezone: "Mars" }, admin))
      assert.strictEqual(refused._tag === "InvalidWorkspace" ? refused.field : refused._tag, "timezone")
      assert.deepStrictEqual(yield* (yield* WorkspaceStore).list, [scene.workspace])
      assert.deepStrictEqual(yield* told(scene.workspace.id), [])
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("of a workspace that is not there are not found", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { build, workspace } = yield* make(channel)
      const workspaces = yield* Workspaces
      const unknown = build.workspace().id
      assert.strictEqual((yield* Effect.flip(workspaces.get(unknown)))._tag, "WorkspaceNotFound")
      const refused = yield* Effect.flip(workspaces.change(unknown, { paused: true }, admin))
      assert.strictEqual(refused._tag, "WorkspaceNotFound")
      const stored = yield* (yield* WorkspaceStore).get(workspace.id)
      assert.deepStrictEqual(Option.getOrNull(stored), workspace)
      assert.deepStrictEqual(yield* workspaces.list, [workspace])
    }).pipe(Effect.provide(engine(channel)))
  })
})
