/** Mia answers people: some minutes after a chat was given to her she reads it, writes, and tags it. */
import { Chats } from "@overture/core/chat/Chats"
import { Messages } from "@overture/core/outbox/Messages"
import type { ChatId } from "@overture/core/workspace/Id"
import { type Instant, minute } from "@overture/core/workspace/Instant"
import type { Member } from "@overture/core/workspace/Member"
import { Effect } from "effect"
import type { Told } from "./Narrator.ts"
import { workspace } from "./Studio.ts"

/** What she says to whom; to others she says nothing today. */
const answers: Readonly<Record<string, string>> = {
  "Ann Lee": "Right behind the house, and it is free. Thursday at six?",
  "Vera Novak": "We do! Sundays at ten. Bring socks and nothing else."
}

const thinkingMs = 3 * minute

export const make = (mia: Member) => {
  const actor = { type: "member", id: mia.id } as const
  const plans: Array<{ readonly at: Instant; readonly chat: ChatId }> = []
  return {
    /** She hears that a chat is hers. */
    hear: ({ data, subject, timestamp, type }: Told): void => {
      if (type !== "chat.assigned" || data["assignee"] !== mia.id) return
      plans.push({ at: Date.parse(timestamp) + thinkingMs, chat: subject as ChatId })
    },
    /** When she does something next; null = she has nothing to do. */
    next: (): Instant | null => (plans.length === 0 ? null : Math.min(...plans.map(({ at }) => at))),
    /** Does what she meant to do by now; whether there was anything. */
    act: Effect.fnUntraced(function* (now: Instant) {
      const chats = yield* Chats
      const due = plans.filter(({ at }) => at <= now)
      for (const plan of due) {
        plans.splice(plans.indexOf(plan), 1)
        const { chat } = yield* chats.get(workspace, plan.chat)
        const text = answers[chat.name]
        if (text === undefined) continue
        yield* chats.read(workspace, [chat.id], { member: mia.id }, actor)
        yield* (yield* Messages).send(workspace, {
          to: { chat: chat.id },
          content: { type: "text", text },
          author: actor
        })
        yield* chats.change(workspace, [chat.id], { type: "tag", add: ["trial"], remove: [] }, actor)
      }
      return due.length > 0
    })
  }
}
