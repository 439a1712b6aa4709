/** Webhook endpoints, with their sealed secrets and how far they were told the feed. */
import type { EventPattern } from "@overture/core/event/EventPattern"
import type { DisabledReason, WebhookEndpoint } from "@overture/core/event/WebhookEndpoint"
import type { EndpointState, Replay } from "@overture/core/event/WebhookStore"
import type { WebhookEndpointId, WorkspaceId } from "@overture/core/workspace/Id"
import type { Metadata } from "@overture/core/workspace/Json"
import type { Sql } from "../Dialect.ts"
import * as FeedPlace from "../FeedPlace.ts"
import * as Columns from "./Columns.ts"

/** What is shown. */
const endpointColumns = {
  id: "id",
  workspace_id: "id",
  url: "text",
  description: "text",
  events: "json",
  format: "text",
  concurrency: "int",
  header_names: "json",
  metadata: "json",
  created_at: "bigint",
  disabled_at: "bigint",
  disabled_reason: "text",
  last_success_at: "bigint",
  failures: "int",
  failing_since: "bigint",
  last_failure_at: "bigint",
  paused_until: "bigint",
  former_until: "bigint"
} as const satisfies Columns.Columns

/** All but the place, whose type only `placed` knows. */
export const columns = {
  ...endpointColumns,
  secret: "text",
  former_secret: "text",
  headers: "text",
  replay: "json"
} as const satisfies Columns.Columns

/** The same with the place as `sql.rows` has it. */
export const placedColumns = { ...columns, cursor_xid: "text", cursor_n: "bigint" } as const satisfies Columns.Columns

export interface WebhookEndpointRow {
  readonly id: WebhookEndpointId
  readonly workspace_id: WorkspaceId
  readonly url: string
  readonly description: string | null
  readonly events: string
  readonly format: string
  readonly concurrency: number
  readonly header_names: string
  readonly metadata: string
  readonly created_at: number
  readonly disabled_at: number | null
  readonly disabled_reason: DisabledReason | null
  readonly last_success_at: number | null
  readonly failures: number
  readonly failing_since: number | null
  readonly last_failure_at: number | null
  readonly paused_until: number | null
  readonly former_until: number | null
}

export interface EndpointStateRow extends WebhookEndpointRow {
  readonly secret: string
  readonly former_secret: string | null
  readonly headers: string | null
  readonly replay: string | null
  readonly cursor_xid: string
  readonly cursor_n: number
  /** Of the feed. */
  readonly epoch: string
}

/** Everything of `alias` that `state` reads. */
export const selectState = (sql: Sql, alias: string): string =>
  `${Columns.select(columns, alias)}, ${FeedPlace.xidText(sql, `${alias}.cursor_xid`)} as cursor_xid, ${alias}.cursor_n,
    (select m.value from ${sql.t("meta")} as m where m.key = 'feedEpoch') as epoch`

/** What `decode` reads. */
export const selectEndpoint = (alias: string): string => Columns.select(endpointColumns, alias)

export const decode = (row: WebhookEndpointRow): WebhookEndpoint => ({
  id: row.id,
  workspace: row.workspace_id,
  url: row.url,
  description: row.description,
  events: Columns.array<EventPattern>(row.events),
  format: row.format,
  concurrency: row.concurrency,
  headerNames: Columns.array<string>(row.header_names),
  metadata: Columns.record<Metadata>(row.metadata),
  createdAt: row.created_at,
  disabled: row.disabled_at === null ? null : { at: row.disabled_at, reason: row.disabled_reason ?? "member" },
  health: {
    lastSuccessAt: row.last_success_at,
    failures: row.failures,
    failingSince: row.failing_since,
    lastFailureAt: row.last_failure_at,
    pausedUntil: row.paused_until
  },
  formerSecretUntil: row.former_until
})

export const state = (row: EndpointStateRow): EndpointState => ({
  endpoint: decode(row),
  secret: row.secret,
  formerSecret: row.former_secret,
  headers: row.headers,
  cursor: FeedPlace.positionOf(Columns.json<string>(row.epoch), { xid: row.cursor_xid, n: row.cursor_n }),
  replay: row.replay === null ? null : Columns.json<Replay>(row.replay)
})

export const encode = ({
  endpoint,
  formerSecret,
  headers,
  replay,
  secret
}: Omit<EndpointState, "cursor">): Columns.Written<typeof columns> => ({
  id: endpoint.id,
  workspace_id: endpoint.workspace,
  url: endpoint.url,
  description: endpoint.description,
  events: endpoint.events,
  format: endpoint.format,
  concurrency: endpoint.concurrency,
  header_names: endpoint.headerNames,
  metadata: endpoint.metadata,
  created_at: endpoint.createdAt,
  disabled_at: endpoint.disabled?.at,
  disabled_reason: endpoint.disabled?.reason,
  last_success_at: endpoint.health.lastSuccessAt,
  failures: endpoint.health.failures,
  failing_since: endpoint.health.failingSince,
  last_failure_at: endpoint.health.lastFailureAt,
  paused_until: endpoint.health.pausedUntil,
  former_until: endpoint.formerSecretUntil,
  secret,
  former_secret: formerSecret,
  headers,
  replay
})

/** With the place of its cursor. */
export const encodePlaced = (self: EndpointState): Columns.Written<typeof placedColumns> => {
  const place = self.cursor === null ? null : FeedPlace.parse(self.cursor)
  const { n, xid } = place ?? FeedPlace.beginning
  return { ...encode(self), cursor_xid: xid, cursor_n: Number(n) }
}
