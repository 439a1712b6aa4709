/** The leads of one contact: read for the person who asks, and written without them. */
import type { CampaignStore } from "@overture/core/campaign/CampaignStore"
import * as Lead from "@overture/core/campaign/Lead"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as Columns from "../rows/Columns.ts"
import * as LeadRow from "../rows/LeadRow.ts"

const erasedColumns = Columns.pick(LeadRow.columns, "address", "external_ref", "metadata")

const statements = defineStatements("CampaignPersons", (sql) => {
  const leads = `select ${Columns.select(LeadRow.columns, "l")} from ${sql.t("lead")} as l
    where l.workspace_id = $1 and l.contact_id = $2 order by l.id`
  return {
    leads,
    lock: `${leads} ${sql.lock("l")}`,
    erase: `update ${sql.t("lead")} as l set ${Columns.assign(erasedColumns, "x")}
      from ${sql.rows("x", 1, { lead: "id", ...erasedColumns })} where l.id = x.lead`
  }
})

type Verbs = Pick<CampaignStore["Service"], "leadsOf" | "eraseLeads">

export const make = (database: Database["Service"]): Verbs => {
  const sql = database.statements(statements)
  const { affected, execute, transaction } = database
  return {
    leadsOf: (workspace, contact) =>
      Effect.map(execute<LeadRow.LeadRow>(sql.leads, [workspace, contact]), (rows) => rows.map(LeadRow.decode)),
    eraseLeads: (workspace, contact) =>
      transaction(
        Effect.gen(function* () {
          const rows = yield* execute<LeadRow.LeadRow>(sql.lock, [workspace, contact])
          const erased = rows.map((row) => LeadRow.encode(Lead.erase(LeadRow.decode(row))))
          if (erased.length === 0) return
          yield* affected(sql.erase, [
            erased.map(({ address, external_ref, id, metadata }) => ({ lead: id, address, external_ref, metadata }))
          ])
        })
      )
  }
}
