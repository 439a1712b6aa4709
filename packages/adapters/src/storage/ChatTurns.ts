/**
 * Whose turn it is to tell of chats. Two batches about the same chats find their messages before they lock them, so one
 * that waits only then has read what the other is writing, and may hold what the other comes to need: they go one after
 * the other from their beginning on.
 */
import type { ChatStore } from "@overture/core/chat/ChatStore"
import type { ChatId } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import * as AdvisoryLocks from "./AdvisoryLocks.ts"
import type { Database } from "./Database.ts"

/** The most places a batch takes, as a server has room for only so many locks; a larger one has the account to itself. */
const most = 256

/**
 * The place of a chat in its account, by the end of its id, which is random: one of 65,536, enough that two batches of other
 * chats seldom meet.
 */
const placeOf = (chat: ChatId): string => chat.slice(-4)

export const make = (database: Database["Service"]): Pick<ChatStore["Service"], "awaitTurn"> => {
  const { share, take } = AdvisoryLocks.make(database)
  return {
    awaitTurn: Effect.fnUntraced(function* (account, chats) {
      const places = new Set(chats.map(placeOf))
      if (places.size > most) return yield* take("turn", [account])
      if (places.size > 0) yield* share("turn", [account])
      yield* take(`turn ${account}`, [...places])
    })
  }
}
