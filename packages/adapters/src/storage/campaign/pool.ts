/**
 * The pool of a campaign: leads enter it by `enroll` and leave it by `draw`. One draw at a time per campaign, as it holds
 * the campaign's row; leads are taken by ranges of a partial index, so the pool is never walked.
 */
import type { CampaignStore, DrawAccount } from "@overture/core/campaign/CampaignStore"
import type { Pace } from "@overture/core/campaign/Pace"
import type { AccountId, CampaignId, LeadId } from "@overture/core/workspace/Id"
import type { Instant } from "@overture/core/workspace/Instant"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as EventSqlStore from "../EventSqlStore.ts"
import { lookup, matches } from "../outbox/Lookup.ts"
import * as AccountRow from "../rows/AccountRow.ts"
import * as CampaignRow from "../rows/CampaignRow.ts"
import * as Columns from "../rows/Columns.ts"
import * as LeadRow from "../rows/LeadRow.ts"
import * as PaceRow from "../rows/PaceRow.ts"
import * as Alarms from "./Alarms.ts"

const statements = defineStatements("CampaignPool", (sql) => {
  const { t } = sql
  const ranges = { reach: "text", most: "int" } as const
  const pool = (limit: string) => `select l.id, l.reach, l.priority, l.position from ${t("lead")} as l
    where l.campaign_id = $2 and l.reach = x.reach and l.status = 'pending'
    order by l.priority desc, l.position limit ${limit}`
  // In two parts, for each has its own partial index.
  const held = (where: string) => `(select count(*) from ${t("lead")} as l where l.campaign_id = p.campaign_id
    and l.account_id = p.account_id and l.status = 'assigned' and l.claim_id is null and ${where})`
  return {
    enroll: `insert into ${t("lead")}(${Columns.names(LeadRow.columns)})
      select ${Columns.select(LeadRow.columns, "x")} from ${sql.rows("x", 1, LeadRow.columns)} where true
      on conflict do nothing returning id, status`,
    skipped: `update ${t("campaign")} set skipped = skipped + ${sql.p(2, "int")} where id = $1`,
    lock: `select ${Columns.select(CampaignRow.columns, "g")} from ${t("campaign")} as g where g.id = $1 ${sql.lock("g")}`,
    accounts: `select ${Columns.select(PaceRow.columns, "p")}, ${Columns.select(AccountRow.columns, "a", "a_")},
      ${held("l.due_at is null")} + ${held("l.due_at is not null")} as holding
      from ${t("pace")} as p ${lookup(sql, "account", "a", "a.id = p.account_id")}
      where p.campaign_id = $1 order by p.account_id`,
    size: `select count(*) as total from (select 1 from ${t("lead")} where campaign_id = $1 and status = 'pending'
      limit $2) as o`,
    range: sql.pick({
      postgres: `select y.* from ${sql.rows("x", 1, ranges)}
        cross join lateral (${pool("x.most")} ${sql.skipLocked("l")}) as y`,
      // Ranges are no longer than the longest; more than is needed is cut by the deal.
      sqlite: `select l.id, l.reach, l.priority, l.position from ${sql.rows("x", 1, ranges)}
        cross join json_each((select json_group_array(id) from (${pool("$3")}))) as i
        cross join ${t("lead")} as l on l.id = i.value`
    }),
    // Locked and pending already; saying so again would let PostgreSQL walk the index of the pool.
    take: `update ${t("lead")} as l set status = 'assigned', account_id = x.account
      from ${sql.rows("x", 1, { lead: "id", account: "id" })} where ${matches(sql, "l.id", "x.lead")}`
  }
})

interface PoolRow {
  readonly id: LeadId
  readonly reach: string
  readonly priority: number
  readonly position: number
}

type Take = { readonly account: AccountId; readonly take: number; readonly reaches: ReadonlyArray<string> }

