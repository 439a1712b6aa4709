/**
 * Hands one message to its channel, and finds out what became of one that nobody could tell of: its worker was lost, or its
 * channel did not know. Whatever goes wrong while nobody can know whether the platform took it is `outcomeUnknown`.
 */
import { Effect } from "effect"
import type { Account } from "../account/Account.ts"
import type { Senders } from "../account/Senders.ts"
import * as Address from "../channel/Address.ts"
import type { Channel, Outbound } from "../channel/Channel.ts"
import { concealed } from "../channel/Concealment.ts"
import { isAccountTrouble, type Outcome } from "../channel/Outcome.ts"
import type { Sender } from "../channel/Sender.ts"
import { isReference } from "../chat/Media.ts"
import * as Message from "../chat/Message.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { MediaHandover } from "./MediaHandover.ts"
import type { Repeat } from "./OutboxStore.ts"

/** What could be found out about a message. */
export type Finding =
  /** What it came to: final, also where that is `outcomeUnknown`. */
  | { readonly type: "known"; readonly outcome: Outcome }
  /** Its channel was asked and could not tell; it may later. */
  | { readonly type: "untold"; readonly outcome: Outcome }
  /** Its platform is busy or refuses its account: what may have gone out keeps its key until that takes it. */
  | { readonly type: "busy" }
  /**
   * Nothing can be found out here and now: its account's secrets or its file cannot be read, it may not be repeated for a
   * while, or its claim is no longer ours.
   */
  | { readonly type: "nothing" }

/** Whether a message may be handed over once more, asked right before it is; null = its claim is no longer ours. */
export interface May {
  /** Under its key, as it may have gone out. */
  readonly repeat: Effect.Effect<Repeat | null, StorageError>
  /** As it surely did not go out. */
  readonly tryAgain: Effect.Effect<Repeat | null, StorageError>
}

export interface Sending {
  /** Hands it over, unless `isInTime` says right before that another may have it by now. Nothing fails and nothing breaks. */
  send(channel: Channel, claimed: Message.Claimed, isInTime: Effect.Effect<boolean>): Effect.Effect<Outcome>
  /** What became of it, or becomes of it now. */
  resolve(channel: Channel, claimed: Message.Claimed, may: May): Effect.Effect<Finding, StorageError>
}

const outboundOf = ({ message }: Message.Claimed): Outbound => ({
  message: message.id,
  key: Message.idempotencyKey(message),
  to: Address.parse(message.address),
  content: message.content,
  ...(message.replyTo !== null && { replyTo: message.replyTo }),
  ...(message.details?.comment !== undefined && { comment: message.details.comment })
})

/** What the send comes to without being tried: nothing went out. */
interface Untried {
  readonly outcome: Outcome
}

/** What a channel is handed. */
type Handed = { readonly outbound: Outbound } | Untried

const untried = (detail: string): Untried => ({ outcome: { type: "transient", detail } })

const unknown = (detail: string): Outcome => ({ type: "outcomeUnknown", detail })

const known = (outcome: Outcome): Finding => ({ type: "known", outcome })

/** What a channel answered that was asked. */
const answered = (outcome: Outcome): Finding => ({
  type: outcome.type === "outcomeUnknown" ? "untold" : "known",
  outcome
})

/** Whether an answer is about the platform or the account alone, and says nothing of what became of a message. */
const saysNothing = ({ type }: Outcome): boolean => type === "rateLimited" || isAccountTrouble(type)

const busy: Finding = { type: "busy" }
const nothing: Finding = { type: "nothing" }

