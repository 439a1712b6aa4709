/**
 * Records what became of sends, in one transaction fenced by the claim in each message. Only what the claim still holds
 * as `sending` is judged; the answer is written with chats, suppressions, events and the budgets that go back.
 */
import type { ExternalRef } from "@overture/core/chat/ChatStore"
import type { Message } from "@overture/core/chat/Message"
import type { EarlyNotice } from "@overture/core/chat/Notice"
import type { HeldResult, OutboxStore } from "@overture/core/outbox/OutboxStore"
import {
  dropsParts,
  externalIdOf,
  isRemoved,
  keepsReservation,
  type Result,
  type Settled
} from "@overture/core/outbox/Settling"
import type { MessageId } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import * as Budgets from "../Budgets.ts"
import * as ChatNotices from "../ChatNotices.ts"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as Alarms from "../campaign/Alarms.ts"
import * as Columns from "../rows/Columns.ts"
import { encodeSuppression, suppressionColumns } from "../rows/ContactRow.ts"
import * as MessageRow from "../rows/MessageRow.ts"
import * as Chats from "./Chats.ts"
import * as Held from "./Held.ts"
import * as Parts from "./Parts.ts"
import { matches } from "./Lookup.ts"

/** What settling changes: of the indexed columns only `external_id` gets another value, and `due_at` of what waits. */
const settledColumns = Columns.pick(
  MessageRow.columns,
  "status",
  "reason",
  "error_code",
  "error_detail",
  "attempts",
  "tries",
  "external_id",
  "due_at",
  "claim_id",
  "stop",
  "reserved",
  "begun_at",
  "sent_at",
  "delivered_at",
  "read_at",
  "failed_at"
)

/** All that an accepted send changes of nearly every message. */
const sentColumns = Columns.pick(MessageRow.columns, "status", "attempts", "external_id", "claim_id", "sent_at")
const sentFields: ReadonlySet<string> = new Set<keyof Message>(["status", "attempts", "externalId", "claim", "sentAt"])

const statements = defineStatements("OutboxSettle", (sql) => ({
  sent: `update ${sql.t("message")} as m set ${Columns.assign(sentColumns, "x")}
    from ${sql.rows("x", 1, { message_id: "id", ...sentColumns })} where ${matches(sql, "m.id", "x.message_id")}`,
  messages: `update ${sql.t("message")} as m set ${Columns.assign(settledColumns, "x")}
    from ${sql.rows("x", 1, { message_id: "id", ...settledColumns })} where ${matches(sql, "m.id", "x.message_id")}`,
  // What was told before it was settled may have changed anything of it.
  noticed: `update ${sql.t("message")} as m set ${Columns.assign(MessageRow.stateColumns, "x", "id")}
    from ${sql.rows("x", 1, MessageRow.stateColumns)} where ${matches(sql, "m.id", "x.id")}`,
  suppressions: `insert into ${sql.t("suppression")}(${Columns.names(suppressionColumns)})
    select ${Columns.select(suppressionColumns, "x")} from ${sql.rows("x", 1, suppressionColumns)} where true
    on conflict do nothing`
}))

/** What the row holds once settled. */
const reserved = (settled: Settled, before: Message): Message["reserved"] =>
  keepsReservation(settled) && settled.message.status !== "cancelled" ? before.reserved : null

const keyOf = ({ chat, externalId }: ExternalRef): string => `${chat}|${externalId}`

/** Under what the platform tells of it. */
const refOf = (result: Result, { chat, externalId }: Pick<Message, "chat" | "externalId">): ExternalRef | null => {
  const id = externalIdOf(result, { externalId })
  return id === null ? null : { chat, externalId: id }
}

const encode = (settled: Settled, before: Message) => {
  const { message } = settled
  return {
    message_id: message.id,
    status: message.status,
    reason: message.reason,
    error_code: message.errorCode,
    error_detail: message.errorDetail,
    attempts: message.attempts,
    tries: message.tries,
    external_id: message.externalId,
    due_at: message.dueAt,
    claim_id: message.claim,
    stop: message.stop,
    reserved: reserved(settled, before),
    begun_at: message.begunAt,
    sent_at: message.sentAt,
    delivered_at: message.deliveredAt,
    read_at: message.readAt,
    failed_at: message.failedAt
  }
}

const encodeSent = ({ attempts, claim, externalId, id, sentAt, status }: Message) => ({
  message_id: id,
  status,
  attempts,
  external_id: externalId,
  claim_id: claim,
  sent_at: sentAt
})