/** Gives the locked leads out, account by account: each gets the first of what its reaches have left. */
const deal = (takes: ReadonlyArray<Take>, rows: ReadonlyArray<PoolRow>) => {
  const queues = new Map<string, Array<PoolRow>>()
  const inTurn = [...rows].sort((a, b) => b.priority - a.priority || a.position - b.position || (a.id < b.id ? -1 : 1))
  for (const row of inTurn) {
    const queue = queues.get(row.reach)
    if (queue === undefined) queues.set(row.reach, [row])
    else queue.push(row)
  }
  const places = new Map<string, number>()
  const isBefore = (a: PoolRow, b: PoolRow) =>
    a.priority !== b.priority
      ? a.priority > b.priority
      : a.position !== b.position
        ? a.position < b.position
        : a.id < b.id
  return takes.map(({ account, reaches, take }) => {
    const leads: Array<LeadId> = []
    while (leads.length < take) {
      let best: PoolRow | undefined
      for (const reach of new Set(reaches)) {
        const row = queues.get(reach)?.[places.get(reach) ?? 0]
        if (row !== undefined && (best === undefined || isBefore(row, best))) best = row
      }
      if (best === undefined) break
      places.set(best.reach, (places.get(best.reach) ?? 0) + 1)
      leads.push(best.id)
    }
    return { account, leads }
  })
}

const accountIn = Columns.unprefix<AccountRow.AccountRow>(AccountRow.columns, "a_")

type AccountsRow = PaceRow.PaceRow & { readonly holding: number }

/** The accounts of a campaign with their paces, as they are now; not locked. */
export const accountsOf = (database: Database["Service"]) => {
  const sql = database.statements(statements)
  return (campaign: CampaignId) =>
    Effect.map(database.execute<AccountsRow>(sql.accounts, [campaign]), (rows) =>
      rows.map((row): DrawAccount & { readonly pace: Pace } => ({
        pace: PaceRow.decode(row),
        account: AccountRow.decode(accountIn(row)),
        holding: row.holding
      }))
    )
}

export const make = (database: Database["Service"]): Pick<CampaignStore["Service"], "enroll" | "draw"> => {
  const sql = database.statements(statements)
  const { affected, execute, hotTransaction } = database
  const append = EventSqlStore.appender(database)
  const alarms = Alarms.make(database)
  const accounts = accountsOf(database)

  const take = Effect.fnUntraced(function* (campaign: CampaignId, takes: ReadonlyArray<Take>, now: Instant) {
    const most = new Map<string, number>()
    for (const { reaches, take } of takes) {
      for (const reach of new Set(reaches)) most.set(reach, (most.get(reach) ?? 0) + take)
    }
    const ranges = Array.from(most, ([reach, most]) => ({ reach, most }))
    if (ranges.length === 0) return takes.map(({ account }) => ({ account, drawn: 0 }))
    const longest = Math.max(...most.values())
    const parameters = database.sql.name === "sqlite" ? [ranges, campaign, longest] : [ranges, campaign]
    const dealt = deal(takes, yield* execute<PoolRow>(sql.range, parameters))
    const rows = dealt.flatMap(({ account, leads }) => leads.map((lead) => ({ lead, account })))
    if (rows.length > 0) yield* affected(sql.take, [rows])
    yield* alarms.ring(
      dealt.flatMap(({ account, leads }) => (leads.length > 0 ? [{ campaign, account }] : [])),
      now
    )
    return dealt.map(({ account, leads }) => ({ account, drawn: leads.length }))
  })

  return {
    enroll: (campaign, leads, events, now) =>
      hotTransaction(
        Effect.gen(function* () {
          const rows =
            leads.length === 0
              ? []
              : yield* execute<{ readonly id: LeadId; readonly status: string }>(sql.enroll, [
                  leads.map(LeadRow.encode)
                ])
          const skipped = rows.filter(({ status }) => status === "skipped").length
          if (skipped > 0) yield* affected(sql.skipped, [campaign, skipped])
          if (rows.length > 0) yield* alarms.ringCampaign(campaign, now)
          const added = new Set<string>(rows.map(({ id }) => id))
          const leftOut = new Set<string>(leads.flatMap(({ id }) => (added.has(id) ? [] : [id])))
          yield* append(events.filter(({ subject }) => !leftOut.has(subject)))
          return rows.length
        })
      ),
    draw: (id, now, decide) =>
      hotTransaction(
        Effect.gen(function* () {
          const [row] = yield* execute<CampaignRow.CampaignRow>(sql.lock, [id])
          if (row === undefined) return []
          const pool = (atMost: number) =>
            Effect.map(execute<{ readonly total: number }>(sql.size, [id, atMost]), ([size]) => size?.total ?? 0)
          return yield* take(id, yield* decide(CampaignRow.decode(row), yield* accounts(id), pool), now)
        })
      )
  }
}
