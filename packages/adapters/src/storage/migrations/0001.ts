/**
 * The first schema. Ids are text that sorts by bytes, instants epoch milliseconds. What the ledger writes most has few
 * indexes, and none on what changes with every claim (`claim_id`), so that those updates stay in their page.
 *
 * No foreign keys: every one would lock the row it points to, in an order that nobody chose. Rows are never deleted
 * before those that point to them.
 */
import type { Sql } from "../Dialect.ts"
import * as accounts from "./first/accounts.ts"
import * as campaigns from "./first/campaigns.ts"
import * as media from "./first/media.ts"
import * as inbox from "./first/inbox.ts"
import * as jobs from "./first/jobs.ts"
import * as messages from "./first/messages.ts"
import * as people from "./first/people.ts"
import * as webhooks from "./first/webhooks.ts"
import type { Migration } from "./Migration.ts"

/** The rows of `meta`, which always exist. */
const meta = (sql: Sql) => `
insert into ${sql.t("meta")}(key, value) values ('stopped', 'false'), ('pacingClock', '{"type":"real"}');
insert into ${sql.t("meta")}(key, value) select 'feedEpoch', ${sql.pick({
  postgres: "to_jsonb(left(md5(gen_random_uuid()::text), 12))",
  sqlite: "json_quote(lower(hex(randomblob(6))))"
})};`

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
  ["account", "account_group", "campaign", "chat", "contact", "job", "lead", "message"]
    .map((name) => sql.t(name))
    .map((table) => `alter table ${table} drop constraint ${table}_pkey, add primary key (id);`)
    .join("\n")

export const migration: Migration = {
  version: 1,
  name: "the first tables",
  up: (sql) =>
    [
      people.tables,
      accounts.tables,
      meta,
      messages.tables,
      media.tables,
      inbox.tables,
      campaigns.tables,
      jobs.tables,
      webhooks.tables,
      vacuum,
      ...(sql.name === "postgres" ? [primaryKeys] : [])
    ]
      .map((part) => part(sql))
      .join("\n")
}
