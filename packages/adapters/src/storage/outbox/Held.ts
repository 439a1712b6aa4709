/**
 * What a claim holds. The fence is the claim's id in each message: who takes a claim over writes it anew under the lock of
 * the message, so its row is neither locked nor written until the claim ends. Leads and messages are locked together in
 * the order of the leads, although leads are not read here: reactions change them in the same transaction, and whoever
 * waits takes a lead before its messages.
 */
import type { Claimed, Message } from "@overture/core/chat/Message"
import type { Lease } from "@overture/core/outbox/Claim"
import type { AccountId, ClaimId, LeadId, MessageId } from "@overture/core/workspace/Id"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements, type Sql } from "../Dialect.ts"
import * as AccountRow from "../rows/AccountRow.ts"
import * as Columns from "../rows/Columns.ts"
import * as MessageRow from "../rows/MessageRow.ts"
import { lookup } from "./Lookup.ts"

/** What may have changed of a message that is being sent: all else is as it was claimed. */
const changing = Columns.pick(MessageRow.columns, "id", "contact_id", "external_id", "stop", "begun_at", "sent_at")

const locked = (sql: Sql, columns: Columns.Columns, where = "") =>
  `select ${Columns.select(columns, "m")} from ${sql.rows("x", 1, { id: "id", lead_id: "id" })}
    ${sql.pick({
      postgres: `left join lateral (select l.id from ${sql.t("lead")} as l where l.id = x.lead_id ${sql.lock("l")}) as l on true`,
      sqlite: ""
    })}
    ${lookup(
      sql,
      "message",
      "m",
      // Speaks of the lead only to come after its lock.
      `m.id = x.id and m.claim_id = $2 ${where} ${sql.pick({ postgres: "and coalesce(l.id, x.id) is not null", sqlite: "" })}`,
      "wait"
    )}`

const statements = defineStatements("OutboxHeld", (sql) => ({
  claim: `select c.message_ids from ${sql.t("claim")} as c where c.id = $1 ${sql.pick({ postgres: "for update", sqlite: "" })}`,
  leads: `select m.id, m.lead_id from ${sql.rows("x", 1, { id: "id" })} ${lookup(sql, "message", "m", "m.id = x.id")}`,
  messages: locked(sql, MessageRow.columns),
  sending: locked(sql, changing, "and m.status = 'sending'"),
  alive: `select 1 as alive from ${sql.rows("x", 1, { id: "id" })}
    ${lookup(sql, "message", "m", "m.id = x.id and m.claim_id = $2")} limit 1`,
  accounts: `select ${Columns.select(AccountRow.columns, "a")} from ${sql.rows("x", 1, { id: "id" })}
    ${lookup(sql, "account", "a", "a.id = x.id")}`,
  insert: `insert into ${sql.t("claim")}(id, worker, until, message_ids)
    values ($1, $2, ${sql.now} + ${sql.p(3, "bigint")}, ${sql.p(4, "json")})`,
  remove: `delete from ${sql.t("claim")} where id = $1`
}))

type Changing = Pick<MessageRow.MessageRow, keyof typeof changing>

interface Key {
  readonly id: MessageId
  readonly lead: LeadId | null
}

const inOrder = (keys: ReadonlyArray<Key>) =>
  keys
    .map(({ id, lead }) => ({ id, lead_id: lead, order: lead ?? id }))
    .sort((a, b) => (a.order === b.order ? (a.id < b.id ? -1 : 1) : a.order < b.order ? -1 : 1))
    .map(({ id, lead_id }) => ({ id, lead_id }))

export interface Held {
  /** Locks the claim's row and tells the messages it began with; null when there is none. */
  readonly claim: (claim: ClaimId) => Effect.Effect<ReadonlyArray<MessageId> | null, StorageError>
  /** Locks and reads those of the messages that the claim holds. */
  readonly messages: (
    claim: ClaimId,
    ids: ReadonlyArray<MessageId>
  ) => Effect.Effect<ReadonlyArray<Message>, StorageError>
  /** Of messages that the caller knows as they were claimed, those that are being sent, as they are now; by id. */
  readonly sending: (
    claim: ClaimId,
    known: ReadonlyArray<Message>
  ) => Effect.Effect<ReadonlyMap<MessageId, Message>, StorageError>
  /** Messages with their accounts. */
  readonly claimed: (messages: ReadonlyArray<Message>) => Effect.Effect<ReadonlyArray<Claimed>, StorageError>
  /** Makes the row of a new claim. */
  readonly start: (lease: Lease, ids: ReadonlyArray<MessageId>) => Effect.Effect<void, StorageError>
  /** Whether the claim holds any of these messages. */
  readonly holdsAny: (claim: ClaimId, ids: ReadonlyArray<MessageId>) => Effect.Effect<boolean, StorageError>
  readonly remove: (claim: ClaimId) => Effect.Effect<void, StorageError>
}

export const make = (database: Database["Service"]): Held => {
  const sql = database.statements(statements)
  const { affected, execute } = database
  return {
    claim: (claim) =>
      Effect.map(execute<{ readonly message_ids: string }>(sql.claim, [claim]), ([row]) =>
        row === undefined ? null : Columns.array<MessageId>(row.message_ids)
      ),
    messages: Effect.fnUntraced(function* (claim, ids) {
      if (ids.length === 0) return []
      const keys = yield* execute<{ readonly id: MessageId; readonly lead_id: LeadId | null }>(sql.leads, [
        ids.map((id) => ({ id }))
      ])
      const rows = yield* execute<MessageRow.MessageRow>(sql.messages, [
        inOrder(keys.map(({ id, lead_id }) => ({ id, lead: lead_id }))),
        claim
      ])
      return rows.map(MessageRow.decode)
    }),
    sending: Effect.fnUntraced(function* (claim, known) {
      const byId = new Map(known.map((message) => [message.id, message]))
      const rows = byId.size === 0 ? [] : yield* execute<Changing>(sql.sending, [inOrder([...byId.values()]), claim])
      return new Map(
        rows.map(({ begun_at, contact_id, external_id, id, sent_at, stop }) => [
          id,
          {
            ...byId.get(id)!,
            status: "sending",
            claim,
            contact: contact_id,
            externalId: external_id,
            stop,
            begunAt: begun_at,
            sentAt: sent_at
          }
        ])
      )
    }),
    claimed: Effect.fnUntraced(function* (messages) {
      if (messages.length === 0) return []
      const ids = [...new Set<AccountId>(messages.map(({ account }) => account))]
      const rows = yield* execute<AccountRow.AccountRow>(sql.accounts, [ids.map((id) => ({ id }))])
      const accounts = new Map(rows.map((row) => [row.id, AccountRow.decode(row)]))
      return messages.flatMap((message) => {
        const account = accounts.get(message.account)
        return account === undefined ? [] : [{ message, account }]
      })
    }),
    start: ({ claim, durationMs, worker }, ids) =>
      Effect.asVoid(affected(sql.insert, [claim, worker, durationMs, ids])),
    holdsAny: (claim, ids) =>
      Effect.map(execute(sql.alive, [ids.map((id) => ({ id })), claim]), (rows) => rows.length > 0),
    remove: (claim) => Effect.asVoid(affected(sql.remove, [claim]))
  }
}
