/** What is counted of an account: every event of the feed once, and late news put right what was counted before. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as AccountLog from "../../src/account/AccountLog.ts"
import { kept } from "../../src/account/AccountLog.ts"
import { AccountLogStore } from "../../src/account/AccountLogStore.ts"
import { AccountReports } from "../../src/account/AccountReports.ts"
import * as AccountTally from "../../src/account/AccountTally.ts"
import { AccountStore } from "../../src/account/AccountStore.ts"
import { AccountTallyStore } from "../../src/account/AccountTallyStore.ts"
import type { DomainEvent, EventType } from "../../src/event/DomainEvent.ts"
import { CursorExpired, EventStore } from "../../src/event/EventStore.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import * as Overture from "../../src/Overture.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import type { WorkspaceId } from "../../src/workspace/Id.ts"
import { day, hour, type Instant, minute } from "../../src/workspace/Instant.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"

const { start } = Builders
const today = start + 40 * day

/** A feed whose epoch can begin anew, as after a restore. */
const restorable = () => {
  let epoch = "a"
  const feed = Layer.effect(
    EventStore,
    Effect.map(EventStore, (store) =>
      EventStore.of({
        ...store,
        scan: (workspace, request) => {
          const { after } = request
          if (after !== null && !after.startsWith(epoch)) return Effect.fail(new CursorExpired({ position: after }))
          return Effect.map(
            store.scan(workspace, { ...request, after: after === null ? null : after.slice(1) }),
            ({ events, looked, position }) => ({
              looked,
              position: position === null ? null : epoch + position,
              events: events.map((one) => ({ ...one, position: epoch + one.position }))
            })
          )
        }
      })
    )
  )
  return {
    storage: Layer.provideMerge(feed, MemoryStorage.layer),
    restore: () => {
      epoch = "b"
    }
  }
}

const scene = (timezone = "UTC") => {
  const { restore, storage } = restorable()
  const engine = Overture.layer({
    storage,
    channels: [TestChannel.make()],
    time: PacingTime.layerVirtual(today)
  })
  const made = Effect.gen(function* () {
    const build = Builders.make("account reports")
    const workspace = build.workspace({ timezone })
    yield* (yield* WorkspaceStore).create(workspace)
    const account = build.account(workspace.id)
    yield* (yield* AccountStore).connect(account, [])
    const reports = yield* AccountReports
    const feed = yield* EventStore
    const happens = (type: EventType, at: Instant, data: DomainEvent["data"] = {}) =>
      feed.append([build.event(workspace.id, "msg_1", { type, at, data: { account: account.id, ...data } })])
    return {
      account,
      happens,
      catchUp: reports.catchUp(workspace.id),
      stats: reports.stats(workspace.id, account.id),
      days: reports.days(workspace.id, account.id),
      workspace,
      reports,
      build
    }
  })
  return { engine, made, restore }
}

const counts = (some: Partial<AccountTally.AccountCounts>) => ({ ...AccountTally.none, ...some })

