/**
 * The feed. On PostgreSQL numbers are handed out before commit, so a reader follows (transaction, number) and stops
 * below the oldest transaction that is still open: what commits late is never behind a reader. SQLite has one writer,
 * and its numbers are the order.
 */
import * as DomainEvent from "@overture/core/event/DomainEvent"
import {
  CursorExpired,
  EventStore,
  type FeedEvent,
  longestWaitMs,
  type Position
} from "@overture/core/event/EventStore"
import type { WorkspaceId } from "@overture/core/workspace/Id"
import type { Instant } from "@overture/core/workspace/Instant"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect, Layer } from "effect"
import { Database } from "./Database.ts"
import { defineStatements, type Sql } from "./Dialect.ts"
import * as FeedPlace from "./FeedPlace.ts"
import { matches } from "./outbox/Lookup.ts"
import * as Columns from "./rows/Columns.ts"
import * as EventRow from "./rows/EventRow.ts"

/** Adds rows `x` of events to the feed; where they come from is to follow. */
export const insert = (sql: Sql): string => `insert into ${sql.t("event")}(${Columns.names(EventRow.columns)})
  select ${Columns.select(EventRow.columns, "x")}`

const statements = defineStatements("EventStore", (sql) => {
  const event = sql.t("event")
  const columns = Columns.select(EventRow.columns, "e")
  const xid = (alias: string) => FeedPlace.xidText(sql, `${alias}.xid`)
  const isAfter = sql.pick({
    postgres: "(e.xid, e.n) > ($2::xid8, $3::bigint)",
    sqlite: "e.xid = $2 and e.n > $3"
  })
  const upTo = (x: string, n: string) =>
    sql.pick({ postgres: `(e.xid, e.n) <= (${x}::xid8, ${n}::bigint)`, sqlite: `(e.xid, e.n) <= (${x}, ${n})` })
  const zero = sql.pick({ postgres: "'0'", sqlite: "0" })
  return {
    append: `${insert(sql)} from ${sql.rows("x", 1, { ...EventRow.columns, i: "ordinal" })}
      order by x.i`,
    feed: `select m.value as epoch, ${xid("h")} as xid, h.n from ${sql.t("meta")} as m
      left join ${sql.t("feed_horizon")} as h on h.workspace_id = $1 where m.key = 'feedEpoch'`,
    read: `select ${columns}, e.n, ${xid("e")} as xid
      from ${event} as e where e.workspace_id = $1 and ${isAfter} and ${FeedPlace.isVisible(sql, "e")} order by e.xid, e.n limit $4`,
    // What is of no type that was asked for stays in the database, but for the last, which tells how far this came.
    scan: `with part as (select ${columns}, e.n, e.xid, row_number() over (order by e.xid, e.n) as looked
        from ${event} as e where e.workspace_id = $1 and ${isAfter} and ${upTo("$4", "$5")} and ${FeedPlace.isVisible(sql, "e")}
        order by e.xid, e.n limit $6)
      select ${Columns.select(EventRow.columns, "p")}, p.n, ${xid("p")} as xid, p.looked from part as p
      where p.type in (select x.type from ${sql.rows("x", 7, { type: "text" })}) or p.looked = (select count(*) from part)
      order by p.xid, p.n`,
    last: `select ${xid("e")} as xid, e.n from ${event} as e where e.workspace_id = $1
      and (${sql.p(2, "bigint")} is null or e.at < ${sql.p(2, "bigint")}) and ${FeedPlace.isVisible(sql, "e")}
      order by e.xid desc, e.n desc limit 1`,
    about: `select ${columns}, e.n, ${xid("e")} as xid from ${event} as e
      where e.workspace_id = $1 and e.subject in (select x.id from ${sql.rows("x", 2, { id: "text" })})
      order by e.xid, e.n`,
    erase: `update ${event} as e set data = x.data
      from ${sql.rows("x", 1, { xid: "text", number: "bigint", data: "json" })} where e.workspace_id = $2
        and ${matches(sql, "e.xid", FeedPlace.xidOf(sql, "x.xid"))}
        and ${matches(sql, "e.n", "x.number")}`,
    forget: `update ${sql.t("delivery")} set response = null where workspace_id = $1 and response is not null
      and subject in (select x.id from ${sql.rows("x", 2, { id: "text" })})`,
    // Answers that are on their way are not to be kept either.
    countErasure: `update ${sql.t("webhook_endpoint")} set erasures = erasures + 1 where workspace_id = $1`,
    oldest: `select ${xid("e")} as xid, e.n, e.at from ${event} as e where e.workspace_id = $1 and ${FeedPlace.isVisible(sql, "e")}
      order by e.xid, e.n limit $2`,
    /** Where endpoints still have to begin reading. */
    awaited: `select ${xid("w")} as xid, w.n from (
        select cursor_xid as xid, cursor_n as n from ${sql.t("webhook_endpoint")}
        where workspace_id = $1 and disabled_at is null
        union all select d.xid, d.n - 1 as n from ${sql.t("delivery")} as d
        join ${sql.t("webhook_endpoint")} as o on o.id = d.endpoint_id
        where d.workspace_id = $1 and d.status = 'waiting' and o.disabled_at is null) as w
      order by w.xid, w.n limit 1`,
    purge: `delete from ${event} as e where e.workspace_id = $1 and ${upTo("$2", "$3")}`,
    moveHorizon: `insert into ${sql.t("feed_horizon")}(workspace_id, xid, n)
      values ($1, ${sql.pick({ postgres: "$2::xid8", sqlite: "$2" })}, ${sql.p(3, "bigint")})
      on conflict (workspace_id) do update set xid = excluded.xid, n = excluded.n`,
    // An open transaction counts from its first write on, and those of other databases of the server do as well.
    lag: sql.pick({
      postgres: `select o.held_ms, o.holder, (select coalesce(sum((select count(*) from ${event} as e
            where e.workspace_id = w.id and e.xid >= pg_snapshot_xmin(pg_current_snapshot()))), 0)
          from ${sql.t("workspace")} as w)::bigint as hidden
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
    // By the numbers alone an endpoint goes on before the first event that it did not have: it may have some twice.
    rebaseCursors: `update ${sql.t("webhook_endpoint")} as o set cursor_xid = ${zero}, replay = null,
        cursor_n = coalesce((select min(e.n) - 1 from ${event} as e where e.workspace_id = o.workspace_id
          and (e.xid, e.n) > (o.cursor_xid, o.cursor_n)), o.cursor_n)
      where o.cursor_xid > ${zero} or o.replay is not null`,
    rebaseDeliveries: `update ${sql.t("delivery")} set xid = ${zero} where xid > ${zero}`,
    forgetHorizons: `delete from ${sql.t("feed_horizon")}`,
    rebase: `update ${event} set xid = ${zero} where xid > ${zero}`
  }
})

interface FeedRow extends EventRow.EventRow {
  readonly n: number
  readonly xid: string | number
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
 * the new server counts its transactions from elsewhere. Webhook endpoints miss nothing.
 */
export const reopenFeed = (database: Database["Service"]): Effect.Effect<void, StorageError> => {
  const sql = database.statements(statements)
  const steps = [sql.reopen, sql.rebaseCursors, sql.rebaseDeliveries, sql.forgetHorizons, sql.rebase]
  return database.transaction(Effect.forEach(steps, (step) => database.affected(step), { discard: true }))
}

/** After every place. */
const end = { xid: String(2n ** 63n - 1n), n: String(Number.MAX_SAFE_INTEGER) }

export const make = (database: Database["Service"]): EventStore["Service"] => {
  const sql = database.statements(statements)
  const { affected, execute, executeAlone, transaction } = database
  const about = (workspace: WorkspaceId, subjects: ReadonlyArray<string>) =>
    execute<FeedRow>(sql.about, [workspace, subjects.map((id) => ({ id }))])

  const feedOf = Effect.fnUntraced(function* (workspace: WorkspaceId) {
    interface Row {
      readonly epoch: string
      readonly xid: string | number | null
      readonly n: number | null
    }
    const [row] = yield* execute<Row>(sql.feed, [workspace])
    const horizon = row?.xid == null ? FeedPlace.beginning : { xid: String(row.xid), n: String(row.n) }
    return { epoch: row === undefined ? "" : Columns.json<string>(row.epoch), horizon }
  })

  /** The place of a position, null as `beginning`; of which feed, it says itself. */
  const placeOf = (position: Position | null) => {
    const place = position === null ? { epoch: null, ...FeedPlace.beginning } : FeedPlace.parse(position)
    return place === null
      ? Effect.fail(new CursorExpired({ position: position! }))
      : Effect.succeed({ ...place, position })
  }
  type Placed = Effect.Success<ReturnType<typeof placeOf>>

  /**
   * The feed, where everything behind these places is still in it. Asked for after the rows were read: what was purged in
   * between, they may lack.
   */
  const feedBehind = Effect.fnUntraced(function* (workspace: WorkspaceId, places: ReadonlyArray<Placed>) {
    const feed = yield* feedOf(workspace)
    for (const place of places) {
      if (place.position === null) continue
      if (place.epoch !== feed.epoch || FeedPlace.isBefore(place, feed.horizon)) {
        return yield* new CursorExpired({ position: place.position })
      }
    }
    return feed
  })
  const parametersOf = ({ n, xid }: Pick<FeedPlace.Place, "xid" | "n">) => [BigInt(xid), BigInt(n)]
  // Pages are read hot: of a feed that it knows nothing of yet PostgreSQL would fetch and sort all that is left, for each.
  const read = (workspace: WorkspaceId, after: Pick<FeedPlace.Place, "xid" | "n">, limit: number) =>
    executeAlone<FeedRow>(sql.read, [workspace, ...parametersOf(after), limit])
  const told =
    (epoch: string) =>
    (row: FeedRow): FeedEvent => ({ position: FeedPlace.format(epoch, row), event: EventRow.decode(row) })

  return EventStore.of({
    append: appender(database),
    lag: Effect.map(
      execute<{ readonly held_ms: number | null; readonly holder: string | null; readonly hidden: number }>(sql.lag),
      ([row]) => ({ hidden: row?.hidden ?? 0, heldMs: row?.held_ms ?? 0, holder: row?.holder ?? null })
    ),
    about: (workspace, subjects) => Effect.map(about(workspace, subjects), (rows) => rows.map(EventRow.decode)),
    erase: (workspace, subjects) =>
      transaction(
        Effect.gen(function* () {
          const rows = yield* about(workspace, subjects)
          if (rows.length > 0) {
            yield* affected(sql.erase, [
              rows.map((row) => ({
                xid: String(row.xid),
                number: row.n,
                data: DomainEvent.erase(EventRow.decode(row)).data
              })),
              workspace
            ])
          }
          yield* affected(sql.countErasure, [workspace])
          yield* affected(sql.forget, [workspace, subjects.map((id) => ({ id }))])
        })
      ),
    read: Effect.fnUntraced(function* (workspace, after, limit) {
      const from = yield* placeOf(after)
      const rows = yield* read(workspace, from, limit)
      const { epoch } = yield* feedBehind(workspace, [from])
      return rows.map(told(epoch))
    }),
    scan: Effect.fnUntraced(function* (workspace, { after, limit, types, until }) {
      const from = yield* placeOf(after)
      if (types === null && until === null) {
        const rows = yield* read(workspace, from, limit)
        const { epoch } = yield* feedBehind(workspace, [from])
        const events = rows.map(told(epoch))
        return { events, position: events.at(-1)?.position ?? after, looked: events.length }
      }
      const to = yield* placeOf(until)
      const wanted = types ?? DomainEvent.EventType.literals
      const rows = yield* executeAlone<FeedRow & { readonly looked: number }>(sql.scan, [
        workspace,
        ...parametersOf(from),
        ...parametersOf(until === null ? end : to),
        limit,
        wanted.map((type) => ({ type }))
      ])
      const { epoch } = yield* feedBehind(workspace, [from, to])
      const last = rows.at(-1)
      const isWanted = new Set<string>(wanted)
      return {
        events: rows.filter(({ type }) => isWanted.has(type)).map(told(epoch)),
        position: last === undefined ? after : FeedPlace.format(epoch, last),
        looked: last?.looked ?? 0
      }
    }),
    last: Effect.fnUntraced(function* (workspace: WorkspaceId, before: Instant | null) {
      const { epoch } = yield* feedOf(workspace)
      const [row] = yield* execute<FeedPlace.PlaceRow>(sql.last, [workspace, before])
      return row === undefined ? null : FeedPlace.format(epoch, row)
    }),
    purge: (workspace, before, limit) =>
      transaction(
        Effect.gen(function* () {
          const rows = yield* execute<FeedPlace.PlaceRow & { readonly at: Instant }>(sql.oldest, [workspace, limit])
          const [awaited] = yield* execute<FeedPlace.PlaceRow>(sql.awaited, [workspace])
          const stop = rows.findIndex(
            ({ at, ...place }) =>
              at >= before ||
              (at >= before - longestWaitMs && awaited !== undefined && FeedPlace.follows(place, awaited))
          )
          const last = rows[(stop < 0 ? rows.length : stop) - 1]
          if (last === undefined) return 0
          const place = [BigInt(last.xid), BigInt(last.n)]
          yield* affected(sql.moveHorizon, [workspace, ...place])
          return yield* affected(sql.purge, [workspace, ...place])
        })
      )
  })
}

export const layer: Layer.Layer<EventStore, never, Database> = Layer.effect(EventStore, Effect.map(Database, make))
