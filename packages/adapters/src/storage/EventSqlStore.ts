/**
 * The feed. On PostgreSQL numbers are handed out before commit, so a reader follows (transaction, number) and stops
 * below the oldest transaction that is still open: what commits late is never behind a reader. SQLite has one writer,
 * and its numbers are the order.
 */
import type { DomainEvent } from "@overture/core/event/DomainEvent"
import { CursorExpired, EventStore, type FeedEvent, type Position } from "@overture/core/event/EventStore"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect, Layer } from "effect"
import { Database } from "./Database.ts"
import { defineStatements } from "./Dialect.ts"
import * as Columns from "./rows/Columns.ts"
import * as EventRow from "./rows/EventRow.ts"

const statements = defineStatements("EventStore", (sql) => ({
  append: `insert into ${sql.t("event")}(${Columns.names(EventRow.columns)})
    select ${Columns.select(EventRow.columns, "x")} from ${sql.rows("x", 1, { ...EventRow.columns, i: "ordinal" })}
    order by x.i`,
  epoch: `select value from ${sql.t("meta")} where key = 'feedEpoch'`,
  read: `select ${Columns.select(EventRow.columns, "e")}, e.n,
      ${sql.pick({ postgres: "e.xid::text", sqlite: "e.xid" })} as xid
    from ${sql.t("event")} as e where e.workspace_id = $1 and ${sql.pick({
      postgres: "(e.xid, e.n) > ($2::xid8, $3::bigint) and e.xid < pg_snapshot_xmin(pg_current_snapshot())",
      sqlite: "e.xid = $2 and e.n > $3"
    })} order by e.xid, e.n limit $4`,
  reopen: `update ${sql.t("meta")} set value = ${sql.pick({
    postgres: "to_jsonb(left(md5(gen_random_uuid()::text), 12))",
    sqlite: "json_quote(lower(hex(randomblob(6))))"
  })} where key = 'feedEpoch'`,
  rebase: `update ${sql.t("event")} set xid = ${sql.pick({ postgres: "'0'", sqlite: "0" })}
    where xid > ${sql.pick({ postgres: "'0'", sqlite: "0" })}`
}))

interface FeedRow extends EventRow.EventRow {
  readonly xid: string | number
  readonly n: number
}

interface Place {
  readonly epoch: string
  /** A text: 64 bits. */
  readonly xid: string
  readonly n: string
}

const placeIn = (position: Position): Place | null => {
  const match = /^([0-9a-f]+)\.(0|[1-9]\d{0,19})\.(0|[1-9]\d{0,15})$/.exec(position)
  return match === null ? null : { epoch: match[1]!, xid: match[2]!, n: match[3]! }
}

/** Adds events to the feed in the caller's transaction; what the other stores use. Nothing to add costs nothing. */
export const appender = (
  database: Database["Service"]
): ((events: ReadonlyArray<DomainEvent>) => Effect.Effect<void, StorageError>) => {
  const { append } = database.statements(statements)
  return (events) => (events.length === 0 ? Effect.void : database.write(append, [events.map(EventRow.encode)]))
}

/**
 * Opens a new epoch after a restore: every position handed out before is expired, and events keep their order though
 * the new server counts its transactions from elsewhere.
 */
export const reopenFeed = (database: Database["Service"]): Effect.Effect<void, StorageError> => {
  const { rebase, reopen } = database.statements(statements)
  return Effect.asVoid(database.transaction(Effect.andThen(database.affected(reopen), database.affected(rebase))))
}

export const make = (database: Database["Service"]): EventStore["Service"] => {
  const sql = database.statements(statements)
  return EventStore.of({
    append: appender(database),
    read: Effect.fnUntraced(function* (workspace, after, limit) {
      const [row] = yield* database.execute<{ readonly value: string }>(sql.epoch)
      const epoch = row === undefined ? "" : Columns.json<string>(row.value)
      const place = after === null ? { epoch, xid: "0", n: "0" } : placeIn(after)
      if (place === null || place.epoch !== epoch) return yield* new CursorExpired({ position: after ?? "" })
      const rows = yield* database.execute<FeedRow>(sql.read, [workspace, BigInt(place.xid), BigInt(place.n), limit])
      return rows.map((row): FeedEvent => ({ position: `${epoch}.${row.xid}.${row.n}`, event: EventRow.decode(row) }))
    })
  })
}

export const layer: Layer.Layer<EventStore, never, Database> = Layer.effect(EventStore, Effect.map(Database, make))
