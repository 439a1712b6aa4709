/**
 * The counters that settling keeps in paces, and in the campaign for leads without one, and the days a ramp has seen:
 * a pace's grows by one with the first touch that went out on each later date, however many leads tell of it.
 */
import type { PaceCounts } from "@overture/core/campaign/Pace"
import type { AccountId, CampaignId } from "@overture/core/workspace/Id"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import { countColumns } from "../rows/PaceRow.ts"
import { inOrder, type PaceKey } from "./Alarms.ts"
import { matches } from "../outbox/Lookup.ts"

const names = ["sent", "partial", "failed", "skipped", "touched", "replied"] as const
const added = names.map((name) => `${name} = o.${name} + x.${name}`).join(", ")

const statements = defineStatements("CampaignCounters", (sql) => ({
  paces: `update ${sql.t("pace")} as o set ${added},
    ramp_day = case when x.day > coalesce(o.ramp_date, '') then o.ramp_day + 1 else o.ramp_day end,
    ramp_date = case when x.day > coalesce(o.ramp_date, '') then x.day else o.ramp_date end
    from ${sql.rows("x", 1, { campaign: "id", account: "id", day: "text", ...countColumns })}
    where ${matches(sql, "o.campaign_id", "x.campaign")} and ${matches(sql, "o.account_id", "x.account")}`,
  // Of the rows of one campaign, those without a pace.
  orphans: `update ${sql.t("campaign")} as o set ${added} from (
      select ${names.map((name) => `sum(x.${name}) as ${name}`).join(", ")}
      from ${sql.rows("x", 1, { account: "id", ...countColumns })}
      where (select 1 from ${sql.t("pace")} as p where p.campaign_id = $2 and p.account_id = x.account limit 1) is null) as x
    where o.id = $2 and x.sent is not null`,
  campaigns: `update ${sql.t("campaign")} as o set ${added}
    from ${sql.rows("x", 1, { campaign: "id", ...countColumns })} where ${matches(sql, "o.id", "x.campaign")}`
}))

/** What one lead adds. */
export interface Counted {
  readonly campaign: CampaignId
  /** The account it had before; null = the campaign counts it. */
  readonly account: AccountId | null
  readonly counts: Partial<PaceCounts>
  /** Its touch went out, from this account, on this campaign date. */
  readonly wentOut: { readonly account: AccountId | null; readonly on: string } | null
}

type Sums = Record<(typeof names)[number], number>

const zero = (): Sums => ({ sent: 0, partial: 0, failed: 0, skipped: 0, touched: 0, replied: 0 })

const add = (sums: Sums, counts: Partial<PaceCounts>): void => {
  for (const name of names) sums[name] += counts[name] ?? 0
}

const isEmpty = (counts: Partial<PaceCounts>): boolean => names.every((name) => (counts[name] ?? 0) === 0)

interface Paced extends PaceKey {
  readonly sums: Sums
  readonly days: Set<string>
}

/** Adds what leads count, to their paces in key order. Where there is no such pace any more, the campaign counts it. */
export const make = (
  database: Database["Service"]
): ((counted: ReadonlyArray<Counted>) => Effect.Effect<void, StorageError>) => {
  const sql = database.statements(statements)

  const campaigns = (sums: ReadonlyMap<CampaignId, Sums>) =>
    sums.size === 0
      ? Effect.void
      : database.write(sql.campaigns, [
          Array.from(sums, ([campaign, row]) => ({ campaign, ...row })).sort((a, b) =>
            a.campaign < b.campaign ? -1 : 1
          )
        ])

  return Effect.fnUntraced(function* (counted) {
    const paces = new Map<string, Paced>()
    const unpaced = new Map<CampaignId, Sums>()
    const sumsOf = (campaign: CampaignId): Sums => {
      const sums = unpaced.get(campaign) ?? zero()
      unpaced.set(campaign, sums)
      return sums
    }
    const paced = (campaign: CampaignId, account: AccountId): Paced => {
      const key = `${campaign}|${account}`
      const known = paces.get(key) ?? { campaign, account, sums: zero(), days: new Set<string>() }
      paces.set(key, known)
      return known
    }
    for (const { account, campaign, counts, wentOut } of counted) {
      if (!isEmpty(counts)) add(account === null ? sumsOf(campaign) : paced(campaign, account).sums, counts)
      if (wentOut !== null && wentOut.account !== null) paced(campaign, wentOut.account).days.add(wentOut.on)
    }
    yield* campaigns(unpaced)
    const rows = inOrder([...paces.values()]).map(({ account, campaign, days, sums }) => ({
      campaign,
      account,
      sums,
      days: [...days].sort()
    }))
    if (rows.length === 0) return
    const counts = rows.map(({ account, campaign, days, sums }) => ({
      campaign,
      account,
      day: days[0] ?? null,
      ...sums
    }))
    const written = yield* database.affected(sql.paces, [counts])
    // One row of a pace per statement; a second date of one batch is rare and comes after the first.
    const most = Math.max(...rows.map(({ days }) => days.length))
    for (let n = 1; n < most; n++) {
      const later = rows.filter(({ days }) => days.length > n)
      yield* database.write(sql.paces, [
        later.map(({ account, campaign, days }) => ({ campaign, account, day: days[n], ...zero() }))
      ])
    }
    if (written === rows.length) return
    for (const one of new Set(rows.map(({ campaign }) => campaign))) {
      yield* database.write(sql.orphans, [
        counts.flatMap(({ campaign, day: _day, ...row }) => (campaign === one ? [row] : [])),
        one
      ])
    }
  })
}
