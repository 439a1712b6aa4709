/** Messages of conversations as what platforms tell is matched to them: by the platform's id, by chat, by time. */
import type { ChatStore } from "@overture/core/chat/ChatStore"
import type { Message } from "@overture/core/chat/Message"
import type { ChatId } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import type { Database } from "./Database.ts"
import { defineStatements } from "./Dialect.ts"
import { lookup } from "./outbox/Lookup.ts"
import * as Columns from "./rows/Columns.ts"
import * as MessageRow from "./rows/MessageRow.ts"

const statements = defineStatements("ChatLookups", (sql) => {
  const columns = Columns.select(MessageRow.columns, "m")
  const chats = sql.rows("x", 1, { id: "id" })
  return {
    byId: `select x.i, ${columns} from ${sql.rows("x", 1, { i: "int", id: "id" })}
      ${lookup(sql, "message", "m", "m.id = x.id")} where m.workspace_id = $2`,
    byExternalId: `select x.i, ${columns} from ${sql.rows("x", 1, { i: "int", chat_id: "id", external_id: "text" })}
      ${lookup(
        sql,
        "message",
        "m",
        "m.chat_id = x.chat_id and m.external_id = x.external_id and m.external_id is not null"
      )} where m.workspace_id = $2`,
    holdSending: `select m.id from ${chats}
      ${lookup(sql, "message", "m", "m.chat_id = x.id and m.status = 'sending'", "wait")}`,
    createdAt: `select ${columns} from ${sql.rows("x", 1, { chat_id: "id", at: "bigint" })}
      ${lookup(sql, "message", "m", "m.chat_id = x.chat_id and m.created_at = x.at")}`,
    unproven: `select ${columns} from ${chats} ${lookup(
      sql,
      "message",
      "m",
      "m.chat_id = x.id and (m.status = 'sending' or (m.status = 'failed' and m.reason = 'outcomeUnknown'))"
    )} order by m.created_at, m.id`
  }
})

type Found = MessageRow.MessageRow & { readonly i: number }

const idsOf = (chats: ReadonlyArray<ChatId>) => [...new Set(chats)].sort().map((id) => ({ id }))

export const make = (
  database: Database["Service"]
): Pick<ChatStore["Service"], "find" | "holdSending" | "createdAt" | "unproven"> => {
  const sql = database.statements(statements)
  const { execute } = database
  return {
    find: Effect.fnUntraced(function* (workspace, refs) {
      const found: Array<Message | null> = refs.map(() => null)
      const byId = refs.flatMap((ref, i) => ("id" in ref ? [{ i, id: ref.id }] : []))
      const byExternalId = refs.flatMap((ref, i) =>
        "id" in ref ? [] : [{ i, chat_id: ref.chat, external_id: ref.externalId }]
      )
      if (byId.length > 0) {
        for (const row of yield* execute<Found>(sql.byId, [byId, workspace])) found[row.i] = MessageRow.decode(row)
      }
      if (byExternalId.length > 0) {
        for (const row of yield* execute<Found>(sql.byExternalId, [byExternalId, workspace]))
          found[row.i] = MessageRow.decode(row)
      }
      return found
    }),
    holdSending: (chats) =>
      chats.length === 0 ? Effect.void : Effect.asVoid(execute(sql.holdSending, [idsOf(chats)])),
    createdAt: (places) =>
      places.length === 0
        ? Effect.succeed([])
        : Effect.map(
            execute<MessageRow.MessageRow>(sql.createdAt, [places.map(({ at, chat }) => ({ chat_id: chat, at }))]),
            (rows) => rows.map(MessageRow.decode)
          ),
    unproven: (chats) =>
      chats.length === 0
        ? Effect.succeed([])
        : Effect.map(execute<MessageRow.MessageRow>(sql.unproven, [idsOf(chats)]), (rows) =>
            rows.map(MessageRow.decode)
          )
  }
}
