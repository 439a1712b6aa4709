/**
 * What follows a message that the platform took, as the script has it: echo, receipts, replies, opt-outs, reactions,
 * late failures. Pure: the message and its number decide everything, so every process that reads the log knows the same
 * future.
 */
import type { ChannelEvent } from "@overture/core/channel/ChannelEvent"
import type { Instant } from "@overture/core/workspace/Instant"
import * as Seed from "@overture/core/workspace/Seed"
import * as Script from "./Script.ts"
import type { Received } from "./SentLog.ts"

/** A message the platform took. */
export interface Taken {
  readonly line: Received
  readonly externalId: string
  /** The how manieth this person took from this account, from 1. */
  readonly number: number
  /** The how manieth the platform took from this account, from 1. */
  readonly ofAccount: number
}

interface Occasion {
  readonly rate: number
  readonly delay: Script.Span
  readonly onMessage?: number
}

/** A uniform stream for one decision about a person, the same whatever happens to others meanwhile. */
export const chance = (script: Script.Script, account: string, to: string, what: string, n: number | string) =>
  Seed.random(`${script.seed}|${account}|${to}|${what}|${n}`)

/** The events that follow `taken`, in the order of their kinds. */
export const following = (script: Script.Script, taken: Taken): ReadonlyArray<ChannelEvent> => {
  const { line, externalId, number } = taken
  const participant = { scope: line.scope ?? "", externalId: line.to }
  const rules = { ...script, ...script.recipients[line.to] }
  const events: Array<ChannelEvent> = []

  /** When the occasion happens to this message, `from` on; null when it does not. */
  const happens = (what: string, occasion: Occasion | undefined, from: Instant = line.at): Instant | null => {
    if (occasion === undefined || (occasion.onMessage ?? number) !== number) return null
    const random = chance(script, line.account, line.to, what, number)
    return random() < occasion.rate ? from + Script.drawn(occasion.delay, random()) : null
  }
  const common = (what: string, at: Instant) => ({ dedupeKey: `${externalId}/${what}`, at, participant })
  const writes = (what: string, at: Instant, text: string, extra: { button?: string; optOut?: boolean }) =>
    events.push({
      type: "messageReceived",
      ...common(what, at),
      externalId: `${externalId}/${what}`,
      content: { type: "text", text },
      ...extra
    })

  script.troubles.forEach((trouble, i) => {
    if (trouble.announced && trouble.after === taken.ofAccount && (trouble.account ?? line.account) === line.account) {
      const { dedupeKey, at } = common(`trouble/${i}`, line.at)
      events.push({ type: "accountTroubled", dedupeKey, at, reason: trouble.outcome })
    }
  })
  if (script.echoes) {
    const content = { type: "text", text: line.body || "(empty)" } as const
    events.push({ type: "messageEchoed", ...common("echo", line.at), externalId, content, key: line.key })
  }

  for (const [i, failure] of rules.lateFailures.entries()) {
    const at = happens(`failure/${i}`, failure)
    if (at === null) continue
    const { code, detail } = failure
    events.push({
      type: "messageFailed",
      ...common("failed", at),
      externalId,
      ...(code !== undefined && { code }),
      ...(detail !== undefined && { detail })
    })
    return events
  }

  const delivered = happens("delivered", rules.receipts.delivered)
  if (delivered !== null) events.push({ type: "messageDelivered", ...common("delivered", delivered), externalId })
  const read = happens("read", rules.receipts.read, delivered ?? line.at)
  if (read !== null) events.push({ type: "messageRead", ...common("read", read), externalId })

  rules.reactions.forEach((reaction, i) => {
    const at = happens(`reaction/${i}`, reaction)
    if (at === null) return
    const { emoji } = reaction
    events.push({ type: "reactionAdded", ...common(`reaction/${i}`, at), externalId, emoji, fromUs: false })
  })
  rules.replies.forEach((reply, i) => {
    const at = happens(`reply/${i}`, reply)
    if (at === null) return
    writes(`reply/${i}`, at, reply.text, reply.button === undefined ? {} : { button: reply.button })
  })
  rules.optOuts.forEach((optOut, i) => {
    const at = happens(`optOut/${i}`, optOut)
    if (at === null) return
    if (optOut.by === "signal") events.push({ type: "optedOut", ...common(`optOut/${i}`, at) })
    else writes(`optOut/${i}`, at, optOut.text, optOut.by === "flagged" ? { optOut: true } : {})
  })
  return events
}
