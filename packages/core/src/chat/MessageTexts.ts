/**
 * The words of messages in events that tell of them: `text`, as it is when the event is told. Of a message that its person
 * took back, or whose person was erased, there is none.
 */
import { Context, Effect, Layer } from "effect"
import * as Content from "../channel/Content.ts"
import type { EventDetail } from "../event/EventDetail.ts"
import type { MessageId } from "../workspace/Id.ts"
import * as Storable from "../workspace/Storable.ts"
import { ChatStore } from "./ChatStore.ts"
import * as Message from "./Message.ts"

/** The most of a text that an event tells, in UTF-16 units. */
export const toldLength = 4_000

export class MessageTexts extends Context.Service<MessageTexts, EventDetail>()("@overture/core/MessageTexts") {
  static readonly layer = Layer.effect(
    MessageTexts,
    Effect.suspend(() => make)
  )
}

const textOf = (message: Message.Message): string | null =>
  Message.isErased(message) || (message.direction === "inbound" && message.details?.deletedAt !== undefined)
    ? null
    : Storable.cut(Content.preview(message.content), toldLength)

const make = Effect.gen(function* () {
  const store = yield* ChatStore

  return MessageTexts.of({
    types: new Set(["message.received", "message.edited"]),
    of: Effect.fn("MessageTexts.of")(function* (workspace, events) {
      const messages = yield* store.find(
        workspace,
        events.map(({ subject }) => ({ id: subject as MessageId }))
      )
      return new Map(
        events.flatMap(({ id }, i) => {
          const message = messages[i] ?? null
          const text = message === null ? null : textOf(message)
          return text === null ? [] : [[id, { text }] as const]
        })
      )
    })
  })
})
