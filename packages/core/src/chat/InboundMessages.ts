/**
 * Brings the events of a batch to their messages: new ones are recorded, known ones change, and what is told of a message
 * that is not there yet waits for it, without a chat of its own: one begins with what is said in it. Messages are locked
 * before chats. In the turn of its chat nobody records a message past a notice that waits for it; what is being sent is
 * held meanwhile, so that whoever settles it sees the notice.
 */
import { Effect } from "effect"
import type { Account } from "../account/Account.ts"
import * as Address from "../channel/Address.ts"
import * as Content from "../channel/Content.ts"
import type { ChatId, IdGenerator, LeadId, MessageId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Chat } from "./Chat.ts"
import * as ChatOpening from "./ChatOpening.ts"
import type { ChatStore } from "./ChatStore.ts"
import * as InboundMessage from "./InboundMessage.ts"
import type { PersonEvent, Told } from "./InboundPeople.ts"
import type { InboundReaction } from "./InboundReaction.ts"
import type { Message } from "./Message.ts"
import * as Messages from "./Message.ts"
import * as Notice from "./Notice.ts"
import * as SaidWish from "./SaidWish.ts"

type Of<T extends Told["event"]["type"]> = Told<Extract<Told["event"], { readonly type: T }>>
type TellingOf = Told<Parameters<typeof Notice.of>[0]>
type SaidOf = Of<"messageReceived"> | Of<"messageEchoed">

/** A message that was told for the first time, as it is after the whole batch. */
export interface Recorded {
  readonly told: SaidOf
  readonly message: Message
}

/** What one event made of a message; its notice, or null where it is an echo. */
export interface Change {
  readonly index: number
  readonly notice: Notice.Notice | null
  readonly before: Message
  readonly after: Message
}

export interface Kept {
  readonly recorded: ReadonlyArray<Recorded>
  readonly changes: ReadonlyArray<Change>
  /** Wishes in edits of what people wrote, also where a later edit was told first, or the message was taken back. */
  readonly wishes: ReadonlyArray<SaidWish.SaidWish>
  /** Leads that were locked for what the batch may mean to them. */
  readonly leads: ReadonlyArray<LeadId>
  /** Locked: those in which something was said, booked or opted out of, or what is said in them was changed. */
  readonly chats: ReadonlyMap<ChatId, Chat>
}

interface Step {
  readonly id: MessageId
  readonly index: number
  readonly notice: Notice.Notice | null
  readonly rule: (message: Message) => Message
}

export const isOf = <T extends Told["event"]["type"]>(told: Told, type: T): told is Of<T> => told.event.type === type
const isSaid = (told: Told): told is SaidOf => isOf(told, "messageReceived") || isOf(told, "messageEchoed")
const isTelling = (told: Told): told is TellingOf => Notice.isNotice(told.event)

const refOf = ({ chat, event }: { readonly chat: ChatId; readonly event: { readonly externalId: string } }) => ({
  chat,
  externalId: event.externalId
})
const keyOf = ({ chat, externalId }: { readonly chat: ChatId; readonly externalId: string }) => `${chat}|${externalId}`

const unique = <A>(all: ReadonlyArray<A>, key: (one: A) => string): ReadonlyArray<A> => [
  ...new Map(all.map((one) => [key(one), one])).values()
]

/** The messages that a batch speaks of, as they were before it. */
export interface Known {
  readonly byKey: ReadonlyMap<string, Message>
  readonly byId: ReadonlyMap<MessageId, Message>
}

/** Looks up what events speak of: by the platform's ids, and by our own in echoes. */
export const known = (
  store: ChatStore["Service"],
  account: Account,
  events: ReadonlyArray<{ readonly chat: ChatId; readonly event: PersonEvent }>
): Effect.Effect<Known, StorageError> => {
  const refs = unique(
    events.flatMap(({ chat, event }) => ("externalId" in event ? [refOf({ chat, event })] : [])),
    keyOf
  )
  const ours = events.flatMap(({ event }) =>
    event.type === "messageEchoed" && event.key !== undefined ? [event.key.split(".")[0] as MessageId] : []
  )
  return Effect.map(store.find(account.workspace, [...refs, ...ours.map((id) => ({ id }))]), (found) => ({
    byKey: new Map(refs.flatMap((ref, i) => (found[i] == null ? [] : [[keyOf(ref), found[i]]]))),
    byId: new Map(found.flatMap((message) => (message?.account === account.id ? [[message.id, message]] : [])))
  }))
}

