/** What a batch of events means beyond its messages: to chats, to campaigns, to those who listen to the feed. Pure. */
import type { Account } from "../account/Account.ts"
import * as Content from "../channel/Content.ts"
import type { Wish } from "../contact/Wish.ts"
import type { Actor, DomainEvent, EventType } from "../event/DomainEvent.ts"
import type { ChatId, ContactId, IdGenerator, LeadId } from "../workspace/Id.ts"
import { format, type Instant, second } from "../workspace/Instant.ts"
import * as Chat from "./Chat.ts"
import * as ChatNews from "./ChatNews.ts"
import type { Verdict } from "./InboundHook.ts"
import type { Change, Kept, Recorded } from "./InboundMessages.ts"
import type { PersonEvent, Told } from "./InboundPeople.ts"
import type { News } from "./InboundReaction.ts"
import type { Message } from "./Message.ts"
import * as Messages from "./Message.ts"
import * as Notice from "./Notice.ts"
import * as SaidWish from "./SaidWish.ts"

/** Makes an event of this transaction. */
export type Teller = (type: EventType, subject: string, actor: Actor, data: DomainEvent["data"]) => DomainEvent

export interface InboundFacts {
  readonly news: ReadonlyArray<News>
  readonly proven: ReadonlyArray<Message & { readonly lead: LeadId }>
  /** Who wants no more messages, and who wants them again. */
  readonly wishes: ReadonlyArray<SaidWish.SaidWish>
}

const eventIs = <T extends PersonEvent["type"]>(
  told: Told,
  type: T
): told is Told<Extract<PersonEvent, { readonly type: T }>> => told.event.type === type

const isInbound = ({ told }: Recorded): boolean => told.event.type === "messageReceived"

/** What an event asks for; a hook may know that it means stop. */
const wishOf = ({ event, index }: Told, verdicts: ReadonlyMap<number, Verdict>): Wish["type"] | null =>
  verdicts.get(index)?.optsOut === true ? "stop" : SaidWish.of(event)

const newsOf = (type: "replied" | "booked", told: ReadonlyArray<Told>): ReadonlyArray<News> =>
  told.flatMap(({ chat, contact, event: { at } }) => (contact === null ? [] : [{ type, contact, chat, at }]))

/** Whether what was written by hand takes its chat over. */
const takesOver = ({ message: { chat, createdAt } }: Recorded, chats: Kept["chats"]): boolean => {
  const known = chats.get(chat)
  return known === undefined || Chat.isTakenOverBy(known, createdAt)
}

const takeovers = ({ chats, recorded }: Kept): ReadonlyArray<News> =>
  recorded.flatMap((one): ReadonlyArray<News> => {
    const { chat, contact, event } = one.told
    if (isInbound(one) || contact === null) return []
    return [{ type: "takenOver", contact, chat, at: event.at, isOver: !takesOver(one, chats) }]
  })

/** A change by which a touch stands otherwise than it was settled. */
const isProof = ({ after, before }: Change): boolean =>
  before.status === after.status
    ? after.status === "failed" && before.failedAt !== after.failedAt
    : before.status === "failed" || after.status === "failed"

/** Whether a message is an answer to campaigns. */
const isReply = (one: Recorded, verdicts: ReadonlyMap<number, Verdict>): boolean =>
  isInbound(one) && wishOf(one.told, verdicts) !== "stop" && verdicts.get(one.told.index)?.stopsSequences !== false

/** What campaigns and suppressions are to hear. */
export const of = (told: ReadonlyArray<Told>, kept: Kept, verdicts: ReadonlyMap<number, Verdict>): InboundFacts => {
  const recorded = new Set(kept.recorded.map(({ told: { index } }) => index))
  const fresh = told.filter((one) => one.event.type === "optedOut" || recorded.has(one.index))
  const wishes = [
    ...fresh.flatMap((one): ReadonlyArray<SaidWish.SaidWish> => {
      const { address, chat, contact, event, index } = one
      const type = wishOf(one, verdicts)
      return type === null ? [] : [{ type, at: event.at, index, address, chat, contact }]
    }),
    ...kept.wishes
  ]
  const last = new Map(kept.changes.map(({ after }) => [after.id, after]))
  const proven = new Set(kept.changes.filter(isProof).map(({ after }) => after.id))
  return {
    news: [
      ...takeovers(kept),
      ...newsOf(
        "replied",
        kept.recorded.filter((one) => isReply(one, verdicts)).map((one) => one.told)
      ),
      ...newsOf(
        "booked",
        told.filter((one) => eventIs(one, "booked"))
      ),
      ...wishes.flatMap(
        ({ at, chat, contact, type }): ReadonlyArray<News> =>
          type === "start" || contact === null ? [] : [{ type: "optedOut", contact, chat, at }]
      )
    ],
    proven: [...proven].flatMap((id) => {
      const message = last.get(id)
      return message?.lead == null ? [] : [{ ...message, lead: message.lead }]
    }),
    wishes
  }
}

