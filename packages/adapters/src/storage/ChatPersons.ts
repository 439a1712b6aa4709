/** The chats of one person with all their messages: read for the person who asks, and written without them. */
import * as Chat from "@overture/core/chat/Chat"
import type { ChatStore } from "@overture/core/chat/ChatStore"
import * as Message from "@overture/core/chat/Message"
import type { ChatId } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import * as Budgets from "./Budgets.ts"
import * as ChatNotices from "./ChatNotices.ts"
import type { Database } from "./Database.ts"
import { defineStatements } from "./Dialect.ts"
import * as ChatRow from "./rows/ChatRow.ts"
import * as Columns from "./rows/Columns.ts"
import * as MessageRow from "./rows/MessageRow.ts"

const chatColumns = Columns.pick(
  ChatRow.columns,
  "address",
  "contact_id",
  "name",
  "last_text",
  "unread",
  "tags",
  "profile"
)
const { id: _id, ...messageColumns } = MessageRow.columns

const statements = defineStatements("ChatPersons", (sql) => {
  const ids = `(select x.id from ${sql.rows("x", 2, { id: "id" })})`
  const chats = `select ${Columns.select(ChatRow.columns, "c")} from ${sql.t("chat")} as c
    where c.id in ${ids} and c.workspace_id = $1 order by c.id`
  const messages = `select ${Columns.select(MessageRow.columns, "m")} from ${sql.t("message")} as m
    where m.chat_id in ${ids} and m.workspace_id = $1 order by m.id`
  return {
    chats,
    messages,
    lockChats: `${chats} ${sql.lock("c")}`,
    lockMessages: `${messages} ${sql.lock("m")}`,
    eraseChats: `update ${sql.t("chat")} as c set ${Columns.assign(chatColumns, "x")}
      from ${sql.rows("x", 1, { chat: "id", ...chatColumns })} where c.id = x.chat`,
    eraseMessages: `update ${sql.t("message")} as m set ${Columns.assign(messageColumns, "x")}
      from ${sql.rows("x", 1, { message: "id", ...messageColumns })} where m.id = x.message`
  }
})

const encode = ({ address, contact, id, lastText, name, profile, tags, unread }: Chat.Chat) => ({
  chat: id,
  address,
  contact_id: contact,
  name,
  last_text: lastText,
  unread,
  tags: tags.length === 0 ? null : tags,
  profile
})

export const make = (database: Database["Service"]): Pick<ChatStore["Service"], "held" | "erase"> => {
  const sql = database.statements(statements)
  const { affected, execute, transaction } = database
  const budgets = Budgets.make(database)
  const notices = ChatNotices.ofChats(database)
  const rowsOf = (chats: ReadonlyArray<ChatId>) => chats.map((id) => ({ id }))
  return {
    held: (workspace, ids) =>
      transaction(
        Effect.gen(function* () {
          const chats = yield* execute<ChatRow.ChatRow>(sql.chats, [workspace, rowsOf(ids)])
          const messages = yield* execute<MessageRow.MessageRow>(sql.messages, [workspace, rowsOf(ids)])
          return {
            chats: chats.map(ChatRow.decode),
            messages: messages.map(MessageRow.decode),
            notices: yield* notices.held(workspace, ids)
          }
        })
      ),
    erase: (workspace, ids) =>
      transaction(
        Effect.gen(function* () {
          const messages = (yield* execute<MessageRow.MessageRow>(sql.lockMessages, [workspace, rowsOf(ids)])).map(
            MessageRow.decode
          )
          const chats = yield* execute<ChatRow.ChatRow>(sql.lockChats, [workspace, rowsOf(ids)])
          const erased = messages.map(Message.erase)
          if (erased.length > 0) {
            yield* affected(sql.eraseMessages, [
              erased.map((message) => ({ message: message.id, ...MessageRow.encode(message) }))
            ])
          }
          if (chats.length > 0) {
            yield* affected(sql.eraseChats, [chats.map((row) => encode(Chat.erase(ChatRow.decode(row))))])
          }
          yield* notices.forget(workspace, ids)
          yield* budgets.giveBack(messages.filter((_, i) => erased[i]!.reserved === null))
          return messages.map(({ id }) => id)
        })
      )
  }
}