/** Whose lead a change may concern. */
const mayProve = (message: Message, event: Told["event"]): boolean =>
  Messages.isUnproven(message) || message.status === "failed" || event.type === "messageFailed"

/** What echoes are echoes of: by our key, by the platform's id, or by what was said while a send is not known to be over. */
const echoesOf = Effect.fnUntraced(function* (
  store: ChatStore["Service"],
  echoes: ReadonlyArray<Of<"messageEchoed">>,
  byKey: ReadonlyMap<string, Message>,
  byId: ReadonlyMap<MessageId, Message>
) {
  const found = new Map<string, Message | null>()
  const nameless = echoes.filter((echo) => echo.event.key === undefined && !byKey.has(keyOf(refOf(echo))))
  const open = [...(yield* store.unproven(nameless.map(({ chat }) => chat)))]
  for (const echo of echoes) {
    const key = keyOf(refOf(echo))
    if (found.has(key)) continue
    const named = byId.get(echo.event.key?.split(".")[0] as MessageId) ?? byKey.get(key)
    const said = Content.preview(echo.event.content)
    const i =
      named === undefined && echo.event.key === undefined
        ? open.findIndex(({ chat, content }) => chat === echo.chat && Content.preview(content) === said)
        : -1
    const [matched] = i < 0 ? [] : open.splice(i, 1)
    const message = named ?? matched
    // One that names a message the account has not is of another ledger; one that names none was written by hand.
    if (message !== undefined) found.set(key, message)
    else if (echo.event.key !== undefined) found.set(key, null)
  }
  return found
})

/**
 * Keeps the events of one account in the turn of their chats; `keys` are their digests by index. `hold` locks what hangs
 * on contacts and leads.
 */
