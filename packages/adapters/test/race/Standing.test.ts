/**
 * Two engines on one PostgreSQL whose accounts fail and come back while campaigns begin, pause and lose members: what is told
 * of each campaign goes to and fro between inactive and active, ends as it stands, and nobody waits in a circle.
 */
import { Accounts } from "@overture/core/account/Accounts"
import { CampaignAccounts } from "@overture/core/campaign/CampaignAccounts"
import { Campaigns } from "@overture/core/campaign/Campaigns"
import { Inbox } from "@overture/core/chat/Inbox"
import { system } from "@overture/core/event/DomainEvent"
import { EventStore } from "@overture/core/event/EventStore"
import type * as Overture from "@overture/core/Overture"
import { Transaction } from "@overture/core/workspace/Transaction"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import * as TwoEngines from "./TwoEngines.ts"

const rounds = 12

describe("a race of accounts that fail", () => {
  it.live(
    "tells once that nobody can send for a campaign, and once that somebody can",
    () =>
      Effect.gen(function* () {
        const database = yield* Effect.scoped(
          Effect.gen(function* () {
            const { account: a, engines, scene, url, workspace } = yield* TwoEngines.open
            const [one, two] = engines
            const by = <A, E>(engine: (typeof engines)[number], effect: Effect.Effect<A, E, Overture.Services>) =>
              Effect.provideContext(effect, engine)
            const b = yield* by(one, scene.account("b"))
            const both = yield* by(one, scene.campaign("both", [a, b], [{ id: "p" }], { startAt: Date.now() + 9e9 }))
            const paused = yield* by(
              one,
              scene.campaign("paused", [b, a], [{ id: "q" }], { startAt: Date.now() + 9e9 })
            )
            yield* by(one, scene.start(both.id))
            const enable = (account: typeof a, enabled: boolean) =>
              Effect.flatMap(Accounts, ({ change }) => change(workspace.id, account.id, { enabled }, system))
            const trouble = (i: number) =>
              Effect.flatMap(Inbox, ({ receive }) =>
                receive(b, [{ type: "accountTroubled", dedupeKey: `t-${i}`, at: Date.now(), reason: "restricted" }])
              )
            const well = Effect.flatMap(Accounts, ({ change }) =>
              change(workspace.id, b.id, { clearAttention: ["restricted"] }, system)
            )
            const begin = Effect.flatMap(Campaigns, ({ start }) => start(workspace.id, paused.id, system))
            const pause = Effect.flatMap(Campaigns, (campaigns) =>
              campaigns.pause(workspace.id, paused.id, null, system)
            )
            const leave = Effect.flatMap(CampaignAccounts, (members) =>
              members.leave(workspace.id, paused.id, b.id, system)
            )
            const join = Effect.flatMap(CampaignAccounts, (members) =>
              members.join(workspace.id, paused.id, b.id, system)
            )
            for (let round = 0; round < rounds; round++) {
              yield* Effect.all([by(one, enable(a, false)), by(two, trouble(round)), by(two, begin), by(one, leave)], {
                concurrency: "unbounded"
              })
              yield* Effect.all([by(two, enable(a, true)), by(one, well), by(two, join)], {
                concurrency: "unbounded"
              })
              yield* by(one, pause)
            }
            yield* by(one, begin)
            yield* Effect.all([by(one, enable(a, false)), by(two, trouble(rounds))], { concurrency: "unbounded" })
            const events = yield* by(
              one,
              Effect.flatMap(EventStore, (store) => store.read(workspace.id, null, 10_000))
            )
            const told = (id: string) =>
              events.flatMap(({ event: { subject, type } }) => (subject === id ? [type.slice("campaign.".length)] : []))
            const ofBoth = told(both.id).filter((type) => type === "inactive" || type === "active")
            assert.deepStrictEqual(
              ofBoth,
              Array.from({ length: 2 * rounds + 1 }, (_, i) => (i % 2 === 0 ? "inactive" : "active"))
            )
            // Of one that begins anew each round: active where it begins, and what is told changes that each time.
            let active = false
            for (const type of told(paused.id)) {
              if (type === "started") active = true
              if (type !== "inactive" && type !== "active") continue
              assert.notStrictEqual(active, type === "active")
              active = type === "active"
            }
            const { standing } = yield* by(
              two,
              Effect.flatMap(Campaigns, ({ get }) => get(workspace.id, paused.id))
            )
            assert.deepStrictEqual([standing, active], ["inactive", false])
            return url
          })
        )
        assert.strictEqual(yield* TwoEngines.deadlocks(database), 0)
      }),
    60_000
  )

  it.live("is told in the order in which it happened, also by a transaction that began before", () =>
    Effect.gen(function* () {
      const { account: a, engines, scene, workspace } = yield* TwoEngines.open
      const [one, two] = engines
      const change = (account: typeof a, to: { readonly enabled?: boolean; readonly name?: string }) =>
        Effect.flatMap(Accounts, (accounts) => accounts.change(workspace.id, account.id, to, system))
      const events = yield* Effect.provideContext(
        Effect.gen(function* () {
          const b = yield* scene.account("b")
          const campaign = yield* scene.campaign("one", [a, b], [{ id: "p" }], { startAt: Date.now() + 9e9 })
          yield* scene.start(campaign.id)
          yield* change(b, { enabled: false })
          const began = yield* Deferred.make<void>()
          const failed = yield* Deferred.make<void>()
          const early = Effect.provideContext(
            Effect.flatMap(Transaction, ({ within }) =>
              within(
                Effect.gen(function* () {
                  yield* change(b, { name: "B" })
                  yield* Deferred.succeed(began, undefined)
                  yield* Deferred.await(failed)
                  yield* change(b, { enabled: true })
                })
              )
            ),
            two
          )
          const late = Deferred.await(began).pipe(
            Effect.andThen(change(a, { enabled: false })),
            Effect.andThen(Deferred.succeed(failed, undefined))
          )
          yield* Effect.all([early, late], { concurrency: 2 })
          return yield* (yield* EventStore).read(workspace.id, null, 1_000)
        }),
        one
      )
      assert.deepStrictEqual(
        events.flatMap(({ event: { type } }) => (/^campaign[.](in)?active$/.test(type) ? [type] : [])),
        ["campaign.inactive", "campaign.active"]
      )
    }).pipe(Effect.scoped)
  )
})
