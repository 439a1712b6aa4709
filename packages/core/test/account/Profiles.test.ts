/** Profiles over an engine in memory, on the clock of the test: from a wish to what the platform gets. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { AccountReports } from "../../src/account/AccountReports.ts"
import { Accounts } from "../../src/account/Accounts.ts"
import type { ImageResizer } from "../../src/account/ImageResizer.ts"
import { Profiles } from "../../src/account/Profiles.ts"
import { system } from "../../src/event/DomainEvent.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import * as Overture from "../../src/Overture.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import * as TestVault from "../../src/testing/TestVault.ts"
import { minute } from "../../src/workspace/Instant.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"

const { start } = Builders

const halving: ImageResizer["Service"] = {
  resize: (bytes, { mime }) =>
    Effect.succeed({ bytes: bytes.slice(0, bytes.length / 2), mime, width: 5, height: bytes.length })
}

const scene = (options: TestChannel.Options = {}, resizer: ImageResizer["Service"] | null = halving) => {
  const channel = TestChannel.make(options)
  const engine = Overture.layer({
    storage: MemoryStorage.layer,
    channels: [channel],
    vault: TestVault.make(),
    ...(resizer !== null && { imageResizer: resizer })
  })
  const made = Effect.gen(function* () {
    yield* TestClock.setTime(start)
    const workspace = Builders.make("profiles").workspace()
    yield* (yield* WorkspaceStore).create(workspace)
    const { account } = yield* (yield* Accounts).connect(
      { workspace: workspace.id, channel: channel.name, externalId: "page", credentials: Redacted.make("token") },
      system
    )
    const profiles = yield* Profiles
    return {
      account,
      profiles,
      wish: (name: string) => profiles.change(workspace.id, account.id, { name }),
      state: profiles.get(workspace.id, account.id),
      seen: Effect.flatMap(Accounts, (accounts) => accounts.find(workspace.id, account.id)),
      log: Effect.map(
        Effect.flatMap(AccountReports, (reports) => reports.log(workspace.id, account.id)),
        (entries) => entries.map(({ description, title }) => `${title}: ${description}`)
      ),
      /** Lets `minutes` pass, with the chore at each of them. */
      pass: (minutes: number) =>
        Effect.gen(function* () {
          for (let i = 0; i < minutes; i++) {
            yield* TestClock.adjust(minute)
            const now = yield* Clock.currentTimeMillis
            while ((yield* profiles.chore.round(now)).worked) continue
          }
        }),
      workspace: workspace.id
    }
  })
  return { channel, engine, made }
}

