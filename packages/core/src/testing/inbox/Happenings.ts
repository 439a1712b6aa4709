/**
 * What the platforms of a campaign tell of its people, drawn by a seed: receipts, late failures, echoes, replies with
 * files and buttons, edits, deletions, reactions both ways, opt-outs and returns in all that people say, bookings, messages
 * by hand. Several happen to one message, also at one instant, as many platforms count whole seconds. Pure.
 */
import type { ChannelEvent, Participant } from "../../channel/ChannelEvent.ts"
import type { Content } from "../../channel/Content.ts"
import { day, type Instant, second } from "../../workspace/Instant.ts"
import * as Seed from "../../workspace/Seed.ts"

/** An event and which of the accounts is told of it. */
export interface Happening {
  readonly account: number
  readonly event: ChannelEvent
}

/** A message of a campaign that a person got. */
export interface Sent {
  readonly account: number
  readonly person: string
  readonly externalId: string
  readonly text: string
  readonly key: string
}

type Draw = () => number

const pick = <A>(draw: Draw, all: ReadonlyArray<A>): A => all[Math.floor(draw() * all.length)]!

const words = ["Hi", "Who is this?", "Tell me more", "Not now", "Maybe", "👍 fine", "später"]
const stops = ["STOP", "Stop!", "unsubscribe", "abmelden"]
const emojis = ["👍", "❤️", "😮"]

const caption = (draw: Draw): string => pick(draw, ["look", "look", "STOP", "start"])
const buttons = ["yes", "yes", "UNSUBSCRIBE", "START"]

const contents = (draw: Draw): Content => {
  const said = draw()
  if (said < 0.1) return { type: "text", text: pick(draw, stops) }
  if (said < 0.16) return { type: "text", text: "START" }
  if (said < 0.28)
    return { type: "media", kind: "image", url: "https://platform.example/a.jpg", caption: caption(draw) }
  return { type: "text", text: pick(draw, words) }
}

/** Everything that happens between an account and a person, in no order, over some days after `from`. */
const between = (
  seed: string,
  account: number,
  person: string,
  sent: ReadonlyArray<Sent>,
  from: Instant
): ReadonlyArray<Happening> => {
  const draw = Seed.random(`${seed}|${account}|${person}`)
  const events: Array<ChannelEvent> = []
  const name = draw() < 0.5 ? { name: `Name of ${person}` } : {}
  const participant: Participant = { scope: "", externalId: person, ...name }
  let count = 0
  const common = (at: Instant) => ({ dedupeKey: `${account}/${person}/${++count}`, at, participant })
  /** Some time at or after `at`; a third of all at the same instant as something else. */
  const after = (at: Instant) => at + Math.floor(draw() * 4) * (draw() < 0.5 ? second : day / 4)

  const reactions = (externalId: string, at: Instant) => {
    const emoji = pick(draw, emojis)
    const fromUs = draw() < 0.3
    const turns = Math.floor(draw() * 4)
    for (let turn = 0, when = at; turn < turns; turn++) {
      when = after(when)
      const type = turn % 2 === 0 ? ("reactionAdded" as const) : ("reactionRemoved" as const)
      events.push({ type, ...common(when), externalId, emoji, fromUs })
    }
  }
  const changes = (externalId: string, at: Instant) => {
    for (let edits = Math.floor(draw() * 3); edits > 0; edits--) {
      const wish = draw() < 0.15 ? pick(draw, ["STOP", "START"]) : null
      const content = { type: "text", text: wish ?? `${pick(draw, words)} (${edits})` } as const
      events.push({ type: "messageEdited", ...common(after(at)), externalId, content })
    }
    if (draw() < 0.2) events.push({ type: "messageDeleted", ...common(after(at)), externalId })
  }
  const receipts = (externalId: string, at: Instant) => {
    if (draw() < 0.8) events.push({ type: "messageDelivered", ...common(after(at)), externalId })
    if (draw() < 0.2) events.push({ type: "messageDelivered", ...common(after(at)), externalId })
    if (draw() < 0.5) events.push({ type: "messageRead", ...common(after(at)), externalId })
    if (draw() < 0.15) {
      events.push({
        type: "messageFailed",
        ...common(after(at)),
        externalId,
        code: pick(draw, ["a", "b"]),
        detail: "no"
      })
    }
  }

  for (const { externalId, key, text } of sent) {
    receipts(externalId, from)
    reactions(externalId, from)
    if (draw() < 0.15) changes(externalId, from)
    if (draw() < 0.3) {
      const said = { ...common(from), externalId, content: { type: "text", text } } as const
      events.push({ type: "messageEchoed", ...said, ...(draw() < 0.5 && { key }) })
    }
  }
  for (let replies = Math.floor(draw() * 3.5); replies > 0; replies--) {
    const externalId = `${account}-${person}-in${replies}`
    const at = after(from)
    events.push({
      type: "messageReceived",
      ...common(at),
      externalId,
      content: contents(draw),
      ...(draw() < 0.1 && { button: pick(draw, buttons) }),
      ...(draw() < 0.2 && { raw: { id: externalId } }),
      ...(draw() < 0.2 && { replyTo: sent[0]?.externalId ?? "nothing" }),
      ...(draw() < 0.1 && { files: [{ kind: "file" as const, url: "https://platform.example/b.pdf", bytes: 7 }] })
    })
    // Told by another way, too: another event, the same message.
    if (draw() < 0.1) events.push({ ...events.at(-1)!, dedupeKey: `${account}/${person}/${++count}` })
    changes(externalId, at)
    reactions(externalId, at)
  }
  if (draw() < 0.25) {
    const externalId = `${account}-${person}-out`
    const at = after(from)
    const content = { type: "text", text: `By hand to ${person}` } as const
    events.push({ type: "messageEchoed", ...common(at), externalId, content })
    receipts(externalId, at)
    changes(externalId, at)
    reactions(externalId, at)
  }
  if (draw() < 0.12) events.push({ type: "optedOut", ...common(after(from)) })
  if (draw() < 0.2) events.push({ type: "booked", ...common(after(from)), ref: `b-${person}` })
  return events.map((event) => ({ account, event }))
}

/** What happens after `from` to people who got `sent`, and to strangers who write to these accounts, in the order of its times. */
export const drawn = (
  seed: string,
  sent: ReadonlyArray<Sent>,
  strangers: ReadonlyArray<{ readonly account: number; readonly person: string }>,
  from: Instant
): ReadonlyArray<Happening> => {
  const chats = Map.groupBy(sent, ({ account, person }) => `${account}|${person}`)
  return [
    ...Array.from(chats.values(), (own) => between(seed, own[0]!.account, own[0]!.person, own, from)),
    ...strangers.map(({ account, person }) => between(seed, account, person, [], from))
  ]
    .flat()
    .sort((a, b) => a.event.at - b.event.at)
}

/** All of it three times, in any order. */
export const shuffled = (seed: string, all: ReadonlyArray<Happening>): ReadonlyArray<Happening> => {
  const draw = Seed.random(`${seed}|shuffle`)
  const told = [...all, ...all, ...all]
  for (let i = told.length - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1))
    const one = told[i]!
    told[i] = told[j]!
    told[j] = one
  }
  return told
}
