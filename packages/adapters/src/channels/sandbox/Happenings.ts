/**
 * What follows a message that the platform took, as the script has it: echo, receipts, replies, opt-outs, reactions,
 * takeovers, bookings, late failures; and what people write by themselves. Pure: the message and its number decide
 * everything, so every process that reads the log knows the same future.
 */
import type { ChannelEvent, Participant } from "@overture/core/channel/ChannelEvent"
import type { Instant } from "@overture/core/workspace/Instant"
import * as Seed from "@overture/core/workspace/Seed"
import type { Chance, Occasion, Writing } from "./Occasion.ts"
import type { Script } from "./Script.ts"
import type { Received } from "./SentLog.ts"
import { drawn } from "./Span.ts"

/** A message the platform took. */
export interface Taken {
  readonly line: Received
  readonly externalId: string
  /** The how manieth this person took from this account, from 1. */
  readonly number: number
  /** The how manieth the platform took from this account, from 1. */
  readonly ofAccount: number
}

/** An event, and when the platform tells it: late or again, where the script has it so. */
export interface Telling {
  readonly toldAt: Instant
  readonly event: ChannelEvent
}

/** A uniform stream for one decision about a person, the same whatever happens to others meanwhile. */
export const chance = (script: Script, account: string, to: string, what: string, n: number | string) =>
  Seed.random(`${script.seed}|${account}|${to}|${what}|${n}`)

/** What one person and one account do, by the script's chances. */
class Doings {
  readonly tellings: Array<Telling> = []
  readonly #script: Script
  readonly #account: string
  readonly #person: string
  /** What tells these doings from others of the same person. */
  readonly #n: number | string
  readonly #participant: Participant
  /** The beginning of all their ids. */
  readonly #id: string

  constructor(script: Script, at: { account: string; person: string; scope: string; n: number | string; id: string }) {
    this.#script = script
    this.#account = at.account
    this.#person = at.person
    this.#n = at.n
    this.#id = at.id
    const name = script.recipients[at.person]?.profile?.name
    this.#participant = { scope: at.scope, externalId: at.person, ...(name !== undefined && { name }) }
  }

