/**
 * The sequences that people are in by other campaigns, for the leads that may have to wait for one. One statement for all
 * leads of a claim, and none where nobody was touched by another campaign. Read once the contacts are locked: every touch
 * is written to its contact under that lock, so none begins unseen.
 */
import type { Lead } from "@overture/core/campaign/Lead"
import { mayWait, type OpenSequence } from "@overture/core/campaign/OpenSequence"
import type { ContactTouch } from "@overture/core/contact/Contact"
import type { CampaignId, ContactId, LeadId } from "@overture/core/workspace/Id"
import type { Instant } from "@overture/core/workspace/Instant"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import { lookup } from "../outbox/Lookup.ts"
import { isBetweenParts } from "../rows/LeadRow.ts"

/** A claim holds it, or it is between two parts. */
const isUnderWay = `(l.claim_id is not null or ${isBetweenParts})`

const statements = defineStatements("CampaignSequences", (sql) => ({
  open: `select l.contact_id, l.campaign_id, l.id, case when ${isUnderWay} then null else l.due_at end as due_at
    from ${sql.rows("x", 1, { workspace_id: "id", contact_id: "id" })}
    ${lookup(
      sql,
      "lead",
      "l",
      `l.workspace_id = x.workspace_id and l.contact_id = x.contact_id
        and (${isUnderWay} or (l.follow_up = 1 and l.step_id is not null))`
    )}
    ${lookup(sql, "campaign", "g", "g.id = l.campaign_id and g.status = 'running'")}`
}))

interface Row {
  readonly contact_id: ContactId
  readonly campaign_id: CampaignId
  readonly id: LeadId
  readonly due_at: Instant | null
}

/** A lead with what its contact remembers. */
export interface Waiting {
  readonly lead: Lead
  readonly touches: ReadonlyArray<ContactTouch>
}

const none: ReadonlyArray<OpenSequence> = []

/** Tells the open sequences elsewhere of each of the leads it was asked for. */
export const make = (database: Database["Service"]) => {
  const { open } = database.statements(statements)
  return Effect.fnUntraced(function* (
    leads: ReadonlyArray<Waiting>
  ): Effect.fn.Return<(lead: Lead) => ReadonlyArray<OpenSequence>, StorageError> {
    const waiting = leads.filter(({ lead, touches }) => mayWait(lead, touches))
    if (waiting.length === 0) return () => none
    const rows = yield* database.execute<Row>(open, [
      waiting.map(({ lead: { contact, workspace } }) => ({ workspace_id: workspace, contact_id: contact }))
    ])
    const asked = new Set(waiting.map(({ lead }) => lead.id))
    const found = new Map<ContactId, Array<Row>>()
    for (const row of rows) {
      const known = found.get(row.contact_id)
      if (known === undefined) found.set(row.contact_id, [row])
      else known.push(row)
    }
    return ({ campaign, contact, id }) =>
      asked.has(id)
        ? (found.get(contact) ?? [])
            .filter((row) => row.campaign_id !== campaign)
            .map((row): OpenSequence => ({ campaign: row.campaign_id, lead: row.id, dueAt: row.due_at }))
        : none
  })
}
