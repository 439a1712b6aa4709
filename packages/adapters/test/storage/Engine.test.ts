/**
 * The whole engine in virtual time over each storage, where what the storages know decides: caps of groups, sequences of
 * other campaigns, people who were erased.
 */
import { AccountGroups } from "@overture/core/account/AccountGroups"
import { Campaigns } from "@overture/core/campaign/Campaigns"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import * as Address from "@overture/core/channel/Address"
import { Inbox } from "@overture/core/chat/Inbox"
import { Contacts } from "@overture/core/contact/Contacts"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { system } from "@overture/core/event/DomainEvent"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import { OutboxStore } from "@overture/core/outbox/OutboxStore"
import * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import * as TestChannel from "@overture/core/testing/TestChannel"
import { day, hour } from "@overture/core/workspace/Instant"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import * as Zone from "@overture/core/workspace/Zone"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer, Option } from "effect"
import { createHmac } from "node:crypto"
import * as Scene from "../../../core/test/engine/Scene.ts"
import * as PostgresStorage from "../../src/storage/PostgresStorage.ts"
import * as SqliteStorage from "../../src/storage/SqliteStorage.ts"
import { freshDatabase } from "./TestPostgres.ts"

type Storage = Layer.Layer<Overture.StoragePorts, unknown>

const storages: ReadonlyArray<readonly [string, () => Promise<Storage>]> = [
  ["memory", async () => MemoryStorage.layer],
  ["SQLite", async () => SqliteStorage.layer({ path: ":memory:" })],
  ["PostgreSQL", async () => PostgresStorage.layer({ url: await freshDatabase() })]
]

const { start } = Builders
const addressHash = (address: string) => createHmac("sha256", "a secret of the host").update(address).digest("hex")
const people = (count: number) => Array.from({ length: count }, (_, i) => ({ id: `p${i}` }))
const pacing = { rangeMin: 48, rangeMax: 48, jitter: 0, catchUp: "skip", newShare: 0.25 } as const

