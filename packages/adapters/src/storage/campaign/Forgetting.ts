/**
 * Takes touches that did not go out from what contacts remember. Contacts are locked in id order, after leads and messages
 * and before paces; a claim passes by a contact that is locked, so it never waits for this.
 */
import type { Lead } from "@overture/core/campaign/Lead"
import type { ContactId } from "@overture/core/workspace/Id"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import { lookup, matches } from "../outbox/Lookup.ts"
import * as ContactRow from "../rows/ContactRow.ts"

const statements = defineStatements("CampaignForgetting", (sql) => ({
  lock: `select c.id, c.touches from ${sql.rows("x", 1, { id: "id" })}
    ${lookup(sql, "contact", "c", "c.id = x.id", "wait")}`,
  write: `update ${sql.t("contact")} as c set touches = x.made
    from ${sql.rows("x", 1, { contact_id: "id", made: "json" })} where ${matches(sql, "c.id", "x.contact_id")}`
}))

/** Forgets the touch of the step that each of these leads had before it changed. */
export const make = (
  database: Database["Service"]
): ((before: ReadonlyArray<Lead>) => Effect.Effect<void, StorageError>) => {
  const sql = database.statements(statements)
  return Effect.fnUntraced(function* (before) {
    const forgotten = new Map<ContactId, Set<string>>()
    for (const { contact, id, step } of before) {
      if (step === null) continue
      const keys = forgotten.get(contact) ?? new Set()
      forgotten.set(contact, keys.add(`${id}|${step}`))
    }
    if (forgotten.size === 0) return
    const ids = Array.from(forgotten.keys()).sort()
    const rows = yield* database.execute<{ readonly id: ContactId; readonly touches: string }>(sql.lock, [
      ids.map((id) => ({ id }))
    ])
    const written = rows.flatMap((row) => {
      const touches = ContactRow.touches(row)
      const left = touches.filter(({ lead, step }) => forgotten.get(row.id)?.has(`${lead}|${step}`) !== true)
      return left.length === touches.length ? [] : [{ contact_id: row.id, made: left }]
    })
    if (written.length > 0) yield* database.affected(sql.write, [written])
  })
}
