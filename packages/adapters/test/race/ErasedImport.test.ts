/** Two engines on one PostgreSQL: one imports people while the other erases them, and nobody who was erased comes back. */
import { ContactImports } from "@overture/core/contact/ContactImports"
import { Contacts } from "@overture/core/contact/Contacts"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { system } from "@overture/core/event/DomainEvent"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as TwoEngines from "./TwoEngines.ts"

describe("a race of imports and erasures", () => {
  it.live(
    "on one PostgreSQL brings nobody back",
    () =>
      Effect.gen(function* () {
        const { account: sender, channel, engines, workspace } = yield* TwoEngines.open
        const [importing, erasing] = engines
        const rules = { channel: channel.name, accounts: [sender] }
        for (let round = 0; round < 12; round++) {
          const rows = Array.from({ length: 8 }, (_, i) => ({
            line: i + 2,
            externalId: `round-${round}-person-${i}`,
            tags: [],
            attributes: {}
          }))
          const race = Effect.gen(function* () {
            const contacts = yield* Contacts
            const list = yield* contacts.listNamed(workspace.id, `people ${round}`)
            yield* contacts.importRows(workspace.id, list.id, rows, rules)
            const store = yield* ContactStore
            const known = (yield* store.list(workspace.id, { limit: 500 })).data
            const again =
              round % 2 === 0
                ? contacts.importRows(workspace.id, list.id, rows, rules)
                : (yield* ContactImports).run({
                    workspace: workspace.id,
                    id: `again ${round}`,
                    list: list.id,
                    rules,
                    fingerprint: "f",
                    source: Stream.make({ rows, rejected: [] })
                  })
            const erase = Effect.provideContext(
              Effect.forEach(known, ({ id }) => Effect.flatMap(Contacts, (it) => it.erase(workspace.id, id, system)), {
                concurrency: 4,
                discard: true
              }),
              erasing
            )
            yield* Effect.all([again, erase], { concurrency: 2 })
            return (yield* store.list(workspace.id, { limit: 500 })).data
          })
          const left = yield* Effect.provideContext(race, importing)
          assert.deepStrictEqual(
            left.map(({ addresses }) => addresses[0]?.externalId),
            [],
            `round ${round}`
          )
        }
      }).pipe(Effect.scoped),
    120_000
  )
})