/** Of a message that may be what its chat shows. */
const saidIn = ({ content, createdAt, direction }: Message): ChatNews.Said => ({
  at: createdAt,
  text: Content.preview(content),
  direction
})

/** Whether its `createdAt` is when it was said: what we send ourselves is said when it is settled. */
const isSaidWhenCreated = ({ author: { type } }: Message): boolean => type === "contact" || type === "device"

/** The chats in which what some message says has changed, and since when what they show is said. */
export const rewrittenAt = ({
  changes,
  chats,
  recorded
}: Kept): ReadonlyArray<{ readonly chat: ChatId; readonly at: Instant }> => {
  const places = new Map<ChatId, Instant>()
  for (const { after, before } of changes) {
    const chat = chats.get(after.chat)
    if (chat === undefined || after.content === before.content || places.has(chat.id)) continue
    const said = recorded.flatMap(({ message }) => (message.chat === chat.id ? [saidIn(message)] : []))
    places.set(chat.id, ChatNews.lastAt(chat, said))
  }
  return Array.from(places, ([chat, at]) => ({ chat, at }))
}

/** How far the settling of a send may be from the platform's time of it. */
const settlingMs = 5 * second

/**
 * What a chat shows once a message that we sent ourselves was changed; null where it shows another. Such a message is said
 * when it is settled, which its row does not tell, so it is known by its text and about its time.
 */
const renewed = (kept: Kept, id: ChatId): ReadonlyArray<ChatNews.Said> | null => {
  const chat = kept.chats.get(id)
  if (chat === undefined || chat.lastDirection === "inbound") return null
  const text = kept.changes.reduce(
    (shown, { after, before }) =>
      after.chat === id &&
      !isSaidWhenCreated(after) &&
      Math.abs((after.sentAt ?? 0) - chat.lastAt) <= settlingMs &&
      Content.preview(before.content) === shown
        ? Content.preview(after.content)
        : shown,
    chat.lastText
  )
  return text === chat.lastText ? null : [{ at: chat.lastAt, text, direction: "outbound" }]
}

/** The last name by which a person wrote, by the platform's time; of two at once the greater. */
const calledIn = (own: ReadonlyArray<Told>): ChatNews.ChatNews["called"] =>
  own.reduce<ChatNews.ChatNews["called"]>((last, one) => {
    const { at, participant } = one.event
    const name = eventIs(one, "messageReceived") ? (participant.name ?? "") : ""
    const isLater = last === null || at > last.at || (at === last.at && name > last.name)
    return name !== "" && isLater ? { name, at } : last
  }, null)

/** What the batch does to each chat, but for receipts of messages that were known. */
export const chatNews = (
  told: ReadonlyArray<Told>,
  kept: Kept,
  rewritten: ReadonlyArray<Message>
): ReadonlyMap<ChatId, ChatNews.ChatNews> => {
  const changed = Map.groupBy(rewritten.filter(isSaidWhenCreated), ({ chat }) => chat)
  const said = Map.groupBy(kept.recorded, ({ message }) => message.chat)
  const recorded = new Set(kept.recorded.map((one) => one.told.index))
  const earliest = (all: ReadonlyArray<Instant>) => (all.length === 0 ? null : Math.min(...all))
  return new Map(
    Array.from(
      Map.groupBy(
        told.filter(({ chat }) => kept.chats.has(chat)),
        ({ chat }) => chat
      ),
      ([id, own]) => {
        const messages = said.get(id) ?? []
        const acts = own.filter((one) => recorded.has(one.index) || eventIs(one, "optedOut") || eventIs(one, "booked"))
        return [
          id,
          {
            contact: own.find(({ contact }) => contact !== null)?.contact ?? null,
            name: acts.find(({ event }) => (event.participant.name ?? "") !== "")?.event.participant.name ?? "",
            called: calledIn(own),
            at: earliest(acts.map(({ event }) => event.at)),
            said: messages.map(({ message }) => saidIn(message)),
            changed: changed.get(id)?.map(saidIn) ?? renewed(kept, id),
            byHand: messages.filter((one) => !isInbound(one)).map(({ message }) => message.createdAt),
            bookedAt: earliest(own.filter((one) => eventIs(one, "booked")).map(({ event }) => event.at))
          }
        ] as const
      }
    )
  )
}

