/**
 * The claim of campaigns, in one transaction that never waits: due paces are locked with their accounts; campaigns and
 * workspaces are read after that; the rules plan; ready leads are locked with their contacts; the rules decide; what they
 * answer is written. Whatever another transaction holds is passed by and found by the next claim.
 */
import type { CampaignStore, DuePace } from "@overture/core/campaign/CampaignStore"
import type { CampaignId } from "@overture/core/workspace/Id"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as Guard from "../Guard.ts"
import * as Groups from "../outbox/Groups.ts"
import { lookup } from "../outbox/Lookup.ts"
import * as Surroundings from "../outbox/Surroundings.ts"
import * as AccountRow from "../rows/AccountRow.ts"
import * as CampaignRow from "../rows/CampaignRow.ts"
import * as Columns from "../rows/Columns.ts"
import * as PaceRow from "../rows/PaceRow.ts"
import * as Look from "./look.ts"
import * as Take from "./take.ts"

const statements = defineStatements("CampaignClaim", (sql) => ({
  due: `select ${Columns.select(PaceRow.columns, "p")}, ${Columns.select(AccountRow.stateColumns, "a", "a_")}
    from ${sql.t("pace")} as p ${lookup(sql, "account", "a", "a.id = p.account_id", "skip")}
    where p.next_at <= $1 order by p.next_at limit $2 ${sql.skipLocked("p")}`,
  campaigns: `select ${Columns.select(CampaignRow.columns, "g")} from ${sql.rows("x", 1, { id: "id" })}
    ${lookup(sql, "campaign", "g", "g.id = x.id")}`
}))

/** A pace beside its account, as one row. */
export type PaceWithAccount = PaceRow.PaceRow

const accountIn = Columns.unprefix<AccountRow.AccountStateRow>(AccountRow.stateColumns, "a_")

/**
 * Adds campaigns, groups and workspaces to paces. With `skip`, those whose capped group or workspace another claim holds are
 * left out.
 */
export const completer = (database: Database["Service"], lock: "skip" | "none") => {
  const sql = database.statements(statements)
  const around = Surroundings.make(database)
  const groups = Groups.make(database)
  return Effect.fnUntraced(function* (rows: ReadonlyArray<PaceWithAccount>) {
    const ids = [...new Set<CampaignId>(rows.map((row) => row.campaign_id))]
    const paced = rows.map((row) => ({ row, account: AccountRow.state(accountIn(row)) }))
    const grouped = yield* groups.read(
      paced.map(({ account }) => account.account.group),
      lock
    )
    const free = paced.filter(({ account }) => !grouped.isHeld(account.account.group))
    const [found, workspaces] = yield* Effect.all(
      [
        database.execute<CampaignRow.CampaignRow>(sql.campaigns, [ids.map((id) => ({ id }))]),
        around.workspaces(
          free.map(({ row }) => row.workspace_id),
          lock
        )
      ],
      { concurrency: "unbounded" }
    )
    const campaigns = new Map(found.map((row) => [row.id, CampaignRow.decode(row)]))
    return free.flatMap(({ account, row }): ReadonlyArray<DuePace> => {
      const campaign = campaigns.get(row.campaign_id)
      const workspace = workspaces.get(row.workspace_id)
      if (campaign === undefined || workspace === undefined) return []
      return [{ pace: PaceRow.decode(row), account, campaign, workspace, group: grouped.of(account.account.group) }]
    })
  })
}

export const make = (database: Database["Service"]): CampaignStore["Service"]["claim"] => {
  const sql = database.statements(statements)
  const complete = completer(database, "skip")
  const { look } = Look.make(database)
  const take = Take.make(database)
  return ({ addressHash = null, lease, limit, now, rules }) =>
    database
      .hotTransaction(
        Effect.gen(function* () {
          const rows = yield* database.execute<PaceWithAccount>(sql.due, [now, limit])
          if (rows.length === 0) return null
          const planned = rules.plan(yield* complete(rows))
          const looked = yield* look(planned, now, addressHash)
          const candidates = looked.flatMap(({ first, followUps }) => [...first, ...followUps])
          if (rules.load !== undefined && candidates.length > 0) yield* rules.load(candidates)
          const claim = yield* take(lease, rules.decide(looked), looked)
          return { claim, planned }
        })
      )
      .pipe(
        Effect.tap(
          (made): Effect.Effect<void, StorageError> =>
            made === null || made.claim === null ? Effect.void : Guard.claimed(database)
        )
      )
}
