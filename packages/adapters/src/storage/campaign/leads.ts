/**
 * Leads as screens and rules read them, without locks: one, a list, a candidate as a claim would see it, and the counts.
 * Open leads are counted from partial indexes and claim rows, the others by the counters, so counting never walks a
 * campaign; `recount` does, to compare.
 */
import type { CampaignStore } from "@overture/core/campaign/CampaignStore"
import { type Lead, type LeadStatus, nobody, total } from "@overture/core/campaign/Lead"
import type { PaceCounts } from "@overture/core/campaign/Pace"
import { Effect, Option } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import { lookup } from "../outbox/Lookup.ts"
import * as Paging from "../Paging.ts"
import * as AccountRow from "../rows/AccountRow.ts"
import * as CampaignRow from "../rows/CampaignRow.ts"
import * as Columns from "../rows/Columns.ts"
import * as ContactRow from "../rows/ContactRow.ts"
import * as LeadRow from "../rows/LeadRow.ts"
import * as PaceRow from "../rows/PaceRow.ts"
import { completer, type PaceWithAccount } from "./claim.ts"
import * as Look from "./look.ts"
import * as Ready from "./ready.ts"

const counters = ["sent", "partial", "failed", "skipped", "replied"] as const

const statements = defineStatements("CampaignLeads", (sql) => {
  const { t } = sql
  const columns = Columns.select(LeadRow.columns, "l")
  const lead = `from ${t("lead")} as l`
  const count = (where: string) => `(select count(*) ${lead} where l.campaign_id = $1 and ${where})`
  const inClaims = sql.pick({
    postgres: `${t("claim")} as k cross join lateral jsonb_array_elements_text(k.message_ids) as i(id)`,
    sqlite: `${t("claim")} as k cross join (select 1) cross join json_each(k.message_ids) as i`
  })
  const idIn = sql.pick({ postgres: "i.id", sqlite: "i.value" })
  // Not `exists`, which PostgreSQL may answer for all campaigns at once.
  const has = (where: string) => `(select 1 ${lead} where l.campaign_id = g.id and ${where} limit 1) is not null`
  const isOpen = `(${has("l.status = 'pending'")} or ${has("l.status = 'assigned' and l.due_at is null")}
    or ${has("l.due_at is not null")} or ${has(LeadRow.isBetweenParts)})`
  // Held by a claim, the stored status is still assigned: see Lead.shown.
  const standing = `case when l.status = 'assigned' and l.claim_id is not null then case when exists (
      select 1 from ${t("message")} as m where m.lead_id = l.id and m.step_id = l.step_id and m.status = 'sending')
    then 'sending' else 'claimed' end else l.status end`
  const filter = `(${sql.p(2, "text")} = '' or ${standing} = $2)`
  return {
    get: `select ${columns} ${lead} where l.workspace_id = $1 and l.id = $2`,
    list: `select ${columns} ${lead} where l.campaign_id = $1 and ${filter} and l.workspace_id = $3 and l.id > $4
      order by l.id limit $5 offset $6`,
    count: `select count(*) as total ${lead} where l.campaign_id = $1 and ${filter} and l.workspace_id = $3`,
    candidate: `select ${columns}, ${Columns.select(ContactRow.stateColumns, "c", "c_")} ${lead}
      join ${t("contact")} as c on c.id = l.contact_id where l.workspace_id = $1 and l.id = $2`,
    pace: `select ${Columns.select(PaceRow.columns, "p")}, ${Columns.select(AccountRow.stateColumns, "a", "a_")}
      from ${t("pace")} as p join ${t("account")} as a on a.id = p.account_id
      where p.campaign_id = $1 and (${sql.p(2, "text")} = '' or p.account_id = $2) order by p.account_id`,
    open: `select ${count("l.status = 'pending'")} as pending, ${count("l.status = 'sending'")} as sending,
      ${count("l.status = 'assigned' and l.due_at is null")} + ${count("l.status = 'assigned' and l.due_at is not null")} as assigned`,
    claimed: `select m.status, count(distinct l.id) as leads from ${inClaims}
      ${lookup(sql, "message", "m", `m.id = ${idIn} and m.claim_id = k.id`)}
      ${lookup(sql, "lead", "l", "l.id = m.lead_id and l.status = 'assigned' and l.claim_id is not null")}
      where m.campaign_id = $1 group by m.status`,
    counted: `select ${counters.map((name) => `sum(o.${name}) as ${name}`).join(", ")} from (
      select ${counters.join(", ")} from ${t("pace")} where campaign_id = $1
      union all select ${counters.join(", ")} from ${t("campaign")} where id = $1) as o`,
    recount: `select ${standing} as standing,
      count(*) as leads, sum(case when l.replied_at is null then 0 else 1 end) as replied
      ${lead} where l.campaign_id = $1 group by standing`,
    breakdown: `select s.status, s.reason, s.ended, count(*) as count from (select l.reason, l.ended,
        case when l.status = 'assigned' and l.claim_id is not null then 'claimed' else l.status end as status
        ${lead} where l.campaign_id = $1) as s group by s.status, s.reason, s.ended order by 4 desc, 1, 2, 3`,
    zones: `select c.timezone, count(*) as people ${lead} join ${t("contact")} as c on c.id = l.contact_id
      where l.campaign_id = $1 and l.step_id is not null group by c.timezone`,
    isOpen: `select 1 as found from ${t("campaign")} as g where g.id = $1 and ${isOpen}`,
    // The alarm is asked for so that the index of alarms does not fit: it would be walked whole for each campaign. In a
    // case, as most campaigns have one and SQLite would look through their leads first.
    finishable: `select ${Columns.select(CampaignRow.columns, "g")} from ${t("campaign")} as g where g.status = 'running'
      and case when (select 1 from ${t("pace")} as p where p.campaign_id = g.id and coalesce(p.next_at, -1) >= 0 limit 1)
      is null then not ${isOpen} else false end order by g.id limit $1`
  }
})

