/**
 * The pool of a campaign: leads enter it by `enroll` and leave it by `draw`. One draw at a time per campaign, as it holds
 * the campaign's row; leads are taken by ranges of a partial index, so the pool is never walked.
 */
import type { CampaignStore } from "@overture/core/campaign/CampaignStore"
import type { DrawAccount } from "@overture/core/campaign/PacedAccount"
import type { PoolRange, Take } from "@overture/core/campaign/Draw"
import type { CampaignId, LeadId } from "@overture/core/workspace/Id"
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
  const ranges = { n: "int", reach: "text", wanted: "id", most: "int" } as const
  const inRange = `from ${t("lead")} as l
    where l.campaign_id = $2 and l.reach = x.reach and l.wanted_id = x.wanted and l.status = 'pending'`
  const first = `select l.id, l.priority, l.position ${inRange} order by l.priority desc, l.position`
  // In two parts, for each has its own partial index.
  const own = (where: string) => `(select count(*) from ${t("lead")} as l where l.campaign_id = p.campaign_id
    and l.account_id = p.account_id and ${where})`
  const held = (where: string) => own(`l.status = 'assigned' and l.claim_id is null and ${where}`)
  const isAssigned = ["l.status = 'assigned' and l.due_at is null", "l.status = 'assigned' and l.due_at is not null"]
  const settled = ["sent", "partial", "failed", "skipped"].map((name) => `p.${name}`)
  const contact = `${t("contact")} as c where c.id = x.contact_id and c.workspace_id = x.workspace_id`
  // Locked against an erasure alone, which waits for the lead to be there, or is waited for and leaves no contact.
  const withContact = sql.pick({
    postgres: `cross join lateral (select 1 from ${contact} for key share) as c where true`,
    sqlite: `where exists (select 1 from ${contact})`
  })
  return {
    enroll: `insert into ${t("lead")}(${Columns.names(LeadRow.columns)})
      select ${Columns.select(LeadRow.columns, "x")} from ${sql.rows("x", 1, LeadRow.columns)} ${withContact}
      on conflict do nothing returning id, status`,
    skipped: `update ${t("campaign")} set skipped = skipped + ${sql.p(2, "int")} where id = $1`,
    lock: `select ${Columns.select(CampaignRow.columns, "g")} from ${t("campaign")} as g where g.id = $1 ${sql.lock("g")}`,
    accounts: `select ${Columns.select(PaceRow.columns, "p")}, ${Columns.select(AccountRow.columns, "a", "a_")},
      ${held("l.due_at is null")} + ${held("l.due_at is not null")} as holding, ${held(`l.due_at > ${sql.p(2, "bigint")}`)} as deferred,
      ${[...settled, ...isAssigned.map(own), own("l.status = 'sending'")].join(" + ")} as given,
      (select r.daily_cap from ${t("account_group")} as r where r.id = a.group_id) as group_cap,
      (select w.daily_cap from ${t("workspace")} as w where w.id = p.workspace_id) as workspace_cap
      from ${t("pace")} as p ${lookup(sql, "account", "a", "a.id = p.account_id")}
      where p.campaign_id = $1 order by p.account_id`,
    // A limit of SQLite cannot speak of the row outside; all ranges have the same one.
    sizes: `select x.n, (select count(*) from (select 1 ${inRange} limit $3) as o) as total from ${sql.rows("x", 1, ranges)}`,
    range: sql.pick({
      postgres: `select x.n, y.* from ${sql.rows("x", 1, ranges)}
        cross join lateral (${first} limit x.most ${sql.skipLocked("l")}) as y`,
      // Ranges are no longer than the longest; more than is needed is cut by the deal.
      sqlite: `select x.n, l.id, l.priority, l.position from ${sql.rows("x", 1, ranges)}
        cross join json_each((select json_group_array(id) from (${first} limit $3))) as i
        cross join ${t("lead")} as l on l.id = i.value`
    }),
    // Locked and pending already; saying so again would let PostgreSQL walk the index of the pool.
    take: `update ${t("lead")} as l set status = 'assigned', account_id = x.account
      from ${sql.rows("x", 1, { lead: "id", account: "id" })} where ${matches(sql, "l.id", "x.lead")}`
  }
})

interface PoolRow {
  readonly n: number
  readonly id: LeadId
  readonly priority: number
  readonly position: number
}

const keyOf = ({ reach, wanted }: PoolRange): string => `${wanted ?? ""}|${reach}`

const isBefore = (a: PoolRow, b: PoolRow): boolean =>
  a.priority !== b.priority
    ? a.priority > b.priority
    : a.position !== b.position
      ? a.position < b.position
      : a.id < b.id

