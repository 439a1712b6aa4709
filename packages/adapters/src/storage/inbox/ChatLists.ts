/**
 * The lists of chats. Each walks one index in the order of the list: of the unread chats, of those that a member has open,
 * of those that somebody did something with, or of all. What the index does not decide is looked up on the way, in at most
 * `chatsLookedAt` chats a page: first in a few, as most lists are full by then. Only an offset looks at as many as it takes.
 */
import type { Chat } from "@overture/core/chat/Chat"
import type { ChatFilter } from "@overture/core/chat/ChatFilter"
import { chatsByText, chatsLookedAt, type InboxStore } from "@overture/core/chat/InboxStore"
import * as SearchText from "@overture/core/chat/SearchText"
import type { ChatId, WorkspaceId } from "@overture/core/workspace/Id"
import { cursorOf, type Page, placeOf } from "@overture/core/workspace/Page"
import { Effect } from "effect"
import * as Composed from "../Composed.ts"
import type { Database } from "../Database.ts"
import type { Sql } from "../Dialect.ts"
import * as ChatRow from "../rows/ChatRow.ts"
import * as Columns from "../rows/Columns.ts"
import * as Said from "./Said.ts"

/** A place in the list: after this chat. */
interface Place {
  readonly at: number
  readonly id: string
}

const few = 1_000

const notDeleted = "(c.deleted_at is null or c.last_at > c.deleted_at)"

/** Which index is walked, and what of the filter it leaves undecided. */
const walk = ({ after: _after, before: _before, ...filter }: ChatFilter, to: Composed.Arguments) => {
  const { assignee, open, unread, ...others } = filter
  if (typeof assignee === "string" && open === true) {
    return { index: `c.assignee_id = ${to.add(assignee)} and c.closed_at is null`, rest: { ...others, unread } }
  }
  if (unread === true) return { index: "c.unread > 0", rest: { ...others, assignee, open } }
  const isTended =
    typeof assignee === "string" ||
    open === false ||
    filter.tag !== undefined ||
    filter.unreadBy !== undefined ||
    [filter.archived, filter.waiting, filter.responded, filter.booked, filter.pinned].includes(true)
  return { index: isTended ? "c.tended is not null" : null, rest: filter }
}

const nullness = (column: string, wanted: boolean | undefined): ReadonlyArray<string> =>
  wanted === undefined ? [] : [`${column} is ${wanted ? "not " : ""}null`]

/** What a chat must be, beside what the index decides. */
const conditions = (
  sql: Sql,
  filter: Omit<ChatFilter, "after" | "before">,
  saying: ReadonlyArray<ChatId>,
  to: Composed.Arguments
): ReadonlyArray<string> => {
  const { account, assignee, channel, search = "", tag, unread, unreadBy, waiting } = filter
  const waits = "(c.closed_at is null and c.last_direction = 'inbound')"
  const all: Array<string> = [
    ...nullness("c.closed_at", filter.open === undefined ? undefined : !filter.open),
    ...nullness("c.archived_at", filter.archived),
    ...nullness("c.responded_at", filter.responded),
    ...nullness("c.booked_at", filter.booked),
    ...nullness("c.pinned_at", filter.pinned)
  ]
  if (account !== undefined) all.push(`c.account_id = ${to.add(account)}`)
  if (channel !== undefined) {
    const place = to.add(`${channel}/`)
    all.push(`substr(c.address, 1, ${channel.length + 1}) = ${place}`)
  }
  if (unread !== undefined) all.push(unread ? "c.unread > 0" : "c.unread = 0")
  if (waiting !== undefined) all.push(waiting ? waits : `not ${waits}`)
  if (assignee !== undefined) {
    all.push(assignee === null ? "c.assignee_id is null" : `c.assignee_id = ${to.add(assignee)}`)
  }
  if (tag !== undefined) {
    const place = to.add(tag)
    all.push(
      sql.pick({
        postgres: `jsonb_exists(c.tags, ${place})`,
        sqlite: `exists (select 1 from json_each(c.tags) as x where x.value = ${place})`
      })
    )
  }
  if (unreadBy !== undefined) {
    all.push(`c.last_inbound_at > coalesce((select r.read_at from ${sql.t("chat_read")} as r
      where r.member_id = ${to.add(unreadBy)} and r.chat_id = c.id), -1)`)
  }
  const words = SearchText.variants(search).map((text) => to.add(text))
  if (words.length > 0) {
    const tags = sql.pick({
      postgres: "jsonb_array_elements_text(c.tags) as x(value)",
      sqlite: "json_each(c.tags) as x"
    })
    const found = [
      Said.contains(sql, "c.name", words),
      // A value and no `exists`: PostgreSQL would look for the words in every contact there is.
      Said.contains(
        sql,
        `coalesce((select t.name from ${sql.t("contact")} as t where t.id = c.contact_id), '')`,
        words
      ),
      `exists (select 1 from ${tags} where ${Said.contains(sql, "x.value", words)})`
    ]
    if (saying.length > 0) {
      const n = to.values.push(saying.map((id) => ({ id })))
      found.push(`c.id in (select x.id from ${sql.rows("x", n, { id: "id" })})`)
    }
    all.push(`(${found.join(" or ")})`)
  }
  return all
}

