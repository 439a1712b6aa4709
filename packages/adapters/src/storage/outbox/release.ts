/**
 * Gives messages back that were claimed and never begun: by their own worker (`release`), or by another one after the
 * lease ran out (`recover`). The rows of a touch go, to be rendered anew; other messages are simply due again.
 */
import type { Message } from "@overture/core/chat/Message"
import type { OutboxStore } from "@overture/core/outbox/OutboxStore"
import type { ClaimId, MessageId } from "@overture/core/workspace/Id"
import type { Instant } from "@overture/core/workspace/Instant"
import { Effect } from "effect"
import * as Budgets from "../Budgets.ts"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as Alarms from "../campaign/Alarms.ts"
import * as Columns from "../rows/Columns.ts"
import * as Held from "./Held.ts"
import * as Parts from "./Parts.ts"
import { matches } from "./Lookup.ts"

const statements = defineStatements("OutboxRelease", (sql) => ({
  return: `update ${sql.t("message")} as m set claim_id = null, due_at = x.at, reserved = x.holds
    from ${sql.rows("x", 1, { message_id: "id", at: "bigint", holds: "json" })} where ${matches(sql, "m.id", "x.message_id")}`,
  // The clock in a subquery, so that the index can be asked for what lies before it.
  expired: `select c.id, c.message_ids from ${sql.t("claim")} as c where c.until < (select ${sql.now})
    order by c.until limit 1 ${sql.pick({ postgres: "for update skip locked", sqlite: "" })}`,
  adopt: `update ${sql.t("message")} as m set claim_id = ${sql.p(2, "id")}
    from ${sql.rows("x", 1, { message_id: "id" })} where ${matches(sql, "m.id", "x.message_id")}`
}))

export const make = (database: Database["Service"]): Pick<OutboxStore["Service"], "release" | "recover" | "finish"> => {
  const sql = database.statements(statements)
  const { affected, execute, hotTransaction } = database
  const alarms = Alarms.make(database)
  const budgets = Budgets.make(database)
  const held = Held.make(database)
  const parts = Parts.make(database)

  /** Gives back what is locked; a later part of a touch keeps its reservation, for claiming it again takes none. */
  const giveBack = Effect.fnUntraced(function* (messages: ReadonlyArray<Message>, now: Instant) {
    const isTouch = (message: Message) => message.lead !== null && message.part === 0
    const removed = yield* parts.queued(messages.filter(isTouch))
    yield* parts.remove(removed.map(({ id }) => id))
    const returned = messages.filter((message) => !isTouch(message))
    if (returned.length > 0) {
      const rows = returned.map(({ id, lead, reserved }) => ({
        message_id: id,
        at: now,
        holds: lead === null ? null : reserved
      }))
      yield* affected(sql.return, [rows])
    }
    yield* alarms.hold(messages.flatMap(({ account, lead }) => (lead === null ? [] : [account])))
    yield* budgets.giveBack([...removed, ...returned.filter(({ lead }) => lead === null)])
  })

  return {
    release: (claim, ids, now) =>
      hotTransaction(
        Effect.gen(function* () {
          const queued = (yield* held.messages(claim, ids)).filter(({ status }) => status === "queued")
          yield* giveBack(queued, now)
          return queued
        })
      ),
    recover: (lease, now) =>
      hotTransaction(
        Effect.gen(function* () {
          const [old] = yield* execute<{ readonly id: ClaimId; readonly message_ids: string }>(sql.expired)
          if (old === undefined) return null
          const messages = yield* held.messages(old.id, Columns.array<MessageId>(old.message_ids))
          const queued = messages.filter(({ status }) => status === "queued")
          yield* giveBack(queued, now)
          const sending = messages
            .filter(({ status }) => status === "sending")
            .map((message): Message => ({ ...message, claim: lease.claim }))
          if (sending.length > 0) {
            yield* affected(sql.adopt, [sending.map(({ id }) => ({ message_id: id })), lease.claim])
            yield* held.start(
              lease,
              sending.map(({ id }) => id)
            )
          }
          yield* held.remove(old.id)
          return { id: lease.claim, sending: yield* held.claimed(sending), returned: yield* held.claimed(queued) }
        })
      ),
    finish: (claim) =>
      hotTransaction(
        Effect.gen(function* () {
          const ids = yield* held.claim(claim)
          if (ids !== null && !(yield* held.holdsAny(claim, ids))) yield* held.remove(claim)
        })
      )
  }
}
