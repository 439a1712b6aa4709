/**
 * The chats of one person with all their messages, and messages to others that show what the person would read: read for
 * the person who asks, and written without them.
 */
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
  "profile",
  "named_at"
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
    lockMessages: `select ${Columns.select(MessageRow.columns, "m")} from ${sql.t("message")} as m
      where m.workspace_id = $1 and m.id in (
        select o.id from ${sql.t("message")} as o where o.chat_id in ${ids}
        union select y.id from ${sql.rows("y", 3, { id: "id" })})
      order by m.id ${sql.lock("m")}`,
    // Test sends are of no lead, which is what an index has.
    showing: `select ${Columns.select(MessageRow.columns, "m")} from ${sql.t("message")} as m
      where m.workspace_id = $1 and m.lead_id is null and ${sql.pick({
        postgres: "strpos(m.metadata::text, $2)",
        sqlite: "instr(m.metadata, $2)"
      })} > 0 order by m.id`,
    eraseChats: `update ${sql.t("chat")} as c set ${Columns.assign(chatColumns, "x")}
      from ${sql.rows("x", 1, { chat: "id", ...chatColumns })} where c.id = x.chat`,
    eraseMessages: `update ${sql.t("message")} as m set ${Columns.assign(messageColumns, "x")}
      from ${sql.rows("x", 1, { message: "id", ...messageColumns })} where m.id = x.message`
  }
})

const encode = ({ address, contact, id, lastText, name, namedAt, profile, tags, unread }: Chat.Chat) => ({
  chat: id,
  address,
  contact_id: contact,
  name,
  last_text: lastText,
  unread,
  tags: tags.length === 0 ? null : tags,
  profile,
  named_at: namedAt
})

/** Another's chat once these messages are erased. */
const shownWithout = (chat: Chat.Chat, messages: ReadonlyArray<Message.Message>): Chat.Chat =>
  messages.reduce((shown, message) => (message.chat === chat.id ? Chat.withoutShown(shown, message) : shown), chat)

export const make = (database: Database["Service"]): Pick<ChatStore["Service"], "held" | "showing" | "erase"> => {
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
    showing: (workspace, contact) =>
      Effect.map(execute<MessageRow.MessageRow>(sql.showing, [workspace, `"${contact}"`]), (rows) =>
        rows.map(MessageRow.decode).filter((message) => Message.shows(message, contact))
      ),
    erase: (workspace, ids, alone = []) =>
      transaction(
        Effect.gen(function* () {
          const locked = [workspace, rowsOf(ids), alone.map((id) => ({ id }))]
          const messages = (yield* execute<MessageRow.MessageRow>(sql.lockMessages, locked)).map(MessageRow.decode)
          const own = new Set(ids)
          const others = new Set(messages.flatMap(({ chat }) => (own.has(chat) ? [] : [chat])))
          const chats = (yield* execute<ChatRow.ChatRow>(sql.lockChats, [workspace, rowsOf([...own, ...others])])).map(
            ChatRow.decode
          )
          const erased = messages.map(Message.erase)
          if (erased.length > 0) {
            yield* affected(sql.eraseMessages, [
              erased.map((message) => ({ message: message.id, ...MessageRow.encode(message) }))
            ])
          }
          if (chats.length > 0) {
            yield* affected(sql.eraseChats, [
              chats.map((chat) => encode(own.has(chat.id) ? Chat.erase(chat) : shownWithout(chat, messages)))
            ])
          }
          yield* notices.forget(workspace, ids)
          yield* budgets.giveBack(messages.filter((_, i) => erased[i]!.reserved === null))
          return messages.map(({ id }) => id)
        })
      )
  }
}
