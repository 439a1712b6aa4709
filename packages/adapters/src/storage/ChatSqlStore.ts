/**
 * Chats and their messages. Every verb that writes locks its rows in id order first, and a new chat's number is taken
 * after the existing chats are locked, so that two of them never wait for each other.
 */
import { ChatStore, type ChatTouch } from "@overture/core/chat/ChatStore"
import type { Message } from "@overture/core/chat/Message"
import type { DomainEvent } from "@overture/core/event/DomainEvent"
import type { AccountId, ChatId, MessageId } from "@overture/core/workspace/Id"
import { Effect, Layer, Option } from "effect"
import * as ChatLookups from "./ChatLookups.ts"
import * as ChatOpenings from "./ChatOpenings.ts"
import * as ChatNotices from "./ChatNotices.ts"
import * as ChatPersons from "./ChatPersons.ts"
import * as ChatTurns from "./ChatTurns.ts"
import { Database } from "./Database.ts"
import { defineStatements } from "./Dialect.ts"
import * as EventSqlStore from "./EventSqlStore.ts"
import * as Paging from "./Paging.ts"
import * as ChatRow from "./rows/ChatRow.ts"
import * as Columns from "./rows/Columns.ts"
import * as MessageRow from "./rows/MessageRow.ts"

/** The order of the list, most recent first: its key is ascending in both parts. */
const beforeAll = -Number.MAX_SAFE_INTEGER

const touchColumns = {
  id: "id",
  at: "bigint",
  text: "text",
  direction: "text",
  inbound_at: "bigint",
  unread: "int"
} as const satisfies Columns.Columns

const statements = defineStatements("ChatStore", (sql) => {
  const chat = sql.t("chat")
  const message = sql.t("message")
  const columns = Columns.select(ChatRow.columns, "c")
  const messageColumns = Columns.select(MessageRow.columns, "m")
  const ids = `(select x.id from ${sql.rows("x", 1, { id: "id" })})`
  const admitted = { account_id: "id", dedupe_key: "text", at: "bigint" } as const
  return {
    admit: `insert into ${sql.t("channel_event")}(${Columns.names(admitted)})
      select ${Columns.select(admitted, "x")} from ${sql.rows("x", 1, admitted)} where true
      order by x.account_id, x.dedupe_key on conflict (account_id, dedupe_key) do nothing
      returning account_id, dedupe_key`,
    purgeAdmitted: `delete from ${sql.t("channel_event")} where (account_id, dedupe_key) in (
      select e.account_id, e.dedupe_key from ${sql.t("channel_event")} as e
      join ${sql.t("account")} as a on a.id = e.account_id and a.workspace_id = $1 where e.at < $2 limit $3)`,
    lock: `select c.id from ${chat} as c where c.id in ${ids} order by c.id ${sql.lock("c")}`,
    lockIn: `select ${columns} from ${chat} as c where c.id in (select x.id from ${sql.rows("x", 2, { id: "id" })})
      and c.workspace_id = $1 order by c.id ${sql.lock("c")}`,
    modify: `update ${chat} as c set ${Columns.assign(ChatRow.stateColumns, "x", "id")}
      from ${sql.rows("x", 1, ChatRow.stateColumns)} where c.id = x.id`,
    touch: `update ${chat} as c set
      last_text = case when x.at >= c.last_at then x.text else c.last_text end,
      last_direction = case when x.at >= c.last_at then x.direction else c.last_direction end,
      last_at = ${sql.greatest("c.last_at", "x.at")},
      last_inbound_at = ${sql.greatest("c.last_inbound_at", "x.inbound_at")},
      unread = c.unread + x.unread
      from ${sql.rows("x", 1, touchColumns)} where c.id = x.id`,
    setTakenOver: `update ${chat} as c set taken_over_at = ${sql.p(2, "bigint")}
      where c.id in ${ids}`,
    record: `insert into ${message}(${Columns.names(MessageRow.columns)})
      select ${Columns.select(MessageRow.columns, "x")}
      from ${sql.rows("x", 1, { ...MessageRow.columns, i: "ordinal" })} where true
      order by x.chat_id, x.i on conflict do nothing returning id`,
    byExternalId: `select x.i, (select m.id from ${message} as m
        where m.chat_id = x.chat_id and m.external_id = x.external_id and m.external_id is not null) as id
      from ${sql.rows("x", 1, { i: "int", chat_id: "id", external_id: "text" })}`,
    lockMessages: `select ${messageColumns} from ${message} as m where m.id in ${ids} order by m.id ${sql.lock("m")}`,
    advance: `update ${message} as m set ${Columns.assign(MessageRow.stateColumns, "x", "id")}
      from ${sql.rows("x", 1, MessageRow.stateColumns)} where m.id = x.id`,
    get: `select ${columns} from ${chat} as c where c.workspace_id = $1 and c.id = $2`,
    list: `select ${columns} from ${chat} as c
      where c.workspace_id = $1 and c.last_at <= -${sql.p(2, "bigint")}
        and (c.last_at < -${sql.p(2, "bigint")} or c.id > $3)
      order by c.last_at desc, c.id limit $4 offset $5`,
    count: `select count(*) as total from ${chat} where workspace_id = $1`,
    messages: `select ${messageColumns} from ${message} as m
      where m.workspace_id = $1 and m.chat_id = $2 and m.created_at >= $3 and (m.created_at > $3 or m.id > $4)
      order by m.created_at, m.id limit $5 offset $6`,
    countMessages: `select count(*) as total from ${message} where workspace_id = $1 and chat_id = $2`
  }
})

