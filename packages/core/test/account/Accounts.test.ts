import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type AccountChange, Accounts } from "../../src/account/Accounts.ts"
import { AccountStore } from "../../src/account/AccountStore.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { engine, make } from "../engine/Scene.ts"

const admin = { type: "member", id: "mbr_1" } as const

/** What neither an account that is new nor one that is there may have. */
const wrong: ReadonlyArray<readonly [string, Record<string, unknown>]> = [
  ["timezone", { timezone: "Europe/Berln" }],
  ["dailyCap", { dailyCap: 0 }],
  ["dailyCap", { dailyCap: Number.NaN }],
  ["minGapMs", { minGapMs: -1 }],
  ["minGapMs", { minGapMs: 0.5 }],
  ["minGapMs", { minGapMs: 86_400_001 }],
  ["warmUp.increment", { warmUp: { type: "incremental", increment: 0, max: 5 } }],
  ["gap", { gap: 5 }]
]

describe("settings of an account", () => {
  it.effect("are refused by their field where they make no sense, and nothing is written or told", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { account, workspace } = yield* make(channel)
      const accounts = yield* Accounts
      const known = yield* account("a")
      const before = (yield* (yield* EventStore).read(workspace.id, null, 100)).length
      const changes = [
        ...wrong,
        ["attention[0]", { attention: ["tired"] }],
        ["restingUntil", { restingUntil: Number.NaN }]
      ] as const
      for (const [field, change] of changes) {
        const given = { name: "new", ...change } as AccountChange
        const refused = yield* Effect.flip(accounts.change(workspace.id, known.id, given, admin))
        assert.strictEqual(refused._tag === "InvalidAccount" ? refused.field : refused._tag, field)
      }
      const given = { workspace: workspace.id, channel: "sandbox", externalId: "b" }
      for (const [field, input] of [
        ...wrong,
        ["channel", { channel: "S!" }],
        ["externalId", { externalId: "" }]
      ] as const) {
        const refused = yield* Effect.flip(accounts.connect({ ...given, ...input }, admin))
        assert.strictEqual(refused._tag === "InvalidAccount" ? refused.field : refused._tag, field)
      }
      assert.deepStrictEqual((yield* (yield* AccountStore).list(workspace.id, {})).data, [known])
      assert.strictEqual((yield* (yield* EventStore).read(workspace.id, null, 100)).length, before)
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("are kept as a zone is spelled, and up to their ends", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { account, workspace } = yield* make(channel)
      const accounts = yield* Accounts
      const made = yield* account("a", { timezone: "europe/berlin", dailyCap: 1_000_000_000, minGapMs: 0 })
      assert.deepInclude(made, { timezone: "Europe/Berlin", dailyCap: 1_000_000_000, minGapMs: 0 })
      const change = { timezone: "ASIA/TOKYO", dailyCap: 1, minGapMs: 86_400_000, restingUntil: 5 }
      const changed = yield* accounts.change(workspace.id, made.id, change, admin)
      assert.deepInclude(changed, { ...change, timezone: "Asia/Tokyo" })
      const cleared = yield* accounts.change(workspace.id, made.id, { timezone: null, dailyCap: null }, admin)
      assert.deepInclude(cleared, { timezone: null, dailyCap: null })
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("that are given again otherwise are named, and stay; another account is refused by its field", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { workspace } = yield* make(channel)
      const accounts = yield* Accounts
      const given = { workspace: workspace.id, channel: "sandbox", externalId: "page-1", externalRef: "nora" }
      const warmUp = { type: "incremental", increment: 5, max: 50 } as const
      const first = yield* accounts.connect({ ...given, dailyCap: 5, warmUp }, admin)
      assert.deepInclude(first, { created: true, differs: [] })
      const before = (yield* (yield* EventStore).read(workspace.id, null, 100)).length

      const same = yield* accounts.connect(
        { ...given, dailyCap: 5, warmUp: { max: 50, increment: 5, type: "incremental" } },
        admin
      )
      assert.deepStrictEqual(same, { account: first.account, created: false, differs: [] })
      const otherwise = { name: "Nora", dailyCap: 6, timezone: "asia/tokyo", warmUp: { ...warmUp, max: 60 } }
      const again = yield* accounts.connect({ ...given, ...otherwise }, admin)
      assert.deepStrictEqual(again, {
        account: first.account,
        created: false,
        differs: ["name", "dailyCap", "warmUp", "timezone"]
      })

      yield* accounts.connect({ ...given, externalId: "page-2", externalRef: undefined }, admin)
      for (const [field, input] of [
        ["channel", { channel: "other" }],
        ["externalId", { externalId: "page-2" }],
        ["externalId", { externalId: "page-3" }],
        ["externalId", { externalRef: "maya" }]
      ] as const) {
        const refused = yield* Effect.flip(accounts.connect({ ...given, ...input }, admin))
        assert.strictEqual(refused._tag === "InvalidAccount" ? refused.field : refused._tag, field)
      }
      const named = yield* accounts.connect({ ...given, externalId: "page-2", externalRef: "maya" }, admin)
      assert.deepStrictEqual(named.differs, ["externalRef"])
      assert.strictEqual((yield* (yield* EventStore).read(workspace.id, null, 100)).length, before + 1)
    }).pipe(Effect.provide(engine(channel)))
  })
})
