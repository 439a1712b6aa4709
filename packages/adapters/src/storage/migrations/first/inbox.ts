/** Who works with chats, and what they keep. The place of a private reply is known by a digest of the comment's id. */
import type { Sql } from "../../Dialect.ts"

export const tables = (sql: Sql): string => {
  const { t, table, type } = sql
  return `
create table ${t("member")}(
  id ${type("id")} primary key, workspace_id ${type("id")} not null, name ${type("text")} not null,
  email ${type("text")}, role ${type("text")} not null, status ${type("text")} not null, external_ref ${type("text")},
  created_at ${type("bigint")} not null, last_turn ${type("int")} not null default 0
) ${table({ fillfactor: 70 })};
create index ${t("member_workspace")} on ${t("member")}(workspace_id, id);
create unique index ${t("member_ref")} on ${t("member")}(workspace_id, external_ref) where external_ref is not null;

create table ${t("chat_read")}(
  member_id ${type("id")} not null, chat_id ${type("id")} not null, workspace_id ${type("id")} not null,
  read_at ${type("bigint")} not null, primary key(member_id, chat_id)
) ${table({ fillfactor: 70, withoutRowid: true })};

create table ${t("template")}(
  id ${type("id")} primary key, workspace_id ${type("id")} not null, name ${type("text")},
  content ${type("json")} not null, created_at ${type("bigint")} not null, changed_at ${type("bigint")} not null
) ${table()};
create index ${t("template_workspace")} on ${t("template")}(workspace_id, id);

create table ${t("private_reply")}(
  account_id ${type("id")} not null, comment ${type("text")} not null, workspace_id ${type("id")} not null,
  message_id ${type("id")} not null, at ${type("bigint")} not null, primary key(account_id, comment)
) ${table({ withoutRowid: true })};
create index ${t("private_reply_message")} on ${t("private_reply")}(message_id);`
}
