/** Deliveries of webhooks, with the place of their event in the feed. */
import type { Delivery, DeliveryAttempt, DeliveryStatus } from "@overture/core/event/Delivery"
import type { EventType } from "@overture/core/event/DomainEvent"
import type { DeliveryRow as Placed } from "@overture/core/event/WebhookStore"
import type { DeliveryId, EventId, WebhookEndpointId, WorkspaceId } from "@overture/core/workspace/Id"
import type { Sql } from "../Dialect.ts"
import * as FeedPlace from "../FeedPlace.ts"
import * as Columns from "./Columns.ts"

/** What a delivery is. */
export const columns = {
  id: "id",
  endpoint_id: "id",
  workspace_id: "id",
  event_id: "id",
  type: "text",
  subject: "text",
  status: "text",
  attempts: "json",
  due_at: "bigint",
  response: "text",
  at: "bigint"
} as const satisfies Columns.Columns

/** With what it is found by; the place as `sql.rows` has it. */
export const placedColumns = {
  ...columns,
  first_at: "bigint",
  key: "text",
  xid: "text",
  n: "bigint"
} as const satisfies Columns.Columns

/** What an attempt changes. */
export const changedColumns = Columns.pick(placedColumns, "status", "attempts", "due_at", "response", "at", "first_at")

export interface DeliveryRow {
  readonly id: DeliveryId
  readonly endpoint_id: WebhookEndpointId
  readonly workspace_id: WorkspaceId
  readonly event_id: EventId
  readonly type: EventType
  readonly subject: string
  readonly status: DeliveryStatus
  readonly attempts: string
  readonly due_at: number | null
  readonly response: string | null
  readonly at: number
}

export interface PlacedRow extends DeliveryRow {
  readonly key: string
  readonly xid: string
  readonly n: number
  /** Of the feed. */
  readonly epoch: string
}

/** Everything of `alias` that `decodePlaced` reads. */
export const selectPlaced = (sql: Sql, alias: string): string =>
  `${Columns.select(columns, alias)}, ${alias}.key, ${FeedPlace.xidText(sql, `${alias}.xid`)} as xid, ${alias}.n,
    (select m.value from ${sql.t("meta")} as m where m.key = 'feedEpoch') as epoch`

export const decode = (row: DeliveryRow): Delivery => ({
  id: row.id,
  endpoint: row.endpoint_id,
  workspace: row.workspace_id,
  event: row.event_id,
  type: row.type,
  subject: row.subject,
  status: row.status,
  attempts: Columns.array<DeliveryAttempt>(row.attempts),
  dueAt: row.due_at,
  response: row.response,
  at: row.at
})

export const decodePlaced = (row: PlacedRow): Placed => ({
  delivery: decode(row),
  key: row.key,
  position: FeedPlace.format(Columns.json<string>(row.epoch), row)
})

export const encode = ({ delivery, key, position }: Placed): Columns.Written<typeof placedColumns> => {
  const { n, xid } = FeedPlace.parse(position) ?? FeedPlace.beginning
  return {
    id: delivery.id,
    endpoint_id: delivery.endpoint,
    workspace_id: delivery.workspace,
    event_id: delivery.event,
    type: delivery.type,
    subject: delivery.subject,
    status: delivery.status,
    attempts: delivery.attempts,
    due_at: delivery.dueAt,
    response: delivery.response,
    at: delivery.at,
    first_at: delivery.attempts[0]?.at,
    key,
    xid,
    n: Number(n)
  }
}
