import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { AccountGroups } from "../../src/account/AccountGroups.ts"
import { AccountStore } from "../../src/account/AccountStore.ts"
import { system } from "../../src/event/DomainEvent.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import type { AccountId } from "../../src/workspace/Id.ts"
import { day, hour } from "../../src/workspace/Instant.ts"
import { engine, make, type Person, start } from "../engine/Scene.ts"

const admin = { type: "member", id: "mbr_1" } as const
const people: ReadonlyArray<Person> = [{ id: "p0" }, { id: "p1" }, { id: "p2" }]
const pacing = {
  pacing: { rangeMin: 48, rangeMax: 48, jitter: 0, catchUp: "skip" as const, newShare: 0.25 }
}

/** A campaign of three parts whose account is in a group that lets two messages through a day. */
const stuck = (channel: TestChannel.TestChannel) =>
  Effect.gen(function* () {
    const scene = yield* make(channel)
    const account = yield* scene.account("a")
    const groups = yield* AccountGroups
    const group = yield* groups.create({ workspace: scene.workspace.id, name: "numbers", dailyCap: 2 }, admin)
    const campaign = yield* scene.campaign("wide", [account], people, pacing, [3])
    yield* groups.assign(scene.workspace.id, group.id, [account.id], system)
    yield* scene.start(campaign.id)
    yield* scene.run(start + day)
    assert.strictEqual(channel.asked.length, 0)
    return { ...scene, campaign, groups, group, sender: account }
  })

describe("an account group", () => {
  it.effect("lets campaigns go on that were too large for its cap once it is raised", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { group, groups, run, workspace } = yield* stuck(channel)
      yield* groups.change(workspace.id, group.id, { dailyCap: 100 }, admin)
      yield* run(start + 3 * day)
      assert.strictEqual(channel.asked.length, 9)
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("lets those of an account go on that leaves it", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { groups, run, sender, workspace } = yield* stuck(channel)
      yield* groups.assign(workspace.id, null, [sender.id], admin)
      yield* run(start + 3 * day)
      assert.strictEqual(channel.asked.length, 9)
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("rests as a whole while its platform limits it; accounts outside of it go on", () => {
    const limit = { type: "rateLimited", scope: "group", retryAfterMs: 6 * hour } as const
    let limited: AccountId | null = null
    const channel = TestChannel.make({
      answer: ({ account }) => {
        if (limited !== null || account === outside) return undefined
        limited = account
        return limit
      }
    })
    let outside: AccountId | null = null
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const numbers = [yield* scene.account("a"), yield* scene.account("b"), yield* scene.account("c")] as const
      const free = yield* scene.account("free")
      outside = free.id
      const groups = yield* AccountGroups
      const group = yield* groups.create({ workspace: scene.workspace.id, name: "numbers" }, admin)
      yield* groups.assign(
        scene.workspace.id,
        group.id,
        numbers.map(({ id }) => id),
        system
      )
      const many = Array.from({ length: 60 }, (_, i) => ({ id: `p${i}` }))
      const campaign = yield* scene.campaign("wide", [...numbers, free], many, {
        pacing: { rangeMin: 24, rangeMax: 24, jitter: 0, catchUp: "skip", newShare: 1 }
      })
      yield* scene.start(campaign.id)
      const asked = () => ({
        inside: channel.asked.filter(({ account }) => account !== free.id).length,
        outside: channel.asked.filter(({ account }) => account === free.id).length
      })
      yield* scene.until(() => limited !== null)
      const before = asked()
      yield* scene.run(start + 5 * hour)
      assert.deepStrictEqual(asked().inside, before.inside)
      assert.isAbove(asked().outside, before.outside)
      yield* scene.run(start + 2 * day)
      assert.isAbove(asked().inside, before.inside)
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("tells what was changed of it and by whom; a change that says nothing new tells nothing", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const groups = yield* AccountGroups
      const group = yield* groups.create({ workspace: scene.workspace.id, name: "numbers" }, admin)
      const change = { name: "phones", timezone: "asia/kolkata", dailyCap: 5 }
      const changed = yield* groups.change(scene.workspace.id, group.id, change, admin)
      assert.deepStrictEqual(changed, { ...group, ...change, timezone: "Asia/Kolkata" })
      yield* groups.change(scene.workspace.id, group.id, change, admin)
      const events = yield* (yield* EventStore).read(scene.workspace.id, null, 100)
      assert.deepStrictEqual(
        events.map(({ event: { actor, data, subject, type } }): object => ({ type, subject, actor, data })),
        [
          { type: "account_group.created", data: { name: "numbers", dailyCap: null, timezone: null } },
          {
            type: "account_group.changed",
            data: { fields: ["dailyCap", "name", "timezone"], name: "phones", dailyCap: 5, timezone: "Asia/Kolkata" }
          }
        ].map((one) => ({ ...one, subject: group.id, actor: admin }))
      )
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("refuses what makes no sense by its field, and is not found from another workspace", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const [scene, other] = [yield* make(channel), yield* make(channel, "other")]
      const groups = yield* AccountGroups
      const group = yield* groups.create({ workspace: scene.workspace.id, name: "numbers", dailyCap: 5 }, admin)
      for (const [field, change] of [
        ["timezone", { timezone: "Europe/Berln" }],
        ["dailyCap", { dailyCap: 0 }],
        ["name", { name: "" }]
      ] as const) {
        const wrong = Effect.flip(groups.change(scene.workspace.id, group.id, change, admin))
        const refused = yield* wrong
        assert.strictEqual(refused._tag === "InvalidAccountGroup" ? refused.field : refused._tag, field)
        const { _tag } = yield* Effect.flip(
          groups.create({ workspace: scene.workspace.id, name: "new", ...change }, admin)
        )
        assert.strictEqual(_tag, "InvalidAccountGroup")
      }
      const missing = yield* Effect.flip(groups.change(other.workspace.id, group.id, { dailyCap: 9 }, admin))
      assert.strictEqual(missing._tag, "AccountGroupNotFound")
      const stranger = yield* other.account("b")
      assert.deepStrictEqual(yield* groups.assign(scene.workspace.id, group.id, [stranger.id], admin), [])
      const kept = yield* (yield* AccountStore).among(other.workspace.id, [stranger.id])
      assert.deepStrictEqual(kept, [stranger])
    }).pipe(Effect.provide(engine(channel)))
  })
})
