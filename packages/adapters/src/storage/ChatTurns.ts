/**
 * Whose turn it is to tell of chats. Two batches about the same chats find their messages before they lock them, so one
 * that waits only then has read what the other is writing, and may hold what the other comes to need: they go one after
 * the other from their beginning on. SQLite has one writer anyway.
 */
import type { ChatStore } from "@overture/core/chat/ChatStore"
import type { ChatId } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import type { Database } from "./Database.ts"
import { defineStatements } from "./Dialect.ts"

/** The most places a batch takes, as a server has room for only so many locks; a larger one has the account to itself. */
const most = 256
const whole = -1

// Advisory locks: there is no row yet, and none comes before leads and messages in the order of locks.
const statements = defineStatements("ChatTurns", (sql) => {
  const account = `hashtext('${sql.t("turn")} ' || $1)`
  return {
    take: sql.pick({
      // From left to right: a share in the account first, which all rows but the first hold already.
      postgres: `select pg_advisory_xact_lock_shared(${account}, ${whole}), pg_advisory_xact_lock(${account}, x.place)
        from ${sql.rows("x", 2, { place: "int" })}`,
      sqlite: "select $1 as account, $2 as places"
    }),
    takeAll: sql.pick({
      postgres: `select pg_advisory_xact_lock(${account}, ${whole})`,
      sqlite: "select $1 as account"
    })
  }
})

/**
 * The place of a chat in its account, by the end of its id, which is random: one of 65,536, enough that two batches of other
 * chats seldom meet.
 */
const placeOf = (chat: ChatId): number => Number.parseInt(chat.slice(-4), 16)

export const make = (database: Database["Service"]): Pick<ChatStore["Service"], "awaitTurn"> => {
  const sql = database.statements(statements)
  return {
    awaitTurn: Effect.fnUntraced(function* (account, chats) {
      if (chats.length === 0 || database.sql.name === "sqlite") return
      const taken = [...new Set(chats.map(placeOf))].sort((a, b) => a - b)
      if (taken.length > most) return yield* database.write(sql.takeAll, [account])
      yield* database.write(sql.take, [account, taken.map((place) => ({ place }))])
    })
  }
}
