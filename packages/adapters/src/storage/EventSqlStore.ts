/**
 * The feed. On PostgreSQL numbers are handed out before commit, so a reader follows (transaction, number) and stops
 * below the oldest transaction that is still open: what commits late is never behind a reader. SQLite has one writer,
 * and its numbers are the order.
 */
import * as DomainEvent from "@overture/core/event/DomainEvent"
import { CursorExpired, EventStore, type FeedEvent, type Position } from "@overture/core/event/EventStore"
import type { WorkspaceId } from "@overture/core/workspace/Id"
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
  about: `select ${Columns.select(EventRow.columns, "e")}, e.n from ${sql.t("event")} as e
    where e.workspace_id = $1 and e.subject in (select x.id from ${sql.rows("x", 2, { id: "text" })})
    order by e.xid, e.n`,
  erase: `update ${sql.t("event")} as e set data = x.data
    from ${sql.rows("x", 1, { number: "bigint", data: "json" })} where e.n = x.number`,
  // An open transaction counts from its first write on, and those of other databases of the server do as well.
  lag: sql.pick({
    postgres: `select o.held_ms, o.holder, (select count(*) from ${sql.t("event")} as e
        where e.xid >= pg_snapshot_xmin(pg_current_snapshot())) as hidden
      from (select max(a.held_ms) as held_ms, (array_agg(a.holder order by a.held_ms desc))[1] as holder from (
        select (extract(epoch from clock_timestamp() - xact_start) * 1000)::bigint as held_ms,
          concat_ws(' ', 'process', pid, nullif(application_name, ''), usename) as holder
        from pg_stat_activity where backend_xid is not null and pid <> pg_backend_pid()
        union all select (extract(epoch from clock_timestamp() - prepared) * 1000)::bigint, concat('prepared transaction ', gid)
        from pg_prepared_xacts) as a) as o`,
    sqlite: "select 0 as held_ms, null as holder, 0 as hidden"
  }),
  reopen: `update ${sql.t("meta")} set value = ${sql.pick({
    postgres: "to_jsonb(left(md5(gen_random_uuid()::text), 12))",
    sqlite: "json_quote(lower(hex(randomblob(6))))"
  })} where key = 'feedEpoch'`,
  rebase: `update ${sql.t("event")} set xid = ${sql.pick({ postgres: "'0'", sqlite: "0" })}
    where xid > ${sql.pick({ postgres: "'0'", sqlite: "0" })}`
}))

interface NumberedRow extends EventRow.EventRow {
  readonly n: number
}

interface FeedRow extends NumberedRow {
  readonly xid: string | number
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
): ((events: ReadonlyArray<DomainEvent.DomainEvent>) => Effect.Effect<void, StorageError>) => {
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
  const about = (workspace: WorkspaceId, subjects: ReadonlyArray<string>) =>
    database.execute<NumberedRow>(sql.about, [workspace, subjects.map((id) => ({ id }))])
  return EventStore.of({
    append: appender(database),
    lag: Effect.map(
      database.execute<{ readonly held_ms: number | null; readonly holder: string | null; readonly hidden: number }>(
        sql.lag
      ),
      ([row]) => ({ hidden: row?.hidden ?? 0, heldMs: row?.held_ms ?? 0, holder: row?.holder ?? null })
    ),
    about: (workspace, subjects) => Effect.map(about(workspace, subjects), (rows) => rows.map(EventRow.decode)),
    erase: (workspace, subjects) =>
      database.transaction(
        Effect.gen(function* () {
          const rows = yield* about(workspace, subjects)
          if (rows.length === 0) return
          yield* database.affected(sql.erase, [
            rows.map((row) => ({ number: row.n, data: DomainEvent.erase(EventRow.decode(row)).data }))
          ])
        })
      ),
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
