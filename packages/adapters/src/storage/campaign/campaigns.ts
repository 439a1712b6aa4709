/** Campaigns themselves: created, found, changed under lock together with the alarms of their paces. */
import type { Campaign } from "@overture/core/campaign/Campaign"
import type { CampaignStore } from "@overture/core/campaign/CampaignStore"
import type { AccountId } from "@overture/core/workspace/Id"
import { Effect, Option } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as EventSqlStore from "../EventSqlStore.ts"
import * as Paging from "../Paging.ts"
import * as CampaignRow from "../rows/CampaignRow.ts"
import * as Columns from "../rows/Columns.ts"
import * as Alarms from "./Alarms.ts"
import { lookup, matches } from "../outbox/Lookup.ts"

const statements = defineStatements("CampaignStore", (sql) => {
  const { t } = sql
  const columns = Columns.select(CampaignRow.columns, "g")
  const from = `from ${t("campaign")} as g`
  return {
    create: `insert into ${t("campaign")}(${Columns.names(CampaignRow.columns)})
      select ${Columns.select(CampaignRow.columns, "x")} from ${sql.rows("x", 1, CampaignRow.columns)} where true
      on conflict do nothing`,
    // The version is no campaign's, so that the first look plans the day.
    paces: `insert into ${t("pace")}(campaign_id, account_id, workspace_id, version, paused, quota, used, slot, used_before, ramp_day)
      select $2, x.account, $3, 0, true, 0, 0, 0, 0, 0 from ${sql.rows("x", 1, { account: "id" })} where true`,
    addPaces: `insert into ${t("pace")} as o (campaign_id, account_id, workspace_id, version, paused, quota, used, slot, used_before,
      ramp_day, next_at)
      select $2, x.account, $3, 0, ${sql.p(4, "boolean")}, 0, 0, 0, 0, 0, ${sql.p(5, "bigint")}
      from ${sql.rows("x", 1, { account: "id" })} where true on conflict (campaign_id, account_id) do update set
      left_at = null, paused = excluded.paused, next_at = excluded.next_at where o.left_at is not null returning account_id`,
    ofContacts: `select ${columns} ${from} where g.workspace_id = $2 and g.id in (
      select l.campaign_id from ${sql.rows("x", 1, { contact: "id" })}
      ${lookup(sql, "lead", "l", "l.workspace_id = $2 and l.contact_id = x.contact")}) order by g.id`,
    get: `select ${columns} ${from} where g.workspace_id = $1 and g.id = $2`,
    byRef: `select ${columns} ${from} where g.workspace_id = $1 and g.external_ref = $2`,
    byName: `select ${columns} ${from} where g.workspace_id = $1 and g.name = $2 order by g.id`,
    resuming: `select ${columns} ${from} where g.resume_after is not null and g.status <> 'deleted' order by g.id limit $1`,
    list: `select ${columns} ${from} where g.workspace_id = $1 and g.id > $2 order by g.id limit $3 offset $4`,
    count: `select count(*) as total from ${t("campaign")} where workspace_id = $1`,
    lock: `select ${columns} ${from} where g.workspace_id = $1 and g.id = $2 ${sql.lock("g")}`,
    write: `update ${t("campaign")} as g set ${Columns.assign(CampaignRow.columns, "x", "id", "workspace_id")}
      from ${sql.rows("x", 1, CampaignRow.columns)} where ${matches(sql, "g.id", "x.id")}`
  }
})

type Verbs = Pick<
  CampaignStore["Service"],
  | "create"
  | "get"
  | "byExternalRef"
  | "byName"
  | "list"
  | "ofContacts"
  | "addAccounts"
  | "modify"
  | "resuming"
  | "nextAlarm"
  | "sleep"
  | "ring"
>

const one = (rows: ReadonlyArray<CampaignRow.CampaignRow>): Option.Option<Campaign> =>
  Option.map(Option.fromUndefinedOr(rows[0]), CampaignRow.decode)

export const make = (database: Database["Service"]): Verbs => {
  const sql = database.statements(statements)
  const { affected, execute, transaction } = database
  const append = EventSqlStore.appender(database)
  const alarms = Alarms.make(database)
  return {
    create: (campaign, accounts, events) =>
      transaction(
        Effect.gen(function* () {
          if ((yield* affected(sql.create, [[CampaignRow.encode(campaign)]])) === 0) return false
          const rows = Array.from(new Set(accounts), (account) => ({ account }))
          if (rows.length > 0) yield* affected(sql.paces, [rows, campaign.id, campaign.workspace])
          yield* append(events)
          return true
        })
      ),
    get: (workspace, id) => Effect.map(execute<CampaignRow.CampaignRow>(sql.get, [workspace, id]), one),
    byExternalRef: (workspace, ref) => Effect.map(execute<CampaignRow.CampaignRow>(sql.byRef, [workspace, ref]), one),
    byName: (workspace, name) =>
      Effect.map(execute<CampaignRow.CampaignRow>(sql.byName, [workspace, name]), (rows) =>
        rows.map(CampaignRow.decode)
      ),
    list: Paging.byId(database, sql, CampaignRow.decode),
    ofContacts: (workspace, contacts) =>
      contacts.length === 0
        ? Effect.succeed([])
        : Effect.map(
            execute<CampaignRow.CampaignRow>(sql.ofContacts, [
              Array.from(new Set(contacts), (contact) => ({ contact })),
              workspace
            ]),
            (rows) => rows.map(CampaignRow.decode)
          ),
    addAccounts: (workspace, id, accounts, now) =>
      transaction(
        Effect.gen(function* () {
          const [row] = yield* execute<CampaignRow.CampaignRow>(sql.lock, [workspace, id])
          if (row === undefined || accounts.length === 0) return []
          const isRunning = row.status === "running"
          const wanted = Array.from(new Set(accounts))
          const added = yield* execute<{ readonly account_id: AccountId }>(sql.addPaces, [
            wanted.map((account) => ({ account })),
            id,
            workspace,
            !isRunning,
            isRunning ? now : null
          ])
          const fresh = new Set(added.map((one) => one.account_id))
          return wanted.filter((account) => fresh.has(account))
        })
      ),
    modify: (workspace, id, now, change) =>
      transaction(
        Effect.gen(function* () {
          const [row] = yield* execute<CampaignRow.CampaignRow>(sql.lock, [workspace, id])
          if (row === undefined) return Option.none()
          const before = CampaignRow.decode(row)
          const { campaign, events } = change(before)
          if (campaign === before) return Option.some(campaign)
          yield* affected(sql.write, [[CampaignRow.encode(campaign)]])
          if (campaign.status !== before.status || campaign.version !== before.version) yield* alarms.set(campaign, now)
          yield* append(events)
          return Option.some(campaign)
        })
      ),
    resuming: (limit) =>
      Effect.map(execute<CampaignRow.CampaignRow>(sql.resuming, [limit]), (rows) => rows.map(CampaignRow.decode)),
    nextAlarm: alarms.next,
    sleep: alarms.sleep,
    ring: alarms.ringAccounts
  }
}
