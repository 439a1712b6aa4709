/** The messages of chats as threads, and how far members have read them. Each chat is read by its index and merged here. */
import type { InboxStore } from "@overture/core/chat/InboxStore"
import type { Message } from "@overture/core/chat/Message"
import type { ChatId } from "@overture/core/workspace/Id"
import { cursorOf, type Page, placeOf } from "@overture/core/workspace/Page"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as Columns from "../rows/Columns.ts"
import * as MessageRow from "../rows/MessageRow.ts"

const statements = defineStatements("Threads", (sql) => {
  const message = sql.t("message")
  const columns = Columns.select(MessageRow.columns, "m")
  const of = "m.chat_id = $1 and m.workspace_id = $2 and m.created_at > $3"
  const part = sql.rows("x", 2, { chat: "id", after: "bigint", i: "int" })
  return {
    oldest: `select ${columns} from ${message} as m
      where ${of} and m.created_at >= $4 and (m.created_at > $4 or m.id > $5)
      order by m.created_at, m.id limit $6`,
    newest: `select ${columns} from ${message} as m
      where ${of} and m.created_at <= $4 and (m.created_at < $4 or m.id < $5)
      order by m.created_at desc, m.id desc limit $6`,
    count: `select count(*) as total from ${message} as m where ${of}`,
    unreadAfter: `select x.i, (select count(*) from ${message} as m where m.chat_id = x.chat
        and m.created_at > x.after and m.workspace_id = $1 and m.direction = 'inbound') as unread
      from ${part}`,
    markRead: `insert into ${sql.t("chat_read")} as r (member_id, chat_id, workspace_id, read_at)
      select $1, x.chat, $3, x.at from ${sql.rows("x", 2, { chat: "id", at: "bigint" })} where true order by x.chat
      on conflict (member_id, chat_id) do update set read_at = ${sql.greatest("r.read_at", "excluded.read_at")}`,
    readBy: `select r.chat_id, r.read_at from ${sql.t("chat_read")} as r
      where r.member_id = $1 and r.workspace_id = $3
        and r.chat_id in (select x.id from ${sql.rows("x", 2, { id: "id" })})`
  }
})

/** Before and after every message. */
const ends = { oldest: [-Number.MAX_SAFE_INTEGER, ""], newest: [Number.MAX_SAFE_INTEGER, "~"] } as const
const never = -Number.MAX_SAFE_INTEGER

export const make = (
  database: Database["Service"]
): Pick<InboxStore["Service"], "thread" | "unreadAfter" | "markRead" | "readBy"> => {
  const sql = database.statements(statements)
  const { affected, execute } = database

  const thread: InboxStore["Service"]["thread"] = Effect.fnUntraced(function* (workspace, parts, order, request) {
    const { after: place, limit, offset } = placeOf(request, ends.oldest)
    const [at, id] = place ?? ends[order]
    const found: Array<Message> = []
    let total = 0
    for (const { after, chat } of parts) {
      const of = [chat, workspace, after ?? never]
      const rows = yield* execute<MessageRow.MessageRow>(sql[order], [...of, at, id, offset + limit + 1])
      found.push(...rows.map(MessageRow.decode))
      if (request.count === true) total += (yield* execute<{ readonly total: number }>(sql.count, of))[0]?.total ?? 0
    }
    const sign = order === "oldest" ? 1 : -1
    found.sort((a, b) => sign * (a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1)))
    const data = found.slice(offset, offset + limit)
    const last = data.at(-1)
    return {
      data,
      nextCursor: found.length > offset + limit && last !== undefined ? cursorOf([last.createdAt, last.id]) : null,
      ...(request.count === true && { total })
    } satisfies Page<Message>
  })

  return {
    thread,
    unreadAfter: (workspace, parts) =>
      parts.length === 0
        ? Effect.succeed([])
        : Effect.map(
            execute<{ readonly i: number; readonly unread: number }>(sql.unreadAfter, [
              workspace,
              parts.map(({ after, chat }, i) => ({ chat, after: after ?? never, i }))
            ]),
            (rows) => {
              const counts = new Map(rows.map(({ i, unread }) => [i, unread]))
              return parts.map((_, i) => counts.get(i) ?? 0)
            }
          ),
    markRead: (workspace, member, positions) => {
      const latest = new Map<ChatId, number>()
      for (const { at, chat } of positions) latest.set(chat, Math.max(at, latest.get(chat) ?? at))
      return latest.size === 0
        ? Effect.void
        : Effect.asVoid(affected(sql.markRead, [member, Array.from(latest, ([chat, at]) => ({ chat, at })), workspace]))
    },
    readBy: (workspace, member, chats) =>
      Effect.map(
        execute<{ readonly chat_id: ChatId; readonly read_at: number }>(sql.readBy, [
          member,
          chats.map((id) => ({ id })),
          workspace
        ]),
        (rows) => {
          const positions = new Map(rows.map((row) => [row.chat_id, row.read_at]))
          return chats.map((chat) => positions.get(chat) ?? null)
        }
      )
  }
}
