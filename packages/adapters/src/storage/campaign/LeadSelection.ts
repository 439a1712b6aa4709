/**
 * Which leads a change is shown: their ids, each by an index that has leads in its state, without locks. Whoever locks them
 * asks again whether one is still meant.
 */
import { isActive, type Lead } from "@overture/core/campaign/Lead"
import type { LeadSelector } from "@overture/core/campaign/LeadChange"
import type { LeadId } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import { lookup } from "../outbox/Lookup.ts"
import { isBetweenParts } from "../rows/LeadRow.ts"

const statements = defineStatements("CampaignSelection", (sql) => {
  const { t } = sql
  // One text for each index that has leads of a campaign in some state.
  const inState = (where: string) => `select l.id from ${t("lead")} as l where l.campaign_id = $1
    and (${sql.p(2, "id")} is null or l.account_id = $2) and l.claim_id is null and ${where} limit $3`
  const unstopped = (where: string) =>
    `select l.id from ${t("lead")} as l where l.campaign_id = $1 and l.stop is null and ${where} limit $2`
  const active = {
    activePending: unstopped("l.status = 'pending'"),
    activeReady: unstopped("l.status = 'assigned' and l.due_at is null"),
    activeDue: unstopped("l.due_at is not null"),
    activeParts: unstopped(isBetweenParts)
  }
  return {
    ofContacts: `select l.id from ${sql.rows("x", 1, { contact: "id" })}
      ${lookup(sql, "lead", "l", "l.workspace_id = $2 and l.contact_id = x.contact")}`,
    pending: inState("l.status = 'pending'"),
    ready: inState("l.status = 'assigned' and l.due_at is null"),
    deferred: inState("l.status = 'assigned' and l.due_at is not null"),
    others: inState(`l.status in (select s.status from ${sql.rows("s", 4, { status: "text" })})`),
    ...active
  }
})

/** Whether a locked lead is still one that was asked for. */
export const isMeant = (selector: LeadSelector, lead: Lead): boolean => {
  switch (selector.type) {
    case "ids":
      return true
    case "contacts":
      return selector.ended === true || isActive(lead)
    case "active":
      return isActive(lead) && lead.stop === null
    case "campaign":
      return (
        lead.claim === null &&
        selector.statuses.includes(lead.status) &&
        (selector.account === undefined || lead.account === selector.account)
      )
  }
}

/** The ids of the leads that are meant, in no order. */
export const make = (database: Database["Service"]) => {
  const sql = database.statements(statements)
  const { execute } = database

  return Effect.fnUntraced(function* (selector: LeadSelector) {
    if (selector.type === "ids") return selector.ids
    const found: Array<LeadId> = []
    if (selector.type === "contacts") {
      if (selector.contacts.length === 0) return found
      const contacts = Array.from(new Set(selector.contacts), (contact) => ({ contact }))
      const rows = yield* execute<{ readonly id: LeadId }>(sql.ofContacts, [contacts, selector.workspace])
      return rows.map(({ id }) => id)
    }
    if (selector.type === "active") {
      const seen = new Set<LeadId>()
      for (const text of [sql.activePending, sql.activeReady, sql.activeDue, sql.activeParts]) {
        if (seen.size >= selector.limit) break
        const rows = yield* execute<{ readonly id: LeadId }>(text, [selector.campaign, selector.limit - seen.size])
        for (const { id } of rows) seen.add(id)
      }
      return [...seen]
    }
    const { account = null, campaign, limit, statuses } = selector
    const others = statuses.filter((status) => status !== "pending" && status !== "assigned")
    const texts = [
      ...(statuses.includes("pending") ? [sql.pending] : []),
      ...(statuses.includes("assigned") ? [sql.ready, sql.deferred] : []),
      ...(others.length > 0 ? [sql.others] : [])
    ]
    for (const text of texts) {
      if (found.length >= limit) break
      const more = text === sql.others ? [others.map((status) => ({ status }))] : []
      const rows = yield* execute<{ readonly id: LeadId }>(text, [campaign, account, limit - found.length, ...more])
      found.push(...rows.map(({ id }) => id))
    }
    return found
  })
}
