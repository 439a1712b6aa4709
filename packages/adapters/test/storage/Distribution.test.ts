/** Who writes to whom by each strategy: the same on every storage, and no lead twice with two workers drawing at once. */
import { Accounts } from "@overture/core/account/Accounts"
import type { CampaignSettings } from "@overture/core/campaign/Campaign"
import { CampaignAccounts } from "@overture/core/campaign/CampaignAccounts"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import type { Distribution } from "@overture/core/campaign/Distribution"
import { Outreach } from "@overture/core/campaign/Outreach"
import { system } from "@overture/core/event/DomainEvent"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import * as TestChannel from "@overture/core/testing/TestChannel"
import { day, hour } from "@overture/core/workspace/Instant"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import * as Scene from "../../../core/test/engine/Scene.ts"
import * as PostgresStorage from "../../src/storage/PostgresStorage.ts"
import * as SqliteStorage from "../../src/storage/SqliteStorage.ts"
import { freshDatabase } from "./TestPostgres.ts"

const { start } = Builders

const engine = (channel: TestChannel.TestChannel, storage: Layer.Layer<Overture.StoragePorts, unknown>) =>
  Overture.layer({ storage, channels: [channel], time: PacingTime.layerVirtual(start) })

const people = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    id: `p${String(i).padStart(2, "0")}`,
    attributes: { region: i % 3 === 0 ? "north" : "south" }
  }))

const settings = (distribution: Distribution, onAccountLost: CampaignSettings["onAccountLost"] = "end") => ({
  pacing: { rangeMin: 2, rangeMax: 4, jitter: 0.8, catchUp: "skip" as const, newShare: 0.5 },
  distribution,
  onAccountLost
})

/** A campaign in which one account fails and comes back, one joins and one leaves: each message, as `account person`. */
const story = (distribution: Distribution, onAccountLost: CampaignSettings["onAccountLost"]) =>
  Effect.gen(function* () {
    const channel = TestChannel.make()
    const told = (storage: Layer.Layer<Overture.StoragePorts, unknown>) =>
      Effect.gen(function* () {
        const scene = yield* Scene.make(channel)
        const [a, b, c] = [yield* scene.account("a"), yield* scene.account("b"), yield* scene.account("c")]
        const names = new Map([a, b, c].map((account) => [account.id, account.externalRef ?? ""]))
        const earlier = yield* scene.campaign(
          "earlier",
          [b],
          people(24).slice(12, 16),
          settings({ strategy: "capacity" })
        )
        yield* scene.start(earlier.id)
        yield* scene.run(start + 2 * day)
        const campaign = yield* scene.campaign(
          "later",
          [a, b],
          people(24),
          settings(distribution, onAccountLost),
          [1, 1]
        )
        const { change } = yield* Accounts
        const members = yield* CampaignAccounts
        const { id: workspace } = scene.workspace
        yield* scene.start(campaign.id)
        yield* scene.run(start + 3 * day)
        yield* change(workspace, a.id, { enabled: false }, system)
        yield* scene.run(start + 4 * day)
        yield* members.join(workspace, campaign.id, c.id, system)
        yield* change(workspace, a.id, { enabled: true }, system)
        yield* scene.run(start + 6 * day + 7 * hour)
        yield* members.leave(workspace, campaign.id, b.id, system)
        yield* scene.run(start + 40 * day)
        const counts = yield* (yield* CampaignStore).counts(campaign.id)
        assert.deepStrictEqual([counts.sent, counts.total], [24, 24])
        assert.deepStrictEqual(counts, yield* (yield* CampaignStore).recount(campaign.id))
        assert.strictEqual(yield* scene.status(campaign.id), "finished")
        return channel.asked.map(({ account, to }) => `${names.get(account)} ${to}`)
      }).pipe(Effect.provide(engine(channel, storage)))
    return { told }
  })

describe("the strategies of a draw", { timeout: 120_000 }, () => {
  it.live.each<readonly [Distribution, CampaignSettings["onAccountLost"]]>([
    [{ strategy: "capacity" }, "end"],
    [{ strategy: "even" }, "reassign"],
    [{ strategy: "weighted", weights: { a: 3, b: 1, c: 2 } }, "end"],
    [{ strategy: "sticky" }, "reassign"],
    [{ strategy: "byAttribute", attribute: "region", accounts: { north: "a" }, otherwise: "b" }, "end"]
  ])("%j send the same messages on every storage", ([distribution, onAccountLost]) =>
    Effect.gen(function* () {
      const url = yield* Effect.promise(freshDatabase)
      const storages: ReadonlyArray<Layer.Layer<Overture.StoragePorts, unknown>> = [
        MemoryStorage.layer,
        SqliteStorage.layer({ path: ":memory:" }),
        PostgresStorage.layer({ url })
      ]
      const stories = yield* Effect.forEach(storages, (storage) =>
        Effect.flatMap(story(distribution, onAccountLost), ({ told }) => told(storage))
      )
      assert.deepStrictEqual(stories[1], stories[0])
      assert.deepStrictEqual(stories[2], stories[0])
    })
  )

  it.live("give no lead twice and keep their shares with two workers that draw at once", () =>
    Effect.gen(function* () {
      const url = yield* Effect.promise(freshDatabase)
      const channel = TestChannel.make()
      const worker = <A, E>(body: Effect.Effect<A, E, Overture.Services>) =>
        Effect.provide(body, engine(channel, PostgresStorage.layer({ url })), { local: true })
      const made = yield* worker(
        Effect.gen(function* () {
          const scene = yield* Scene.make(channel)
          const accounts = [yield* scene.account("a"), yield* scene.account("b"), yield* scene.account("c")] as const
          const campaign = yield* scene.campaign("raced", accounts, people(47), settings({ strategy: "even" }))
          return { campaign, accounts, workspace: scene.workspace }
        })
      )
      const { id } = made.campaign
      /** Draws, and has what was drawn go out, so that the next round wants more. */
      const round = Effect.gen(function* () {
        const campaigns = yield* CampaignStore
        const drawn = yield* (yield* Outreach).draw(made.workspace.id, id, start)
        const out = {
          cancel: [],
          stop: [],
          queue: [],
          counts: { sent: 1 },
          wentOutOn: null,
          forget: false,
          requeue: [],
          events: []
        }
        yield* campaigns.changeLeads(
          { type: "campaign", campaign: id, statuses: ["assigned"], limit: 5 },
          start,
          (lead) => ({ ...out, lead: { ...lead, status: "sent", step: null } })
        )
        return drawn
      })
      const rounds = (times: number) =>
        Effect.map(Effect.all(Array.from({ length: times }, () => round)), (drawn) =>
          drawn.reduce((sum, one) => sum + one, 0)
        )
      // Both are connected before either draws.
      const drawn = yield* worker(
        Effect.flatMap(Effect.context<Overture.Services>(), (first) =>
          worker(Effect.all([Effect.provideContext(rounds(6), first), rounds(6)], { concurrency: "unbounded" }))
        )
      )
      assert.strictEqual(drawn[0] + drawn[1] + (yield* worker(rounds(12))), 47)
      const rows = yield* worker(
        Effect.flatMap(CampaignStore, (campaigns) => campaigns.leads(made.workspace.id, id, {}, { limit: 100 }))
      )
      const given = made.accounts.map((account) => rows.data.filter((lead) => lead.account === account.id).length)
      assert.sameMembers(given, [15, 16, 16])
    })
  )
})
