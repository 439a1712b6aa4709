/**
 * Two engines on one PostgreSQL: of one account the sends of the one are refused, as the account's trouble, while the other
 * sets that right, and people write to it. All of them lock the paces of the account before its row, so nobody waits in a
 * circle.
 */
import { Accounts } from "@overture/core/account/Accounts"
import { Inbox } from "@overture/core/chat/Inbox"
import { system } from "@overture/core/event/DomainEvent"
import { Messages } from "@overture/core/outbox/Messages"
import { Outbox } from "@overture/core/outbox/Outbox"
import * as Builders from "@overture/core/testing/Builders"
import * as TestChannel from "@overture/core/testing/TestChannel"
import { everything } from "@overture/core/workspace/Page"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as TwoEngines from "./TwoEngines.ts"

const rounds = 12
const campaigns = 6

describe("a race of sends that are the account's trouble and of who sets it right", () => {
  it.live(
    "on one PostgreSQL fails nobody, and leaves every message as it was",
    () =>
      Effect.gen(function* () {
        const database = yield* Effect.scoped(
          Effect.gen(function* () {
            const channel = TestChannel.make({ answer: () => ({ type: "restricted" }) })
            const { account, engines, scene, url, workspace } = yield* TwoEngines.openWith(channel)
            const [sending, changing] = engines
            for (let i = 0; i < campaigns; i++) {
              const later = { startAt: Date.now() + 9e9 }
              const made = yield* Effect.provideContext(
                scene.campaign(`later ${i}`, [account], [{ id: `p${i}` }], later),
                sending
              )
              yield* Effect.provideContext(scene.start(made.id), sending)
            }
            const author = { type: "api", id: null } as const
            const change = Effect.flatMap(Accounts, (accounts) =>
              accounts.change(workspace.id, account.id, { attention: [], restingUntil: null, banned: false }, system)
            )
            const writes = (round: number, i: number) =>
              Effect.flatMap(Inbox, ({ receive }) =>
                receive(account, [
                  {
                    type: "messageReceived",
                    dedupeKey: `${round}-${i}`,
                    at: Builders.start + round,
                    participant: { scope: "", externalId: `p${i}` },
                    externalId: `${round}-${i}`,
                    content: Builders.text("Hello")
                  },
                  { type: "accountTroubled", dedupeKey: `t${round}-${i}`, at: Builders.start, reason: "challenge" }
                ])
              )
            for (let round = 0; round < rounds; round++) {
              const send = Effect.flatMap(Messages, (messages) =>
                messages.send(workspace.id, {
                  to: { account: account.id, person: `p${round % campaigns}` },
                  content: Builders.text("Dear"),
                  author
                })
              )
              yield* Effect.provideContext(Effect.andThen(change, send), changing)
              yield* Effect.all(
                [
                  Effect.provideContext(
                    Effect.flatMap(Outbox, ({ tick }) => Effect.repeat(tick, { times: 3 })),
                    sending
                  ),
                  ...Array.from({ length: 4 }, () =>
                    Effect.provideContext(Effect.repeat(change, { times: 3 }), changing)
                  ),
                  ...[0, 1].map((i) => Effect.provideContext(writes(round, i), engines[i]!))
                ],
                { concurrency: "unbounded" }
              )
            }
            const { list } = yield* Effect.provideContext(Messages, sending)
            const messages = yield* everything((page) => list(workspace.id, {}, page))
            const queued = messages.filter(({ direction }) => direction === "outbound")
            assert.lengthOf(queued, rounds)
            assert.isTrue(queued.every(({ claim, status }) => status === "queued" && claim === null))
            assert.isAtLeast(channel.asked.length, 1)
            return url
          })
        )
        assert.strictEqual(yield* TwoEngines.deadlocks(database), 0)
      }),
    60_000
  )
})
