/**
 * What was said and what happened. The id of a chat is made of its account and address, and an event is found by its place
 * in the feed: neither has another index for that.
 */
import type { Sql } from "../../Dialect.ts"

/**
 * The latest transaction that has ended, or one's own where that is later: who waited for a row of another transaction
 * tells after it, also having begun before, and readers stop below one's own until it ends.
 */
const latest = "greatest(pg_current_xact_id(), (pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1)::text::xid8)"

export const tables = (sql: Sql): string => {
  const { t, table, type } = sql
  return `
create table ${t("event")}(
  n ${sql.pick({ postgres: "bigint generated always as identity", sqlite: `${sql.identity} autoincrement` })},
  xid ${sql.pick({ postgres: `xid8 not null default ${latest}`, sqlite: "integer not null default 0" })},
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
  created_at ${type("bigint")} not null, read_at ${type("bigint")}, taken_over_at ${type("bigint")},
  given_back_at ${type("bigint")}, opened_at ${type("bigint")}, closed_at ${type("bigint")}, responded_at ${type("bigint")},
  booked_at ${type("bigint")}, assignee_id ${type("id")}, tags ${type("json")}, pinned_at ${type("bigint")},
  archived_at ${type("bigint")}, deleted_at ${type("bigint")}, profile ${type("json")}, named_at ${type("bigint")}, tended ${type("int")}
) ${table({ fillfactor: 70 })};
create index ${t("chat_recent")} on ${t("chat")}(workspace_id, last_at desc, id);
create index ${t("chat_tended")} on ${t("chat")}(workspace_id, last_at desc, id) where tended is not null;
create index ${t("chat_unread")} on ${t("chat")}(workspace_id, last_at desc, id) where unread > 0;
create index ${t("chat_assigned")} on ${t("chat")}(workspace_id, assignee_id, last_at desc, id)
  where assignee_id is not null and closed_at is null;
create index ${t("chat_taken_over")} on ${t("chat")}(workspace_id, address) where taken_over_at is not null;

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
  external_ref ${type("text")}, metadata ${type("json")} not null, details ${type("json")}
) ${table({ fillfactor: 45 })};
create unique index ${t("message_touch")} on ${t("message")}(lead_id, step_id, part) where lead_id is not null;
create unique index ${t("message_external")} on ${t("message")}(chat_id, external_id) where external_id is not null;
create index ${t("message_due")} on ${t("message")}(due_at) where due_at is not null;
create index ${t("message_put_off")} on ${t("message")}(account_id) where due_at is not null and reason is not null;
create index ${t("message_talk")} on ${t("message")}(workspace_id, id) where lead_id is null;
create index ${t("message_chat")} on ${t("message")}(chat_id, created_at, id);

create table ${t("notice")}(
  chat_id ${type("id")} not null, external_id ${type("text")} not null, key ${type("text")} not null,
  workspace_id ${type("id")} not null, notice ${type("json")} not null, told_at ${type("bigint")} not null,
  primary key(chat_id, external_id, key)
) ${table({ withoutRowid: true })};

create index ${t("notice_told")} on ${t("notice")}(workspace_id, told_at);

create table ${t("claim")}(
  id ${type("id")} primary key, worker ${type("text")} not null, until ${type("bigint")} not null,
  message_ids ${type("json")} not null
) ${table({ withoutRowid: true })};
create index ${t("claim_until")} on ${t("claim")}(until);`
}
