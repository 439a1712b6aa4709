/**
 * The first schema. Ids are text that sorts by bytes, instants epoch milliseconds. What the ledger writes most has few
 * indexes, and none on what changes with every claim (`claim_id`), so that those updates stay in their page.
 *
 * No foreign keys: every one would lock the row it points to, in an order that nobody chose. Rows are never deleted
 * before those that point to them.
 */
import type { Sql } from "../Dialect.ts"
import type { Migration } from "./Migration.ts"

/** The rows of `meta`, which always exist. */
const meta = (sql: Sql) => `
insert into ${sql.t("meta")}(key, value) values ('stopped', 'false'), ('pacingClock', '{"type":"real"}');
insert into ${sql.t("meta")}(key, value) select 'feedEpoch', ${sql.pick({
  postgres: "to_jsonb(left(md5(gen_random_uuid()::text), 12))",
  sqlite: "json_quote(lower(hex(randomblob(6))))"
})};`

/**
 * Workspaces, accounts, people, and what must happen only once. `numbering` is apart from `workspace` because a settle
 * numbers chats before it locks accounts, and may lock a workspace only after them.
 */
const people = (sql: Sql) => {
  const { t, table, type } = sql
  return `
create table ${t("meta")}(
  key ${type("id")} primary key, value ${type("json")} not null
) ${table({ withoutRowid: true })};

create table ${t("workspace")}(
  id ${type("id")} primary key, name ${type("text")} not null, timezone ${type("text")} not null,
  paused ${type("boolean")} not null, daily_cap ${type("int")}, opt_out_scope ${type("text")} not null,
  created_at ${type("bigint")} not null, metadata ${type("json")} not null,
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
  external_ref ${type("text")}, metadata ${type("json")} not null, limits ${type("json")},
  created_at ${type("bigint")} not null, use_day ${type("text")}, use_count ${type("int")} not null default 0, last_touch_at ${type("bigint")},
  poll_cursor ${type("text")}
) ${table({ fillfactor: 50 })};
create unique index ${t("account_external")} on ${t("account")}(workspace_id, channel, external_id);
create unique index ${t("account_ref")} on ${t("account")}(workspace_id, external_ref) where external_ref is not null;
create index ${t("account_channel")} on ${t("account")}(channel, id);

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
  touches ${type("json")} not null
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
  started_at ${type("bigint")} not null, finished_at ${type("bigint")}, primary key(workspace_id, id)
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

create table ${t("channel_event")}(
  account_id ${type("id")} not null, dedupe_key ${type("text")} not null, at ${type("bigint")} not null,
  primary key(account_id, dedupe_key)
) ${table({ withoutRowid: true })};`
}

/**
 * What was said and what happened. The id of a chat is made of its account and address, and an event is found by its place
 * in the feed: neither has another index for that.
 */
const messages = (sql: Sql) => {
  const { t, table, type } = sql
  return `
create table ${t("event")}(
  n ${sql.pick({ postgres: "bigint generated always as identity", sqlite: `${sql.identity} autoincrement` })},
  xid ${sql.pick({ postgres: "xid8 not null default pg_current_xact_id()", sqlite: "integer not null default 0" })},
  id ${type("id")} not null, workspace_id ${type("id")} not null, type ${type("text")} not null,
  at ${type("bigint")} not null, subject ${type("text")} not null, actor ${type("json")} not null,
  cause ${type("text")}, data ${type("json")} not null
) ${table()};
create unique index ${t("event_feed")} on ${t("event")}(workspace_id, xid, n);

create table ${t("chat")}(
  id ${type("id")} primary key, workspace_id ${type("id")} not null, number ${type("int")} not null,
  account_id ${type("id")} not null, address ${type("text")} not null, contact_id ${type("id")},
  name ${type("text")} not null, last_at ${type("bigint")} not null, last_text ${type("text")} not null,
  last_direction ${type("text")} not null, last_inbound_at ${type("bigint")}, unread ${type("int")} not null,
  taken_over_at ${type("bigint")}, closed_at ${type("bigint")}, created_at ${type("bigint")} not null
) ${table({ fillfactor: 70 })};
create index ${t("chat_recent")} on ${t("chat")}(workspace_id, last_at desc, id);

create table ${t("message")}(
  id ${type("id")} primary key, workspace_id ${type("id")} not null, account_id ${type("id")} not null,
  chat_id ${type("id")} not null, contact_id ${type("id")}, address ${type("text")} not null,
  direction ${type("text")} not null, author_type ${type("text")} not null, author_id ${type("text")},
  campaign_id ${type("id")}, campaign_version ${type("int")}, lead_id ${type("id")}, step_id ${type("id")},
  part ${type("int")} not null, parts ${type("int")} not null, content ${type("json")} not null,
  status ${type("text")} not null, reason ${type("text")}, error_code ${type("text")}, error_detail ${type("text")},
  attempts ${type("int")} not null, tries ${type("int")} not null, external_id ${type("text")},
  reply_to ${type("text")}, not_before ${type("bigint")}, due_at ${type("bigint")}, claim_id ${type("id")},
  stop ${type("text")}, reserved ${type("json")}, created_at ${type("bigint")} not null, begun_at ${type("bigint")},
  sent_at ${type("bigint")}, delivered_at ${type("bigint")}, read_at ${type("bigint")}, failed_at ${type("bigint")},
  external_ref ${type("text")}, metadata ${type("json")} not null
) ${table({ fillfactor: 45 })};
create unique index ${t("message_touch")} on ${t("message")}(lead_id, step_id, part) where lead_id is not null;
create unique index ${t("message_external")} on ${t("message")}(chat_id, external_id) where external_id is not null;
create index ${t("message_due")} on ${t("message")}(due_at) where due_at is not null;
create index ${t("message_chat")} on ${t("message")}(chat_id, created_at, id);

create table ${t("claim")}(
  id ${type("id")} primary key, worker ${type("text")} not null, until ${type("bigint")} not null,
  message_ids ${type("json")} not null
) ${table({ withoutRowid: true })};
create index ${t("claim_until")} on ${t("claim")}(until);`
}

