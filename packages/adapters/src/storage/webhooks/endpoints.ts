/** Webhook endpoints as members see and change them, and the deliveries that are shown of them. */
import type { WebhookStore } from "@overture/core/event/WebhookStore"
import { Effect, Option } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as EventSqlStore from "../EventSqlStore.ts"
import * as FeedPlace from "../FeedPlace.ts"
import * as Paging from "../Paging.ts"
import * as Columns from "../rows/Columns.ts"
import * as DeliveryRow from "../rows/DeliveryRow.ts"
import * as WebhookEndpointRow from "../rows/WebhookEndpointRow.ts"

const { columns, placedColumns } = WebhookEndpointRow

const statements = defineStatements("Webhooks", (sql) => {
  const endpoint = sql.t("webhook_endpoint")
  const delivery = sql.t("delivery")
  const state = WebhookEndpointRow.selectState(sql, "o")
  const cursor = FeedPlace.xidOf(sql, "x.cursor_xid")
  const isSealed = (column: string) => `substr(o.${column}, 1, length(${sql.p(1, "text")})) = ${sql.p(1, "text")}`
  return {
    lockWorkspace: `select w.id from ${sql.t("workspace")} as w where w.id = $1 ${sql.lock("w")}`,
    create: `insert into ${endpoint}(${Columns.names(columns)}, cursor_xid, cursor_n)
      select ${Columns.select(columns, "x")}, coalesce(l.xid, ${sql.pick({ postgres: "'0'", sqlite: "0" })}), coalesce(l.n, 0)
      from ${sql.rows("x", 1, columns)} left join (select e.xid, e.n from ${sql.t("event")} as e
        where e.workspace_id = ${sql.p(2, "id")} and ${FeedPlace.isVisible(sql, "e")}
        order by e.xid desc, e.n desc limit 1) as l on true
      where (select count(*) from ${endpoint} as o where o.workspace_id = ${sql.p(2, "id")}) < ${sql.p(3, "int")}`,
    get: `select ${state} from ${endpoint} as o where o.workspace_id = $1 and o.id = $2`,
    list: `select ${WebhookEndpointRow.selectEndpoint("o")} from ${endpoint} as o
      where o.workspace_id = $1 and o.id > $2 order by o.id limit $3 offset $4`,
    count: `select count(*) as total from ${endpoint} where workspace_id = $1`,
    lock: `select ${state} from ${endpoint} as o where o.workspace_id = $1 and o.id = $2 ${sql.lock("o")}`,
    write: `update ${endpoint} as o set ${Columns.assign(columns, "x", "id", "workspace_id", "created_at")},
        cursor_xid = ${cursor}, cursor_n = x.cursor_n, version = o.version + 1
      from ${sql.rows("x", 1, placedColumns)} where o.id = x.id`,
    removeDeliveries: `delete from ${delivery} where endpoint_id = $1`,
    remove: `delete from ${endpoint} where id = $1`,
    hasten: `update ${delivery} set due_at = $2 where endpoint_id = $1 and due_at is not null and due_at > $2`,
    cancelWaiting: `update ${delivery} set status = 'cancelled', due_at = null, at = $3
      where endpoint_id = (select o.id from ${endpoint} as o where o.workspace_id = $1 and o.id = $2)
        and status = 'waiting'`,
    deliveries: `select ${Columns.select(DeliveryRow.columns, "d")} from ${delivery} as d
      where d.workspace_id = $1 and d.endpoint_id = $2 and (-d.at, d.id) > (${sql.p(3, "bigint")}, ${sql.p(4, "text")})
      order by d.at desc, d.id limit $5 offset $6`,
    countDeliveries: `select count(*) as total from ${delivery} where workspace_id = $1 and endpoint_id = $2`,
    redeliver: `update ${delivery} as d set status = 'waiting', attempts = '[]', first_at = null,
        due_at = ${sql.p(4, "bigint")}, at = ${sql.p(4, "bigint")}
      where d.workspace_id = $1 and d.endpoint_id = $2 and d.id = $3`,
    delivery: `select ${Columns.select(DeliveryRow.columns, "d")} from ${delivery} as d
      where d.workspace_id = $1 and d.endpoint_id = $2 and d.id = $3`,
    about: `select ${Columns.select(DeliveryRow.columns, "d")} from ${delivery} as d
      where d.workspace_id = $1 and d.response is not null
        and d.subject in (select x.id from ${sql.rows("x", 2, { id: "text" })}) order by d.id`,
    purge: `delete from ${delivery} where id in (select d.id from ${endpoint} as o
      join ${delivery} as d on d.endpoint_id = o.id
      where o.workspace_id = $1 and d.at < $2 and d.status <> 'waiting' limit $3)`,
    sealedOtherwise: `select ${state} from ${endpoint} as o where o.id > $2
      and not (${isSealed("secret")} and coalesce(${isSealed("former_secret")}, true) and coalesce(${isSealed("headers")}, true))
      order by o.id limit $3`
  }
})

