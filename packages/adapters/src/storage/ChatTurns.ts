/**
 * Whose turn it is to tell of chats. Two batches about the same chats find their messages before they lock them, so one
 * that waits only then has read what the other is writing, and may hold what the other comes to need: they go one after
 * the other from their beginning on. Chats share a fixed number of places in their account, as a server has room for only
 * so many locks. SQLite has one writer anyway.
 */
import type { ChatStore } from "@overture/core/chat/ChatStore"
import type { ChatId } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import type { Database } from "./Database.ts"
import { defineStatements } from "./Dialect.ts"

/** How many batches of one account may be under way at a time, at most. */
const places = 64

const statements = defineStatements("ChatTurns", (sql) => ({
  // An advisory lock: there is no row yet, and none comes before leads and messages in the order of locks.
  await: sql.pick({
    postgres: `select pg_advisory_xact_lock(hashtext('${sql.t("turn")} ' || $1), x.place)
      from ${sql.rows("x", 2, { place: "int" })}`,
    sqlite: "select $1 as account, $2 as places"
  })
}))

/** The end of an id of a chat is random. */
const placeOf = (chat: ChatId): number => Number.parseInt(chat.slice(-4), 16) % places

export const make = (database: Database["Service"]): Pick<ChatStore["Service"], "awaitTurn"> => {
  const sql = database.statements(statements)
  return {
    awaitTurn: (account, chats) => {
      if (chats.length === 0 || database.sql.name === "sqlite") return Effect.void
      const taken = [...new Set(chats.map(placeOf))].sort((a, b) => a - b)
      return database.write(sql.await, [account, taken.map((place) => ({ place }))])
    }
  }
}
