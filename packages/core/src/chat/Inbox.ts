/**
 * Takes what platforms tell us into chats, once: an event told twice, late or out of order leaves the same state. A
 * reply, an opt-out, a booking and what campaigns make of them commit together, so a touch that begins afterwards knows of
 * them. A batch costs a bounded number of statements. Locks are taken in the order of all: leads, messages, chats, paces,
 * accounts.
 */
import { Clock, Context, Effect, Layer, Option, Schedule } from "effect"
import type { Account } from "../account/Account.ts"
import * as AccountLog from "../account/AccountLog.ts"
import { AccountLogStore } from "../account/AccountLogStore.ts"
import { AccountStore } from "../account/AccountStore.ts"
import * as AccountRules from "../account/Account.ts"
import type { ChannelEvent } from "../channel/ChannelEvent.ts"
import { ContactStore } from "../contact/ContactStore.ts"
import { AddressHash } from "../contact/Suppression.ts"
import type { DomainEvent } from "../event/DomainEvent.ts"
import { EventStore } from "../event/EventStore.ts"
import type { WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import * as Seed from "../workspace/Seed.ts"
import { StorageError } from "../workspace/StorageError.ts"
import { storable } from "../workspace/Storable.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import * as AttachedMedia from "./AttachedMedia.ts"
import { isOpen, isRenamed } from "./Chat.ts"
import * as ChatNews from "./ChatNews.ts"
import { ChatStore } from "./ChatStore.ts"
import * as InboundFacts from "./InboundFacts.ts"
import * as InboundHook from "./InboundHook.ts"
import * as InboundMessages from "./InboundMessages.ts"
import * as InboundPeople from "./InboundPeople.ts"
import { InboundReactions } from "./InboundReaction.ts"
import { InboxStore } from "./InboxStore.ts"
import * as Media from "./Media.ts"
import { MediaRecordStore } from "./MediaRecordStore.ts"

export interface Received {
  /** Events seen for the first time. */
  readonly handled: number
  /** Events that were told before. */
  readonly repeated: number
}

export class Inbox extends Context.Service<
  Inbox,
  {
    /** Takes events of one account, in the order in which they are told. All of them, or none on failure. */
    receive(account: Account, events: ReadonlyArray<ChannelEvent>): Effect.Effect<Received, StorageError>
  }
>()("@overture/core/Inbox") {
  static readonly layer = Layer.effect(
    Inbox,
    Effect.suspend(() => make)
  )
}

/** How often a batch is begun again that the storage could not take at the moment, and the pauses before. */
const retries = 3
const pauses = Schedule.jittered(Schedule.exponential("20 millis"))

const gone = "somebody who is in this batch was deleted or erased meanwhile"

type Indexed<E> = { readonly index: number; readonly event: E }
type Troubled = Extract<ChannelEvent, { readonly type: "accountTroubled" }>

const isTroubled = (one: Indexed<ChannelEvent>): one is Indexed<Troubled> => one.event.type === "accountTroubled"
const isOfPerson = (one: Indexed<ChannelEvent>): one is Indexed<InboundPeople.PersonEvent> => !isTroubled(one)

const make = Effect.gen(function* () {
  const chats = yield* ChatStore
  const lists = yield* InboxStore
  const contacts = yield* ContactStore
  const accounts = yield* AccountStore
  const logs = yield* AccountLogStore
  const workspaces = yield* WorkspaceStore
  const media = yield* MediaRecordStore
  const feed = yield* EventStore
  const reactions = yield* InboundReactions
  const hooks = yield* InboundHook.InboundHooks
  const reply = yield* InboundHook.InboundReplies
  const transaction = yield* Transaction
  const time = yield* PacingTime
  const makeIds = (yield* Ids).generator
  const addressHash = yield* AddressHash

  const optOutScope = (workspace: WorkspaceId) =>
    Effect.map(
      workspaces.get(workspace),
      Option.match({ onNone: () => "contact" as const, onSome: (found) => found.optOutScope })
    )

  /** What the batch does to its chats, whose rows are locked; those in which the next session begins, or the person has another name. */
  const tellChats = Effect.fnUntraced(function* (
    account: Account,
    told: ReadonlyArray<InboundPeople.Told>,
    kept: InboundMessages.Kept,
    now: Instant
  ) {
    const rewritten = yield* chats.createdAt(InboundFacts.rewrittenAt(kept))
    const news = InboundFacts.chatNews(told, kept, rewritten)
    const changing = [...news].flatMap(([id, own]) => {
      const chat = kept.chats.get(id)
      return chat === undefined || ChatNews.known(chat, own, now) === chat ? [] : [id]
    })
    const changed = yield* chats.modify(account.workspace, changing, (chat) => ({
      chat: ChatNews.known(chat, news.get(chat.id)!, now),
      events: []
    }))
    return {
      reopened: changed.flatMap(({ after, before }) => (isOpen(after) && !isOpen(before) ? [after] : [])),
      renamed: changed.flatMap(({ after, before }) => (isRenamed(before, after) ? [after] : []))
    }
  })

  /** Files follow the real clock, as whoever fetches them does. */
  const keepFiles = Effect.fnUntraced(function* ({ changes, recorded }: InboundMessages.Kept) {
    const now = yield* Clock.currentTimeMillis
    const added = [
      ...recorded.flatMap(({ message }) => AttachedMedia.remote(message, now)),
      ...changes.flatMap(({ after, before }) => AttachedMedia.gained(before, after, now))
    ]
    if (added.length > 0) yield* media.add(added)
    const dropped = changes.flatMap(({ after, before }) => AttachedMedia.dropped(before, after))
    if (dropped.length > 0) yield* media.modify(dropped, (row) => Media.discarded(row, now))
  })

  const trouble = Effect.fnUntraced(function* (
    account: Account,
    told: ReadonlyArray<Indexed<Troubled>>,
    event: InboundFacts.Teller,
    now: Instant
  ) {
    const ids = yield* makeIds
    yield* logs.append(
      AccountLog.distinct(
        told.flatMap(({ event: { detail, reason } }) => {
          const trouble = AccountLog.troubleOf({ type: reason, ...(detail !== undefined && { detail }) })
          return trouble === null ? [] : [AccountLog.entry(ids, account, now, trouble)]
        })
      )
    )
    yield* accounts.modify([account.id], (before) => {
      const after = told.reduce(
        (one, { event: { reason } }) => AccountRules.afterOutcome(one, { type: reason }, true, now),
        before
      )
      const data = { health: AccountRules.health(after) }
      return {
        account: after,
        events:
          after === before ? [] : [event("account.changed", account.id, { type: "channel", id: account.channel }, data)]
      }
    })
  })

  /** All that fresh events change, in one transaction. */
  const take = Effect.fnUntraced(function* (
    account: Account,
    events: ReadonlyArray<Indexed<ChannelEvent>>,
    keys: ReadonlyArray<string>,
    verdicts: ReadonlyMap<number, InboundHook.Verdict>,
    now: Instant
  ) {
    const { workspace } = account
    const ids = yield* makeIds
    const event: InboundFacts.Teller = (type, subject, actor, data): DomainEvent => ({
      id: ids.next("evt"),
      workspace,
      type,
      at: now,
      subject,
      actor,
      cause: null,
      data
    })
    const each = (run: (reaction: (typeof reactions)[number]) => Effect.Effect<void, StorageError>) =>
      Effect.forEach(reactions, run, { discard: true })

    const told = yield* InboundPeople.placed(contacts, account, events.filter(isOfPerson), addressHash, ids, now)
    if (told.length > 0) {
      const before = yield* lists.find(
        workspace,
        told.map(({ chat }) => chat)
      )
      const kept = yield* InboundMessages.kept(
        chats,
        account,
        told,
        keys,
        (people, leads) =>
          Effect.map(
            Effect.forEach(reactions, (reaction) => reaction.hold(workspace, people, leads)),
            (messages) => messages.flatMap((ids) => ids ?? [])
          ),
        now
      )
      const { renamed, reopened } = yield* tellChats(account, told, kept, now)
      yield* keepFiles(kept)
      const facts = InboundFacts.of(told, kept, verdicts)
      const { news, proven } = facts
      const counted = news.map(({ contact }) => contact)
      if (counted.length + proven.length > 0) {
        const leads = proven.map(({ lead }) => lead)
        yield* each((reaction) => reaction.holdCounts?.(workspace, [...new Set(counted)], leads) ?? Effect.void)
      }
      // Readers of the feed hear first what happened, and then what others made of it.
      yield* feed.append(
        InboundFacts.events(account, told, kept, facts, new Set(before.map(({ id }) => id)), verdicts, event)
      )
      yield* feed.append(
        reopened.map(({ contact, id }) =>
          event("chat.reopened", id, { type: "contact", id: contact }, { account: account.id })
        )
      )
      yield* feed.append(
        renamed.map(({ id }) =>
          event("chat.changed", id, { type: "channel", id: account.channel }, { account: account.id, renamed: true })
        )
      )
      if (proven.length > 0) yield* each((reaction) => reaction.proven(proven, now))
      if (news.length > 0) yield* each((reaction) => reaction.heard(workspace, news, now))
      if (facts.stops.length + facts.starts.length > 0) {
        const scope = facts.stops.length === 0 ? "address" : yield* optOutScope(workspace)
        yield* contacts.heed(InboundFacts.wishes(workspace, facts, scope), addressHash)
      }
      // Chats are locked before people, as an erasure does it. One of somebody who went meanwhile is heard again from the
      // beginning, where nobody is known by that address.
      const people = new Set(told.flatMap(({ contact }) => contact ?? []))
      if ((yield* contacts.hold(workspace, [...people])).size < people.size) {
        return yield* new StorageError({ operation: "Inbox.receive", retryable: true, cause: new Error(gone) })
      }
      const answers = InboundFacts.answers(kept, verdicts, ids, now)
      if (answers.length > 0) yield* reply(answers, now)
    }
    const troubled = events.filter(isTroubled)
    if (troubled.length > 0) yield* trouble(account, troubled, event, now)
  })

  return Inbox.of({
    receive: Effect.fn("Inbox.receive")(function* (account: Account, events: ReadonlyArray<ChannelEvent>) {
      if (events.length === 0) return { handled: 0, repeated: 0 }
      const indexed = events.map((event, index) => ({ index, event: storable(event) }))
      const received = indexed.flatMap(({ event, index }) =>
        event.type === "messageReceived" ? [{ index, event }] : []
      )
      const judged = yield* InboundHook.judged(
        hooks,
        account,
        received.map(({ event }) => event)
      )
      const verdicts = new Map(received.map(({ index }, i) => [index, judged[i]!]))
      // Platforms make their keys of addresses, too.
      const keys = events.map(({ dedupeKey }) => Seed.digest(dedupeKey))
      const of = [...new Set(indexed.filter(isOfPerson).map(({ event }) => InboundPeople.chatOf(account, event)))]
      const kept = transaction.within(
        Effect.gen(function* () {
          const now = yield* time.now
          yield* chats.awaitTurn(account.id, of)
          const fresh = yield* chats.admit(
            events.map(({ at }, i) => ({ account: account.id, dedupeKey: keys[i]!, at }))
          )
          if (fresh.length > 0) {
            yield* take(
              account,
              fresh.map((index) => indexed[index]!),
              keys,
              verdicts,
              now
            )
          }
          return { handled: fresh.length, repeated: events.length - fresh.length }
        })
      )
      // Two batches of the same people may still meet the other way round: one of them is begun again.
      return yield* Effect.retry(kept, { while: ({ retryable }) => retryable, times: retries, schedule: pauses })
    })
  })
})