type StateRow = WebhookEndpointRow.EndpointStateRow

const stateOf = (rows: ReadonlyArray<StateRow>) => Option.map(Option.fromUndefinedOr(rows[0]), WebhookEndpointRow.state)

/** The verbs of `WebhookStore` that members call. */
export const make = (database: Database["Service"]) => {
  const sql = database.statements(statements)
  const { affected, execute, transaction } = database
  const append = EventSqlStore.appender(database)
  return {
    create: (state, most) =>
      transaction(
        Effect.gen(function* () {
          const { workspace } = state.endpoint
          yield* execute<object>(sql.lockWorkspace, [workspace])
          const row = WebhookEndpointRow.encode({ ...state, replay: null })
          return (yield* affected(sql.create, [[row], workspace, most])) > 0
        })
      ),
    get: (workspace, id) => Effect.map(execute<StateRow>(sql.get, [workspace, id]), stateOf),
    list: Paging.byId(database, sql, WebhookEndpointRow.decode),
    modify: (workspace, id, now, rule) =>
      transaction(
        Effect.gen(function* () {
          const before = stateOf(yield* execute<StateRow>(sql.lock, [workspace, id]))
          if (Option.isNone(before)) return before
          const { events, state } = rule(before.value)
          const { createdAt, disabled } = before.value.endpoint
          const after = { ...state, endpoint: { ...state.endpoint, id, workspace, createdAt } }
          yield* affected(sql.write, [[WebhookEndpointRow.encodePlaced(after)]])
          if (disabled !== null && after.endpoint.disabled === null) yield* affected(sql.hasten, [id, now])
          yield* append(events)
          return Option.some(after)
        })
      ),
    remove: (workspace, id) =>
      transaction(
        Effect.gen(function* () {
          if ((yield* execute<object>(sql.lock, [workspace, id])).length === 0) return false
          yield* affected(sql.removeDeliveries, [id])
          yield* affected(sql.remove, [id])
          return true
        })
      ),
    cancelWaiting: (workspace, id, now) => affected(sql.cancelWaiting, [workspace, id, now]),
    deliveries: (workspace, id, request) =>
      Paging.page(
        database,
        {
          select: sql.deliveries,
          count: sql.countDeliveries,
          of: [workspace, id],
          start: [-Number.MAX_SAFE_INTEGER, ""],
          decode: DeliveryRow.decode,
          keyOf: (delivery) => [-delivery.at, delivery.id]
        },
        request
      ),
    redeliver: (workspace, id, delivery, now) =>
      transaction(
        Effect.gen(function* () {
          yield* affected(sql.redeliver, [workspace, id, delivery, now])
          const [row] = yield* execute<DeliveryRow.DeliveryRow>(sql.delivery, [workspace, id, delivery])
          return Option.map(Option.fromUndefinedOr(row), DeliveryRow.decode)
        })
      ),
    about: (workspace, subjects) =>
      Effect.map(execute<DeliveryRow.DeliveryRow>(sql.about, [workspace, subjects.map((id) => ({ id }))]), (rows) =>
        rows.map(DeliveryRow.decode)
      ),
    purge: (workspace, before, limit) => affected(sql.purge, [workspace, before, limit]),
    sealedOtherwise: (prefix, after, limit) =>
      Effect.map(execute<StateRow>(sql.sealedOtherwise, [prefix, after ?? "", limit]), (rows) =>
        rows.map(WebhookEndpointRow.state)
      )
  } satisfies Partial<WebhookStore["Service"]>
}