export const make = (
  timeoutMs: number,
  senders: Senders["Service"],
  handover: MediaHandover["Service"] | null
): Sending => {
  /** What the platform says within its time. */
  const ask = (sender: Sender, answer: () => Effect.Effect<Outcome>): Effect.Effect<Outcome> =>
    Effect.interruptible(Effect.suspend(answer)).pipe(
      Effect.map((outcome) => concealed(sender, outcome)),
      Effect.timeoutOrElse({
        duration: timeoutMs,
        orElse: () => Effect.succeed(unknown("the channel did not answer in time"))
      }),
      // What a defect says may hold a secret.
      Effect.catchCause(() => Effect.succeed(unknown("the channel failed")))
    )

  /** Without its secrets nothing goes out, least of all past the account's proxy. A host's vault may break. */
  const opened = (account: Account): Effect.Effect<{ readonly sender: Sender } | Untried> =>
    Effect.suspend(() => senders.of(account)).pipe(
      Effect.map((sender) => ({ sender })),
      Effect.catchTag("VaultError", ({ message }) =>
        Effect.succeed<Untried>({ outcome: { type: "misconfigured", detail: message } })
      ),
      Effect.catchCause(() => Effect.succeed(untried("the account's secrets could not be read")))
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
        orElse: () => Effect.succeed<Handed>(untried("the file could not be read in time"))
      })
    )
  }

  const prepared = (channel: Channel, claimed: Message.Claimed): Effect.Effect<Handed> =>
    Effect.catchCause(
      Effect.suspend(() => handed(channel, claimed)),
      () => Effect.succeed(untried("it could not be prepared"))
    )

  /** Of what surely did not go out: again where it may, otherwise it is queued or ends for what stopped it. */
  const sendAgain = Effect.fnUntraced(function* (
    channel: Channel,
    claimed: Message.Claimed,
    sender: Sender,
    lost: Outcome,
    may: May
  ) {
    const found = yield* prepared(channel, claimed)
    if ("outcome" in found) return known(found.outcome)
    return (yield* may.tryAgain) === "now"
      ? answered(yield* ask(sender, () => channel.send(sender, found.outbound)))
      : known(lost)
  })

  /**
   * Of what may have gone out, under its key. That its file cannot be had now says nothing about that, nor does a platform
   * that is busy or refuses its account: it may have the first try, and a new key would be a second message.
   */
  const repeat = Effect.fnUntraced(function* (channel: Channel, claimed: Message.Claimed, sender: Sender, may: May) {
    const found = yield* prepared(channel, claimed)
    if ("outcome" in found) {
      return found.outcome.type === "transient" ? nothing : known(unknown("its file could not be sent again"))
    }
    const answer = yield* may.repeat
    if (answer === null || answer === "later") return nothing
    if (answer !== "now") return known(unknown("it was being sent when it was stopped, or is too old to be sent again"))
    const outcome = yield* ask(sender, () => channel.send(sender, found.outbound))
    return outcome.type === "transient" || saysNothing(outcome) ? busy : answered(outcome)
  })

  return {
    send: Effect.fnUntraced(function* (channel: Channel, claimed: Message.Claimed, isInTime: Effect.Effect<boolean>) {
      const account = yield* opened(claimed.account)
      if ("outcome" in account) return account.outcome
      const found = yield* prepared(channel, claimed)
      if ("outcome" in found) return found.outcome
      if (!(yield* isInTime)) return untried("its claim ran out before it was handed over").outcome
      return yield* ask(account.sender, () => channel.send(account.sender, found.outbound))
    }),
    resolve: Effect.fnUntraced(function* (channel, claimed, may) {
      const { message } = claimed
      const erased = known(unknown("the person was erased meanwhile"))
      if (Message.isErased(message)) return erased
      const { externalId, sentAt } = message
      // The platform told of it meanwhile.
      if (externalId !== null && sentAt !== null) return known({ type: "accepted", externalId, at: sentAt })
      const account = yield* opened(claimed.account)
      const answer = yield* may.repeat
      if ("outcome" in account || answer === null) return nothing
      if (answer === "erased") return erased
      const { sender } = account
      const { idempotencyKeys, lookup } = channel.capabilities
      if (lookup !== null) {
        const { content, key, to } = outboundOf(claimed)
        const found = yield* ask(sender, () => channel.lookup(sender, { key, to, content, at: message.begunAt ?? 0 }))
        if (found.type === "transient") return yield* sendAgain(channel, claimed, sender, found, may)
        return answered(saysNothing(found) ? unknown("the platform would not say what became of it") : found)
      }
      return idempotencyKeys
        ? yield* repeat(channel, claimed, sender, may)
        : known(unknown("its worker was lost while it was being sent"))
    })
  }
}
