/**
 * Workspaces, accounts, people, and what must happen only once. `numbering` is apart from `workspace` because a settle
 * numbers chats before it locks accounts, and may lock a workspace only after them.
 */
import type { Sql } from "../../Dialect.ts"

export const tables = (sql: Sql): string => {
  const { t, table, type } = sql
  return `
create table ${t("meta")}(
  key ${type("id")} primary key, value ${type("json")} not null
) ${table({ withoutRowid: true })};

create table ${t("workspace")}(
  id ${type("id")} primary key, name ${type("text")} not null, timezone ${type("text")} not null,
  paused ${type("boolean")} not null, daily_cap ${type("int")}, opt_out_scope ${type("text")} not null,
  opt_out_reply ${type("text")},
  assignment ${type("text")},
  created_at ${type("bigint")} not null, metadata ${type("json")} not null, retention ${type("json")},
  use_day ${type("text")}, use_count ${type("int")} not null default 0
) ${table({ fillfactor: 50 })};

create table ${t("numbering")}(
  workspace_id ${type("id")} primary key, chats ${type("int")} not null, lists ${type("int")} not null
) ${table({ fillfactor: 50, withoutRowid: true })};

create table ${t("idempotency")}(
  workspace_id ${type("id")} not null, key ${type("text")} not null, fingerprint ${type("text")} not null,
  response ${type("text")}, at ${type("bigint")} not null, primary key(workspace_id, key)
) ${table({ withoutRowid: true })};

create table ${t("account")}(
  id ${type("id")} primary key, workspace_id ${type("id")} not null, channel ${type("text")} not null,
  external_id ${type("text")} not null, name ${type("text")} not null, group_id ${type("id")},
  enabled ${type("boolean")} not null, banned ${type("boolean")} not null, attention ${type("json")} not null,
  resting_until ${type("bigint")}, rested_ms ${type("bigint")} not null, failures_in_row ${type("int")} not null,
  daily_cap ${type("int")}, min_gap_ms ${type("bigint")} not null, timezone ${type("text")},
  external_ref ${type("text")}, metadata ${type("json")} not null, limits ${type("json")}, access ${type("json")},
  created_at ${type("bigint")} not null, removed_at ${type("bigint")}, use_day ${type("text")},
  use_count ${type("int")} not null default 0, last_touch_at ${type("bigint")},
  poll_cursor ${type("text")}
) ${table({ fillfactor: 50 })};
create unique index ${t("account_external")} on ${t("account")}(workspace_id, channel, external_id);
create unique index ${t("account_ref")} on ${t("account")}(workspace_id, external_ref) where external_ref is not null;
create index ${t("account_channel")} on ${t("account")}(channel, external_id);

create table ${t("account_group")}(
  id ${type("id")} primary key, workspace_id ${type("id")} not null, name ${type("text")} not null,
  daily_cap ${type("int")}, timezone ${type("text")}, metadata ${type("json")} not null,
  created_at ${type("bigint")} not null, use_day ${type("text")}, use_count ${type("int")} not null default 0
) ${table({ fillfactor: 50 })};
create index ${t("account_group_workspace")} on ${t("account_group")}(workspace_id, id);

create table ${t("contact")}(
  id ${type("id")} primary key, workspace_id ${type("id")} not null, name ${type("text")} not null,
  first ${type("text")}, last ${type("text")}, addresses ${type("json")} not null, tags ${type("json")} not null,
  attributes ${type("json")} not null, timezone ${type("text")}, consents ${type("json")} not null,
  external_ref ${type("text")}, metadata ${type("json")} not null, created_at ${type("bigint")} not null,
  touches ${type("json")} not null, unreachable ${type("json")}
) ${table({ fillfactor: 50 })};
create index ${t("contact_workspace")} on ${t("contact")}(workspace_id, id);
create unique index ${t("contact_ref")} on ${t("contact")}(workspace_id, external_ref) where external_ref is not null;

create table ${t("contact_address")}(
  workspace_id ${type("id")} not null, address ${type("text")} not null, contact_id ${type("id")} not null,
  primary key(workspace_id, address)
) ${table({ withoutRowid: true })};

create table ${t("contact_import")}(
  workspace_id ${type("id")} not null, id ${type("text")} not null, list_id ${type("id")},
  mode ${type("text")} not null, fingerprint ${type("text")} not null, records ${type("bigint")} not null,
  created ${type("bigint")} not null, merged ${type("bigint")} not null, rejected ${type("bigint")} not null,
  started_at ${type("bigint")} not null, finished_at ${type("bigint")}, changed ${type("text")},
  primary key(workspace_id, id)
) ${table({ fillfactor: 70, withoutRowid: true })};

create table ${t("contact_list")}(
  id ${type("id")} primary key, workspace_id ${type("id")} not null, number ${type("int")} not null,
  name ${type("text")} not null, status ${type("text")} not null, created_at ${type("bigint")} not null,
  members ${type("int")} not null default 0
) ${table({ fillfactor: 70 })};
create unique index ${t("contact_list_number")} on ${t("contact_list")}(workspace_id, number);
create index ${t("contact_list_name")} on ${t("contact_list")}(workspace_id, name, number);

create table ${t("list_member")}(
  list_id ${type("id")} not null, position ${type("int")} not null, contact_id ${type("id")} not null,
  primary key(list_id, position)
) ${table({ withoutRowid: true })};
create unique index ${t("list_member_contact")} on ${t("list_member")}(list_id, contact_id);

create table ${t("suppression")}(
  workspace_id ${type("id")} not null, address ${type("text")} not null,
  account_id ${type("id")} not null default '', reason ${type("text")} not null, at ${type("bigint")} not null,
  primary key(workspace_id, address, account_id)
) ${table({ withoutRowid: true })};

create table ${t("wish")}(
  workspace_id ${type("id")} not null, address ${type("text")} not null, stop_at ${type("bigint")},
  start_at ${type("bigint")}, primary key(workspace_id, address)
) ${table({ withoutRowid: true })};

create table ${t("channel_event")}(
  account_id ${type("id")} not null, dedupe_key ${type("text")} not null, at ${type("bigint")} not null,
  primary key(account_id, dedupe_key)
) ${table({ withoutRowid: true })};
${sql.pick({
  // Found again only to be purged: an index that costs next to nothing where events come in by the thousand.
  postgres: `create index ${t("channel_event_at")} on ${t("channel_event")} using brin (at) with (autosummarize = on);`,
  sqlite: ""
})}`
}
