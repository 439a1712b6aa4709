/** The parts of touches that were not begun: found and locked by their touch, and removed, so that all is rendered anew. */
import type { Message } from "@overture/core/chat/Message"
import type { MessageId } from "@overture/core/workspace/Id"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as Columns from "../rows/Columns.ts"
import * as MessageRow from "../rows/MessageRow.ts"
import { lookup, matches } from "./Lookup.ts"

const statements = defineStatements("OutboxParts", (sql) => {
  const ids = sql.rows("x", 1, { message_id: "id" })
  return {
    queued: `select ${Columns.select(MessageRow.columns, "m")} from ${sql.rows("x", 1, { lead_id: "id", step_id: "id" })}
      ${lookup(sql, "message", "m", "m.lead_id = x.lead_id and m.step_id = x.step_id and m.status = 'queued'", "wait")}`,
    remove: `delete from ${sql.t("message")} as m ${sql.pick({
      postgres: `using ${ids} where ${matches(sql, "m.id", "x.message_id")}`,
      sqlite: `where m.id in (select x.message_id from ${ids})`
    })}`
  }
})

export interface Parts {
  /** Locks what is queued of the touches of these messages, themselves included. */
  readonly queued: (messages: ReadonlyArray<Message>) => Effect.Effect<ReadonlyArray<Message>, StorageError>
  readonly remove: (ids: ReadonlyArray<MessageId>) => Effect.Effect<void, StorageError>
}

export const make = (database: Database["Service"]): Parts => {
  const sql = database.statements(statements)
  return {
    queued: (messages) =>
      messages.length === 0
        ? Effect.succeed([])
        : Effect.map(
            database.execute<MessageRow.MessageRow>(sql.queued, [
              messages.map(({ lead, step }) => ({ lead_id: lead, step_id: step }))
            ]),
            (rows) => rows.map(MessageRow.decode)
          ),
    remove: (ids) =>
      ids.length === 0
        ? Effect.void
        : Effect.asVoid(database.affected(sql.remove, [ids.map((id) => ({ message_id: id }))]))
  }
}
