/**
 * Takes what platforms tell us into chats, once: an event told twice, late or out of order leaves the same state. A
 * reply, an opt-out, a booking and what campaigns make of them commit together, so a touch that begins afterwards knows of
 * them. A batch costs a bounded number of statements. Locks are taken in the order of all: leads, messages, chats, paces,
 * accounts.
 */
import { Clock, Context, Effect, Layer } from "effect"
import type { Account } from "../account/Account.ts"
import * as AccountLog from "../account/AccountLog.ts"
import { AccountLogStore } from "../account/AccountLogStore.ts"
import { AccountReactions, modifyTurning, tellTurned } from "../account/AccountReaction.ts"
import { AccountStore } from "../account/AccountStore.ts"
import * as AccountRules from "../account/Account.ts"
import type { ChannelEvent } from "../channel/ChannelEvent.ts"
import type { Contact } from "../contact/Contact.ts"
import { ContactStore } from "../contact/ContactStore.ts"
import { AddressHash } from "../contact/Suppression.ts"
import { stamped } from "../event/DomainEvent.ts"
import { EventStore } from "../event/EventStore.ts"
import { Ids } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { Problem } from "../workspace/Problem.ts"
import * as Seed from "../workspace/Seed.ts"
import { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import * as AttachedMedia from "./AttachedMedia.ts"
import { isOpen, isRenamed } from "./Chat.ts"
import * as ChatNews from "./ChatNews.ts"
import { ChatStore } from "./ChatStore.ts"
import * as InboundEvents from "./InboundEvents.ts"
import * as InboundFacts from "./InboundFacts.ts"
import * as InboundHook from "./InboundHook.ts"
import * as InboundMessages from "./InboundMessages.ts"
import * as InboundPeople from "./InboundPeople.ts"
import { InboundReactions, together } from "./InboundReaction.ts"
import * as Media from "./Media.ts"
import { MediaRecordStore } from "./MediaRecordStore.ts"
import * as WishHeeding from "./WishHeeding.ts"

export interface Received {
  /** Events seen for the first time. */
  readonly handled: number
  /** Events that were told before. */
  readonly repeated: number
  /** What was told and is no event (`ChannelEvent`): left out, and told to the log. */
  readonly undecodable: number
}

export class Inbox extends Context.Service<
  Inbox,
  {
    /** Takes the events of one account, in the order in which they are told. All that are some, or none on failure. */
    receive(account: Account, events: ReadonlyArray<ChannelEvent>): Effect.Effect<Received, StorageError>
  }
>()("@overture/core/Inbox") {
  static readonly layer = Layer.effect(
    Inbox,
    Effect.suspend(() => make)
  )
}

/** How many problems of a batch the log is told. */
const problemsTold = 3

const leftOut = (told: number, problems: ReadonlyArray<Problem>): string => {
  const some = problems.slice(0, problemsTold).map(({ field, message }) => `${field}: ${message}`)
  return `${problems.length} of ${told} events were left out; ${some.join("; ")}`
}

const gone = "somebody who is in this batch was deleted or erased meanwhile"

type Indexed<E> = { readonly index: number; readonly event: E }
type Troubled = Extract<ChannelEvent, { readonly type: "accountTroubled" }>

/** Fresh events: of people, and of the account itself. */
interface Batch {
  readonly heard: ReadonlyArray<InboundPeople.Heard>
  readonly troubled: ReadonlyArray<Indexed<Troubled>>
}

/** Who and what they speak of, as it was before them. */
interface Before {
  readonly people: ReadonlyMap<string, Contact>
  readonly messages: InboundMessages.Known
}

const isTroubled = (one: Indexed<ChannelEvent>): one is Indexed<Troubled> => one.event.type === "accountTroubled"
const isOfPerson = (one: Indexed<ChannelEvent>): one is Indexed<InboundPeople.PersonEvent> => !isTroubled(one)

const make = Effect.gen(function* () {
  const chats = yield* ChatStore
  const contacts = yield* ContactStore
  const accounts = yield* AccountStore
  const accountReactions = yield* AccountReactions
  const logs = yield* AccountLogStore
  const media = yield* MediaRecordStore
  const feed = yield* EventStore
  const reactions = together(yield* InboundReactions)
  const hooks = yield* InboundHook.InboundHooks
  const reply = yield* InboundHook.InboundReplies
  const transaction = yield* Transaction
  const time = yield* PacingTime
  const makeIds = (yield* Ids).generator
  const addressHash = yield* AddressHash

  const wishes = WishHeeding.make(contacts, yield* WorkspaceStore, addressHash)

  /** What the batch does to its chats, whose rows are locked; those in which the next session begins, or the person has another name. */
  const tellChats = Effect.fnUntraced(function* (
    told: ReadonlyArray<InboundPeople.Told>,
    kept: InboundMessages.Kept,
    now: Instant
  ) {
    const rewritten = yield* chats.createdAt(InboundFacts.rewrittenAt(kept))
    const changed = [...InboundFacts.chatNews(told, kept, rewritten)].flatMap(([id, own]) => {
      const before = kept.chats.get(id)
      const after = before === undefined ? undefined : ChatNews.known(before, own, now)
      return before === undefined || after === undefined || after === before ? [] : [{ before, after }]
    })
    yield* chats.rewrite(changed.map(({ after }) => after))
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
    const { turned } = yield* modifyTurning(accounts, [account.id], (before) => {
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
    yield* tellTurned(accountReactions, turned, now)
  })

  /** Who and what events speak of, once it is the turn of their chats; asked together, and answered one after the other. */
  const look = (account: Account, heard: ReadonlyArray<InboundPeople.Heard>) =>
    Effect.map(
      Effect.all(
        [
          chats.awaitTurn(account.id, [...new Set(heard.map(({ chat }) => chat))]),
          contacts.byAddresses(account.workspace, [...new Set(heard.map(({ address }) => address))]),
          InboundMessages.known(chats, account, heard)
        ],
        { concurrency: "unbounded" }
      ),
      ([, people, messages]): Before => ({ people, messages })
    )

  /** All that fresh events change, in one transaction. */
  const take = Effect.fnUntraced(function* (
    account: Account,
    { heard, troubled }: Batch,
    { messages, people }: Before,
    keys: ReadonlyArray<string>,
    verdicts: ReadonlyMap<number, InboundHook.Verdict>,
    now: Instant
  ) {
    const { workspace } = account
    const ids = yield* makeIds
    const event: InboundFacts.Teller = (type, subject, actor, data) =>
      stamped(ids, now, { workspace, type, subject, actor, data })

    const told = yield* InboundPeople.placed(contacts, account, heard, people, addressHash, ids, now)
    if (told.length > 0) {
      const kept = yield* InboundMessages.kept(chats, account, told, messages, keys, reactions.hold, ids, now)
      const { renamed, reopened } = yield* tellChats(told, kept, now)
      yield* keepFiles(kept)
      const facts = InboundFacts.of(told, kept, verdicts)
      const { news, proven } = facts
      const spoken = yield* wishes.spoken(workspace, facts.wishes)
      const counted = [...(news.length > 0 ? kept.leads : []), ...proven.map(({ lead }) => lead)]
      yield* reactions.holdCounts(counted)
      // Readers of the feed hear first what happened, and then what others made of it.
      yield* feed.append(InboundFacts.events(account, told, kept, facts, verdicts, event))
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
      yield* reactions.proven(proven, now)
      yield* reactions.heard(workspace, news, now)
      yield* feed.append(InboundFacts.returns(account, yield* wishes.heed(workspace, spoken), event))
      // Chats are locked before people, as an erasure does it. Of somebody who went meanwhile the transaction is begun again,
      // where nobody is known by that address.
      const people = new Set(told.flatMap(({ contact }) => contact ?? []))
      if ((yield* contacts.hold(workspace, [...people])).size < people.size) {
        return yield* new StorageError({ operation: "Inbox.receive", retryable: true, cause: new Error(gone) })
      }
      const answers = InboundFacts.answers(kept, verdicts, ids, now)
      if (answers.length > 0) yield* reply(answers, now)
    }
    if (troubled.length > 0) yield* trouble(account, troubled, event, now)
  })

  return Inbox.of({
    receive: Effect.fn("Inbox.receive")(function* (account: Account, told: ReadonlyArray<ChannelEvent>) {
      const now = yield* time.now
      const { events, problems } = InboundEvents.heard(told, now)
      const undecodable = problems.length
      if (undecodable > 0) {
        const problem = leftOut(told.length, problems)
        yield* Effect.logError(`${account.id} of ${account.channel}: ${problem}`)
        yield* logs.append([AccountLog.entry(yield* makeIds, account, now, AccountLog.leftOut(problem))])
      }
      if (events.length === 0) return { handled: 0, repeated: 0, undecodable }
      const indexed = events.map((event, index) => ({ index, event }))
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
      const heard = indexed.filter(isOfPerson).map(({ event, index }) => InboundPeople.heard(account, index, event))
      return yield* transaction.within(
        Effect.gen(function* () {
          const now = yield* time.now
          const before = yield* look(account, heard)
          const admitted = yield* chats.admit(
            events.map(({ at }, i) => ({ account: account.id, dedupeKey: keys[i]!, at }))
          )
          const fresh = new Set(admitted)
          if (fresh.size > 0) {
            const batch = {
              heard: heard.filter(({ index }) => fresh.has(index)),
              troubled: indexed.filter(isTroubled).filter(({ index }) => fresh.has(index))
            }
            yield* take(account, batch, before, keys, verdicts, now)
          }
          return { handled: fresh.size, repeated: events.length - fresh.size, undecodable }
        })
      )
    })
  })
})