type Verbs = Pick<
  CampaignStore["Service"],
  | "getLead"
  | "leads"
  | "candidate"
  | "duePaces"
  | "counts"
  | "recount"
  | "breakdown"
  | "zones"
  | "isDone"
  | "finishable"
>

export const make = (database: Database["Service"]): Verbs => {
  const sql = database.statements(statements)
  const { execute, executeAlone, transaction } = database
  const complete = completer(database, "none")
  const { candidates } = Look.make(database)
  return {
    getLead: (workspace, id) =>
      Effect.map(execute<LeadRow.LeadRow>(sql.get, [workspace, id]), ([row]) =>
        Option.map(Option.fromUndefinedOr(row), LeadRow.decode)
      ),
    leads: (workspace, campaign, { status }, request) =>
      Paging.page(
        database,
        {
          select: sql.list,
          count: sql.count,
          of: [campaign, status ?? "", workspace],
          start: [""],
          decode: LeadRow.decode,
          keyOf: (lead: Lead) => [lead.id]
        },
        request
      ),
    candidate: Effect.fnUntraced(function* (workspace, id, addressHash = null) {
      const [row] = yield* execute<LeadRow.LeadRow>(sql.candidate, [workspace, id])
      if (row === undefined) return Option.none()
      const [candidate] = yield* candidates([Ready.decode(row)], addressHash)
      if (candidate === undefined) return Option.none()
      const { account, campaign } = candidate.lead
      const paces = account === null ? [] : yield* execute<PaceWithAccount>(sql.pace, [campaign, account])
      const [due] = yield* complete(paces)
      return Option.some({ candidate, due: due ?? null })
    }),
    duePaces: (campaign) => Effect.flatMap(execute<PaceWithAccount>(sql.pace, [campaign, ""]), complete),
    counts: (campaign) =>
      transaction(
        Effect.gen(function* () {
          type Open = Record<"pending" | "sending" | "assigned", number>
          const [open] = yield* execute<Open>(sql.open, [campaign])
          const inClaims = yield* execute<{ readonly status: string; readonly leads: number }>(sql.claimed, [campaign])
          const [counted] = yield* execute<PaceCounts>(sql.counted, [campaign])
          const claimed = inClaims.reduce((sum, { leads, status }) => sum + (status === "sending" ? 0 : leads), 0)
          const begun = inClaims.reduce((sum, { leads, status }) => sum + (status === "sending" ? leads : 0), 0)
          const terms = {
            pending: open?.pending ?? 0,
            assigned: (open?.assigned ?? 0) - claimed - begun,
            claimed,
            sending: (open?.sending ?? 0) + begun,
            sent: counted?.sent ?? 0,
            partial: counted?.partial ?? 0,
            failed: counted?.failed ?? 0,
            skipped: counted?.skipped ?? 0
          }
          return { ...terms, total: total(terms), replied: counted?.replied ?? 0 }
        })
      ),
    recount: (campaign) =>
      Effect.map(
        execute<{ readonly standing: LeadStatus; readonly leads: number; readonly replied: number }>(sql.recount, [
          campaign
        ]),
        (rows) => {
          const terms = { ...nobody }
          for (const { leads, standing } of rows) terms[standing] += leads
          return { ...terms, total: total(terms), replied: rows.reduce((sum, { replied }) => sum + replied, 0) }
        }
      ),
    breakdown: (campaign) =>
      execute<{
        readonly status: LeadStatus
        readonly reason: string | null
        readonly ended: string | null
        readonly count: number
      }>(sql.breakdown, [campaign]),
    zones: (campaign) => execute<{ readonly timezone: string | null; readonly people: number }>(sql.zones, [campaign]),
    isDone: (campaign) => Effect.map(execute(sql.isOpen, [campaign]), (rows) => rows.length === 0),
    finishable: (limit) =>
      Effect.map(executeAlone<CampaignRow.CampaignRow>(sql.finishable, [limit]), (rows) => rows.map(CampaignRow.decode))
  }
}
