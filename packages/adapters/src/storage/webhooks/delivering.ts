/**
 * Endpoints as deliveries hold them. A claim looks before it locks, so that nothing is written where there is nothing to
 * tell; everything else is fenced by the lease in the endpoint's row, which is locked first.
 */
import { keptPerEndpoint } from "@overture/core/event/Delivery"
import type { ClaimedEndpoint, WebhookStore } from "@overture/core/event/WebhookStore"
import type { ClaimId } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as EventSqlStore from "../EventSqlStore.ts"
import * as FeedPlace from "../FeedPlace.ts"
import * as Columns from "../rows/Columns.ts"
import * as DeliveryRow from "../rows/DeliveryRow.ts"
import * as EventRow from "../rows/EventRow.ts"
import * as WebhookEndpointRow from "../rows/WebhookEndpointRow.ts"

/** What a settle writes of an endpoint that no member changed. */
const settledColumns = Columns.pick(
  WebhookEndpointRow.placedColumns,
  "id",
  "disabled_at",
  "disabled_reason",
  "last_success_at",
  "failures",
  "failing_since",
  "last_failure_at",
  "paused_until",
  "replay",
  "cursor_n"
)

const statements = defineStatements("Delivering", (sql) => {
  const endpoint = sql.t("webhook_endpoint")
  const delivery = sql.t("delivery")
  const event = sql.t("event")
  const state = WebhookEndpointRow.selectState(sql, "o")
  const placed = DeliveryRow.selectPlaced(sql, "d")
  const told = `left join ${event} as e on e.workspace_id = d.workspace_id and e.xid = d.xid and e.n = d.n`
  const events = Columns.select(EventRow.columns, "e", "e_")
  const { xid: _, ...unplaced } = DeliveryRow.placedColumns
  const given = `${Columns.select(unplaced, "x")}, ${FeedPlace.xidOf(sql, "x.xid")}`
  const isFree = `o.disabled_at is null and o.until <= ${sql.now} and coalesce(o.paused_until, 0) <= $1
    and o.format in (select x.name from ${sql.rows("x", 3, { name: "text" })})
    and (o.replay is not null
      or exists (select 1 from ${delivery} as d where d.endpoint_id = o.id and d.due_at is not null and d.due_at <= $1)
      or exists (select 1 from ${event} as e where e.workspace_id = o.workspace_id
        and (e.xid, e.n) > (o.cursor_xid, o.cursor_n) and ${FeedPlace.isVisible(sql, "e")}))`
  return {
    look: `select 1 as found from ${endpoint} as o where ${isFree} limit $2`,
    free: `select ${state}, o.version, o.erasures,
        exists (select 1 from ${delivery} as d where d.endpoint_id = o.id and d.status = 'waiting') as has_waiting
      from ${endpoint} as o where ${isFree} order by o.claimed_at, o.id limit $2 ${sql.skipLocked("o")}`,
    lease: `update ${endpoint} as o set claim_id = x.claim_id, until = ${sql.now} + ${sql.p(2, "bigint")}, claimed_at = ${sql.now}
      from ${sql.rows("x", 1, { id: "id", claim_id: "id" })} where o.id = x.id`,
    due: `select ${placed}, ${events} from ${delivery} as d ${told}
      where d.endpoint_id = $1 and d.due_at is not null and d.due_at <= $2 order by d.due_at, d.xid, d.n limit $3`,
    behind: `select ${placed}, ${events} from ${delivery} as d ${told}
      where d.endpoint_id = $1 and d.status = 'waiting' and d.due_at is null
        and d.key in (select x.key from ${sql.rows("x", 2, { key: "text" })})
      order by d.key, d.xid, d.n limit $3`,
    waiting: `select distinct d.key from ${delivery} as d where d.endpoint_id = $1 and d.status = 'waiting'
      and d.key in (select x.key from ${sql.rows("x", 2, { key: "text" })})`,
    held: `select ${state}, o.version, o.erasures from ${endpoint} as o where o.id = $1 and o.claim_id = $2 ${sql.lock("o")}`,
    record: `insert into ${delivery}(${Columns.names(unplaced)}, xid) select ${given}
      from ${sql.rows("x", 1, DeliveryRow.placedColumns)} where true
      on conflict (id) do update set ${Columns.assign(DeliveryRow.changedColumns, "excluded")}`,
    recover: `update ${delivery} set due_at = $2
      where endpoint_id = $1 and due_at is not null and due_at > $2 and first_at >= $3`,
    release: `update ${delivery} as d set due_at = ${sql.p(3, "bigint")} from ${sql.rows("x", 2, { key: "text" })}
      where d.endpoint_id = $1 and d.key = x.key and d.status = 'waiting' and d.due_at is null
        and not exists (select 1 from ${delivery} as p where p.endpoint_id = d.endpoint_id and p.key = d.key
          and p.status = 'waiting' and (p.xid, p.n, p.id) < (d.xid, d.n, d.id))`,
    trim: `delete from ${delivery} where id in (select d.id from ${delivery} as d
      where d.endpoint_id = $1 and d.status = 'delivered' order by d.at desc, d.id limit 10000 offset ${keptPerEndpoint})`,
    settle: `update ${endpoint} as o set ${Columns.assign(settledColumns, "x", "id")},
        cursor_xid = ${FeedPlace.xidOf(sql, "x.cursor_xid")}
      from ${sql.rows("x", 1, { ...settledColumns, cursor_xid: "text" })} where o.id = x.id`,
    move: `update ${endpoint} as o set cursor_n = x.cursor_n, cursor_xid = ${FeedPlace.xidOf(sql, "x.cursor_xid")}
      from ${sql.rows("x", 1, { id: "id", cursor_xid: "text", cursor_n: "bigint" })} where o.id = x.id`,
    hold: `update ${endpoint} set until = ${sql.now} + ${sql.p(2, "bigint")} where id = $1`,
    giveBack: `update ${endpoint} set claim_id = null, until = 0 where id = $1`
  }
})