describe("stats", () => {
  it.effect("count all time and the last thirty days", () => {
    const { engine, made } = scene()
    return Effect.gen(function* () {
      const { account, catchUp, days, happens, stats } = yield* made
      assert.deepStrictEqual(yield* stats, { allTime: counts({}), recent: counts({}), successRate: null })
      for (const at of [today - 30 * day, today - 29 * day, today]) yield* happens("message.sent", at)
      yield* happens("message.failed", today, { reason: "transient" })
      yield* happens("message.delivered", today, { was: "sent" })
      yield* happens("message.read", today, { was: "delivered" })
      yield* happens("message.read", today, { was: "sent" })
      yield* happens("chat.replied", today)
      yield* happens("message.received", today)
      assert.strictEqual(yield* catchUp, 9)
      assert.strictEqual(yield* catchUp, 0)
      assert.deepStrictEqual(yield* stats, {
        allTime: counts({ sent: 3, failed: 1, delivered: 2, read: 2, replies: 1 }),
        recent: counts({ sent: 2, failed: 1, delivered: 2, read: 2, replies: 1 }),
        successRate: 67
      })
      assert.deepStrictEqual(
        (yield* days).map(({ account: of, date, sent }) => [of, date, sent]),
        [
          [account.id, "2026-03-20", 1],
          [account.id, "2026-04-18", 1]
        ]
      )
    }).pipe(Effect.provide(engine))
  })

  it.effect("put right what a platform says later", () => {
    const { engine, made } = scene()
    return Effect.gen(function* () {
      const { catchUp, happens, stats } = yield* made
      // Sent, and failed later.
      yield* happens("message.sent", today)
      yield* happens("message.failed", today, { was: "sent" })
      // Unknown, and proven by an echo, a delivery, a reading.
      for (const type of ["message.sent", "message.delivered", "message.read"] as const) {
        yield* happens("message.failed", today, { reason: "outcomeUnknown" })
        yield* happens(type, today, { was: "failed" })
      }
      yield* catchUp
      const { allTime, successRate } = yield* stats
      assert.deepStrictEqual(allTime, counts({ sent: 3, failed: 1, delivered: 2, read: 1 }))
      assert.strictEqual(successRate, 75)
    }).pipe(Effect.provide(engine))
  })

  it.effect("count by the days of the account's zone, else the workspace's", () => {
    const { engine, made } = scene("Asia/Tokyo")
    return Effect.gen(function* () {
      const { account, catchUp, days, happens } = yield* made
      const midnight = Date.UTC(2026, 3, 17, 15)
      yield* happens("message.sent", midnight - 1)
      yield* happens("message.sent", midnight)
      yield* catchUp
      yield* (yield* AccountStore).modify([account.id], (before) => ({
        account: { ...before, timezone: "America/New_York" },
        events: []
      }))
      yield* happens("message.sent", Date.UTC(2026, 3, 18) + 3 * hour)
      yield* catchUp
      assert.deepStrictEqual(
        (yield* days).map(({ date, sent }) => [date, sent]),
        [
          ["2026-04-17", 2],
          ["2026-04-18", 1]
        ]
      )
    }).pipe(Effect.provide(engine))
  })

  it.effect("go on where they were after a restore, and count nothing twice", () => {
    const { engine, made, restore } = scene()
    return Effect.gen(function* () {
      const { catchUp, happens, stats } = yield* made
      yield* happens("message.sent", today)
      yield* happens("message.sent", today)
      yield* catchUp
      restore()
      yield* happens("message.sent", today)
      assert.strictEqual(yield* catchUp, 1)
      assert.strictEqual((yield* stats).allTime.sent, 3)
    }).pipe(Effect.provide(engine))
  })

  it.effect("count once, whoever counts at the same time", () => {
    const { engine, made } = scene()
    return Effect.gen(function* () {
      const { catchUp, happens, stats } = yield* made
      yield* Effect.forEach(Array.from({ length: 1_200 }), () => happens("message.sent", today))
      yield* Effect.all([catchUp, catchUp, catchUp], { concurrency: "unbounded" })
      yield* catchUp
      assert.strictEqual((yield* stats).allTime.sent, 1_200)
    }).pipe(Effect.provide(engine))
  })

  it.effect("of another workspace's account are not found", () => {
    const { engine, made } = scene()
    return Effect.gen(function* () {
      const { account, build, reports } = yield* made
      const other = build.workspace().id
      for (const asked of [
        reports.stats(other, account.id),
        reports.days(other, account.id),
        reports.log(other, account.id)
      ]) {
        assert.strictEqual(
          (yield* Effect.flip(asked as Effect.Effect<unknown, { _tag: string }>))._tag,
          "AccountNotFound"
        )
      }
    }).pipe(Effect.provide(engine))
  })
})

describe("the chore", () => {
  it.effect("counts every workspace's feed, looks again five seconds later, and cuts the logs", () => {
    const { engine, made } = scene()
    return Effect.gen(function* () {
      const { account, build, happens, reports, stats, workspace } = yield* made
      const other = build.workspace()
      yield* (yield* WorkspaceStore).create(other)
      const logs = yield* AccountLogStore
      const trouble = { level: "warning", title: "t", description: "d", code: null } as const
      const entries = Array.from({ length: kept + 3 }, (_, i) =>
        AccountLog.entry(build.ids, account, today + i * minute, trouble)
      )
      yield* Effect.forEach(entries, (entry) => logs.append([entry]))
      yield* Effect.forEach(Array.from({ length: 20_500 }), () => happens("message.sent", today))
      const rounds: Array<boolean> = []
      for (let i = 0; i < 3; i++) rounds.push((yield* reports.chore.round(0)).worked)
      assert.deepStrictEqual(rounds, [true, false, false])
      assert.strictEqual((yield* stats).allTime.sent, 20_500)
      assert.strictEqual(yield* logs.trim(100), 0)
      assert.strictEqual((yield* reports.log(workspace.id, account.id)).length, kept)
      yield* happens("message.sent", today)
      yield* reports.chore.round(4_999)
      assert.strictEqual((yield* stats).allTime.sent, 20_500)
      yield* reports.chore.round(5_000)
      assert.strictEqual((yield* stats).allTime.sent, 20_501)
    }).pipe(Effect.provide(engine))
  })

  it.effect("counts the others where one cannot be counted, or is in a zone that nobody knows", () => {
    const { engine, made } = scene()
    return Effect.gen(function* () {
      const { account, build, happens, reports, stats, workspace } = yield* made
      const store = yield* AccountTallyStore
      const workspaces = yield* WorkspaceStore
      yield* workspaces.create({ ...build.workspace(), id: `wsp_${"0".repeat(32)}` as WorkspaceId })
      yield* workspaces.modify(workspace.id, (row) => ({ ...row, timezone: "Mars/Base" }))
      yield* happens("message.sent", today)
      const broken = AccountTallyStore.of({
        ...store,
        place: (id) => (id === workspace.id ? store.place(id) : Effect.die(new Error("nobody can read this")))
      })
      const { chore } = yield* AccountReports.pipe(
        Effect.provide(Layer.fresh(AccountReports.layer).pipe(Layer.provide(Layer.succeed(AccountTallyStore, broken))))
      )
      yield* chore.round(0)
      assert.strictEqual((yield* stats).allTime.sent, 1)
      assert.strictEqual((yield* reports.stats(workspace.id, account.id)).allTime.sent, 1)
    }).pipe(Effect.provide(engine))
  })
})
