/** Gives back the places of private replies that surely were not sent, in the transaction that tells of it. */
import { Context, Effect, Layer } from "effect"
import type { Message } from "../chat/Message.ts"
import { PrivateReplyStore } from "../chat/PrivateReplyStore.ts"
import { OutboundParties, type OutboundReaction } from "./ClaimSource.ts"

export class PrivateReplies extends Context.Service<
  PrivateReplies,
  {
    readonly reaction: OutboundReaction
  }
>()("@overture/core/PrivateReplies") {
  static readonly layer = Layer.effect(
    PrivateReplies,
    Effect.map(PrivateReplyStore, (replies) => {
      const release = (messages: ReadonlyArray<Message>) =>
        replies.release(messages.flatMap(({ details, id }) => (details?.comment === undefined ? [] : [id])))
      return PrivateReplies.of({
        reaction: {
          settled: (batch) =>
            release(
              batch.flatMap(({ fate, message }) =>
                fate === "failed" || message.status === "cancelled" ? [message] : []
              )
            ),
          returned: () => Effect.void,
          cancelled: release
        }
      })
    })
  )

  /** Registers it with the outbox, beside what is registered there already. */
  static readonly layerParties = Layer.effect(
    OutboundParties,
    Effect.gen(function* () {
      const { reactions, sources } = yield* OutboundParties
      const { reaction } = yield* PrivateReplies
      return OutboundParties.of({ sources, reactions: [...reactions, reaction] })
    })
  )
}
