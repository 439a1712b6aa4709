/** Campaigns, and what the pacer moves. */
import type { Sql } from "../../Dialect.ts"

export const tables = (sql: Sql): string => {
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
  resume_after ${type("text")}, follows ${type("boolean")} not null, ${counts}
) ${table({ fillfactor: 70 })};
create index ${t("campaign_workspace")} on ${t("campaign")}(workspace_id, id);
create unique index ${t("campaign_ref")} on ${t("campaign")}(workspace_id, external_ref) where external_ref is not null;
create index ${t("campaign_resuming")} on ${t("campaign")}(id) where resume_after is not null;

create index ${t("campaign_following")} on ${t("campaign")}(id) where follows;

create table ${t("campaign_list")}(
  campaign_id ${type("id")} not null, list_id ${type("id")} not null, enrolled ${type("int")} not null,
  primary key(campaign_id, list_id)
) ${table({ fillfactor: 70, withoutRowid: true })};

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
  booked_at ${type("bigint")}, told ${type("json")}, external_ref ${type("text")}, metadata ${type("json")} not null,
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
