/**
 * How far campaigns have enrolled their lists, and which of those they follow have grown since. A list gives its places
 * under its lock and counts them in its row, so what it counts is there to be read.
 */
import type { CampaignStore } from "@overture/core/campaign/CampaignStore"
import type { ContactListId } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import { lookup } from "../outbox/Lookup.ts"
import * as CampaignRow from "../rows/CampaignRow.ts"
import * as Columns from "../rows/Columns.ts"

const statements = defineStatements("CampaignLists", (sql) => {
  const { t } = sql
  return {
    note: `insert into ${t("campaign_list")} as o (campaign_id, list_id, enrolled) values ($1, $2, ${sql.p(3, "int")})
      on conflict (campaign_id, list_id) do update set enrolled = excluded.enrolled where o.enrolled < excluded.enrolled`,
    grown: `select ${Columns.select(CampaignRow.columns, "g")}, e.list_id, e.enrolled, l.members as last
      from (select * from ${t("campaign")} as g where g.follows and g.id >= $1) as g
      ${lookup(sql, "campaign_list", "e", "e.campaign_id = g.id")}
      ${lookup(sql, "contact_list", "l", "l.id = e.list_id")}
      where (g.id > $1 or e.list_id > $2) and l.workspace_id = g.workspace_id
        and l.status = 'ready' and l.members > e.enrolled order by g.id, e.list_id limit $3`
  }
})

type GrownRow = CampaignRow.CampaignRow & {
  readonly list_id: ContactListId
  readonly enrolled: number
  readonly last: number
}

type Verbs = Pick<CampaignStore["Service"], "noteEnrolled" | "grownLists">

export const make = (database: Database["Service"]): Verbs => {
  const sql = database.statements(statements)
  const { affected, execute } = database
  return {
    noteEnrolled: (campaign, list, upTo) => Effect.asVoid(affected(sql.note, [campaign, list, upTo])),
    grownLists: (after, limit) =>
      Effect.map(execute<GrownRow>(sql.grown, [after?.campaign.id ?? "", after?.list ?? "", limit]), (rows) =>
        rows.map((row) => ({
          campaign: CampaignRow.decode(row),
          list: row.list_id,
          enrolled: row.enrolled,
          last: row.last
        }))
      )
  }
}
