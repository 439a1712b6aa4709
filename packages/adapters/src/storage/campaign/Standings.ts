/** Who can send for campaigns, as it stands, and what is told when that changes. */
import type { Account } from "@overture/core/account/Account"
import type { CampaignStore } from "@overture/core/campaign/CampaignStore"
import type { CampaignId, WorkspaceId } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import * as AdvisoryLocks from "../AdvisoryLocks.ts"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as EventSqlStore from "../EventSqlStore.ts"
import { lookup } from "../outbox/Lookup.ts"
import * as AccountRow from "../rows/AccountRow.ts"
import * as CampaignRow from "../rows/CampaignRow.ts"
import * as Columns from "../rows/Columns.ts"

const statements = defineStatements("CampaignStandings", (sql) => {
  const columns = Columns.select(CampaignRow.columns, "g")
  const running = "g.workspace_id = $2 and g.status = 'running'"
  return {
    ofAccounts: `select ${columns} from ${sql.t("campaign")} as g where ${running} and g.id in (
      select p.campaign_id from ${sql.rows("x", 1, { account: "id" })}
      ${lookup(sql, "pace", "p", "p.account_id = x.account and p.left_at is null")}) order by g.id`,
    ofCampaign: `select ${columns} from ${sql.t("campaign")} as g where g.id = $1 and ${running}`,
    accounts: `select p.campaign_id, p.left_at, ${Columns.select(AccountRow.columns, "a")} from ${sql.rows("x", 1, { campaign: "id" })}
      ${lookup(sql, "pace", "p", "p.campaign_id = x.campaign and p.workspace_id = $2")}
      ${lookup(sql, "account", "a", "a.id = p.account_id")} order by p.campaign_id, a.id`
  }
})

type PacedRow = AccountRow.AccountRow & { readonly campaign_id: CampaignId; readonly left_at: number | null }

type Verbs = Pick<CampaignStore["Service"], "tellStanding" | "membersOf">

export const make = (database: Database["Service"]): Verbs => {
  const sql = database.statements(statements)
  const { execute, transaction } = database
  const { take } = AdvisoryLocks.make(database)
  const append = EventSqlStore.appender(database)

  /** The accounts that are in campaigns, and those that left. */
  const accountsOf = Effect.fnUntraced(function* (workspace: WorkspaceId, campaigns: ReadonlyArray<CampaignId>) {
    const members = new Map<CampaignId, Array<Account>>()
    const former = new Map<CampaignId, Array<Account>>()
    if (campaigns.length === 0) return { members, former }
    const rows = yield* execute<PacedRow>(sql.accounts, [
      Array.from(new Set(campaigns), (campaign) => ({ campaign })),
      workspace
    ])
    for (const row of rows) {
      const those = row.left_at === null ? members : former
      const known = those.get(row.campaign_id)
      if (known === undefined) those.set(row.campaign_id, [AccountRow.decode(row)])
      else known.push(AccountRow.decode(row))
    }
    return { members, former }
  })

  return {
    membersOf: (workspace, campaigns) => Effect.map(accountsOf(workspace, campaigns), ({ members }) => members),
    tellStanding: (workspace, of, telling) =>
      transaction(
        Effect.gen(function* () {
          // Two changes of one workspace each see what the other committed: neither would where both look at the same time.
          yield* take("standing", [workspace])
          const rows =
            "campaign" in of
              ? yield* execute<CampaignRow.CampaignRow>(sql.ofCampaign, [of.campaign, workspace])
              : yield* execute<CampaignRow.CampaignRow>(sql.ofAccounts, [
                  Array.from(new Set(of.accounts), (account) => ({ account })),
                  workspace
                ])
          const campaigns = rows.map(CampaignRow.decode)
          const { former, members } = yield* accountsOf(
            workspace,
            campaigns.map(({ id }) => id)
          )
          const told = campaigns.flatMap((campaign) =>
            telling(campaign, members.get(campaign.id) ?? [], former.get(campaign.id) ?? [])
          )
          yield* append(told)
        })
      )
  }
}