/** The automatic messages that hooks answer with. */
export const answers = (
  { recorded }: Kept,
  verdicts: ReadonlyMap<number, Verdict>,
  ids: IdGenerator,
  now: Instant
): ReadonlyArray<Message> =>
  recorded.flatMap(({ message: { account, address, chat, contact, externalId, workspace }, told: { index } }) =>
    (verdicts.get(index)?.replies ?? []).map((content) => ({
      ...Messages.untried,
      ...Messages.single,
      id: ids.next("msg"),
      workspace,
      account,
      chat,
      contact,
      address,
      direction: "outbound",
      author: { type: "system", id: null },
      content,
      status: "queued",
      replyTo: externalId,
      dueAt: now,
      createdAt: now
    }))
  )

const person = (contact: ContactId | null): Actor => ({ type: "contact", id: contact })

const changeEvent = (channel: Actor, { after, before, notice }: Change, event: Teller): DomainEvent | null => {
  const type = notice === null ? Notice.statusEvent(before, after) : Notice.eventOf(notice, before, after)
  if (type === null) return null
  const { account, chat, contact, direction, id, lead } = after
  switch (notice?.type) {
    case "reactionAdded":
    case "reactionRemoved":
      return event(type, id, notice.fromUs ? channel : person(contact), Notice.dataOf(notice, after))
    case "messageEdited":
    case "messageDeleted":
      return event(type, id, direction === "inbound" ? person(contact) : channel, Notice.dataOf(notice, after))
    default:
      return event(type, id, channel, { chat, account, was: before.status, ...(lead !== null && { lead }) })
  }
}

/** What the feed is told of people who may be written to again. */
export const returns = (
  { channel }: Account,
  back: ReadonlyArray<SaidWish.SaidWish>,
  event: Teller
): ReadonlyArray<DomainEvent> =>
  back.map(({ chat, contact }) => event("contact.opted_in", contact ?? chat, person(contact), { chat, channel }))

/** What the feed is told of the batch beside the chats that it made, in the order in which it was told us. */
export const events = (
  { channel, id: account }: Account,
  told: ReadonlyArray<Told>,
  kept: Kept,
  { wishes }: InboundFacts,
  verdicts: ReadonlyMap<number, Verdict>,
  event: Teller
): ReadonlyArray<DomainEvent> => {
  const owner: Actor = { type: "channel", id: channel }
  const made: Array<{ readonly index: number; readonly event: DomainEvent }> = []
  for (const one of kept.recorded) {
    const { chat, contact, id } = one.message
    const { index } = one.told
    if (isInbound(one)) {
      made.push({ index, event: event("message.received", id, person(contact), { chat, account }) })
      if (isReply(one, verdicts)) {
        made.push({ index, event: event("chat.replied", chat, person(contact), { account }) })
      }
    } else {
      made.push({ index, event: event("message.sent", id, owner, { chat, account }) })
      if (takesOver(one, kept.chats)) {
        made.push({ index, event: event("chat.taken_over", chat, owner, { account, by: "device" }) })
      }
    }
  }
  for (const change of kept.changes) {
    const own = changeEvent(owner, change, event)
    if (own !== null) made.push({ index: change.index, event: own })
  }
  for (const { chat, contact, index, type } of wishes) {
    if (type === "start") continue
    made.push({ index, event: event("contact.opted_out", contact ?? chat, person(contact), { chat, channel }) })
  }
  for (const one of told) {
    if (!eventIs(one, "booked")) continue
    const { chat, contact, event: appointment, index } = one
    const { ref, startsAt } = appointment
    made.push({
      index,
      event: event("chat.booked", chat, person(contact), {
        account,
        ...(ref !== undefined && { ref }),
        ...(startsAt !== undefined && { startsAt: format(startsAt) })
      })
    })
  }
  return made.sort((a, b) => a.index - b.index).map((one) => one.event)
}
