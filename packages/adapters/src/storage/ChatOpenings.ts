/**
 * Chats that must exist. Those that are missing are made under the numbering of their workspace, which is held until the
 * transaction ends: nobody else makes one meanwhile, so whoever inserts a chat knows it, and tells of it.
 */
import * as Chat from "@overture/core/chat/Chat"
import type { ChatOpening } from "@overture/core/chat/ChatOpening"
import type { ChatStore } from "@overture/core/chat/ChatStore"
import type { ChatId, WorkspaceId } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import type { Database } from "./Database.ts"
import { defineStatements, type Sql } from "./Dialect.ts"
import * as EventSqlStore from "./EventSqlStore.ts"
import { lookup } from "./outbox/Lookup.ts"
import * as ChatRow from "./rows/ChatRow.ts"
import * as Columns from "./rows/Columns.ts"

const { number: _number, ...givenColumns } = ChatRow.openedColumns
const personColumns = Columns.pick(ChatRow.columns, "address", "contact_id", "name")

/** Takes numbers of workspaces, in the order of the rows. */
export const take = (sql: Sql): string => `insert into ${sql.t("numbering")} as n (workspace_id, chats, lists)
  select x.id, x.chats, 0 from ${sql.rows("x", 1, { id: "id", chats: "int" })} where true
  on conflict (workspace_id) do update set chats = n.chats + excluded.chats`

/** Inserts chats as `c`, with numbers that were taken before in the transaction; `on conflict (id) do` is to be gone on with. */
export const insert = (sql: Sql): string => `insert into ${sql.t("chat")} as c (${Columns.names(givenColumns)}, number)
  select ${Columns.select(givenColumns, "x")}, n.chats - x.before
  from ${sql.rows("x", 1, { ...givenColumns, before: "int" })}
  ${lookup(sql, "numbering", "n", "n.workspace_id = x.workspace_id")} where true on conflict (id) do`

const statements = defineStatements("ChatOpenings", (sql) => {
  const { t } = sql
  return {
    lock: `select ${Columns.select(ChatRow.columns, "c")} from ${t("chat")} as c
      where c.id in (select x.id from ${sql.rows("x", 1, { id: "id" })}) order by c.id ${sql.lock("c")}`,
    take: take(sql),
    insert: `${insert(sql)} nothing returning ${Columns.names(ChatRow.columns)}`,
    reopen: `update ${t("chat")} as c set ${Columns.assign(personColumns, "x")}
      from ${sql.rows("x", 1, { chat: "id", ...personColumns })} where c.id = x.chat`
  }
})

/** What a chat is made of. */
interface NewChat extends Columns.Written<typeof givenColumns> {
  readonly id: ChatId
  /** How many of its workspace's new numbers come after its own. */
  readonly before: number
}

/** New chats, with how many numbers each workspace needs for them. */
export const numbered = (openings: ReadonlyArray<ChatOpening>) => {
  const counts = new Map<WorkspaceId, number>()
  for (const { workspace } of openings) counts.set(workspace, (counts.get(workspace) ?? 0) + 1)
  const left = new Map(counts)
  const chats = openings.map(({ account, address, at, contact, id, name, workspace }): NewChat => {
    const before = left.get(workspace)! - 1
    left.set(workspace, before)
    return {
      id,
      workspace_id: workspace,
      before,
      account_id: account,
      address,
      contact_id: contact,
      name,
      last_at: at,
      last_text: "",
      last_direction: "outbound",
      last_inbound_at: null,
      unread: 0,
      created_at: at
    }
  })
  return { chats, counts }
}

/** As `take` reads them, in the order in which all lock numberings. */
export const takenBy = (counts: ReadonlyMap<WorkspaceId, number>) =>
  Array.from(counts, ([id, chats]) => ({ id, chats })).sort((a, b) => (a.id < b.id ? -1 : 1))

export const make = (database: Database["Service"]): Pick<ChatStore["Service"], "open"> => {
  const sql = database.statements(statements)
  const { execute, write } = database
  const append = EventSqlStore.appender(database)
  const lock = (ids: Iterable<ChatId>) => execute<ChatRow.ChatRow>(sql.lock, [Array.from(ids, (id) => ({ id }))])

  const insert = Effect.fnUntraced(function* (openings: ReadonlyArray<ChatOpening>) {
    const { chats, counts } = numbered(openings)
    yield* write(sql.take, [takenBy(counts)])
    const rows = yield* execute<ChatRow.ChatRow>(sql.insert, [chats])
    const made = new Map(rows.map((row) => [row.id, ChatRow.decode(row)]))
    yield* append(openings.flatMap(({ created, id }) => (made.has(id) ? [created] : [])))
    return made
  })

  return {
    open: (openings, others = []) =>
      openings.length + others.length === 0
        ? Effect.succeed({ chats: [], made: new Set(), others: [] })
        : database.transaction(
            Effect.gen(function* () {
              // Of two openings of one chat the first makes it, as if they had come one after the other.
              const wanted = new Map<ChatId, ChatOpening>()
              for (const opening of openings) if (!wanted.has(opening.id)) wanted.set(opening.id, opening)
              const chats = new Map<ChatId, Chat.Chat>()
              for (const row of yield* lock(new Set([...wanted.keys(), ...others]))) {
                chats.set(row.id, ChatRow.decode(row))
              }
              const missing = [...wanted.values()].filter(({ id }) => !chats.has(id))
              const made = missing.length === 0 ? new Map<ChatId, Chat.Chat>() : yield* insert(missing)
              for (const [id, chat] of made) chats.set(id, chat)
              const taken = missing.filter(({ id }) => !made.has(id)).map(({ id }) => id)
              if (taken.length > 0) for (const row of yield* lock(taken)) chats.set(row.id, ChatRow.decode(row))
              const reopened = new Map<ChatId, Chat.Chat>()
              const opened = openings.flatMap((opening) => {
                const before = chats.get(opening.id)
                if (before === undefined) return []
                const chat = Chat.opened(before, opening)
                chats.set(chat.id, chat)
                if (chat !== before) reopened.set(chat.id, chat)
                return [chat]
              })
              if (reopened.size > 0) {
                yield* write(sql.reopen, [
                  Array.from(reopened.values(), ({ address, contact, id, name }) => ({
                    chat: id,
                    address,
                    contact_id: contact,
                    name
                  }))
                ])
              }
              return {
                chats: opened,
                made: new Set(made.keys()),
                others: [...new Set(others)].flatMap((id) => chats.get(id) ?? [])
              }
            })
          )
  }
}