/** One row per chat: the latest touch gives the preview, the last one of equal times. */
const combine = (touches: ReadonlyArray<ChatTouch>) => {
  const rows = new Map<
    ChatId,
    Columns.Written<typeof touchColumns> & { readonly at: number; readonly unread: number }
  >()
  const inbound = new Map<ChatId, number>()
  for (const { at, chat, direction, text, unread } of touches) {
    const row = rows.get(chat)
    if (direction === "inbound") inbound.set(chat, Math.max(at, inbound.get(chat) ?? at))
    const latest = row === undefined || at >= row.at ? { id: chat, at, text, direction } : row
    rows.set(chat, { ...latest, inbound_at: inbound.get(chat) ?? null, unread: (row?.unread ?? 0) + unread })
  }
  return [...rows.values()]
}

export const make = (database: Database["Service"]): ChatStore["Service"] => {
  const sql = database.statements(statements)
  const { affected, execute, transaction, write } = database
  const append = EventSqlStore.appender(database)
  const lock = (ids: Iterable<ChatId>) => execute(sql.lock, [Array.from(ids, (id) => ({ id }))])

  const advance: ChatStore["Service"]["advance"] = (refs, change) =>
    refs.length === 0
      ? Effect.succeed([])
      : transaction(
          Effect.gen(function* () {
            const ids: Array<MessageId | undefined> = refs.map((ref) => ("id" in ref ? ref.id : undefined))
            const external = refs.flatMap((ref, i) =>
              "id" in ref ? [] : [{ i, chat_id: ref.chat, external_id: ref.externalId }]
            )
            if (external.length > 0) {
              const found = yield* execute<{ readonly i: number; readonly id: MessageId | null }>(sql.byExternalId, [
                external
              ])
              for (const row of found) ids[row.i] = row.id ?? undefined
            }
            const wanted = [...new Set(ids)].flatMap((id) => (id === undefined ? [] : [{ id }]))
            if (wanted.length === 0) return []
            const rows = yield* execute<MessageRow.MessageRow>(sql.lockMessages, [wanted])
            const current = new Map(rows.map((row) => [row.id, MessageRow.decode(row)]))
            const changed = new Set<MessageId>()
            const results: Array<{ readonly index: number; readonly before: Message; readonly after: Message }> = []
            for (const [index, id] of ids.entries()) {
              const before = id === undefined ? undefined : current.get(id)
              if (before === undefined) continue
              const after = change(before, index)
              results.push({ index, before, after })
              if (after === before) continue
              current.set(before.id, after)
              changed.add(before.id)
            }
            if (changed.size > 0) {
              yield* write(sql.advance, [Array.from(changed, (id) => MessageRow.encodeState(current.get(id)!))])
            }
            return results
          })
        )

  return ChatStore.of({
    admit: (keys) =>
      keys.length === 0
        ? Effect.succeed([])
        : Effect.map(
            execute<{ readonly account_id: AccountId; readonly dedupe_key: string }>(sql.admit, [
              keys.map(({ account, at, dedupeKey }) => ({ account_id: account, dedupe_key: dedupeKey, at }))
            ]),
            (rows) => {
              const fresh = new Set(rows.map((row) => `${row.account_id}|${row.dedupe_key}`))
              return keys.flatMap(({ account, dedupeKey }, index) =>
                fresh.delete(`${account}|${dedupeKey}`) ? [index] : []
              )
            }
          ),
    purgeAdmitted: (workspace, before, limit) => affected(sql.purgeAdmitted, [workspace, before, limit]),
    ...ChatOpenings.make(database),
    touch: (touches) =>
      touches.length === 0
        ? Effect.void
        : transaction(
            Effect.gen(function* () {
              const rows = combine(touches)
              if (rows.length > 1) yield* lock(new Set(touches.map(({ chat }) => chat)))
              yield* affected(sql.touch, [rows])
            })
          ),
    modify: (workspace, ids, change) =>
      ids.length === 0
        ? Effect.succeed([])
        : transaction(
            Effect.gen(function* () {
              const rows = yield* execute<ChatRow.ChatRow>(sql.lockIn, [workspace, ids.map((id) => ({ id }))])
              const events: Array<DomainEvent> = []
              const chats = rows.map((row) => {
                const before = ChatRow.decode(row)
                const after = change(before)
                if (after.chat !== before) events.push(...after.events)
                return { before, after: after.chat }
              })
              const changed = chats.flatMap(({ after, before }) => (after === before ? [] : [after]))
              if (changed.length > 0) yield* write(sql.modify, [changed.map(ChatRow.encodeState)])
              yield* append(events)
              return chats
            })
          ),
    rewrite: (chats) => (chats.length === 0 ? Effect.void : write(sql.modify, [chats.map(ChatRow.encodeState)])),
    setTakenOver: (chats, at) =>
      chats.length === 0
        ? Effect.void
        : transaction(
            Effect.gen(function* () {
              if (chats.length > 1) yield* lock(chats)
              yield* affected(sql.setTakenOver, [chats.map((id) => ({ id })), at])
            })
          ),
    record: (messages) =>
      messages.length === 0
        ? Effect.succeed([])
        : Effect.map(execute<{ readonly id: MessageId }>(sql.record, [messages.map(MessageRow.encode)]), (rows) => {
            const added = new Set(rows.map(({ id }) => id))
            return messages.flatMap(({ id }) => (added.delete(id) ? [id] : []))
          }),
    advance,
    ...ChatPersons.make(database),
    ...ChatLookups.make(database),
    ...ChatNotices.make(database),
    ...ChatTurns.make(database),
    get: (workspace, id) =>
      Effect.map(execute<ChatRow.ChatRow>(sql.get, [workspace, id]), ([row]) =>
        Option.map(Option.fromUndefinedOr(row), ChatRow.decode)
      ),
    list: (workspace, request) =>
      Paging.page(
        database,
        {
          select: sql.list,
          count: sql.count,
          of: [workspace],
          start: [beforeAll, ""],
          decode: ChatRow.decode,
          keyOf: (chat) => [-chat.lastAt, chat.id]
        },
        request
      ),
    messages: (workspace, chat, request) =>
      Paging.page(
        database,
        {
          select: sql.messages,
          count: sql.countMessages,
          of: [workspace, chat],
          start: [beforeAll, ""],
          decode: MessageRow.decode,
          keyOf: (message) => [message.createdAt, message.id]
        },
        request
      )
  })
}

export const layer: Layer.Layer<ChatStore, never, Database> = Layer.effect(ChatStore, Effect.map(Database, make))
