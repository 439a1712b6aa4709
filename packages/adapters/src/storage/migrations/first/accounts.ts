/** What belongs to an account beside the row that claims lock: sealed secrets, error log, profile, and its days. */
import type { Sql } from "../../Dialect.ts"

export const tables = (sql: Sql): string => {
  const { t, table, type } = sql
  const counts = ["sent", "delivered", "read", "failed", "replies"].map((name) => `${name} ${type("int")} not null`)
  return `
create table ${t("account_secret")}(
  account_id ${type("id")} primary key, workspace_id ${type("id")} not null, version ${type("int")} not null,
  credentials ${type("text")}, egress ${type("text")}
) ${table({ withoutRowid: true })};

create table ${t("account_log")}(
  account_id ${type("id")} not null, id ${type("id")} not null, workspace_id ${type("id")} not null,
  at ${type("bigint")} not null, level ${type("text")} not null, title ${type("text")} not null,
  description ${type("text")} not null, code ${type("text")}, address ${type("text")},
  primary key(account_id, id)
) ${table({ withoutRowid: true })};
create index ${t("account_log_at")} on ${t("account_log")}(account_id, at);

create table ${t("account_profile")}(
  account_id ${type("id")} primary key, workspace_id ${type("id")} not null, desired ${type("json")} not null,
  applied ${type("json")} not null, revision ${type("int")} not null, changed_at ${type("bigint")},
  due_at ${type("bigint")}, attempts ${type("int")} not null, error ${type("text")}
) ${table({ withoutRowid: true })};
create index ${t("account_profile_due")} on ${t("account_profile")}(due_at) where due_at is not null;

create table ${t("profile_image")}(
  account_id ${type("id")} not null, id ${type("id")} not null, workspace_id ${type("id")} not null,
  mime ${type("text")} not null, width ${type("int")} not null, height ${type("int")} not null,
  base64 ${type("text")} not null, created_at ${type("bigint")} not null, primary key(account_id, id)
) ${table()};

create table ${t("account_tally")}(
  workspace_id ${type("id")} primary key, position ${type("text")} not null, event_id ${type("id")}
) ${table({ withoutRowid: true })};

create table ${t("account_day")}(
  account_id ${type("id")} not null, date ${type("id")} not null, workspace_id ${type("id")} not null,
  ${counts.join(", ")}, primary key(account_id, date)
) ${table({ fillfactor: 70, withoutRowid: true })};`
}
