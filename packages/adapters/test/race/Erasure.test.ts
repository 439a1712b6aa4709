/** Two engines on one PostgreSQL: one enrols people while the other erases them, and nothing of them is left. */
import { Campaigns } from "@overture/core/campaign/Campaigns"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import { Previews } from "@overture/core/campaign/Previews"
import { Chats } from "@overture/core/chat/Chats"
import { ChatStore } from "@overture/core/chat/ChatStore"
import { Inbox } from "@overture/core/chat/Inbox"
import { Contacts } from "@overture/core/contact/Contacts"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { system } from "@overture/core/event/DomainEvent"
import { Messages } from "@overture/core/outbox/Messages"
import { everything } from "@overture/core/workspace/Page"
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
    "on one PostgreSQL leaves no chat and no word of theirs, by whichever address they wrote",
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
                content: { type: "text", text: `I am ${externalId}` }
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
            const { list: said } = yield* Messages
            const messages = yield* everything((page) => said(workspace.id, {}, page))
            yield* Effect.forEach(known, (id) => contacts.erase(workspace.id, id, system))
            return [...chats, ...messages].filter(
              (row) => JSON.stringify(row).includes("person") && !known.some((id) => id === row.contact)
            )
          })
          assert.deepStrictEqual(yield* Effect.provideContext(race, hearing), [], `round ${round}`)
        }
      }).pipe(Effect.scoped),
    120_000
  )
})

describe("a race of sends and erasures", () => {
  it.live(
    "on one PostgreSQL leaves no message to them or about them, and no chat",
    () =>
      Effect.gen(function* () {
        const { account, channel, engines, scene, workspace } = yield* TwoEngines.open
        const [sending, erasing] = engines
        const made = yield* Effect.provideContext(scene.campaign("campaign", [account], []), sending)
        const author = { type: "api", id: null } as const
        const race = Effect.gen(function* () {
          const [contacts, messages, chats, previews] = [
            yield* Contacts,
            yield* Messages,
            yield* Chats,
            yield* Previews
          ]
          const list = yield* contacts.listNamed(workspace.id, "people")
          const rows = Array.from({ length: 48 }, (_, i) => {
            const externalId = `person-${i}`
            return { line: i + 2, externalId, name: externalId, tags: [], attributes: {} }
          })
          yield* contacts.importRows(workspace.id, list.id, rows, { channel: channel.name, accounts: [account] })
          const people = (yield* (yield* ContactStore).list(workspace.id, { limit: 500 })).data
          yield* Effect.forEach(
            people,
            ({ id, name }, i) => {
              const erase = Effect.flatMap(Contacts, (it) => it.erase(workspace.id, id, system))
              const ways: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
                messages.send(workspace.id, {
                  to: i % 2 === 0 ? { contact: id } : { account: account.id, person: name },
                  content: { type: "text", text: `Dear ${name}` },
                  author
                }),
                chats.open(workspace.id, { contact: id }, system),
                previews.testSend(workspace.id, { campaign: made.id, account: account.id, to: "us", as: id }, system)
              ]
              const write = Effect.exit(Effect.repeat(ways[i % 3]!, { times: 30 }))
              return Effect.all([write, Effect.provideContext(erase, erasing)], { concurrency: 2 })
            },
            { concurrency: 3, discard: true }
          )
          const kept = [
            (yield* (yield* ChatStore).list(workspace.id, { limit: 500 })).data,
            yield* everything((page) => messages.list(workspace.id, {}, page))
          ]
          return JSON.stringify(kept).match(/person-\d+|"as":"con_/g) ?? []
        })
        assert.deepStrictEqual([...(yield* Effect.provideContext(race, sending))], [])
      }).pipe(Effect.scoped),
    120_000
  )
})
