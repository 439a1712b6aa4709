/** Queues what a host's hooks answer messages with, in the transaction that keeps the messages. */
import { Context, Effect, Layer } from "effect"
import { InboundReplies } from "../chat/InboundHook.ts"
import type { Message } from "../chat/Message.ts"
import { stamped, system } from "../event/DomainEvent.ts"
import { Ids } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { OutboxStore } from "./OutboxStore.ts"

export class HookReplies extends Context.Service<
  HookReplies,
  {
    queue(replies: ReadonlyArray<Message>, now: Instant): Effect.Effect<void, StorageError>
  }
>()("@overture/core/HookReplies") {
  static readonly layer = Layer.effect(
    HookReplies,
    Effect.suspend(() => make)
  )

  /** Registers it with the inbox. */
  static readonly layerInbound = Layer.effect(
    InboundReplies,
    Effect.map(HookReplies, ({ queue }) => queue)
  )
}

const make = Effect.gen(function* () {
  const outbox = yield* OutboxStore
  const makeIds = (yield* Ids).generator
  return HookReplies.of({
    queue: Effect.fn("HookReplies.queue")(function* (replies: ReadonlyArray<Message>, now: Instant) {
      const ids = yield* makeIds
      const events = replies.map(({ account, chat, id, workspace }) =>
        stamped(ids, now, { workspace, type: "message.queued", subject: id, actor: system, data: { chat, account } })
      )
      yield* outbox.enqueue(replies, [], events)
    })
  })
})
