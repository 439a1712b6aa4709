/** Queues the answer to people who ask for no more, where their workspace wants one, in the transaction in which they are heard. */
import { Context, Effect, Layer, Option } from "effect"
import type { Correspondent, News } from "../chat/InboundReaction.ts"
import { InboundReactions } from "../chat/InboundReaction.ts"
import { InboxStore } from "../chat/InboxStore.ts"
import * as OptOutReply from "../chat/OptOutReply.ts"
import { ContactStore } from "../contact/ContactStore.ts"
import { stamped, system } from "../event/DomainEvent.ts"
import type { WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import { OutboxStore } from "./OutboxStore.ts"

export class OptOutReplies extends Context.Service<
  OptOutReplies,
  {
    /** Whoever says that they want no more messages is told so once. */
    heard(workspace: WorkspaceId, news: ReadonlyArray<News>, now: Instant): Effect.Effect<void, StorageError>
  }
>()("@overture/core/OptOutReplies") {
  static readonly layer = Layer.effect(
    OptOutReplies,
    Effect.suspend(() => make)
  )

  /** Registers it with the inbox, beside what is registered there already. */
  static readonly layerInbound = Layer.effect(
    InboundReactions,
    Effect.gen(function* () {
      const { heard } = yield* OptOutReplies
      const others = yield* InboundReactions
      return InboundReactions.of([...others, { heard, proven: () => Effect.void }])
    })
  )
}

const make = Effect.gen(function* () {
  const workspaces = yield* WorkspaceStore
  const contacts = yield* ContactStore
  const inbox = yield* InboxStore
  const outbox = yield* OutboxStore
  const makeIds = (yield* Ids).generator

  return OptOutReplies.of({
    heard: Effect.fn("OptOutReplies.heard")(function* (workspace, news, now) {
      const who = news.flatMap((one): ReadonlyArray<Correspondent> => {
        const { at, chat, contact, type } = one
        return type === "optedOut" && chat !== null ? [{ at, chat, contact }] : []
      })
      if (who.length === 0) return
      const text = Option.getOrUndefined(yield* workspaces.get(workspace))?.optOutReply
      if (text === undefined) return
      const found = yield* inbox.find(
        workspace,
        who.map(({ chat }) => chat)
      )
      const chats = new Map(found.map((chat) => [chat.id, chat]))
      const wishes = yield* contacts.wishes(
        workspace,
        found.map(({ address }) => address)
      )
      const cameBackAt = new Map(wishes.map(({ address, startAt }) => [address, startAt]))
      const answers = who.flatMap(({ at, chat: id, contact }) => {
        const chat = chats.get(id)
        if (chat === undefined) return []
        const stop = { at, contact, chat, cameBackAt: cameBackAt.get(chat.address) ?? null }
        return OptOutReply.answer(text, stop, now) ?? []
      })
      const messages = [...new Map(answers.map((message) => [message.id, message])).values()]
      if (messages.length === 0) return
      const ids = yield* makeIds
      const queued = messages.map((message) =>
        stamped(ids, now, {
          workspace,
          type: "message.queued",
          subject: message.id,
          actor: system,
          data: { chat: message.chat, account: message.account }
        })
      )
      yield* outbox.enqueue(messages, [], queued)
    })
  })
})
