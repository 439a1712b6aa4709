/** Two engines on one PostgreSQL: one enrols people while the other erases them, and nothing of them is left. */
import { Campaigns } from "@overture/core/campaign/Campaigns"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import { Contacts } from "@overture/core/contact/Contacts"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { system } from "@overture/core/event/DomainEvent"
import * as Overture from "@overture/core/Overture"
import * as TestChannel from "@overture/core/testing/TestChannel"
import * as Seed from "@overture/core/workspace/Seed"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as Scene from "../../../core/test/engine/Scene.ts"
import * as PostgresStorage from "../../src/storage/PostgresStorage.ts"
import { freshDatabase } from "../storage/TestPostgres.ts"

describe("a race of an enrolment and erasures", () => {
  it.live(
    "on one PostgreSQL leaves no address",
    () =>
      Effect.gen(function* () {
        const url = yield* Effect.promise(freshDatabase)
        const channel = TestChannel.make()
        const open = Layer.build(
          Overture.layer({
            storage: PostgresStorage.layer({ url }),
            channels: [channel],
            addressHash: (address) => Seed.digest(`secret ${address}`)
          })
        )
        const [enrolling, erasing] = [yield* open, yield* open]
        const { account, workspace, ...scene } = yield* Effect.provideContext(Scene.make(channel), enrolling)
        const sender = yield* Effect.provideContext(account("a"), enrolling)
        for (let round = 0; round < 8; round++) {
          const people = Array.from({ length: 12 }, (_, i) => `round-${round}-person-${i}`)
          const race = Effect.gen(function* () {
            const made = yield* scene.campaign(`none ${round}`, [sender], [])
            const contacts = yield* Contacts
            const list = yield* contacts.listNamed(workspace.id, `people ${round}`)
            const rows = people.map((externalId, i) => ({ line: i + 2, externalId, tags: [], attributes: {} }))
            yield* contacts.importRows(workspace.id, list.id, rows, { channel: channel.name, accounts: [sender] })
            const all = (yield* (yield* ContactStore).list(workspace.id, { limit: 500 })).data
            const enrol = (yield* Campaigns).enrollList(workspace.id, made.id, list.id)
            const erase = Effect.provideContext(
              Effect.forEach(all, ({ id }) => Effect.flatMap(Contacts, (it) => it.erase(workspace.id, id, system)), {
                concurrency: 4
              }),
              erasing
            )
            yield* Effect.all([enrol, erase], { concurrency: 2 })
            return (yield* (yield* CampaignStore).leads(workspace.id, made.id, {}, { limit: 500 })).data
          })
          const leads = yield* Effect.provideContext(race, enrolling)
          assert.deepStrictEqual(
            leads.filter(({ address, status }) => address.includes("person") || status === "pending"),
            [],
            `round ${round}`
          )
        }
      }).pipe(Effect.scoped),
    120_000
  )
})
