/** What is left when the day is over: the inbox as a member sees it, and what became of the webhooks. */
import { Chats } from "@overture/core/chat/Chats"
import type { Delivery } from "@overture/core/event/Delivery"
import type { Instant } from "@overture/core/workspace/Instant"
import type { Member } from "@overture/core/workspace/Member"
import { Effect } from "effect"
import * as Narrator from "./Narrator.ts"
import * as Screen from "./Screen.ts"
import { workspace } from "./Studio.ts"

/** The chats, most recent first. */
export const inbox = Effect.fnUntraced(function* (mia: Member) {
  const chats = yield* Chats
  const { data } = yield* chats.list(workspace, {}, { limit: 20 })
  const rows = yield* Effect.forEach(data, ({ id }) =>
    Effect.gen(function* () {
      const { chat, unread, windows } = yield* chats.get(workspace, id)
      const window = windows?.human
      const until = window === undefined || window.openUntil === null ? "" : ` until ${Screen.time(window.openUntil)}`
      return [
        yield* Narrator.personOf(chat),
        yield* Narrator.accountName(chat.account),
        unread === 0 ? "" : String(unread),
        chat.assignee === mia.id ? mia.name : "",
        [...chat.tags, ...(chat.bookedAt === null ? [] : ["★ booked"])].join(", "),
        window?.open === true ? `open${until}` : "closed",
        `${chat.lastDirection === "inbound" ? "←" : "→"} ${chat.lastText}`
      ]
    })
  )
  Screen.table([["person", "account", "unread", "assignee", "tags", "reply window", "last message"], ...rows])
})

const took = (attempts: Delivery["attempts"]) => attempts.map(({ ms, status }) => `${status ?? "–"} in ${ms} ms`)

/** The deliveries of an endpoint, the last first. */
export const deliveries = (data: ReadonlyArray<Delivery>): void => {
  const time = (at: Instant) => new Date(at).toISOString().slice(11, 23)
  Screen.table([
    ["delivery", "event", "status", "attempts"],
    ...data.map(({ at, attempts, status, type }) => [time(at), type, status, took(attempts).join(", ")])
  ])
}
