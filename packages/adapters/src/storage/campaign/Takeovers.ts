/**
 * The chats that a person took over, with the contacts of the leads that heed them, whichever account they are of. One
 * statement for all leads of a claim, by a partial index that holds nothing but such chats.
 */
import { heedsTakeovers, type Lead } from "@overture/core/campaign/Lead"
import type { Chat } from "@overture/core/chat/Chat"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import { lookup } from "../outbox/Lookup.ts"
import * as ChatRow from "../rows/ChatRow.ts"
import * as Columns from "../rows/Columns.ts"

const statements = defineStatements("CampaignTakeovers", (sql) => ({
  takenOver: `select ${Columns.select(ChatRow.columns, "h")}
    from ${sql.rows("x", 1, { workspace_id: "id", address: "text" })}
    ${lookup(
      sql,
      "chat",
      "h",
      "h.workspace_id = x.workspace_id and h.address = x.address and h.taken_over_at is not null"
    )}`
}))

/** A lead with the keys of its contact's addresses. */
export interface Asking {
  readonly lead: Lead
  readonly addresses: ReadonlyArray<string>
}

const none: ReadonlyArray<Chat> = []

/** Tells the chats that each of the leads it was asked for heeds. */
export const make = (database: Database["Service"]) => {
  const sql = database.statements(statements)
  return Effect.fnUntraced(function* (
    leads: ReadonlyArray<Asking>
  ): Effect.fn.Return<(asking: Asking) => ReadonlyArray<Chat>, StorageError> {
    const wanted = leads.flatMap(({ addresses, lead }) =>
      heedsTakeovers(lead) ? addresses.map((address) => ({ workspace_id: lead.workspace, address })) : []
    )
    const rows = wanted.length === 0 ? [] : yield* database.execute<ChatRow.ChatRow>(sql.takenOver, [wanted])
    // Leads of one contact find the same ones.
    const chats = new Map(rows.map((row) => [row.id, ChatRow.decode(row)]))
    return ({ addresses, lead }) =>
      chats.size === 0 || !heedsTakeovers(lead)
        ? none
        : [...chats.values()].filter((chat) => chat.workspace === lead.workspace && addresses.includes(chat.address))
  })
}
