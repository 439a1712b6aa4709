/**
 * Who is told of the feed. `until`: when the lease of the process ends that holds an endpoint. A delivery has the place of
 * its event in the feed, and `key`, by which those of an endpoint are kept in order.
 */
import type { Sql } from "../../Dialect.ts"

export const tables = (sql: Sql): string => {
  const { t, table, type } = sql
  const xid = sql.pick({ postgres: "xid8 not null", sqlite: "integer not null" })
  return `
create table ${t("feed_horizon")}(
  workspace_id ${type("id")} primary key, xid ${xid}, n ${type("bigint")} not null
) ${table({ fillfactor: 50, withoutRowid: true })};

create table ${t("webhook_endpoint")}(
  id ${type("id")} primary key, workspace_id ${type("id")} not null, url ${type("text")} not null,
  description ${type("text")}, events ${type("json")} not null, format ${type("text")} not null,
  concurrency ${type("int")} not null, header_names ${type("json")} not null, metadata ${type("json")} not null,
  created_at ${type("bigint")} not null, disabled_at ${type("bigint")}, disabled_reason ${type("text")},
  last_success_at ${type("bigint")}, failures ${type("int")} not null, failing_since ${type("bigint")},
  last_failure_at ${type("bigint")}, paused_until ${type("bigint")}, former_until ${type("bigint")},
  secret ${type("text")} not null, former_secret ${type("text")}, headers ${type("text")},
  cursor_xid ${xid}, cursor_n ${type("bigint")} not null, replay ${type("json")},
  version ${type("int")} not null default 0, erasures ${type("int")} not null default 0,
  claim_id ${type("id")}, until ${type("bigint")} not null default 0, claimed_at ${type("bigint")} not null default 0
) ${table({ fillfactor: 50 })};
create index ${t("webhook_endpoint_workspace")} on ${t("webhook_endpoint")}(workspace_id, id);

create table ${t("delivery")}(
  id ${type("id")} primary key, endpoint_id ${type("id")} not null, workspace_id ${type("id")} not null,
  event_id ${type("id")} not null, type ${type("text")} not null, subject ${type("text")} not null,
  status ${type("text")} not null, attempts ${type("json")} not null, first_at ${type("bigint")},
  due_at ${type("bigint")}, response ${type("text")}, at ${type("bigint")} not null,
  xid ${xid}, n ${type("bigint")} not null, key ${type("text")} not null
) ${table({ fillfactor: 70 })};
create index ${t("delivery_at")} on ${t("delivery")}(endpoint_id, at, id);
create index ${t("delivery_due")} on ${t("delivery")}(endpoint_id, due_at) where due_at is not null;
create index ${t("delivery_waiting")} on ${t("delivery")}(endpoint_id, key, xid, n) where status = 'waiting';
create index ${t("delivery_subject")} on ${t("delivery")}(workspace_id, subject) where response is not null;`
}
