/** Who writes to whom by each strategy: the same on every storage, and no lead twice with two workers drawing at once. */
import { Accounts } from "@overture/core/account/Accounts"
import type { CampaignSettings } from "@overture/core/campaign/Campaign"
import { CampaignAccounts } from "@overture/core/campaign/CampaignAccounts"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import type { Distribution } from "@overture/core/campaign/Distribution"
import { Outreach } from "@overture/core/campaign/Outreach"
import { ContactImports } from "@overture/core/contact/ContactImports"
import type { RowBatch } from "@overture/core/contact/ContactRow"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { system } from "@overture/core/event/DomainEvent"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import * as TestChannel from "@overture/core/testing/TestChannel"
import { day, hour } from "@overture/core/workspace/Instant"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import * as Scene from "../../../core/test/engine/Scene.ts"
import * as PostgresStorage from "../../src/storage/PostgresStorage.ts"
import * as SqliteStorage from "../../src/storage/SqliteStorage.ts"
import { freshDatabase } from "./TestPostgres.ts"

const { start } = Builders

/** A storage of each kind, empty. */
const storages: ReadonlyArray<readonly [string, Effect.Effect<Layer.Layer<Overture.StoragePorts, unknown>>]> = [
  ["memory", Effect.succeed(MemoryStorage.layer)],
  ["SQLite", Effect.succeed(SqliteStorage.layer({ path: ":memory:" }))],
  ["PostgreSQL", Effect.map(Effect.promise(freshDatabase), (url) => PostgresStorage.layer({ url }))]
]

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
      const stories = yield* Effect.forEach(storages, ([, storage]) =>
        Effect.gen(function* () {
          const { told } = yield* story(distribution, onAccountLost)
          return yield* told(yield* storage)
        })
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

describe("an import whose process dies between the commit of a chunk and what follows from it", {
  timeout: 60_000
}, () => {
  it.live.each(storages)("has those it changed routed anew by whoever goes on with it (%s)", ([, storage]) => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* Scene.make(channel)
      const [a, b] = [yield* scene.account("a"), yield* scene.account("b")] as const
      const north = Array.from({ length: 6 }, (_, i) => ({ id: `p${i}`, attributes: { region: "north" } }))
      const distribution = {
        strategy: "byAttribute",
        attribute: "region",
        accounts: { north: "a", south: "b" }
      } as const
      const campaign = yield* scene.campaign("regions", [a, b], north, settings(distribution))
      const { id: workspace } = scene.workspace
      const rows = north.map(({ id }, i) => ({
        line: i + 2,
        externalId: id,
        tags: [],
        attributes: { region: "south" }
      }))
      const batches: ReadonlyArray<RowBatch> = [
        { rows: rows.slice(0, 3), rejected: [] },
        { rows: rows.slice(3), rejected: [] }
      ]
      // All that the process that died had done of the first chunk.
      const contacts = yield* ContactStore
      const known = yield* contacts.list(workspace, { limit: 100 })
      const begun = { workspace, id: "moved", list: null, mode: "update" as const, fingerprint: "f", startedAt: start }
      const none = { records: 0, created: 0, merged: 0, rejected: 0, finishedAt: null }
      const at = yield* contacts.beginImport({ ...begun, ...none })
      const south = known.data
        .filter(({ addresses }) => rows.slice(0, 3).some(({ externalId }) => addresses[0]?.externalId === externalId))
        .map((contact) => ({ ...contact, attributes: { region: "south" } }))
      yield* contacts.importChunk(at, { contacts: south, records: 3, rejected: 0 })
      const wanted = Effect.map(scene.leads(campaign.id), (leads) => leads.map((lead) => lead.wanted))
      assert.deepStrictEqual(new Set(yield* wanted), new Set([a.id]))
      const done = yield* (yield* ContactImports).run({
        workspace,
        id: "moved",
        list: null,
        fingerprint: "f",
        rules: { channel: channel.name, accounts: [a, b] },
        source: Stream.fromIterable(batches),
        chunk: 3
      })
      assert.deepInclude(done, { records: 6, merged: 6 })
      assert.deepStrictEqual(new Set(yield* wanted), new Set([b.id]))
    }).pipe(Effect.provide(Layer.unwrap(Effect.map(storage, (ports) => engine(channel, ports)))))
  })
})
