/** What `WorkspaceStore` promises. */
import { Clock, Effect, Option } from "effect"
import { PacingTime } from "../../workspace/PacingTime.ts"
import { Transaction } from "../../workspace/Transaction.ts"
import { WorkspaceStore } from "../../workspace/WorkspaceStore.ts"
import { day } from "../../workspace/Instant.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { fails, LeaseClock, refuse, type StorageCase, storageCase } from "./StorageCase.ts"

const { start } = Builders

/** A wall clock that stands. */
const standing = (now: number): Clock.Clock => ({
  currentTimeMillis: Effect.succeed(now),
  currentTimeMillisUnsafe: () => now,
  currentTimeNanos: Effect.succeed(BigInt(now) * 1_000_000n),
  currentTimeNanosUnsafe: () => BigInt(now) * 1_000_000n,
  monotonicTimeNanos: Effect.succeed(0n),
  monotonicTimeNanosUnsafe: () => 0n,
  sleep: () => Effect.void
})

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("workspaces: creating one twice changes nothing", function* () {
    const store = yield* WorkspaceStore
    const build = Builders.make("workspaces")
    const workspace = build.workspace({ dailyCap: 7, metadata: { plan: "small", nested: { a: [1, null, true] } } })
    const other = build.workspace({ timezone: "America/New_York", optOutScope: "address", optOutReply: "Done." })
    Expect.equal(yield* store.create(workspace), true, "the first creation")
    Expect.equal(yield* store.create(other), true, "the creation of another")
    Expect.equal(yield* store.create({ ...workspace, name: "changed" }), false, "the second creation")
    Expect.equal(Option.getOrNull(yield* store.get(workspace.id)), workspace, "the workspace as created")
    Expect.equal(Option.getOrNull(yield* store.get(build.workspace().id)), null, "an unknown workspace")
    Expect.equal(yield* store.list, [workspace, other], "all workspaces")
  }),

  storageCase("workspaces: modify writes what the rule says, or nothing when it throws", function* () {
    const store = yield* WorkspaceStore
    const build = Builders.make("modify workspaces")
    const workspace = build.workspace()
    yield* store.create(workspace)
    const paused = { ...workspace, paused: true, dailyCap: 3, timezone: "Asia/Tokyo" }
    const changed = yield* store.modify(workspace.id, (row) => ({
      ...row,
      paused: true,
      dailyCap: 3,
      timezone: "Asia/Tokyo"
    }))
    Expect.equal(Option.getOrNull(changed), paused, "the answer of modify")
    yield* fails(store.modify(workspace.id, refuse), "a modify whose rule throws")
    Expect.equal(Option.getOrNull(yield* store.get(workspace.id)), paused, "the workspace after a rule that threw")
    const unknown = yield* store.modify(build.workspace().id, (row) => row)
    Expect.ok(Option.isNone(unknown), "an unknown workspace was modified")
  }),

  storageCase("workspaces: an idempotency key is new, then replayed, and refuses another body", function* () {
    const store = yield* WorkspaceStore
    const build = Builders.make("idempotency")
    const { id } = build.workspace()
    const other = build.workspace().id
    Expect.equal(yield* store.idempotent(id, "key", "body", start), { type: "new" }, "the first use")
    Expect.equal(yield* store.idempotent(id, "key", "other body", start), { type: "new" }, "a use without an answer")
    Expect.equal(yield* store.idempotent(id, "key", "body", start), { type: "new" }, "the next use without an answer")
    yield* store.remember(id, "key", 'answer "1"')
    const again = yield* store.idempotent(id, "key", "body", start + day - 1)
    Expect.equal(again, { type: "replay", response: 'answer "1"' }, "the second use")
    const mismatch = yield* store.idempotent(id, "key", "other body", start + 1)
    Expect.equal(mismatch, { type: "mismatch" }, "another body under the key")
    const elsewhere = yield* store.idempotent(other, "key", "other body", start)
    Expect.equal(elsewhere, { type: "new" }, "the key in another workspace")
    const later = yield* store.idempotent(id, "key", "other body", start + day)
    Expect.equal(later, { type: "new" }, "the key after 24 hours")
  }),

  storageCase("workspaces: an idempotency key of a transaction that failed is new again", function* () {
    const store = yield* WorkspaceStore
    const { within } = yield* Transaction
    const { id } = Builders.make("idempotency rolled back").workspace()
    const request = Effect.andThen(store.idempotent(id, "key", "body", start), store.remember(id, "key", "done"))
    yield* fails(within(Effect.andThen(request, Effect.fail("later"))), "the transaction")
    Expect.equal(yield* store.idempotent(id, "key", "body", start), { type: "new" }, "the key after a rollback")
  }),

  storageCase("workspaces: of several uses of an idempotency key at once one is new", function* () {
    const store = yield* WorkspaceStore
    const { within } = yield* Transaction
    const { id } = Builders.make("idempotency at once").workspace()
    // A use that failed left the key behind, or did not.
    yield* store.idempotent(id, "left", "body", start)
    for (const key of ["left", "unused"]) {
      const use = within(
        Effect.gen(function* () {
          const { type } = yield* store.idempotent(id, key, "body", start)
          if (type === "new") yield* Effect.andThen(Effect.yieldNow, store.remember(id, key, "done"))
          return type
        })
      )
      const uses = yield* Effect.all(
        Array.from({ length: 6 }, () => use),
        { concurrency: "unbounded" }
      )
      const count = (type: string) => uses.filter((one) => one === type).length
      Expect.equal([count("new"), count("replay")], [1, 5], key)
    }
  }),

  storageCase("workspaces: idempotency keys of long ago are removed, some at a time", function* () {
    const store = yield* WorkspaceStore
    const build = Builders.make("idempotency purged")
    const [id, other] = [build.workspace().id, build.workspace().id]
    const record = (workspace: typeof id, key: string, at: number) =>
      Effect.andThen(store.idempotent(workspace, key, "body", at), store.remember(workspace, key, "done"))
    for (const [at, key] of ["a", "b", "c"].entries()) yield* record(id, key, start + at)
    yield* record(other, "a", start)
    Expect.equal(yield* store.purgeKeys(id, start + 2, 1), 1, "the first batch")
    Expect.equal(yield* store.purgeKeys(id, start + 2, 9), 1, "the second batch")
    Expect.equal(yield* store.purgeKeys(id, start + 2, 9), 0, "the third batch")
    Expect.equal(yield* store.idempotent(id, "a", "body", start + 3), { type: "new" }, "a key that is gone")
    const replay = { type: "replay", response: "done" } as const
    Expect.equal(yield* store.idempotent(id, "c", "body", start + 3), replay, "a younger key")
    Expect.equal(yield* store.idempotent(other, "a", "body", start + 3), replay, "another workspace's key")
  }),

  storageCase("workspaces: how long things are kept is read back as it was set", function* () {
    const store = yield* WorkspaceStore
    const build = Builders.make("retention")
    const [plain, own] = [build.workspace(), build.workspace({ retention: { events: 7, media: null } })]
    yield* store.create(plain)
    yield* store.create(own)
    Expect.equal(Option.getOrNull(yield* store.get(plain.id)), plain, "a workspace that says nothing")
    Expect.equal(Option.getOrNull(yield* store.get(own.id)), own, "a workspace that does")
    const changed = yield* store.modify(plain.id, (before) => ({ ...before, retention: { jobs: 1 } }))
    Expect.equal(Option.getOrNull(changed)?.retention ?? null, { jobs: 1 }, "what it says later")
    Expect.equal(Option.getOrNull(yield* store.get(plain.id))?.retention ?? null, { jobs: 1 }, "and what is stored")
  }),

  storageCase("workspaces: one switch stops everything", function* () {
    const store = yield* WorkspaceStore
    Expect.equal(yield* store.stopped, false, "the switch at first")
    yield* store.stop(true)
    yield* store.stop(true)
    Expect.equal(yield* store.stopped, true, "the switch once on")
    yield* store.stop(false)
    Expect.equal(yield* store.stopped, false, "the switch once off")
  }),

  storageCase("workspaces: the pacing clock is kept and a virtual one never goes back", function* () {
    const store = yield* WorkspaceStore
    Expect.equal(yield* store.pacingClock, { type: "real" }, "the clock at first")
    yield* store.setPacingClock({ type: "virtual", at: start })
    yield* store.setPacingClock({ type: "virtual", at: start - 1 })
    Expect.equal(yield* store.pacingClock, { type: "virtual", at: start }, "the clock told to go back")
    yield* store.setPacingClock({ type: "virtual", at: start + 1 })
    Expect.equal(yield* store.pacingClock, { type: "virtual", at: start + 1 }, "the clock told to go on")
    const rate = { type: "rate", rate: 2.5, realFrom: start, from: start + day } as const
    yield* store.setPacingClock(rate)
    Expect.equal(yield* store.pacingClock, rate, "a clock with a rate")
    yield* store.setPacingClock({ type: "real" })
    Expect.equal(yield* store.pacingClock, { type: "real" }, "the real clock again")
  }),

  storageCase("workspaces: first workers of a database agree on the clock of one of them", function* () {
    const { moment } = yield* LeaseClock
    const store = yield* WorkspaceStore
    // Whoever reads first does not write before the others have read.
    const slow = { ...store, pacingClock: Effect.tap(store.pacingClock, moment) }
    const offsets = yield* Effect.forEach(
      [start, start + 7, start + 9],
      (real) =>
        Effect.flatMap(PacingTime, ({ now }) => now).pipe(
          Effect.provide(PacingTime.layerRate(60)),
          Effect.provideService(WorkspaceStore, slow),
          Effect.provideService(Clock.Clock, standing(real)),
          Effect.map((now) => now - 60 * real)
        ),
      { concurrency: "unbounded" }
    )
    Expect.equal(new Set(offsets).size, 1, "the anchors that workers go by")
  })
]
