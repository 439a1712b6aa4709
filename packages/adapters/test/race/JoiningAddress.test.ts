/** Two engines on one PostgreSQL: people say stop while an import gives them a second address. Neither misses the other. */
import { Inbox } from "@overture/core/chat/Inbox"
import { OptOuts } from "@overture/core/chat/OptOuts"
import { Contacts } from "@overture/core/contact/Contacts"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { system } from "@overture/core/event/DomainEvent"
import * as Builders from "@overture/core/testing/Builders"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as TwoEngines from "./TwoEngines.ts"

const rounds = 16
const people = Array.from({ length: 6 }, (_, i) => i)

describe("an address that joins a person while they say stop", () => {
  it.live(
    "on one PostgreSQL is suppressed like the others",
    () =>
      Effect.gen(function* () {
        const { account, channel, engines, workspace } = yield* TwoEngines.open
        const [importing, hearing] = engines
        const rules = { channel: channel.name, accounts: [account] }
        const row = (round: number, i: number, which: string) => ({
          line: i + 2,
          externalId: `${which}-${round}-${i}`,
          externalRef: `ref-${round}-${i}`,
          tags: [],
          attributes: {}
        })
        const add = (round: number, which: string) =>
          Effect.flatMap(Contacts, (contacts) =>
            Effect.flatMap(contacts.listNamed(workspace.id, "people"), (list) =>
              contacts.importRows(
                workspace.id,
                list.id,
                people.map((i) => row(round, i, which)),
                rules
              )
            )
          ).pipe(Effect.provideContext(importing))
        const stop = (round: number, i: number) =>
          Effect.flatMap(Inbox, (inbox) =>
            inbox.receive(account, [
              {
                type: "messageReceived",
                dedupeKey: `stop-${round}-${i}`,
                at: Builders.start,
                participant: { scope: "", externalId: `first-${round}-${i}` },
                externalId: `in-${round}-${i}`,
                content: Builders.text("STOP")
              }
            ])
          ).pipe(Effect.provideContext(hearing))
        const known = Effect.provideContext(
          Effect.flatMap(ContactStore, (store) => store.list(workspace.id, { limit: 500 })),
          importing
        )
        for (let round = 0; round < rounds; round++) {
          yield* add(round, "first")
          const { data } = yield* known
          const own = data.filter(({ externalRef }) => externalRef?.startsWith(`ref-${round}-`))
          const called = Effect.forEach(own, ({ id }) =>
            Effect.flatMap(OptOuts, (optOuts) => optOuts.optOut(workspace.id, id, system))
          ).pipe(Effect.provideContext(hearing))
          const stops = people.map((i) => stop(round, i))
          yield* Effect.all([add(round, "second"), ...(round % 2 === 0 ? stops : [called])], { concurrency: 8 })
        }
        const suppressed = yield* Effect.provideContext(
          Effect.flatMap(ContactStore, (store) => store.allSuppressions(workspace.id, { limit: 500 })),
          importing
        )
        const addresses = (yield* known).data.flatMap((contact) => contact.addresses.map((one) => one.externalId))
        assert.lengthOf(addresses, rounds * people.length * 2)
        const free = new Set(addresses)
        for (const { address } of suppressed.data) free.delete(address.split("/").at(-1) ?? "")
        assert.deepStrictEqual([...free], [])
      }).pipe(Effect.scoped),
    120_000
  )
})
