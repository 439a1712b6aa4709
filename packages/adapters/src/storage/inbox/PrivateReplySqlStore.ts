/** Which comments were answered in private: one row for each, taken by the first who asks. */
import { PrivateReplyStore } from "@overture/core/chat/PrivateReplyStore"
import type { MessageId } from "@overture/core/workspace/Id"
import { Effect, Layer } from "effect"
import { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"

const statements = defineStatements("PrivateReplyStore", (sql) => {
  const reply = sql.t("private_reply")
  return {
    take: `insert into ${reply}(account_id, comment, workspace_id, message_id, at)
      values ($1, $2, $3, $4, $5) on conflict (account_id, comment) do nothing`,
    holder: `select message_id from ${reply} where account_id = $1 and comment = $2`,
    release: `delete from ${reply} where message_id in (select x.id from ${sql.rows("x", 1, { id: "id" })})`
  }
})

export const make = (database: Database["Service"]): PrivateReplyStore["Service"] => {
  const sql = database.statements(statements)
  const { affected, execute, transaction } = database
  return PrivateReplyStore.of({
    reserve: ({ account, at, comment, message, workspace }) =>
      transaction(
        Effect.gen(function* () {
          if ((yield* affected(sql.take, [account, comment, workspace, message, at])) > 0) return message
          const [row] = yield* execute<{ readonly message_id: MessageId }>(sql.holder, [account, comment])
          return row?.message_id ?? message
        })
      ),
    release: (messages) =>
      messages.length === 0 ? Effect.void : Effect.asVoid(affected(sql.release, [messages.map((id) => ({ id }))]))
  })
}

export const layer: Layer.Layer<PrivateReplyStore, never, Database> = Layer.effect(
  PrivateReplyStore,
  Effect.map(Database, make)
)
