/** A person of ours writes by hand where automation was at work: the chat is theirs from then on, and campaigns hear of it. */
import { Effect } from "effect"
import * as Content from "../channel/Content.ts"
import type { Actor, DomainEvent } from "../event/DomainEvent.ts"
import type { EventStore } from "../event/EventStore.ts"
import type { IdGenerator } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { ChatStore } from "./ChatStore.ts"
import type { InboundReaction } from "./InboundReaction.ts"
import type { Message } from "./Message.ts"

/** Records what the account's owner wrote from another device, and takes the chat over; a message told before does nothing. */
export const fromDevice = Effect.fnUntraced(function* (
  chats: ChatStore["Service"],
  feed: EventStore["Service"],
  reactions: ReadonlyArray<InboundReaction>,
  message: Message,
  actor: Actor,
  ids: IdGenerator,
  now: Instant
) {
  const { account, chat, contact, createdAt, workspace } = message
  if ((yield* chats.record([message])).length === 0) return
  const text = Content.preview(message.content)
  yield* chats.touch([{ chat, at: createdAt, text, direction: "outbound", unread: 0 }])
  yield* chats.setTakenOver([chat], createdAt)
  if (contact !== null) {
    yield* Effect.forEach(reactions, (reaction) => reaction.takenOver(workspace, [{ contact, chat }], now), {
      discard: true
    })
  }
  const told = { workspace, at: now, actor, cause: null }
  const events: ReadonlyArray<DomainEvent> = [
    { ...told, id: ids.next("evt"), type: "message.sent", subject: message.id, data: { chat, account } },
    { ...told, id: ids.next("evt"), type: "chat.taken_over", subject: chat, data: { account, by: "device" } }
  ]
  yield* feed.append(events)
})
