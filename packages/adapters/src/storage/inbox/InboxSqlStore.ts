/** What an inbox shows. */
import { InboxStore } from "@overture/core/chat/InboxStore"
import { Effect, Layer } from "effect"
import { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as ChatRow from "../rows/ChatRow.ts"
import * as Columns from "../rows/Columns.ts"
import * as ChatLists from "./ChatLists.ts"
import * as MessageLists from "./MessageLists.ts"
import * as Threads from "./Threads.ts"

const statements = defineStatements("InboxStore", (sql) => ({
  find: `select ${Columns.select(ChatRow.columns, "c")} from ${sql.t("chat")} as c
    where c.id in (select x.id from ${sql.rows("x", 2, { id: "id" })}) and c.workspace_id = $1 order by c.id`
}))

export const make = (database: Database["Service"]): InboxStore["Service"] => {
  const { find } = database.statements(statements)
  return InboxStore.of({
    ...ChatLists.make(database),
    ...MessageLists.make(database),
    ...Threads.make(database),
    find: (workspace, chats) =>
      chats.length === 0
        ? Effect.succeed([])
        : Effect.map(database.execute<ChatRow.ChatRow>(find, [workspace, chats.map((id) => ({ id }))]), (rows) =>
            rows.map(ChatRow.decode)
          )
  })
}

export const layer: Layer.Layer<InboxStore, never, Database> = Layer.effect(InboxStore, Effect.map(Database, make))