interface HeldRow extends WebhookEndpointRow.EndpointStateRow {
  readonly version: number
  readonly erasures: number
}

interface FreeRow extends HeldRow {
  readonly has_waiting: number
}

const eventOf = Columns.unprefix<EventRow.EventRow>(EventRow.columns, "e_")

/** The verbs of `WebhookStore` that deliveries call. */
export const make = (database: Database["Service"]) => {
  const sql = database.statements(statements)
  const { affected, execute, transaction, write } = database
  const append = EventSqlStore.appender(database)

  const dueOf = (row: DeliveryRow.PlacedRow) => {
    const event = eventOf(row)
    return { ...DeliveryRow.decodePlaced(row), event: event.id === null ? null : EventRow.decode(event) }
  }
  const keysOf = (keys: Iterable<string>) => Array.from(new Set(keys), (key) => ({ key }))

  return {
    claim: Effect.fnUntraced(function* ({ claims, durationMs, formats, now }) {
      const names = formats.map((name: string) => ({ name }))
      if ((yield* execute<object>(sql.look, [now, 1, names])).length === 0) return []
      return yield* transaction(
        Effect.gen(function* () {
          const rows = yield* execute<FreeRow>(sql.free, [now, claims.length, names])
          const claimed = rows.map((row, i): ClaimedEndpoint => {
            const { erasures, id, version } = row
            const lease = { endpoint: id, claim: claims[i] as ClaimId, version, erasures }
            return { state: WebhookEndpointRow.state(row), lease, hasWaiting: row.has_waiting === 1 }
          })
          if (claimed.length === 0) return claimed
          const leases = claimed.map(({ lease }) => ({ id: lease.endpoint, claim_id: lease.claim }))
          yield* affected(sql.lease, [leases, durationMs])
          return claimed
        })
      )
    }),
    due: Effect.fnUntraced(function* (endpoint, now, limit) {
      const due = yield* execute<DeliveryRow.PlacedRow>(sql.due, [endpoint, now, limit])
      if (due.length === 0) return []
      const keys = keysOf(due.map(({ key }) => key))
      const behind = yield* execute<DeliveryRow.PlacedRow>(sql.behind, [endpoint, keys, limit])
      return [...due, ...behind].map(dueOf)
    }),
    waiting: (endpoint, keys) =>
      Effect.map(
        execute<{ readonly key: string }>(sql.waiting, [endpoint, keysOf(keys)]),
        (rows) => new Set(rows.map(({ key }) => key))
      ),
    settle: (lease, now, writes) =>
      transaction(
        Effect.gen(function* () {
          const { endpoint: id } = lease
          const [row] = yield* execute<HeldRow>(sql.held, [id, lease.claim])
          if (row === undefined) return "lost"
          const before = WebhookEndpointRow.state(row)
          const isChanged = row.version !== lease.version
          const isForgotten = row.erasures !== lease.erasures
          const rows = !isForgotten
            ? writes.rows
            : writes.rows.map((one) => ({ ...one, delivery: { ...one.delivery, response: null } }))
          if (rows.length > 0) yield* write(sql.record, [rows.map(DeliveryRow.encode)])
          if (writes.recoveredSince !== null) yield* write(sql.recover, [id, now, writes.recoveredSince])
          if (rows.length > 0) yield* write(sql.release, [id, keysOf(rows.map(({ key }) => key)), now])
          if (rows.some(({ delivery }) => delivery.status === "delivered")) yield* write(sql.trim, [id])
          const { cursor, cursorBefore, disabled, events, health, holdMs, replay } = writes
          const after = { ...before, cursor, replay, endpoint: { ...before.endpoint, disabled, health } }
          const placed = WebhookEndpointRow.encodePlaced(after)
          if (!isChanged) yield* write(sql.settle, [[placed]])
          else if (before.cursor === cursorBefore) yield* write(sql.move, [[placed]])
          yield* holdMs === null ? write(sql.giveBack, [id]) : write(sql.hold, [id, holdMs])
          if (!isChanged) yield* append(events)
          return isChanged || isForgotten ? "changed" : "held"
        })
      )
  } satisfies Partial<WebhookStore["Service"]>
}
