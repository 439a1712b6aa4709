/**
 * Verbs that cannot take all that they need in the one order of locks, on a PostgreSQL where somebody takes the same rows
 * the other way round and never gives way: the server ends ours, and whoever called it hears nothing of that.
 */
import { Accounts } from "@overture/core/account/Accounts"
import { Chats } from "@overture/core/chat/Chats"
import { Inbox } from "@overture/core/chat/Inbox"
import { Contacts } from "@overture/core/contact/Contacts"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { system } from "@overture/core/event/DomainEvent"
import { EventStore } from "@overture/core/event/EventStore"
import type * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Stranger from "../storage/Stranger.ts"
import * as TwoEngines from "./TwoEngines.ts"

/** Rows of a table, by what they have in a column. */
interface Rows {
  readonly table: string
  readonly column: string
}

interface Meeting {
  readonly name: string
  /** What the stranger holds when the verb comes, and what they want once it waits for that; by one value each. */
  readonly held: Rows
  readonly wanted: Rows
  readonly verb: (
    place: Effect.Success<typeof TwoEngines.open>,
    person: string
  ) => Effect.Effect<void, unknown, Overture.Services>
}

/** Events of a type that the feed tells of. */
const told = (place: Effect.Success<typeof TwoEngines.open>, wanted: string) =>
  Effect.map(
    Effect.flatMap(EventStore, ({ read }) => read(place.workspace.id, null, 1_000)),
    (feed) => feed.filter(({ event: { type } }) => type === wanted).length
  )

const meetings: ReadonlyArray<Meeting> = [
  {
    name: "an operator changes an account",
    held: { table: "account", column: "workspace_id" },
    wanted: { table: "pace", column: "workspace_id" },
    verb: (place) =>
      Effect.gen(function* () {
        const { change } = yield* Accounts
        const before = yield* told(place, "account.changed")
        const after = yield* change(place.workspace.id, place.account.id, { enabled: false }, system)
        assert.deepStrictEqual([after.enabled, (yield* told(place, "account.changed")) - before], [false, 1])
      })
  },
  {
    name: "a person is erased",
    held: { table: "chat", column: "workspace_id" },
    wanted: { table: "lead", column: "workspace_id" },
    verb: (place, person) =>
      Effect.gen(function* () {
        yield* (yield* Contacts).erase(place.workspace.id, person as never, system)
        assert.strictEqual(yield* told(place, "contact.erased"), 1)
        assert.lengthOf((yield* (yield* ContactStore).list(place.workspace.id, {})).data, 0)
      })
  },
  {
    name: "somebody writes",
    held: { table: "contact", column: "workspace_id" },
    wanted: { table: "chat", column: "workspace_id" },
    verb: (place) =>
      Effect.gen(function* () {
        const message = {
          type: "messageReceived",
          dedupeKey: "again",
          at: Builders.start,
          participant: { scope: "", externalId: "p" },
          externalId: "again",
          content: Builders.text("Hello again")
        } as const
        const { handled, repeated } = yield* (yield* Inbox).receive(place.account, [message])
        assert.deepStrictEqual([handled, repeated, yield* told(place, "message.received")], [1, 0, 2])
      })
  },
  {
    name: "a member closes a chat",
    held: { table: "chat", column: "workspace_id" },
    wanted: { table: "lead", column: "workspace_id" },
    verb: (place) =>
      Effect.gen(function* () {
        const { change, list } = yield* Chats
        const { data } = yield* list(place.workspace.id, {}, {})
        const ids = data.map(({ id }) => id)
        assert.deepStrictEqual(yield* change(place.workspace.id, ids, { type: "close" }, system), ids)
        assert.strictEqual(yield* told(place, "chat.closed"), 1)
      })
  }
]

describe("a deadlock that ends ours", () => {
  for (const { held, name, verb, wanted } of meetings) {
    it.live(`is nothing to whoever called, as ${name}`, () =>
      Effect.gen(function* () {
        const url = yield* Effect.scoped(
          Effect.gen(function* () {
            const place = yield* TwoEngines.open
            const { account, engines, scene, url, workspace } = place
            const inOne = Effect.gen(function* () {
              const later = { startAt: Date.now() + 9e9 }
              yield* scene.start((yield* scene.campaign("later", [account], [{ id: "p" }], later)).id)
              const hello = {
                type: "messageReceived",
                dedupeKey: "first",
                at: Builders.start,
                participant: { scope: "", externalId: "p" },
                externalId: "first",
                content: Builders.text("Hello")
              } as const
              yield* (yield* Inbox).receive(account, [hello])
              const [person] = (yield* (yield* ContactStore).list(workspace.id, {})).data
              const stranger = yield* Stranger.on(url)
              const take = ({ column, table }: Rows) =>
                stranger.say(`select 1 from overture_${table} where ${column} = $1 for update`, [workspace.id])
              yield* take(held)
              const theirs = stranger.awaited.pipe(Effect.andThen(take(wanted)), Effect.andThen(stranger.commit))
              yield* Effect.all([verb(place, person!.id), theirs], { concurrency: 2 })
            })
            yield* Effect.provideContext(Effect.timeout(inOne, "30 seconds"), engines[0])
            return url
          })
        )
        assert.isAtLeast(yield* TwoEngines.deadlocks(url), 1)
      })
    )
  }
})