export const kept = Effect.fnUntraced(function* (
  store: ChatStore["Service"],
  account: Account,
  told: ReadonlyArray<Told>,
  { byId, byKey }: Known,
  keys: ReadonlyArray<string>,
  hold: Required<InboundReaction>["hold"],
  ids: IdGenerator,
  now: Instant
): Effect.fn.Return<Kept, StorageError> {
  const said = told.filter(isSaid)
  const echoes = said.filter((one) => isOf(one, "messageEchoed"))

  const echoed = yield* echoesOf(store, echoes, byKey, byId)

  const fresh = new Map<string, Recorded>()
  const steps: Array<Step> = []
  const early: Array<TellingOf> = []
  const leads: Array<LeadId> = []
  const step = (message: Message, one: Step, event: Told["event"]) => {
    steps.push(one)
    if (message.lead !== null && mayProve(message, event)) leads.push(message.lead)
  }
  for (const one of told) {
    if (isOf(one, "messageReceived")) {
      const key = keyOf(refOf(one))
      if (!byKey.has(key) && !fresh.has(key)) {
        fresh.set(key, { told: one, message: InboundMessage.received(account, one.event, one) })
      }
    } else if (isOf(one, "messageEchoed")) {
      const { event, index } = one
      const key = keyOf(refOf(one))
      const message = echoed.get(key)
      if (message != null) {
        step(message, { id: message.id, index, notice: null, rule: (row) => InboundMessage.echoed(row, event) }, event)
      } else if (message === undefined && !fresh.has(key)) {
        fresh.set(key, { told: one, message: InboundMessage.written(account, event, one) })
      }
    } else if (isTelling(one)) {
      const notice = Notice.of(one.event)
      const message = byKey.get(keyOf(refOf(one)))
      if (message === undefined || !Notice.isReady(message)) early.push(one)
      else {
        const rule = (row: Message) => {
          if (Notice.isReady(row)) return Notice.applied(row, notice)
          // It is on its way again since it was read.
          early.push(one)
          return row
        }
        step(message, { id: message.id, index: one.index, notice, rule }, one.event)
      }
    }
  }

  const news = told.filter(
    (one) =>
      isOf(one, "optedOut") ||
      isOf(one, "booked") ||
      (isSaid(one) && fresh.has(keyOf(refOf(one)))) ||
      (isOf(one, "messageEdited") &&
        byKey.get(keyOf(refOf(one)))?.direction === "inbound" &&
        SaidWish.of(one.event) !== null)
  )
  const contacts = new Set(news.flatMap(({ contact }) => contact ?? []))
  const held = yield* hold(account.workspace, [...contacts], leads)

  const wishes: Array<SaidWish.SaidWish> = []
  const hear = (notice: Notice.Notice, index: number, message: Message) => {
    const type = SaidWish.of(notice)
    if (type === null || message.direction !== "inbound" || Messages.isErased(message)) return
    const { address, chat, contact } = message
    wishes.push({ type, at: notice.at, index, address, chat, contact })
  }
  const advance = (all: ReadonlyArray<Step>) =>
    Effect.map(
      store.advance(
        all.map(({ id }) => ({ id })),
        (message, i) => all[i]!.rule(message)
      ),
      (results) =>
        results.flatMap(({ after, before, index: i }): ReadonlyArray<Change> => {
          const { index, notice } = all[i]!
          if (notice !== null) hear(notice, index, after)
          return after === before ? [] : [{ index, notice, before, after }]
        })
    )
  // In one statement, and so in the order of all, with those that campaigns will lock.
  const first = yield* advance([
    ...steps,
    ...held.messages.map((id): Step => ({ id, index: 0, notice: null, rule: (message) => message }))
  ])

  const waiting = early.filter((one) => !fresh.has(keyOf(refOf(one))))
  if (waiting.length > 0) yield* store.holdSending(waiting.map(({ chat }) => chat))
  const rewritten = new Set(
    first.flatMap(({ after, before }) => (after.content === before.content ? [] : [after.chat]))
  )
  const moved = new Set<Told>(news)
  const touched = told.filter((one) => rewritten.has(one.chat) || moved.has(one))
  const opened = yield* store.open(
    unique(touched, ({ chat }) => chat).map(({ address, chat, contact, event }) => {
      const { id, workspace } = account
      const place = { id: chat, workspace, account: id, address, contact, name: event.participant.name ?? "", at: now }
      const isOurs = event.type === "messageEchoed"
      return ChatOpening.make(
        ids,
        place,
        isOurs ? { type: "channel", id: account.channel } : { type: "contact", id: contact }
      )
    }),
    early.map(({ chat }) => chat)
  )
  const chats = new Map(opened.chats.map((chat) => [chat.id, chat]))
  const erased = new Set(
    [...opened.chats, ...opened.others].flatMap(({ address, id }) => (Address.isErased(address) ? [id] : []))
  )

  const added = new Set(yield* store.record(Array.from(fresh.values(), ({ message }) => message)))
  const recorded = [...fresh.values()].filter(({ message }) => added.has(message.id))

  // What was settled meanwhile is there now, and what comes later sees what waits.
  const late = early.filter(({ chat }) => !erased.has(chat))
  const there = yield* store.find(account.workspace, late.map(refOf))
  const named = first.flatMap(({ after, before, index }) =>
    before.externalId !== after.externalId && Notice.isReady(after) ? [{ index, message: after }] : []
  )
  const arrived = new Map(
    [...recorded.map(({ message, told: { index } }) => ({ index, message })), ...named].map((one) => [
      keyOf({ chat: one.message.chat, externalId: one.message.externalId ?? "" }),
      one
    ])
  )
  const taken = yield* store.takeNotices(
    Array.from(arrived.values(), ({ message: { chat, externalId } }) => ({ chat, externalId: externalId ?? "" }))
  )
  // Told of after the message they are of, whenever they were told to us.
  const more = taken.map(({ notice, ...ref }): Step => {
    const { index, message } = arrived.get(keyOf(ref))!
    return { id: message.id, index, notice, rule: (row) => Notice.applied(row, notice) }
  })
  const keeping: Array<Notice.EarlyNotice> = []
  for (const [i, one] of late.entries()) {
    const notice = Notice.of(one.event)
    const message = there[i]
    if (message != null && Notice.isReady(message)) {
      const index = Math.max(one.index, arrived.get(keyOf(refOf(one)))?.index ?? 0)
      more.push({ id: message.id, index, notice, rule: (row) => Notice.applied(row, notice) })
    } else {
      const { workspace } = account
      keeping.push({ ...refOf(one), key: keys[one.index] ?? "", workspace, notice, toldAt: now })
    }
  }
  yield* store.keepNotices(keeping)
  const second = yield* advance(more.sort((a, b) => a.index - b.index))

  const latest = new Map(second.map(({ after }) => [after.id, after]))
  return {
    recorded: recorded.map((one) => ({ ...one, message: latest.get(one.message.id) ?? one.message })),
    changes: [...first, ...second],
    wishes,
    leads: held.leads,
    chats
  }
})
