/** Two engines on one PostgreSQL whose host sends the same message at both: it is one, and the person gets it once. */
import { EventStore } from "@overture/core/event/EventStore"
import { Messages } from "@overture/core/outbox/Messages"
import type * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as TwoEngines from "./TwoEngines.ts"

const people = Array.from({ length: 6 }, (_, i) => `p${i}`)

describe("a race of a message with a key", () => {
  it.live(
    "on one PostgreSQL queues it once, and both are told which it is",
    () =>
      Effect.gen(function* () {
        const { account, engines, workspace } = yield* TwoEngines.open
        const send = (person: string) =>
          Effect.flatMap(Messages, (messages) =>
            messages.send(workspace.id, {
              to: { account: account.id, person },
              content: Builders.text("Your order is on its way"),
              author: { type: "api", id: null },
              takeOver: true,
              key: `order of ${person}`
            })
          )
        const all = Effect.forEach(people, send, { concurrency: 3 })
        const by = <A, E>(engine: number, effect: Effect.Effect<A, E, Overture.Services>) =>
          Effect.provideContext(effect, engines[engine]!)
        const sent = yield* Effect.all([by(0, all), by(1, all), by(0, all)], { concurrency: "unbounded" })
        assert.strictEqual(new Set(sent.flat().map(({ id }) => id)).size, people.length)
        assert.deepStrictEqual(
          sent.map((one) => one.map(({ id }) => id)),
          sent.map(() => sent[0].map(({ id }) => id))
        )
        const feed = yield* by(
          0,
          Effect.flatMap(EventStore, ({ read }) => read(workspace.id, null, 1_000))
        )
        const told = (type: string) => feed.filter(({ event }) => event.type === type).length
        assert.deepStrictEqual([told("message.queued"), told("chat.taken_over")], [people.length, people.length])
      }).pipe(Effect.scoped),
    120_000
  )
})