describe.each(storages)("the engine on %s", { timeout: 60_000 }, (_, open) => {
  const within = <A, E>(channel: TestChannel.TestChannel, body: Effect.Effect<A, E, Overture.Services>) =>
    Effect.gen(function* () {
      const storage = yield* Effect.promise(open)
      const time = PacingTime.layerVirtual(start)
      return yield* Effect.provide(body, Overture.layer({ storage, channels: [channel], time, addressHash }))
    })

  it.live("sends no more a day than a group may, over all its accounts", () => {
    const channel = TestChannel.make()
    return within(
      channel,
      Effect.gen(function* () {
        const scene = yield* Scene.make(channel)
        const accounts = [yield* scene.account("a"), yield* scene.account("b")] as const
        const groups = yield* AccountGroups
        const { id: workspace } = scene.workspace
        const group = yield* groups.create(
          { workspace, name: "numbers", dailyCap: 5, timezone: "Asia/Kolkata" },
          system
        )
        yield* groups.assign(
          workspace,
          group.id,
          accounts.map(({ id }) => id),
          system
        )
        const campaign = yield* scene.campaign("grouped", [...accounts], people(20), { pacing })
        yield* scene.start(campaign.id)
        yield* scene.run(start + 6 * day)
        const days = new Map<string, number>()
        for (const { at } of yield* scene.sent) {
          const date = Zone.localDate(Zone.make("Asia/Kolkata"), at)
          days.set(date, (days.get(date) ?? 0) + 1)
        }
        assert.deepStrictEqual([...days.values()], [5, 5, 5, 5])
      })
    )
  })

  it.live("skips, or puts off, whoever is in a sequence of another campaign", () => {
    const channel = TestChannel.make()
    return within(
      channel,
      Effect.gen(function* () {
        const scene = yield* Scene.make(channel)
        const account = yield* scene.account("a")
        const sequence = yield* scene.campaign("sequence", [account], people(2), { pacing }, [1, 1])
        const patient = yield* scene.campaign("patient", [account], people(3), { pacing })
        const picky = yield* scene.campaign("picky", [account], people(3), { pacing, skipContacted: true })
        yield* scene.start(sequence.id)
        yield* scene.run(start + 6 * hour)
        yield* scene.start(patient.id)
        yield* scene.start(picky.id)
        yield* scene.run(start + 12 * hour)
        const fates = (id: typeof picky.id) =>
          Effect.map(scene.leads(id), (leads) => leads.map(({ reason, status }) => reason ?? status))
        assert.deepStrictEqual(yield* fates(picky.id), ["contactedElsewhere", "contactedElsewhere", "sent"])
        assert.deepStrictEqual(yield* fates(patient.id), ["assigned", "assigned", "sent"])
        yield* scene.run(start + 4 * day)
        assert.deepStrictEqual(yield* fates(patient.id), ["sent", "sent", "sent"])
      })
    )
  })

  it.live("writes to nobody who was erased, however they came back, until they ask for it", () => {
    const channel = TestChannel.make()
    return within(
      channel,
      Effect.gen(function* () {
        const scene = yield* Scene.make(channel)
        const { build, workspace } = scene
        const account = yield* scene.account("a")
        const contacts = yield* Contacts
        const store = yield* ContactStore
        const address = { channel: channel.name, scope: "", externalId: "p0" }
        const rows = [{ line: 2, externalId: "p0", tags: [], attributes: {} }]
        const list = yield* contacts.listNamed(workspace.id, "people")
        const rules = { channel: channel.name, accounts: [account] }
        yield* contacts.importRows(workspace.id, list.id, rows, rules)
        const person = Option.getOrThrow(yield* store.byAddress(workspace.id, Address.key(address)))
        const queued = build.message(account, person, { author: { type: "api", id: null } })
        yield* contacts.erase(workspace.id, person.id, system)
        const { rejected } = yield* contacts.importRows(workspace.id, list.id, rows, rules)
        assert.deepStrictEqual(
          rejected.map(({ reason, value }) => [reason, value]),
          [["this person was erased", ""]]
        )

        const wrote = (text: string) =>
          Effect.flatMap(Inbox, (inbox) =>
            inbox.receive(account, [
              {
                type: "messageReceived",
                dedupeKey: text,
                at: start,
                participant: { scope: "", externalId: "p0" },
                externalId: text,
                content: { type: "text", text }
              }
            ])
          )
        yield* wrote("hello")
        const again = Option.getOrThrow(yield* store.byAddress(workspace.id, Address.key(address)))
        assert.notStrictEqual(again.id, person.id)
        yield* (yield* OutboxStore).enqueue([{ ...queued, contact: again.id }], [], [])
        const campaign = yield* scene.campaign("after", [account], people(2).slice(1), { pacing })
        yield* store.import(workspace.id, [again], list.id)
        yield* (yield* Campaigns).enrollList(workspace.id, campaign.id, list.id)
        const lead = (yield* scene.leads(campaign.id)).find(({ contact }) => contact === again.id)!
        const told = yield* (yield* CampaignStore).candidate(workspace.id, lead.id, addressHash)
        assert.deepStrictEqual(
          Option.getOrThrow(told).candidate.suppressions.map((one) => [one.address, one.reason]),
          [[Address.key(address), "erased"]]
        )
        yield* scene.start(campaign.id)
        yield* scene.run(start + day)
        assert.deepStrictEqual(
          channel.asked.map(({ to }) => to),
          ["p1"]
        )
        const skipped = (yield* scene.leads(campaign.id)).find(({ id }) => id === lead.id)!
        assert.deepStrictEqual([skipped.status, skipped.reason], ["skipped", "suppressed"])

        yield* wrote("START")
        const asked = yield* scene.campaign("asked", [account], people(1), { pacing })
        yield* scene.start(asked.id)
        yield* scene.run(start + 2 * day)
        assert.deepStrictEqual(
          channel.asked.slice(1).map(({ to }) => to),
          ["p0"]
        )
      })
    )
  })
})
