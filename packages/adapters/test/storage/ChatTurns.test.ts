/** Who waits for whom before they tell of chats, on PostgreSQL: whoever shares one, and a large batch for all of its account. */
import type { AccountId, ChatId } from "@overture/core/workspace/Id"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import * as ChatTurns from "../../src/storage/ChatTurns.ts"
import { Database } from "../../src/storage/Database.ts"
import * as Postgres from "../../src/storage/postgres/Postgres.ts"
import { freshDatabase } from "./TestPostgres.ts"

interface Batch {
  readonly account: AccountId
  readonly chats: ReadonlyArray<ChatId>
}

const chat = (i: number) => `cht_0199aa000000700080000000${i.toString(16).padStart(8, "0")}` as ChatId
const batch = (from: number, to: number, account = 0): Batch => ({
  account: `acc_0199aa0000007000800000000000000${account}` as AccountId,
  chats: Array.from({ length: to - from }, (_, i) => chat(from + i))
})

const meetings: ReadonlyArray<readonly [string, first: Batch, second: Batch, waits: boolean]> = [
  ["of one chat", batch(0, 2), batch(1, 3), true],
  ["of other chats", batch(0, 2), batch(2, 4), false],
  ["of which the first is large", batch(0, 300), batch(1_000, 1_001), true],
  ["of which the second is large", batch(1_000, 1_001), batch(0, 300), true],
  ["that are large", batch(0, 300), batch(1_000, 1_300), true],
  ["of two accounts", batch(0, 300), batch(0, 1, 1), false]
]

const held = {
  name: "held",
  id: "held",
  text: `select count(*)::int as n from pg_locks as l join pg_database as d on d.oid = l.database
    where d.datname = current_database() and l.locktype = 'advisory' and not l.granted`,
  bind: () => []
}

let url: string
beforeAll(async () => {
  url = await freshDatabase()
})

describe("the second of two batches", () => {
  for (const [name, first, second, waits] of meetings) {
    it.live(`${name} ${waits ? "waits for the end of the first" : "waits for nobody"}`, () =>
      Effect.gen(function* () {
        const told: Array<string> = []
        yield* Effect.provide(
          Effect.gen(function* () {
            const database = yield* Database
            const { awaitTurn } = ChatTurns.make(database)
            const waiting = Effect.map(database.execute<{ readonly n: number }>(held), ([row]) => row!.n)
            const telling = <E>(who: string, { account, chats }: Batch, meanwhile: Effect.Effect<unknown, E>) =>
              database.transaction(
                Effect.gen(function* () {
                  yield* awaitTurn(account, chats)
                  // The turn is asked for without waiting for an answer: that of another statement comes after it.
                  yield* waiting
                  yield* meanwhile
                  told.push(who)
                })
              )
            const began = yield* Deferred.make<void>()
            const later = yield* Effect.forkChild(
              Effect.andThen(Deferred.await(began), telling("second", second, Effect.void))
            )
            const meeting = Effect.andThen(
              Deferred.succeed(began, undefined),
              Effect.raceFirst(Effect.repeat(waiting, { until: (n) => n > 0 }), Fiber.await(later))
            )
            yield* telling("first", first, meeting)
            yield* Fiber.join(later)
          }),
          Postgres.layer({ url, connections: 2 })
        )
        assert.deepStrictEqual(told, waits ? ["first", "second"] : ["second", "first"])
      })
    )
  }
})
