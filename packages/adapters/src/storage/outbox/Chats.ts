/**
 * Chats as a settle writes them: new ones are made with their number and with what the message does to them at once, the
 * others are touched in one statement. A number may be left out when two settles make the same chat.
 */
import type { ChatOpening } from "@overture/core/chat/ChatOpening"
import type { ChatTouch } from "@overture/core/chat/ChatStore"
import type { DomainEvent } from "@overture/core/event/DomainEvent"
import type { ChatId } from "@overture/core/workspace/Id"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import * as ChatOpenings from "../ChatOpenings.ts"
import type { Database } from "../Database.ts"
import { defineStatements, type Sql } from "../Dialect.ts"
import * as EventSqlStore from "../EventSqlStore.ts"
import type * as Columns from "../rows/Columns.ts"
import * as EventRow from "../rows/EventRow.ts"
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

const statements = defineStatements("OutboxChats", (sql) => {
  const insert = ChatOpenings.insert(sql)
  return {
    existing: `select c.id from ${sql.rows("x", 1, { id: "id" })} ${lookup(sql, "chat", "c", "c.id = x.id")}`,
    take: ChatOpenings.take(sql),
    open: `${insert} nothing`,
    // What another made meanwhile is touched.
    openTouched: `${insert} update set ${touched(sql, "excluded")}`,
    touch: `update ${sql.t("chat")} as c set ${touched(sql, "x")}
    from ${sql.rows("x", 1, touchColumns)} where ${matches(sql, "c.id", "x.chat")}`,
    // What has one of the numbers that were just taken was made here; what another made has a lesser one.
    tell: `${EventSqlStore.insert(sql)} from ${sql.rows("x", 1, { ...EventRow.columns, taken: "int", i: "ordinal" })}
      where x.taken is null or (select c.number from ${sql.t("chat")} as c where ${matches(sql, "c.id", "x.subject")})
        > (select n.chats - x.taken from ${sql.t("numbering")} as n where ${matches(sql, "n.workspace_id", "x.workspace_id")})
      order by x.i`
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

/** What is to be told of a chat, if it was made with one of the last numbers that were `taken` in its workspace. */
interface Making {
  readonly created: DomainEvent
  readonly taken: number
}

export interface Chats {
  /** Those of the chats that exist. */
  readonly existing: (chats: Iterable<ChatId>) => Effect.Effect<ReadonlySet<ChatId>, StorageError>
  /** Makes the openings whose chat is not among the `existing`, and writes what messages did to all of them; what to tell. */
  readonly write: (
    openings: ReadonlyArray<ChatOpening>,
    touches: ReadonlyArray<ChatTouch>,
    existing: ReadonlySet<ChatId>
  ) => Effect.Effect<ReadonlyArray<Making>, StorageError>
  /** Appends `created` of the chats that were really made, and then the events. Right after `write`, before others open any. */
  readonly tell: (
    making: ReadonlyArray<Making>,
    events: ReadonlyArray<DomainEvent>
  ) => Effect.Effect<void, StorageError>
}

export const make = (database: Database["Service"]): Chats => {
  const sql = database.statements(statements)
  const { execute, write } = database
  const append = EventSqlStore.appender(database)

  /** Opens chats, those that are touched with their touches; how many numbers of each workspace that took. */
  const open = Effect.fnUntraced(function* (
    openings: ReadonlyArray<ChatOpening>,
    touched: ReadonlyMap<ChatId, Touched>
  ) {
    const { chats, counts } = ChatOpenings.numbered(openings)
    if (chats.length > 0) yield* write(sql.take, [ChatOpenings.takenBy(counts)])
    const untouched = chats.filter(({ id }) => !touched.has(id))
    const withTouch = chats.flatMap((chat) => {
      const touch = touched.get(chat.id)
      if (touch === undefined) return []
      const { inboundAt, latest, unread } = touch
      const { at, direction, text } = latest
      return [{ ...chat, last_at: at, last_text: text, last_direction: direction, last_inbound_at: inboundAt, unread }]
    })
    if (withTouch.length > 0) yield* write(sql.openTouched, [withTouch])
    if (untouched.length > 0) yield* write(sql.open, [untouched])
    return counts
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
      const taken = yield* open(
        [...wanted.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
        new Map(Array.from(touched).filter(([chat, touch]) => !early(chat, touch)))
      )
      const making = Array.from(
        wanted.values(),
        ({ created, workspace }): Making => ({ created, taken: taken.get(workspace)! })
      )
      const others = Array.from(touched).filter(([chat, touch]) => !wanted.has(chat) || early(chat, touch))
      if (others.length === 0) return making
      const rows = others.map(([chat, { inboundAt, latest, unread }]) => ({
        chat,
        last_at: latest.at,
        last_text: latest.text,
        last_direction: latest.direction,
        last_inbound_at: inboundAt,
        unread
      }))
      yield* write(sql.touch, [rows.sort((a, b) => (a.chat < b.chat ? -1 : 1))])
      return making
    }),
    tell: (making, events) =>
      making.length === 0
        ? append(events)
        : write(sql.tell, [
            [
              ...making.map(({ created, taken }) => ({ ...EventRow.encode(created), taken })),
              ...events.map((event) => ({ ...EventRow.encode(event), taken: null }))
            ]
          ])
  }
}