export const make = (database: Database["Service"]): OutboxStore["Service"]["settle"] => {
  const sql = database.statements(statements)
  const alarms = Alarms.make(database)
  const budgets = Budgets.make(database)
  const chats = Chats.make(database)
  const held = Held.make(database)
  const parts = Parts.make(database)
  const notices = ChatNotices.ofMessages(database)

  /** Writes messages, and tells those whose reservation goes back once the chats are written: these are locked before paces. */
  const writeMessages = Effect.fnUntraced(function* (
    settled: ReadonlyArray<Settled>,
    before: ReadonlyMap<MessageId, Message>
  ) {
    const kept = settled.filter((one) => !isRemoved(one))
    const sent: Array<Message> = []
    const others: Array<Settled> = []
    const noticed: Array<Message> = []
    for (const one of kept) {
      const row = before.get(one.message.id)!
      if (one.message.details !== row.details || one.message.content !== row.content) {
        noticed.push({ ...one.message, reserved: reserved(one, row) })
        continue
      }
      const isSent = reserved(one, row) === row.reserved && Columns.differsOnlyIn(sentFields, row, one.message)
      if (isSent) sent.push(one.message)
      else others.push(one)
    }
    if (sent.length > 0) yield* database.write(sql.sent, [sent.map(encodeSent)])
    if (others.length > 0) {
      yield* database.write(sql.messages, [others.map((one) => encode(one, before.get(one.message.id)!))])
    }
    if (noticed.length > 0) yield* database.write(sql.noticed, [noticed.map(MessageRow.encodeState)])
    const removed = settled.filter(isRemoved).map(({ message }) => before.get(message.id)!)
    const settledIds = new Set(settled.map(({ message }) => message.id))
    // Rendered and reserved whole again with part 0, so the other parts must hold nothing meanwhile.
    const dropped = (yield* parts.queued(settled.filter(dropsParts).map(({ message }) => message))).filter(
      ({ id }) => !settledIds.has(id)
    )
    yield* parts.remove([...removed, ...dropped].map(({ id }) => id))
    const emptied = kept.filter((one) => reserved(one, before.get(one.message.id)!) === null)
    return [...removed, ...dropped, ...emptied.map(({ message }) => before.get(message.id)!)]
  })

  /** The results that are still held, with what was told of them; that waits no more. */
  const withNotices = Effect.fnUntraced(function* (
    results: ReadonlyArray<Result>,
    before: ReadonlyMap<MessageId, Message>,
    early: ReadonlyArray<EarlyNotice>
  ) {
    const found = results.flatMap((result): ReadonlyArray<HeldResult> => {
      const message = before.get(result.claimed.message.id)
      return message === undefined ? [] : [{ result, message }]
    })
    // Where an echo told the id, the outcome may not.
    const others = found.flatMap(({ message, result }) =>
      message.externalId === null || result.outcome.type === "accepted" ? [] : (refOf(result, message) ?? [])
    )
    const waiting = Map.groupBy([...early, ...(yield* notices.waiting(others))], keyOf)
    if (waiting.size === 0) return found
    const noticed = found.map((one) => {
      const ref = refOf(one.result, one.message)
      const own = ref === null ? undefined : waiting.get(keyOf(ref))
      return own === undefined ? one : { ...one, notices: own.map(({ notice }) => notice) }
    })
    yield* notices.remove(
      noticed.flatMap((one) => (one.notices === undefined ? [] : (refOf(one.result, one.message) ?? [])))
    )
    return noticed
  })

  return (claim, results, conclude) =>
    database.hotTransaction(
      Effect.gen(function* () {
        const messages = results.map(({ claimed }) => claimed.message)
        // Notices come after the lock of their messages: who tells of one that is being sent holds it.
        const [before, existing, early] = yield* Effect.all(
          [
            held.sending(claim, messages),
            chats.existing(messages.map(({ chat }) => chat)),
            notices.waiting(results.flatMap((result) => refOf(result, result.claimed.message) ?? []))
          ],
          { concurrency: "unbounded" }
        )
        const writes = conclude(yield* withNotices(results, before, early))
        const returning = yield* writeMessages(writes.settled, before)
        const making = yield* chats.write(writes.openings, writes.touches, existing)
        const waking = writes.settled.flatMap(({ fate, message }) =>
          fate === "again" || fate === "returned" ? [message.account] : []
        )
        yield* alarms.hold(waking)
        yield* budgets.giveBack(returning)
        if (writes.suppressions.length > 0) {
          yield* database.write(sql.suppressions, [writes.suppressions.map(encodeSuppression)])
        }
        yield* chats.tell(making, writes.events)
        return writes
      })
    )
}
