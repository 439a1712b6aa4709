/**
 * Chats as a settle writes them: new ones are made with their number and with what the message does to them at once, the
 * others are touched in one statement. A number may be left out when two settles make the same chat.
 */
import type { ChatOpening, ChatTouch } from "@overture/core/chat/ChatStore"
import type { ChatId, WorkspaceId } from "@overture/core/workspace/Id"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements, type Sql } from "../Dialect.ts"
import * as ChatRow from "../rows/ChatRow.ts"
import * as Columns from "../rows/Columns.ts"
import { lookup, matches } from "./Lookup.ts"

const touchColumns = {
  chat: "id",
  last_at: "bigint",
  last_text: "text",
  last_direction: "text",
  last_inbound_at: "bigint",
  unread: "int"
} as const satisfies Columns.Columns

/** A touch as columns of `x` tell it, onto the row `c`. */
const touched = (sql: Sql, x: string) => `
    last_text = case when ${x}.last_at >= c.last_at then ${x}.last_text else c.last_text end,
    last_direction = case when ${x}.last_at >= c.last_at then ${x}.last_direction else c.last_direction end,
    last_at = ${sql.greatest("c.last_at", `${x}.last_at`)},
    last_inbound_at = ${sql.greatest("c.last_inbound_at", `${x}.last_inbound_at`)},
    unread = c.unread + ${x}.unread`

const { number: _number, ...givenColumns } = ChatRow.openedColumns

const statements = defineStatements("OutboxChats", (sql) => {
  const insert = `insert into ${sql.t("chat")} as c (${Columns.names(givenColumns)}, number)
    select ${Columns.select(givenColumns, "x")}, n.chats - x.before from ${sql.rows("x", 1, { ...givenColumns, before: "int" })}
    ${lookup(sql, "numbering", "n", "n.workspace_id = x.workspace_id")} where true on conflict (id) do`
  return {
    existing: `select c.id from ${sql.rows("x", 1, { id: "id" })} ${lookup(sql, "chat", "c", "c.id = x.id")}`,
    number: `insert into ${sql.t("numbering")} as n (workspace_id, chats, lists)
    select x.id, x.chats, 0 from ${sql.rows("x", 1, { id: "id", chats: "int" })} where true
    on conflict (workspace_id) do update set chats = n.chats + excluded.chats`,
    open: `${insert} nothing`,
    // What another made meanwhile is touched.
    openTouched: `${insert} update set ${touched(sql, "excluded")}`,
    touch: `update ${sql.t("chat")} as c set ${touched(sql, "x")}
    from ${sql.rows("x", 1, touchColumns)} where ${matches(sql, "c.id", "x.chat")}`
  }
})

/** All touches of one chat as one: the latest gives the preview, the last one of equal times. */
interface Touched {
  readonly latest: ChatTouch
  readonly inboundAt: number | null
  readonly unread: number
}

const combine = (touches: ReadonlyArray<ChatTouch>): Map<ChatId, Touched> => {
  const all = new Map<ChatId, Touched>()
  for (const touch of touches) {
    const known = all.get(touch.chat)
    const inbound = [known?.inboundAt, touch.direction === "inbound" ? touch.at : null].filter((at) => at != null)
    all.set(touch.chat, {
      latest: known === undefined || touch.at >= known.latest.at ? touch : known.latest,
      inboundAt: inbound.length === 0 ? null : Math.max(...inbound),
      unread: (known?.unread ?? 0) + touch.unread
    })
  }
  return all
}

/** A new chat with the touch that comes with it; `before` = how many of its workspace's new numbers come after its own. */
const created = (opening: ChatOpening, before: number, touched: Touched | undefined) => ({
  id: opening.id,
  workspace_id: opening.workspace,
  before,
  account_id: opening.account,
  address: opening.address,
  contact_id: opening.contact,
  name: opening.name,
  last_at: touched?.latest.at ?? opening.at,
  last_text: touched?.latest.text ?? "",
  last_direction: touched?.latest.direction ?? "outbound",
  last_inbound_at: touched?.inboundAt ?? null,
  unread: touched?.unread ?? 0,
  created_at: opening.at
})

export interface Chats {
  /** Those of the chats that exist. */
  readonly existing: (chats: Iterable<ChatId>) => Effect.Effect<ReadonlySet<ChatId>, StorageError>
  /** Makes the openings whose chat is not among the `existing`, and writes what messages did to all of them. */
  readonly write: (
    openings: ReadonlyArray<ChatOpening>,
    touches: ReadonlyArray<ChatTouch>,
    existing: ReadonlySet<ChatId>
  ) => Effect.Effect<void, StorageError>
}

export const make = (database: Database["Service"]): Chats => {
  const sql = database.statements(statements)
  const { execute, write } = database

  /** Opens chats, those that are touched with their touches. The numbering is held, so nobody else opens any meanwhile. */
  const open = Effect.fnUntraced(function* (
    openings: ReadonlyArray<ChatOpening>,
    touched: ReadonlyMap<ChatId, Touched>
  ) {
    const counts = new Map<WorkspaceId, number>()
    for (const { workspace } of openings) counts.set(workspace, (counts.get(workspace) ?? 0) + 1)
    const workspaces = Array.from(counts, ([id, chats]) => ({ id, chats })).sort((a, b) => (a.id < b.id ? -1 : 1))
    yield* write(sql.number, [workspaces])
    const rows = openings.map((opening) => {
      const before = counts.get(opening.workspace)! - 1
      counts.set(opening.workspace, before)
      return created(opening, before, touched.get(opening.id))
    })
    const [untouched, withTouch] = [rows.filter(({ id }) => !touched.has(id)), rows.filter(({ id }) => touched.has(id))]
    if (withTouch.length > 0) yield* write(sql.openTouched, [withTouch])
    if (untouched.length > 0) yield* write(sql.open, [untouched])
  })

  return {
    existing: Effect.fnUntraced(function* (chats) {
      const ids = [...new Set(chats)]
      if (ids.length === 0) return new Set<ChatId>()
      const rows = yield* execute<{ readonly id: ChatId }>(sql.existing, [ids.map((id) => ({ id }))])
      return new Set(rows.map(({ id }) => id))
    }),
    write: Effect.fnUntraced(function* (openings, touches, existing) {
      const touched = combine(touches)
      // Of two openings of one chat the first makes it.
      const wanted = new Map<ChatId, ChatOpening>()
      for (const opening of openings) {
        if (!existing.has(opening.id) && !wanted.has(opening.id)) wanted.set(opening.id, opening)
      }
      // What was said before its chat was opened leaves the preview alone, so it comes after.
      const early = (chat: ChatId, { latest }: Touched) => latest.at < (wanted.get(chat)?.at ?? 0)
      if (wanted.size > 0)
        yield* open(
          [...wanted.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
          new Map(Array.from(touched).filter(([chat, touch]) => !early(chat, touch)))
        )
      const others = Array.from(touched).filter(([chat, touch]) => !wanted.has(chat) || early(chat, touch))
      if (others.length === 0) return
      const rows = others.map(([chat, { inboundAt, latest, unread }]) => ({
        chat,
        last_at: latest.at,
        last_text: latest.text,
        last_direction: latest.direction,
        last_inbound_at: inboundAt,
        unread
      }))
      yield* write(sql.touch, [rows.sort((a, b) => (a.chat < b.chat ? -1 : 1))])
    })
  }
}
