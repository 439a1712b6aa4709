/**
 * Hands one message to its channel, and finds out what became of one whose worker was lost. Whatever goes wrong while
 * nobody can know whether the platform took it is `outcomeUnknown`.
 */
import { Effect } from "effect"
import * as Account from "../account/Account.ts"
import * as Address from "../channel/Address.ts"
import type { Channel, Outbound } from "../channel/Channel.ts"
import type { Outcome } from "../channel/Outcome.ts"
import * as Message from "../chat/Message.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"

export interface Sending {
  send(channel: Channel, claimed: Message.Claimed): Effect.Effect<Outcome>
  /** `clock` is the one by which `begunAt` was written. */
  resolve(
    channel: Channel,
    claimed: Message.Claimed,
    clock: Effect.Effect<Instant, StorageError>
  ): Effect.Effect<Outcome, StorageError>
}

const outboundOf = ({ message }: Message.Claimed): Outbound => ({
  message: message.id,
  key: Message.idempotencyKey(message),
  to: Address.parse(message.address),
  content: message.content,
  ...(message.replyTo !== null && { replyTo: message.replyTo })
})

export const make = (timeoutMs: number): Sending => {
  const ask = (answer: Effect.Effect<Outcome>): Effect.Effect<Outcome> =>
    Effect.interruptible(answer).pipe(
      Effect.timeoutOrElse({
        duration: timeoutMs,
        orElse: () => Effect.succeed<Outcome>({ type: "outcomeUnknown", detail: "the channel did not answer in time" })
      }),
      // What a defect says may hold a secret.
      Effect.catchCause(() => Effect.succeed<Outcome>({ type: "outcomeUnknown", detail: "the channel failed" }))
    )

  const send: Sending["send"] = (channel, claimed) =>
    ask(channel.send(Account.sender(claimed.account, null), outboundOf(claimed)))

  return {
    send,
    resolve: (channel, claimed, clock) =>
      Effect.gen(function* () {
        const { message } = claimed
        if (Message.isErased(message)) return { type: "outcomeUnknown", detail: "the person was erased meanwhile" }
        const { idempotencyKeys, lookup } = channel.capabilities
        if (lookup !== null) {
          const { content, key, to } = outboundOf(claimed)
          const at = message.begunAt ?? 0
          const wait = at + lookup.afterMs - (yield* clock)
          if (wait > 0) yield* Effect.sleep(wait)
          const found = yield* ask(channel.lookup(Account.sender(claimed.account, null), { key, to, content, at }))
          // `transient`: it surely did not go out. A stop that came meanwhile makes that final.
          return found.type !== "transient" || message.stop !== null ? found : yield* send(channel, claimed)
        }
        if (idempotencyKeys && message.stop === null) return yield* send(channel, claimed)
        return { type: "outcomeUnknown", detail: "its worker was lost while it was being sent" }
      })
  }
}
