/**
 * Hands one message to its channel, and finds out what became of one whose worker was lost. Whatever goes wrong while
 * nobody can know whether the platform took it is `outcomeUnknown`.
 */
import { Effect } from "effect"
import type { Senders } from "../account/Senders.ts"
import * as Address from "../channel/Address.ts"
import type { Channel, Outbound } from "../channel/Channel.ts"
import { concealed } from "../channel/Concealment.ts"
import type { Outcome } from "../channel/Outcome.ts"
import type { Sender } from "../channel/Sender.ts"
import { isReference } from "../chat/Media.ts"
import * as Message from "../chat/Message.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { MediaHandover } from "./MediaHandover.ts"

export interface Sending {
  send(channel: Channel, claimed: Message.Claimed): Effect.Effect<Outcome>
  /**
   * What became of it; null where nothing can be found out now, because its account's secrets or its file cannot be read. `clock` is
   * the one by which `begunAt` was written.
   */
  resolve(
    channel: Channel,
    claimed: Message.Claimed,
    clock: Effect.Effect<Instant, StorageError>
  ): Effect.Effect<Outcome | null, StorageError>
}

const outboundOf = ({ message }: Message.Claimed): Outbound => ({
  message: message.id,
  key: Message.idempotencyKey(message),
  to: Address.parse(message.address),
  content: message.content,
  ...(message.replyTo !== null && { replyTo: message.replyTo }),
  ...(message.details?.comment !== undefined && { comment: message.details.comment })
})

/** What a channel is handed; or what the send comes to without being tried: nothing went out. */
type Handed = { readonly outbound: Outbound } | { readonly outcome: Outcome }

export const make = (
  timeoutMs: number,
  senders: Senders["Service"],
  handover: MediaHandover["Service"] | null
): Sending => {
  const ask = (sender: Sender, answer: Effect.Effect<Outcome>): Effect.Effect<Outcome> =>
    Effect.interruptible(answer).pipe(
      Effect.map((outcome) => concealed(sender, outcome)),
      Effect.timeoutOrElse({
        duration: timeoutMs,
        orElse: () => Effect.succeed<Outcome>({ type: "outcomeUnknown", detail: "the channel did not answer in time" })
      }),
      // What a defect says may hold a secret.
      Effect.catchCause(() => Effect.succeed<Outcome>({ type: "outcomeUnknown", detail: "the channel failed" }))
    )

  const handed = (channel: Channel, claimed: Message.Claimed): Effect.Effect<Handed> => {
    const outbound = outboundOf(claimed)
    const { content, workspace } = claimed.message
    const { mediaIntake } = channel.capabilities
    // A channel that says nothing of files knows none of ours, but URLs.
    const intake =
      mediaIntake ?? (content.type === "media" && isReference(content.url) ? { by: "url" as const } : undefined)
    if (handover === null || intake === undefined || content.type !== "media") return Effect.succeed({ outbound })
    return Effect.interruptible(handover.of(workspace, content, intake)).pipe(
      Effect.map((found): Handed => {
        if ("outcome" in found) return found
        const { media } = found
        if (mediaIntake !== undefined) return { outbound: { ...outbound, media } }
        return {
          outbound:
            media.source.type === "url" ? { ...outbound, content: { ...content, url: media.source.url } } : outbound
        }
      }),
      Effect.timeoutOrElse({
        duration: timeoutMs,
        orElse: () =>
          Effect.succeed<Handed>({ outcome: { type: "transient", detail: "the file could not be read in time" } })
      })
    )
  }

  const sendAs = (sender: Sender, channel: Channel, claimed: Message.Claimed) =>
    Effect.flatMap(handed(channel, claimed), (found) =>
      "outcome" in found ? Effect.succeed(found.outcome) : ask(sender, channel.send(sender, found.outbound))
    )

  /** Sends again what may have gone out: that its file cannot be had now says nothing about that. */
  const repeatAs = (sender: Sender, channel: Channel, claimed: Message.Claimed) =>
    Effect.flatMap(handed(channel, claimed), (found) => {
      if ("outbound" in found) return ask(sender, channel.send(sender, found.outbound))
      if (found.outcome.type === "transient") return Effect.succeed(null)
      return Effect.succeed<Outcome>({ type: "outcomeUnknown", detail: "its file could not be sent again" })
    })

  // Without its secrets nothing goes out, least of all past the account's proxy.
  const send: Sending["send"] = (channel, claimed) =>
    Effect.matchEffect(senders.of(claimed.account), {
      onSuccess: (sender) => sendAs(sender, channel, claimed),
      onFailure: (error) =>
        Effect.succeed<Outcome>(
          error._tag === "VaultError"
            ? { type: "misconfigured", detail: error.message }
            : { type: "transient", detail: "the account's secrets could not be read" }
        )
    })

  return {
    send,
    resolve: (channel, claimed, clock) =>
      Effect.gen(function* () {
        const { message } = claimed
        if (Message.isErased(message)) return { type: "outcomeUnknown", detail: "the person was erased meanwhile" }
        const sender = yield* Effect.catchTag(senders.of(claimed.account), "VaultError", () => Effect.succeed(null))
        if (sender === null) return null
        const { idempotencyKeys, lookup } = channel.capabilities
        if (lookup !== null) {
          const { content, key, to } = outboundOf(claimed)
          const at = message.begunAt ?? 0
          const wait = at + lookup.afterMs - (yield* clock)
          if (wait > 0) yield* Effect.sleep(wait)
          const found = yield* ask(sender, channel.lookup(sender, { key, to, content, at }))
          // `transient`: it surely did not go out. A stop that came meanwhile makes that final.
          return found.type !== "transient" || message.stop !== null ? found : yield* sendAs(sender, channel, claimed)
        }
        if (idempotencyKeys && message.stop === null) return yield* repeatAs(sender, channel, claimed)
        return { type: "outcomeUnknown", detail: "its worker was lost while it was being sent" }
      })
  }
}