describe("a profile", () => {
  it.effect("is one change for the platform, five minutes after the last wish", () => {
    const { channel, engine, made } = scene()
    return Effect.gen(function* () {
      const { account, pass, profiles, state, wish, workspace } = yield* made
      yield* wish("Ann")
      yield* pass(4)
      yield* profiles.change(workspace, account.id, { about: "Paints" })
      yield* pass(4)
      assert.deepStrictEqual(channel.profiles, [])
      yield* pass(1)
      assert.deepStrictEqual(channel.profiles, [{ name: "Ann", about: "Paints" }])
      assert.deepStrictEqual((yield* state).applied, { name: "Ann", about: "Paints" })
      yield* wish("Bo")
      yield* pass(5)
      assert.deepStrictEqual(channel.profiles.slice(1), [{ name: "Bo" }])
      yield* pass(60)
      assert.strictEqual(channel.profiles.length, 2)
      assert.deepStrictEqual(
        channel.spoke.map(({ credentials }) => credentials),
        ["token", "token"]
      )
    }).pipe(Effect.provide(engine))
  })

  it.effect("is applied thirty minutes after the first wish, however often it changes", () => {
    const { channel, engine, made } = scene()
    return Effect.gen(function* () {
      const { pass, wish } = yield* made
      for (let i = 0; i < 10; i++) {
        yield* wish(`Ann ${i}`)
        yield* pass(3)
      }
      assert.deepStrictEqual(channel.profiles, [{ name: "Ann 9" }])
    }).pipe(Effect.provide(engine))
  })

  it.effect("has images that fit, and only those that it still needs", () => {
    const { channel, engine, made } = scene()
    return Effect.gen(function* () {
      const { account, pass, profiles, workspace } = yield* made
      const set = (bytes: ReadonlyArray<number> | null) =>
        profiles.setImage(workspace, account.id, "image", bytes === null ? null : Uint8Array.from(bytes))
      yield* set([1, 2, 3, 4])
      const { desired } = yield* set([5, 6, 7, 8])
      yield* pass(5)
      const image = { mime: "image/jpeg", width: 5, height: 4, bytes: Uint8Array.from([5, 6]) }
      assert.deepStrictEqual(channel.profiles, [{ image }])
      assert.deepStrictEqual((yield* profiles.get(workspace, account.id)).applied, desired)
      yield* set(null)
      yield* pass(10)
      assert.strictEqual(channel.profiles.length, 1)
    }).pipe(Effect.provide(engine))
  })

  it.effect("that the platform fails is tried again, and one that it refuses is not", () => {
    const { channel, engine, made } = scene({
      applyProfile: (_, count) =>
        count <= 2
          ? { applied: [], refusal: { type: "transient", detail: `failed ${count}` } }
          : { applied: [], refusal: { type: "rejected", detail: "that name is taken" } }
    })
    return Effect.gen(function* () {
      const { account, log, pass, profiles, state, wish, workspace } = yield* made
      yield* wish("Ann")
      yield* pass(24 * 60)
      assert.strictEqual(channel.profiles.length, 3)
      const { dueAt, error } = yield* state
      assert.deepStrictEqual([dueAt, error], [null, "that name is taken"])
      assert.deepStrictEqual(yield* log, [
        "Profile refused: that name is taken",
        "Platform not available: failed 2",
        "Platform not available: failed 1"
      ])
      yield* profiles.applyNow(workspace, account.id)
      yield* pass(1)
      assert.strictEqual(channel.profiles.length, 4)
      yield* profiles.clear(workspace, account.id)
      yield* pass(60)
      assert.strictEqual(channel.profiles.length, 4)
    }).pipe(Effect.provide(engine))
  })

  it.effect("that shows a trouble of the account marks it", () => {
    const { engine, made } = scene({
      applyProfile: () => ({ applied: [], refusal: { type: "challenge", detail: "confirm it is you" } })
    })
    return Effect.gen(function* () {
      const { log, pass, seen, wish } = yield* made
      yield* wish("Ann")
      yield* pass(60)
      assert.deepStrictEqual((yield* seen).attention, ["challenge"])
      assert.deepStrictEqual(yield* log, ["Confirmation required: confirm it is you"])
    }).pipe(Effect.provide(engine))
  })

  it.effect("of a process that was killed is applied by another", () => {
    const { channel, engine, made } = scene({
      applyProfile: (update, count) =>
        count === 1 ? Effect.interrupt : { applied: Object.keys(update) as never, refusal: null }
    })
    return Effect.gen(function* () {
      const { pass, state, wish } = yield* made
      yield* wish("Ann")
      yield* Effect.exit(pass(5))
      assert.strictEqual(channel.profiles.length, 1)
      yield* pass(10)
      assert.deepStrictEqual((yield* state).applied, { name: "Ann" })
    }).pipe(Effect.provide(engine))
  })

  it.effect("that cannot be on the channel is refused with the field and the limit", () => {
    const image = { mime: "image/jpeg", maxWidth: 1, maxHeight: 1, maxBytes: 1, cut: true } as const
    const { channel, engine, made } = scene({ capabilities: { profile: { name: { maxLength: 3 }, image } } })
    return Effect.gen(function* () {
      const { account, profiles, state, workspace } = yield* made
      const bytes = new Uint8Array(4)
      for (const [refused, message] of [
        [profiles.change(workspace, account.id, { name: "Anna" }), "name: has 4 characters, at most 3 are allowed"],
        [profiles.change(workspace, account.id, { name: " " }), "name: is empty"],
        [profiles.change(workspace, account.id, { about: "x" }), "about: cannot be changed on this channel"],
        [profiles.setImage(workspace, account.id, "banner", bytes), "banner: cannot be changed on this channel"]
      ] as const) {
        assert.strictEqual((yield* Effect.flip(refused as Effect.Effect<unknown, Error>)).message, message)
      }
      assert.strictEqual((yield* state).revision, 0)
      assert.deepStrictEqual(channel.profiles, [])
    }).pipe(Effect.provide(engine))
  })

  it.effect("takes no image where the host gave nothing that makes it fit", () => {
    const { engine, made } = scene({}, null)
    return Effect.gen(function* () {
      const { account, profiles, workspace } = yield* made
      const error = yield* Effect.flip(profiles.setImage(workspace, account.id, "image", new Uint8Array(1)))
      assert.include(error.message, "the port ImageResizer")
    }).pipe(Effect.provide(engine))
  })
})
