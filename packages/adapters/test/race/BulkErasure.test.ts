/**
 * Two engines on one PostgreSQL that remove people of the same campaigns in bulk: everyone is gone, and nobody waits in a
 * circle, though each person's rows are locked in an order of their own.
 */
import { ContactJobs } from "@overture/core/contact/ContactJobs"
import { Contacts } from "@overture/core/contact/Contacts"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { system } from "@overture/core/event/DomainEvent"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as TwoEngines from "./TwoEngines.ts"

describe("a race of two that remove many people", () => {
  it.live(
    "on one PostgreSQL waits for nobody in a circle",
    () =>
      Effect.gen(function* () {
        const { left, url } = yield* Effect.scoped(
          Effect.gen(function* () {
            const { account, channel, engines, scene, url, workspace } = yield* TwoEngines.open
            // Of the first share it is one of the first campaign who goes first, of the second one of the other.
            const shares = [
              ["one", "two"],
              ["two", "one"]
            ].map((keys, i) => Array.from({ length: 20 }, (_, n) => `${keys[n % 2]}-${i}-${n}`))
            const there = Effect.map(
              Effect.flatMap(ContactStore, (store) => store.list(workspace.id, { limit: 100 })),
              ({ data }) => data
            )
            const before = yield* Effect.provideContext(
              Effect.gen(function* () {
                const contacts = yield* Contacts
                const list = yield* contacts.listNamed(workspace.id, "in this order")
                const rows = shares
                  .flat()
                  .map((externalId, i) => ({ line: i + 2, externalId, tags: [], attributes: {} }))
                yield* contacts.importRows(workspace.id, list.id, rows, { channel: channel.name, accounts: [account] })
                for (const key of ["one", "two"]) {
                  const people = shares.flat().filter((id) => id.startsWith(key))
                  yield* scene.campaign(
                    key,
                    [account],
                    people.map((id) => ({ id }))
                  )
                }
                return yield* there
              }),
              engines[0]
            )
            const idsOf = (share: ReadonlyArray<string>) =>
              before.flatMap(({ addresses, id }) => (share.includes(addresses[0]?.externalId ?? "") ? [id] : []))
            yield* Effect.forEach(
              shares,
              (share, i) =>
                Effect.flatMap(ContactJobs, (jobs) =>
                  jobs.remove({ workspace: workspace.id, ids: idsOf(share), with: {}, actor: system })
                ).pipe(Effect.provideContext(engines[i]!)),
              { concurrency: 2 }
            )
            return { left: yield* Effect.provideContext(there, engines[0]), url }
          })
        )
        assert.deepStrictEqual([left, yield* TwoEngines.deadlocks(url)], [[], 0])
      }),
    60_000
  )
})