  /** When it happens, counted from `from`; null when it does not. */
  happens(what: string, self: Chance | undefined, from: Instant): Instant | null {
    if (self === undefined) return null
    const random = chance(this.#script, this.#account, this.#person, what, this.#n)
    return random() < self.rate ? from + drawn(self.delay, random()) : null
  }

  /** Who it is about, when it happened and how it is known again. */
  of(what: string, at: Instant) {
    return { dedupeKey: `${this.#id}/${what}`, at, participant: this.#participant }
  }

  tell(event: ChannelEvent): void {
    const { late, twice } = this.#script.telling
    const toldAt = this.happens(`late/${event.dedupeKey}`, late, event.at) ?? event.at
    this.tellings.push({ toldAt, event })
    const again = this.happens(`twice/${event.dedupeKey}`, twice, toldAt)
    if (again !== null) this.tellings.push({ toldAt: again, event })
  }

  /** Somebody writes, and later edits it or takes it back. */
  write(
    what: string,
    at: Instant,
    { deletion, edit, media: [first, ...others], text }: Writing,
    how: { readonly own?: boolean; readonly button?: string; readonly optOut?: boolean; readonly replyTo?: string }
  ): void {
    const { own, ...extra } = how
    const externalId = `${this.#id}/${what}`
    const content = (words: string | undefined) =>
      first === undefined
        ? ({ type: "text", text: words ?? "" } as const)
        : ({
            type: "media",
            kind: first.kind,
            url: first.url,
            ...(words !== undefined && { caption: words }),
            ...(first.filename !== undefined && { filename: first.filename })
          } as const)
    this.tell({
      type: own === true ? "messageEchoed" : "messageReceived",
      ...this.of(what, at),
      externalId,
      content: content(text),
      ...(others.length > 0 && { files: others.map(({ data: _, unavailable: __, ...file }) => file) }),
      ...extra
    })
    const editedAt = this.happens(`${what}/edit`, edit, at)
    if (editedAt !== null && edit !== undefined) {
      const edited = { externalId, content: content(edit.text) }
      this.tell({ type: "messageEdited", ...this.of(`${what}/edit`, editedAt), ...edited })
    }
    const deletedAt = this.happens(`${what}/deletion`, deletion, at)
    if (deletedAt !== null) {
      this.tell({ type: "messageDeleted", ...this.of(`${what}/deletion`, deletedAt), externalId })
    }
  }
}

/** What follows `taken`, in the order of its kinds. */
export const following = (script: Script, taken: Taken): ReadonlyArray<Telling> => {
  const { externalId, line, number, ofAccount } = taken
  const { account, to } = line
  const rules = { ...script, ...script.recipients[to] }
  const doings = new Doings(script, { account, person: to, scope: line.scope ?? "", n: number, id: externalId })

  /** Each of the rules that happens to this message, `from` on. */
  const each = <A extends Occasion>(
    what: string,
    rules: ReadonlyArray<A>,
    then: (rule: A, at: Instant, what: string) => void
  ) =>
    rules.forEach((rule, i) => {
      if ((rule.onMessage ?? number) !== number) return
      const at = doings.happens(`${what}/${i}`, rule, line.at)
      if (at !== null) then(rule, at, `${what}/${i}`)
    })
  const receipt = (what: string, occasion: Occasion | undefined, from: Instant) =>
    (occasion?.onMessage ?? number) === number ? doings.happens(what, occasion, from) : null

  script.troubles.forEach((trouble, i) => {
    if (trouble.announced && trouble.after === ofAccount && (trouble.account ?? account) === account) {
      const { at, dedupeKey } = doings.of(`trouble/${i}`, line.at)
      doings.tell({ type: "accountTroubled", dedupeKey, at, reason: trouble.outcome })
    }
  })
  if (script.echoes) {
    const content = { type: "text", text: line.body || "(empty)" } as const
    doings.tell({ type: "messageEchoed", ...doings.of("echo", line.at), externalId, content, key: line.key })
  }

  let hasFailed = false
  each("failure", rules.lateFailures, ({ code, detail }, at) => {
    if (hasFailed) return
    hasFailed = true
    const why = { ...(code !== undefined && { code }), ...(detail !== undefined && { detail }) }
    doings.tell({ type: "messageFailed", ...doings.of("failed", at), externalId, ...why })
  })
  if (hasFailed) return doings.tellings

  const delivered = receipt("delivered", rules.receipts.delivered, line.at)
  if (delivered !== null) doings.tell({ type: "messageDelivered", ...doings.of("delivered", delivered), externalId })
  const read = receipt("read", rules.receipts.read, delivered ?? line.at)
  if (read !== null) doings.tell({ type: "messageRead", ...doings.of("read", read), externalId })

  each("reaction", rules.reactions, ({ emoji, removal }, at, what) => {
    const reaction = { externalId, emoji, fromUs: false }
    doings.tell({ type: "reactionAdded", ...doings.of(what, at), ...reaction })
    const removedAt = doings.happens(`${what}/removal`, removal, at)
    if (removedAt === null) return
    doings.tell({ type: "reactionRemoved", ...doings.of(`${what}/removal`, removedAt), ...reaction })
  })
  each("reply", rules.replies, (reply, at, what) => {
    const pressed = reply.button === undefined ? {} : { button: reply.button }
    doings.write(what, at, reply, { ...pressed, ...(reply.quotes && { replyTo: externalId }) })
  })
  each("optOut", rules.optOuts, ({ by, text }, at, what) => {
    if (by === "signal") doings.tell({ type: "optedOut", ...doings.of(what, at) })
    else doings.write(what, at, { text, media: [] }, by === "flagged" ? { optOut: true } : {})
  })
  each("takeover", rules.takeovers, (takeover, at, what) => doings.write(what, at, takeover, { own: true }))
  each("booking", rules.bookings, ({ ref, startsIn }, at, what) => {
    const random = chance(script, account, to, `${what}/starts`, number)
    doings.tell({
      type: "booked",
      ...doings.of(what, at),
      ...(ref !== undefined && { ref }),
      ...(startsIn !== undefined && { startsAt: at + drawn(startsIn, random()) })
    })
  })
  return doings.tellings
}

/** What the visitors of one account write by themselves. */
export const visiting = (script: Script, channel: string, account: string): ReadonlyArray<Telling> =>
  script.visitors.flatMap((visitor, i) => {
    if (visitor.account !== account) return []
    return Array.from({ length: visitor.count }, (_, n) => {
      const person = visitor.count === 1 ? visitor.person : `${visitor.person}-${n + 1}`
      const id = `sbx_${Seed.digest(JSON.stringify([channel, account, person, "visit", i]))}`
      const doings = new Doings(script, { account, person, scope: visitor.scope, n: `visit/${i}`, id })
      doings.write("visit", visitor.at + n * visitor.every, visitor, {})
      return doings.tellings
    }).flat()
  })
