/**
 * The chats that decide about leads: the one a lead would be written in, and those with its contact that a person took
 * over, whichever account they are of. One statement for all leads of a claim; the second are found by a partial index
 * that holds nothing but them.
 */
import { heedsTakeovers, type Lead } from "@overture/core/campaign/Lead"
import { type Chat, idOf } from "@overture/core/chat/Chat"
import type { Contact } from "@overture/core/contact/Contact"
import type { ChatId } from "@overture/core/workspace/Id"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import { lookup } from "../outbox/Lookup.ts"
import { keysOf } from "../outbox/Surroundings.ts"
import * as ChatRow from "../rows/ChatRow.ts"
import * as Columns from "../rows/Columns.ts"

const statements = defineStatements("CampaignConversations", (sql) => {
  const columns = Columns.select(ChatRow.columns, "h")
  const own = `select ${columns} from ${sql.rows("x", 1, { id: "id" })} ${lookup(sql, "chat", "h", "h.id = x.id")}`
  const isTakenOver = "h.workspace_id = x.workspace_id and h.address = x.address and h.taken_over_at is not null"
  return {
    own,
    heeded: `${own} union all select ${columns} from ${sql.rows("x", 2, { workspace_id: "id", address: "text" })}
      ${lookup(sql, "chat", "h", isTakenOver)}`
  }
})

/** A lead with its contact. */
export interface Asking {
  readonly lead: Lead
  readonly contact: Contact
}

/** What a lead is told of chats. */
export interface Conversation {
  readonly chat: Chat | null
  readonly takenOver: ReadonlyArray<Chat>
}

const none: ReadonlyArray<Chat> = []

/** The id of the chat a lead would be written in; null where no account has it. */
const chatIdOf = ({ account, address }: Lead): ChatId | null => (account === null ? null : idOf(account, address))

/** Tells the chats of each of the leads it was asked for. */
export const make = (database: Database["Service"]) => {
  const sql = database.statements(statements)
  return Effect.fnUntraced(function* (
    leads: ReadonlyArray<Asking>
  ): Effect.fn.Return<(asking: Asking) => Conversation, StorageError> {
    const own = Array.from(new Set(leads.flatMap(({ lead }) => chatIdOf(lead) ?? [])), (id) => ({ id }))
    const heeded = leads.flatMap(({ contact, lead }) =>
      heedsTakeovers(lead)
        ? keysOf(contact.addresses).map((address) => ({ workspace_id: lead.workspace, address }))
        : []
    )
    const rows =
      heeded.length > 0
        ? yield* database.execute<ChatRow.ChatRow>(sql.heeded, [own, heeded])
        : own.length > 0
          ? yield* database.execute<ChatRow.ChatRow>(sql.own, [own])
          : []
    const chats = new Map(rows.map((row) => [row.id, ChatRow.decode(row)]))
    const takenOver = [...chats.values()].filter(({ takenOverAt }) => takenOverAt !== null)
    return ({ contact, lead }) => {
      const id = chatIdOf(lead)
      const addresses = takenOver.length > 0 && heedsTakeovers(lead) ? keysOf(contact.addresses) : []
      return {
        chat: (id === null ? undefined : chats.get(id)) ?? null,
        takenOver:
          addresses.length === 0
            ? none
            : takenOver.filter((chat) => chat.workspace === lead.workspace && addresses.includes(chat.address))
      }
    }
  })
}
