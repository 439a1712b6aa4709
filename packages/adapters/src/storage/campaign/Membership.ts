/**
 * What accounts that join, leave or fall out of a campaign need to know of its leads: which of the pool are to be routed
 * anew, which follow-ups wait, and whether anything is under way. Who leaves keeps its pace, so that nothing counted is lost.
 */
import type { CampaignStore } from "@overture/core/campaign/CampaignStore"
import type { PooledLead } from "@overture/core/campaign/Routing"
import type { LeadId } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as EventSqlStore from "../EventSqlStore.ts"
import { lookup } from "../outbox/Lookup.ts"
import * as Surroundings from "../outbox/Surroundings.ts"
import * as Columns from "../rows/Columns.ts"
import * as ContactRow from "../rows/ContactRow.ts"
import * as LeadRow from "../rows/LeadRow.ts"
import * as Ready from "./ready.ts"

const statements = defineStatements("CampaignMembership", (sql) => {
  const { t } = sql
  const ofAccount = "l.campaign_id = $1 and l.account_id = $2"
  const columns = `${Columns.select(LeadRow.columns, "l")}, ${Columns.select(ContactRow.stateColumns, "c", "c_")}`
  const ofContacts = (where: string) => `select ${columns}
    from ${sql.rows("x", 1, { contact: "id" })}
    ${lookup(sql, "lead", "l", "l.campaign_id = $2 and l.contact_id = x.contact")}
    ${lookup(sql, "contact", "c", "c.id = l.contact_id")} where ${where}`
  return {
    lock: `select g.id from ${t("campaign")} as g where g.workspace_id = $1 and g.id = $2 ${sql.lock("g")}`,
    members: `select p.account_id from ${t("pace")} as p where p.campaign_id = $1 and p.left_at is null`,
    leave: `update ${t("pace")} set left_at = ${sql.p(3, "bigint")},
      next_at = case when paused then null else ${sql.p(3, "bigint")} end where campaign_id = $1 and account_id = $2`,
    // By the unique index of contacts, which knows no state: a page of few leads may pass by many that are no longer there.
    after: `select ${columns}
      from (select * from ${t("lead")} as l where l.campaign_id = $1 and l.contact_id > $2 and l.status = 'pending'
        order by l.contact_id limit $3) as l ${lookup(sql, "contact", "c", "c.id = l.contact_id")}`,
    ofRanges: `select ${columns} from ${sql.rows("x", 1, { reach: "text", wanted: "id" })}
      ${lookup(sql, "lead", "l", "l.campaign_id = $2 and l.reach = x.reach and l.wanted_id = x.wanted and l.status = 'pending'")}
      ${lookup(sql, "contact", "c", "c.id = l.contact_id")} limit $3`,
    ofContacts: ofContacts("l.status = 'pending'"),
    heldOfContacts: ofContacts("l.status in ('pending', 'assigned') and l.claim_id is null"),
    followUps: `select l.id from ${t("lead")} as l where ${ofAccount} and l.follow_up = 1 and l.due_at is not null
      and l.claim_id is null and l.step_id is not null order by l.due_at limit $3`,
    underWay: `select coalesce(${[
      "l.status = 'assigned' and l.due_at is null and l.claim_id is not null",
      "l.due_at is not null and l.claim_id is not null",
      LeadRow.isBetweenParts
    ]
      .map((where) => `(select 1 from ${t("lead")} as l where ${ofAccount} and ${where} limit 1)`)
      .join(", ")}, 0) as found`
  }
})

type Verbs = Pick<CampaignStore["Service"], "pooled" | "leave" | "followUpsOf" | "isUnderWay">

export const make = (database: Database["Service"]): Verbs => {
  const sql = database.statements(statements)
  const { affected, execute, hotTransaction, transaction } = database
  const append = EventSqlStore.appender(database)
  const around = Surroundings.make(database)
  return {
    pooled: Effect.fnUntraced(function* (campaign, of, wanted) {
      const rows =
        "contacts" in of
          ? of.contacts.length === 0
            ? []
            : yield* execute<LeadRow.LeadRow>(of.held === true ? sql.heldOfContacts : sql.ofContacts, [
                Array.from(new Set(of.contacts), (contact) => ({ contact })),
                campaign
              ])
          : "ranges" in of
            ? yield* execute<LeadRow.LeadRow>(sql.ofRanges, [
                of.ranges.map(({ reach, wanted }) => ({ reach, wanted: wanted ?? "" })),
                campaign,
                of.limit
              ])
            : yield* hotTransaction(execute<LeadRow.LeadRow>(sql.after, [campaign, of.after ?? "", of.limit]))
      const found = rows.map(Ready.decode).sort((a, b) => (a.lead.contact < b.lead.contact ? -1 : 1))
      const chatOf = yield* around.chats(
        found.flatMap(({ contact }) =>
          Surroundings.keysOf(contact.addresses).flatMap((address) => wanted.map((account) => ({ account, address })))
        )
      )
      return found.map(
        ({ contact, lead }): PooledLead => ({
          lead,
          contact,
          chats: wanted.flatMap((account) =>
            Surroundings.keysOf(contact.addresses).flatMap((address) => chatOf(account, address) ?? [])
          )
        })
      )
    }),
    leave: (workspace, id, account, now, events) =>
      transaction(
        Effect.gen(function* () {
          if ((yield* execute(sql.lock, [workspace, id])).length === 0) return "absent"
          const members = yield* execute<{ readonly account_id: string }>(sql.members, [id])
          if (!members.some((one) => one.account_id === account)) return "absent"
          if (members.length === 1) return "last"
          yield* affected(sql.leave, [id, account, now])
          yield* append(events)
          return "left"
        })
      ),
    followUpsOf: (campaign, account, limit) =>
      Effect.map(execute<{ readonly id: LeadId }>(sql.followUps, [campaign, account, limit]), (rows) =>
        rows.map(({ id }) => id)
      ),
    isUnderWay: (campaign, account) =>
      Effect.map(execute<{ readonly found: number }>(sql.underWay, [campaign, account]), ([row]) => row?.found === 1)
  }
}
