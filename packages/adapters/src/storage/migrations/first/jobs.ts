/** Bulk work. `until`: when a job may be claimed, or its lease runs out; null once it is over. */
import type { Sql } from "../../Dialect.ts"

export const tables = (sql: Sql): string => {
  const { t, table, type } = sql
  return `
create table ${t("job")}(
  id ${type("id")} primary key, workspace_id ${type("id")} not null, kind ${type("text")} not null,
  key ${type("text")}, subject ${type("id")}, input ${type("json")}, status ${type("text")} not null,
  done ${type("bigint")} not null, total ${type("bigint")}, note ${type("text")} not null,
  checkpoint ${type("json")}, result ${type("json")}, error ${type("text")},
  cancel_requested ${type("boolean")} not null, actor ${type("json")} not null, attempts ${type("int")} not null,
  created_at ${type("bigint")} not null, started_at ${type("bigint")}, finished_at ${type("bigint")},
  claim_id ${type("id")}, until ${type("bigint")}
) ${table({ fillfactor: 50 })};
create index ${t("job_workspace")} on ${t("job")}(workspace_id, id);
create unique index ${t("job_key")} on ${t("job")}(workspace_id, key) where key is not null;
create index ${t("job_until")} on ${t("job")}(until) where until is not null;
create index ${t("job_ended")} on ${t("job")}(workspace_id, finished_at, id) where finished_at is not null;

create table ${t("job_file")}(
  workspace_id ${type("id")} not null, id ${type("id")} not null, noted_at ${type("bigint")} not null,
  primary key(workspace_id, id)
) ${table({ withoutRowid: true })};
create index ${t("job_file_noted")} on ${t("job_file")}(workspace_id, noted_at);`
}
