/** What is sent without a pace: queued by a member, the API or a schedule, and cancelled while nobody has claimed it. */
import type { Message } from "@overture/core/chat/Message"
import { liftable } from "@overture/core/outbox/QueuedGates"
import type { OutboxStore } from "@overture/core/outbox/OutboxStore"
import type { MessageId } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import * as Budgets from "../Budgets.ts"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as EventSqlStore from "../EventSqlStore.ts"
import * as Columns from "../rows/Columns.ts"
import * as MessageRow from "../rows/MessageRow.ts"
import * as Chats from "./Chats.ts"
import { lookup, matches } from "./Lookup.ts"

const reasons = liftable.map((reason) => `'${reason}'`).join(", ")

const statements = defineStatements("OutboxQueue", (sql) => {
  const at = sql.p(2, "bigint")
  return {
    enqueue: `insert into ${sql.t("message")}(${Columns.names(MessageRow.columns)})
    select ${Columns.select(MessageRow.columns, "x")} from ${sql.rows("x", 1, MessageRow.columns)} where true
    on conflict (id) do nothing returning id`,
    lock: `select ${Columns.select(MessageRow.columns, "m")} from ${sql.t("message")} as m
    where m.id = $1 and m.workspace_id = $2 and m.status = 'queued' and m.claim_id is null
      and m.lead_id is null ${sql.lock("m")}`,
    cancel: `update ${sql.t("message")} as m set status = 'cancelled', reason = x.why, claim_id = null, due_at = null,
    reserved = null from ${sql.rows("x", 1, { message_id: "id", why: "text" })} where ${matches(sql, "m.id", "x.message_id")}`,
    // Nobody is waited for: who holds such a message claims, cancels or erases it.
    putOff: `select w.id as message_id, ${sql.greatest(at, "coalesce(w.not_before, 0)")} as at
      from ${sql.rows("x", 1, { account: "id" })}
      ${lookup(
        sql,
        "message",
        "w",
        `w.account_id = x.account and w.due_at is not null and w.reason is not null and w.reason in (${reasons})
          and w.due_at > ${sql.greatest(at, "coalesce(w.not_before, 0)")}`,
        "skip"
      )}`,
    wake: `update ${sql.t("message")} as m set due_at = x.at from ${sql.rows("x", 1, { message_id: "id", at: "bigint" })}
      where ${matches(sql, "m.id", "x.message_id")}`,
    next: `select m.due_at from ${sql.t("message")} as m where m.due_at is not null order by m.due_at limit 1`
  }
})

/** Ends queued messages whose rows are locked, and gives back what they reserve; tells them as they are then. */
export const canceller = (database: Database["Service"]) => {
  const { cancel } = database.statements(statements)
  const budgets = Budgets.make(database)
  return Effect.fnUntraced(function* (
    cancelled: ReadonlyArray<{ readonly message: Message; readonly reason: string | null }>
  ) {
    if (cancelled.length === 0) return []
    yield* database.affected(cancel, [
      cancelled.map(({ message, reason }) => ({ message_id: message.id, why: reason }))
    ])
    yield* budgets.giveBack(cancelled.map(({ message }) => message))
    return cancelled.map(
      ({ message, reason }): Message => ({
        ...message,
        status: "cancelled",
        reason,
        claim: null,
        dueAt: null,
        reserved: null
      })
    )
  })
}

export const make = (
  database: Database["Service"]
): Pick<OutboxStore["Service"], "enqueue" | "wake" | "cancel" | "nextQueued"> => {
  const sql = database.statements(statements)
  const { affected, execute, executeAlone, transaction } = database
  const append = EventSqlStore.appender(database)
  const cancel = canceller(database)
  const chats = Chats.make(database)
  return {
    enqueue: (messages, openings, events) =>
      transaction(
        Effect.gen(function* () {
          const making = yield* chats.write(openings, [], yield* chats.existing(openings.map(({ id }) => id)))
          const rows =
            messages.length === 0
              ? []
              : yield* execute<{ readonly id: MessageId }>(sql.enqueue, [messages.map(MessageRow.encode)])
          const added = new Set(rows.map(({ id }) => id))
          const leftOut = new Set<string>(messages.flatMap(({ id }) => (added.has(id) ? [] : [id])))
          yield* chats.tell(
            making,
            events.filter(({ subject }) => !leftOut.has(subject))
          )
          return messages.flatMap(({ id }) => (added.delete(id) ? [id] : []))
        })
      ),
    wake: (accounts, now) =>
      accounts.length === 0
        ? Effect.void
        : transaction(
            Effect.gen(function* () {
              const keys = Array.from(new Set(accounts), (account) => ({ account }))
              const rows = yield* execute(sql.putOff, [keys, now])
              if (rows.length > 0) yield* affected(sql.wake, [rows])
            })
          ),
    cancel: (workspace, id, reason, events) =>
      transaction(
        Effect.gen(function* () {
          const [row] = yield* execute<MessageRow.MessageRow>(sql.lock, [id, workspace])
          if (row === undefined) return false
          yield* cancel([{ message: MessageRow.decode(row), reason }])
          yield* append(events)
          return true
        })
      ),
    nextQueued: Effect.map(executeAlone<{ readonly due_at: number }>(sql.next), ([row]) => row?.due_at ?? null)
  }
}