/** The ranges of all takes, each once, with the most that all of them together may need. */
const rangesOf = (takes: ReadonlyArray<Take>) => {
  const ranges = new Map<string, { n: number; reach: string; wanted: string; most: number }>()
  for (const { from, take } of takes) {
    for (const range of from) {
      const known = ranges.get(keyOf(range))
      const most = (known?.most ?? 0) + Math.min(take, range.most)
      ranges.set(keyOf(range), {
        n: known?.n ?? ranges.size,
        reach: range.reach,
        wanted: range.wanted ?? "",
        most
      })
    }
  }
  return ranges
}

/** After every instant: nothing is put off beyond it. */
const never = Number.MAX_SAFE_INTEGER

/** Gives the locked leads out, account by account: each gets the first of what its ranges have left. */
const deal = (
  takes: ReadonlyArray<Take>,
  ranges: ReadonlyMap<string, { readonly n: number }>,
  rows: ReadonlyArray<PoolRow>
) => {
  const queues = new Map<number, Array<PoolRow>>()
  for (const row of [...rows].sort((a, b) => (isBefore(a, b) ? -1 : 1))) {
    const queue = queues.get(row.n)
    if (queue === undefined) queues.set(row.n, [row])
    else queue.push(row)
  }
  const places = new Map<number, number>()
  return takes.map(({ account, from, take }) => {
    const open = new Map<number, number>()
    for (const range of from) {
      const n = ranges.get(keyOf(range))!.n
      open.set(n, (open.get(n) ?? 0) + range.most)
    }
    const leads: Array<LeadId> = []
    while (leads.length < take) {
      let best: PoolRow | undefined
      for (const [n, most] of open) {
        const row = most > 0 ? queues.get(n)?.[places.get(n) ?? 0] : undefined
        if (row !== undefined && (best === undefined || isBefore(row, best))) best = row
      }
      if (best === undefined) break
      places.set(best.n, (places.get(best.n) ?? 0) + 1)
      open.set(best.n, open.get(best.n)! - 1)
      leads.push(best.id)
    }
    return { account, leads }
  })
}

const accountIn = Columns.unprefix<AccountRow.AccountRow>(AccountRow.columns, "a_")

type AccountsRow = PaceRow.PaceRow &
  Record<"holding" | "deferred" | "given", number> &
  Record<"group_cap" | "workspace_cap", number | null>

/** The accounts of a campaign with their paces, as they are at `now`; not locked. */
const accountsOf = (database: Database["Service"]) => {
  const sql = database.statements(statements)
  return (campaign: CampaignId, now: Instant) =>
    Effect.map(database.execute<AccountsRow>(sql.accounts, [campaign, now]), (rows) =>
      rows.map(
        (row): DrawAccount => ({
          pace: PaceRow.decode(row),
          account: AccountRow.decode(accountIn(row)),
          groupCap: row.group_cap,
          workspaceCap: row.workspace_cap,
          holding: row.holding,
          deferred: row.deferred,
          given: row.given
        })
      )
    )
}

export const make = (database: Database["Service"]): Pick<CampaignStore["Service"], "enroll" | "draw" | "paces"> => {
  const sql = database.statements(statements)
  const { affected, execute, hotTransaction } = database
  const append = EventSqlStore.appender(database)
  const alarms = Alarms.make(database)
  const accounts = accountsOf(database)

  const take = Effect.fnUntraced(function* (campaign: CampaignId, takes: ReadonlyArray<Take>, now: Instant) {
    const ranges = rangesOf(takes)
    if (ranges.size === 0) return takes.map(({ account }) => ({ account, drawn: 0 }))
    const longest = Math.max(...Array.from(ranges.values(), ({ most }) => most))
    const parameters =
      database.sql.name === "sqlite" ? [[...ranges.values()], campaign, longest] : [[...ranges.values()], campaign]
    const dealt = deal(takes, ranges, yield* execute<PoolRow>(sql.range, parameters))
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
          const added = new Set<LeadId>(rows.map(({ id }) => id))
          const leftOut = new Set<string>(leads.flatMap(({ id }) => (added.has(id) ? [] : [id])))
          yield* append(events.filter(({ subject }) => !leftOut.has(subject)))
          return [...added]
        })
      ),
    draw: (id, now, decide) =>
      hotTransaction(
        Effect.gen(function* () {
          const [row] = yield* execute<CampaignRow.CampaignRow>(sql.lock, [id])
          if (row === undefined) return []
          const sizes = (ranges: ReadonlyArray<PoolRange>, atMost: number) =>
            Effect.gen(function* () {
              if (ranges.length === 0) return []
              const asked = ranges.map(({ reach, wanted }, n) => ({ n, reach, wanted: wanted ?? "", most: atMost }))
              const found = yield* execute<{ readonly n: number; readonly total: number }>(sql.sizes, [
                asked,
                id,
                atMost
              ])
              const totals = new Map(found.map(({ n, total }) => [n, total]))
              return ranges.map((_, n) => totals.get(n) ?? 0)
            })
          return yield* take(id, yield* decide(CampaignRow.decode(row), yield* accounts(id, now), sizes), now)
        })
      ),
    paces: (campaign) => accounts(campaign, never)
  }
}