export const make = (database: Database["Service"]): Pick<InboxStore["Service"], "chats" | "unread" | "loads"> => {
  const { execute, sql } = database
  const composed = Composed.make(database, "ChatLists")
  const said = Said.make(database)
  const order = "order by c.last_at desc, c.id"

  const begin = (workspace: WorkspaceId, filter: ChatFilter) => {
    const to = Composed.begin(workspace)
    const { index, rest } = walk(filter, to)
    const range = [
      "c.workspace_id = $1",
      ...(index === null ? [] : [index]),
      ...(filter.before === undefined ? [] : [`c.last_at < ${to.add(filter.before)}`]),
      ...(filter.after === undefined ? [] : [`c.last_at >= ${to.add(filter.after)}`])
    ]
    return { to, range, rest }
  }

  const beyond = (place: Place | null, to: Composed.Arguments): ReadonlyArray<string> => {
    if (place === null) return []
    const at = to.add(place.at)
    return [`c.last_at <= ${at}`, `(c.last_at < ${at} or c.id > ${to.add(place.id)})`]
  }

  const upTo = (place: Place | null, to: Composed.Arguments): ReadonlyArray<string> => {
    if (place === null) return []
    const at = to.add(place.at)
    return [`c.last_at >= ${at}`, `(c.last_at > ${at} or c.id <= ${to.add(place.id)})`]
  }

  /** The place that ends the next `many` chats of the index; null where there are fewer. */
  const ahead = Effect.fnUntraced(function* (
    workspace: WorkspaceId,
    filter: ChatFilter,
    from: Place | null,
    many: number
  ) {
    const { range, to } = begin(workspace, filter)
    const where = [...range, ...beyond(from, to)].join(" and ")
    const text = `select c.last_at as at, c.id from ${sql.t("chat")} as c where ${where} ${order}
      limit 1 offset ${to.add(many - 1)}`
    const [row] = yield* execute<Place>(composed.statement("ahead", text), to.values)
    return row ?? null
  })

  const between = Effect.fnUntraced(function* (
    workspace: WorkspaceId,
    filter: ChatFilter,
    saying: ReadonlyArray<ChatId>,
    from: Place | null,
    until: Place | null,
    limit: number,
    offset: number
  ) {
    const { range, rest, to } = begin(workspace, filter)
    const where = [
      ...range,
      ...beyond(from, to),
      ...upTo(until, to),
      notDeleted,
      ...conditions(sql, rest, saying, to)
    ].join(" and ")
    const text = `select ${Columns.select(ChatRow.columns, "c")} from ${sql.t("chat")} as c where ${where} ${order}
      limit ${to.add(limit)} offset ${to.add(offset)}`
    const rows = yield* execute<ChatRow.ChatRow>(composed.statement("chats", text), to.values)
    return rows.map(ChatRow.decode)
  })

  const count = Effect.fnUntraced(function* (
    workspace: WorkspaceId,
    filter: ChatFilter,
    saying: ReadonlyArray<ChatId>
  ) {
    const { range, rest, to } = begin(workspace, filter)
    const where = [...range, notDeleted, ...conditions(sql, rest, saying, to)].join(" and ")
    const text = `select count(*) as chats, coalesce(sum(c.unread), 0) as messages from ${sql.t("chat")} as c where ${where}`
    const [row] = yield* execute<{ readonly chats: number; readonly messages: number }>(
      composed.statement("count", text),
      to.values
    )
    return row ?? { chats: 0, messages: 0 }
  })

  const loads = composed.statement(
    "loads",
    `select c.assignee_id as member, count(*) as load from ${sql.t("chat")} as c
    where c.workspace_id = $1 and c.assignee_id is not null and c.closed_at is null group by c.assignee_id`
  )

  const chats: InboxStore["Service"]["chats"] = Effect.fnUntraced(function* (workspace, filter, request) {
    const { after, limit, offset } = placeOf(request, [0, ""])
    const start = after === null ? null : { at: -Number(after[0]), id: String(after[1]) }
    const { search = "" } = filter
    const saying = search.trim() === "" ? [] : yield* said.chats(workspace, search, chatsByText)
    const isDecided = conditions(sql, begin(workspace, filter).rest, saying, Composed.begin()).length === 0
    const data: Array<Chat> = []
    let place = start
    // An offset counts chats that match, from the beginning: however many lie between them.
    for (const many of isDecided || offset > 0 ? [null] : [few, chatsLookedAt - few]) {
      const until: Place | null = many === null ? null : yield* ahead(workspace, filter, place, many)
      const found = yield* between(workspace, filter, saying, place, until, limit + 1 - data.length, offset)
      data.push(...found)
      place = until
      if (data.length > limit || until === null) break
    }
    const last = data.length > limit ? data[limit - 1] : undefined
    const next = last === undefined ? place : { at: last.lastAt, id: last.id }
    return {
      data: data.slice(0, limit),
      nextCursor: next === null ? null : cursorOf([-next.at, next.id]),
      ...(request.count === true && { total: (yield* count(workspace, filter, saying)).chats })
    } satisfies Page<Chat>
  })

  return {
    chats,
    unread: (workspace, assignee) => count(workspace, { unread: true, ...(assignee !== null && { assignee }) }, []),
    loads: (workspace) => execute(loads, [workspace])
  }
}