/** Campaigns, and what the pacer moves. */
const campaigns = (sql: Sql) => {
  const { t, table, type } = sql
  const counts = ["sent", "partial", "failed", "skipped", "touched", "replied"]
    .map((name) => `${name} ${type("int")} not null default 0`)
    .join(", ")
  return `
create table ${t("campaign")}(
  id ${type("id")} primary key, workspace_id ${type("id")} not null, name ${type("text")} not null,
  status ${type("text")} not null, version ${type("int")} not null, settings ${type("json")} not null,
  pause_reason ${type("text")}, breaker ${type("json")} not null, external_ref ${type("text")},
  metadata ${type("json")} not null, created_at ${type("bigint")} not null, started_at ${type("bigint")},
  ${counts}
) ${table({ fillfactor: 70 })};
create index ${t("campaign_workspace")} on ${t("campaign")}(workspace_id, id);
create unique index ${t("campaign_ref")} on ${t("campaign")}(workspace_id, external_ref) where external_ref is not null;

create table ${t("forecast")}(
  campaign_id ${type("id")} primary key, document ${type("text")} not null
) ${table()};

create table ${t("pace")}(
  campaign_id ${type("id")} not null, account_id ${type("id")} not null, workspace_id ${type("id")} not null,
  version ${type("int")} not null, paused ${type("boolean")} not null, date ${type("text")},
  quota ${type("int")} not null, used ${type("int")} not null, slot ${type("int")} not null,
  from_at ${type("bigint")}, used_before ${type("int")} not null, next_at ${type("bigint")},
  deferred_to ${type("bigint")}, ramp_day ${type("int")} not null, ramp_date ${type("text")},
  left_at ${type("bigint")}, ${counts},
  primary key(campaign_id, account_id)
) ${table({ fillfactor: 50, withoutRowid: true })};
create index ${t("pace_due")} on ${t("pace")}(next_at) where next_at is not null;
create index ${t("pace_account")} on ${t("pace")}(account_id, campaign_id);

create table ${t("lead")}(
  id ${type("id")} primary key, workspace_id ${type("id")} not null, campaign_id ${type("id")} not null,
  account_id ${type("id")}, contact_id ${type("id")} not null, reach ${type("text")} not null,
  wanted_id ${type("id")} not null default '',
  address ${type("text")} not null, status ${type("text")} not null, reason ${type("text")}, ended ${type("text")},
  step_id ${type("id")}, due_at ${type("bigint")}, priority ${type("int")} not null, position ${type("int")} not null,
  attempts ${type("int")} not null, claim_id ${type("id")}, stop ${type("text")}, touches ${type("json")} not null,
  first_sent_at ${type("bigint")}, last_sent_at ${type("bigint")}, replied_at ${type("bigint")},
  booked_at ${type("bigint")}, external_ref ${type("text")}, metadata ${type("json")} not null,
  created_at ${type("bigint")} not null, follow_up ${type("int")} not null
) ${table({ fillfactor: 50 })};
create unique index ${t("lead_once")} on ${t("lead")}(campaign_id, contact_id);
create index ${t("lead_pool")} on ${t("lead")}(campaign_id, reach, wanted_id, priority desc, position)
  where status = 'pending';
create index ${t("lead_ready")} on ${t("lead")}(campaign_id, account_id, priority desc, position)
  where status = 'assigned' and due_at is null;
create index ${t("lead_due")} on ${t("lead")}(campaign_id, account_id, follow_up, due_at) where due_at is not null;
create index ${t("lead_parts")} on ${t("lead")}(campaign_id, account_id)
  where status = 'sending' or (follow_up = 1 and step_id is not null and due_at is null);
create index ${t("lead_contact")} on ${t("lead")}(workspace_id, contact_id);`
}

/** Alarms and queues move right with each claim: without these their dead entries pile up at the left end. */
const vacuum = (sql: Sql) =>
  sql.pick({
    postgres: `
alter table ${sql.t("pace")} set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
alter table ${sql.t("account")} set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
alter table ${sql.t("lead")} set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000);
alter table ${sql.t("message")} set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);`,
    sqlite: ""
  })

/**
 * Over a table it knows to be empty, PostgreSQL finds a look-up by id as cheap in any index that has the id, were it only
 * the last column, takes the youngest of them, and a prepared statement keeps that until the next analyze. So the primary
 * keys are the youngest.
 */
const primaryKeys = (sql: Sql) =>
  ["account", "account_group", "campaign", "chat", "contact", "lead", "message"]
    .map((name) => sql.t(name))
    .map((table) => `alter table ${table} drop constraint ${table}_pkey, add primary key (id);`)
    .join("\n")

export const migration: Migration = {
  version: 1,
  name: "the first tables",
  up: (sql) =>
    [people, meta, messages, campaigns, vacuum, ...(sql.name === "postgres" ? [primaryKeys] : [])]
      .map((part) => part(sql))
      .join("\n")
}
