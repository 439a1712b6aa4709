/**
 * Chats as a settle writes them: those that are missing are made with their number and with what the message does to them
 * at once, the others are touched in one statement. A number may be left out when two settles make the same chat.
 */
import type { ChatOpening, ChatTouch } from "@overture/core/chat/ChatStore"
import type { ChatId, WorkspaceId } from "@overture/core/workspace/Id"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as ChatRow from "../rows/ChatRow.ts"
import * as Columns from "../rows/Columns.ts"
import { matches } from "./Lookup.ts"
import { rowSet } from "./RowSet.ts"

const touchColumns = {
  chat: "id",
  at: "bigint",
  text: "text",
  direction: "text",
  inbound_at: "bigint",
  added: "int"
} as const satisfies Columns.Columns

const statements = defineStatements("OutboxChats", (sql) => ({
  missing: `select x.id from ${sql.rows("x", 1, { id: "id" })}
    where (select c.id from ${sql.t("chat")} as c where c.id = x.id limit 1) is null`,
  number: `insert into ${sql.t("numbering")} as n (workspace_id, chats, lists)
    select x.id, x.chats, 0 from ${sql.rows("x", 1, { id: "id", chats: "int" })} where true
    on conflict (workspace_id) do update set chats = n.chats + excluded.chats returning workspace_id, chats`,
  insert: `insert into ${sql.t("chat")}(${Columns.names(ChatRow.columns)})
    select ${Columns.select(ChatRow.columns, "x")} from ${sql.rows("x", 1, ChatRow.columns)} where true
    on conflict do nothing returning id`,
  touch: `update ${sql.t("chat")} as c set
    last_text = case when x.at >= c.last_at then x.text else c.last_text end,
    last_direction = case when x.at >= c.last_at then x.direction else c.last_direction end,
    last_at = ${sql.greatest("c.last_at", "x.at")},
    last_inbound_at = ${sql.greatest("c.last_inbound_at", "x.inbound_at")},
    unread = c.unread + x.added
    from ${sql.rows("x", 1, touchColumns)} where ${matches(sql, "c.id", "x.chat")}`
}))

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

const created = (opening: ChatOpening, number: number, touched: Touched | undefined) => {
  const wins = touched !== undefined && touched.latest.at >= opening.at
  return {
    id: opening.id,
    workspace_id: opening.workspace,
    number,
    account_id: opening.account,
    address: opening.address,
    contact_id: opening.contact,
    name: opening.name,
    last_at: wins ? touched.latest.at : opening.at,
    last_text: wins ? touched.latest.text : "",
    last_direction: wins ? touched.latest.direction : "outbound",
    last_inbound_at: touched?.inboundAt ?? null,
    unread: touched?.unread ?? 0,
    created_at: opening.at
  }
}

/** Makes the chats that are missing and writes what messages did to all of them. */
export const make = (
  database: Database["Service"]
): ((openings: ReadonlyArray<ChatOpening>, touches: ReadonlyArray<ChatTouch>) => Effect.Effect<void, StorageError>) => {
  const sql = database.statements(statements)
  const { affected, execute } = database

  /** Opens chats with their touches; returns those that it made. */
  const open = Effect.fnUntraced(function* (
    wanted: ReadonlyMap<ChatId, ChatOpening>,
    touched: ReadonlyMap<ChatId, Touched>
  ) {
    const ids = [...wanted.keys()].sort()
    const missing = yield* execute<{ readonly id: ChatId }>(sql.missing, [ids.map((id) => ({ id }))])
    if (missing.length === 0) return []
    const openings = missing.map(({ id }) => wanted.get(id)!)
    const counts = new Map<WorkspaceId, number>()
    for (const { workspace } of openings) counts.set(workspace, (counts.get(workspace) ?? 0) + 1)
    const workspaces = Array.from(counts, ([id, chats]) => ({ id, chats })).sort((a, b) => (a.id < b.id ? -1 : 1))
    const numbered = yield* execute<{ readonly workspace_id: WorkspaceId; readonly chats: number }>(sql.number, [
      workspaces
    ])
    const next = new Map(numbered.map((row) => [row.workspace_id, row.chats - counts.get(row.workspace_id)!]))
    const rows = openings.map((opening) => {
      const number = next.get(opening.workspace)! + 1
      next.set(opening.workspace, number)
      return created(opening, number, touched.get(opening.id))
    })
    return yield* execute<{ readonly id: ChatId }>(sql.insert, [rowSet(rows)])
  })

  return Effect.fnUntraced(function* (openings, touches) {
    const touched = combine(touches)
    if (openings.length > 0) {
      // Of two openings of one chat the first makes it.
      const wanted = new Map<ChatId, ChatOpening>()
      for (const opening of openings) if (!wanted.has(opening.id)) wanted.set(opening.id, opening)
      for (const { id } of yield* open(wanted, touched)) touched.delete(id)
    }
    if (touched.size === 0) return
    const rows = Array.from(touched, ([chat, { inboundAt, latest, unread }]) => ({
      chat,
      at: latest.at,
      text: latest.text,
      direction: latest.direction,
      inbound_at: inboundAt,
      added: unread
    }))
    yield* affected(sql.touch, [rows.sort((a, b) => (a.chat < b.chat ? -1 : 1))])
  })
}
