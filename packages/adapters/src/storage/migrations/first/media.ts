/** What is known of files. Those that someone has to see to are few, and found by the time at which they are due. */
import type { Sql } from "../../Dialect.ts"

export const tables = (sql: Sql): string => {
  const { t, table, type } = sql
  return `
create table ${t("media")}(
  id ${type("id")} primary key, workspace_id ${type("id")} not null, kind ${type("text")} not null,
  status ${type("text")} not null, mime ${type("text")}, bytes ${type("bigint")}, sha256 ${type("text")},
  filename ${type("text")}, source ${type("text")} not null, url ${type("text")}, account_id ${type("id")},
  message_id ${type("id")}, chat_id ${type("id")}, reason ${type("text")}, attempts ${type("int")} not null,
  due_at ${type("bigint")}, created_at ${type("bigint")} not null, expires_at ${type("bigint")},
  used ${type("boolean")} not null
) ${table({ fillfactor: 70 })};
create index ${t("media_due")} on ${t("media")}(due_at, id) where due_at is not null;
create index ${t("media_chat")} on ${t("media")}(chat_id) where chat_id is not null;
create index ${t("media_age")} on ${t("media")}(workspace_id, created_at, id)
  where status in ('stored', 'failed') and chat_id is not null;
create index ${t("media_unused")} on ${t("media")}(workspace_id, created_at, id)
  where used = false and source <> 'inbound' and expires_at is null and status in ('stored', 'failed');
create index ${t("media_workspace")} on ${t("media")}(workspace_id, id);`
}
