/** Two engines on one PostgreSQL: one enrols people while the other erases them, and nothing of them is left. */
import { Campaigns } from "@overture/core/campaign/Campaigns"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import { ChatStore } from "@overture/core/chat/ChatStore"
import { Inbox } from "@overture/core/chat/Inbox"
import { Contacts } from "@overture/core/contact/Contacts"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { system } from "@overture/core/event/DomainEvent"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as TwoEngines from "./TwoEngines.ts"

describe("a race of an enrolment and erasures", () => {
  it.live(
    "on one PostgreSQL leaves no address",
    () =>
      Effect.gen(function* () {
        const { account: sender, channel, engines, scene, workspace } = yield* TwoEngines.open
        const [enrolling, erasing] = engines
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

describe("a race of first messages and erasures", () => {
  it.live(
    "on one PostgreSQL leaves no chat of theirs, by whichever address they wrote",
    () =>
      Effect.gen(function* () {
        const { account: page, channel, engines, workspace } = yield* TwoEngines.open
        const [hearing, erasing] = engines
        const says = (externalId: string) =>
          Effect.flatMap(Inbox, (inbox) =>
            inbox.receive(page, [
              {
                type: "messageReceived",
                dedupeKey: externalId,
                // Before anybody was erased: who writes afterwards is somebody new.
                at: 1_000,
                participant: { scope: "", externalId, name: `Name of ${externalId}` },
                externalId,
                content: { type: "text", text: "Hello" }
              }
            ])
          )
        const row = (line: number, externalId: string, externalRef: string) => ({
          line,
          externalId,
          externalRef,
          tags: [],
          attributes: {}
        })
        for (let round = 0; round < 6; round++) {
          const people = Array.from({ length: 12 }, (_, i) => `person-${round}-${i}`)
          const rules = { channel: channel.name, accounts: [page] }
          const race = Effect.gen(function* () {
            const contacts = yield* Contacts
            const list = yield* contacts.listNamed(workspace.id, "people")
            yield* contacts.importRows(
              workspace.id,
              list.id,
              people.map((id, i) => row(i + 2, id, id)),
              rules
            )
            const all = (yield* (yield* ContactStore).list(workspace.id, { limit: 500 })).data
            const erase = Effect.provideContext(
              Effect.forEach(all, ({ id }) => Effect.flatMap(Contacts, (it) => it.erase(workspace.id, id, system)), {
                concurrency: 4
              }),
              erasing
            )
            const write = Effect.forEach(
              people,
              (id, i) =>
                contacts
                  .importRows(workspace.id, list.id, [row(i + 2, `${id}-second`, id)], rules)
                  .pipe(Effect.andThen(Effect.all([says(id), says(`${id}-second`)], { concurrency: 2 }))),
              { concurrency: 3 }
            )
            yield* Effect.all([write, erase], { concurrency: 2 })
            const known = (yield* (yield* ContactStore).list(workspace.id, { limit: 500 })).data.map(({ id }) => id)
            const chats = (yield* (yield* ChatStore).list(workspace.id, { limit: 500 })).data
            yield* Effect.forEach(known, (id) => contacts.erase(workspace.id, id, system))
            return chats.filter(
              ({ address, contact }) => address.includes("person") && !known.some((id) => id === contact)
            )
          })
          assert.deepStrictEqual(yield* Effect.provideContext(race, hearing), [], `round ${round}`)
        }
      }).pipe(Effect.scoped),
    120_000
  )
})
