/**
 * Takes what platforms tell us into chats, once: an event told twice, late or out of order leaves the same state. A
 * reply, an opt-out and what campaigns make of them commit together, so a touch that begins afterwards knows of them.
 */
import { Context, Effect, Layer, Option } from "effect"
import type { Account } from "../account/Account.ts"
import { AccountStore } from "../account/AccountStore.ts"
import * as AccountRules from "../account/Account.ts"
import * as Address from "../channel/Address.ts"
import type { ChannelEvent, Participant } from "../channel/ChannelEvent.ts"
import * as Content from "../channel/Content.ts"
import { ContactStore } from "../contact/ContactStore.ts"
import { AddressHash, isTombstone, keysOf } from "../contact/Suppression.ts"
import type { DomainEvent, EventType } from "../event/DomainEvent.ts"
import { EventStore } from "../event/EventStore.ts"
import type { ContactId, IdGenerator } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import * as Seed from "../workspace/Seed.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import * as Chat from "./Chat.ts"
import { ChatStore } from "./ChatStore.ts"
import * as InboundMessage from "./InboundMessage.ts"
import { InboundReactions } from "./InboundReaction.ts"
import type { Message } from "./Message.ts"
import * as OptOutWords from "./OptOutWords.ts"
import * as Takeover from "./Takeover.ts"

export interface Received {
  /** Events seen for the first time. */
  readonly handled: number
  /** Events that were told before. */
  readonly repeated: number
}

type WithParticipant = Extract<ChannelEvent, { readonly participant: Participant }>

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

const make = Effect.gen(function* () {
  const chats = yield* ChatStore
  const contacts = yield* ContactStore
  const accounts = yield* AccountStore
  const workspaces = yield* WorkspaceStore
  const feed = yield* EventStore
  const reactions = yield* InboundReactions
  const transaction = yield* Transaction
  const time = yield* PacingTime
  const makeIds = (yield* Ids).generator
  const addressHash = yield* AddressHash

  const addressOf = (account: Account, participant: Participant) =>
    Address.key({ channel: account.channel, scope: participant.scope, externalId: participant.externalId })

  /** Whether they were erased and are nobody we know since; they are stopped by their hash, under which nothing is told. */
  const isErased = Effect.fnUntraced(function* (account: Account, participant: Participant) {
    if (addressHash === null) return false
    const address = addressOf(account, participant)
    if (Option.isSome(yield* contacts.byAddress(account.workspace, address))) return false
    const held = yield* contacts.suppressions(account.workspace, keysOf(addressHash, address))
    return held.some((row) => row.account === null && isTombstone(row.address))
  })

  const opened = Effect.fnUntraced(function* (account: Account, event: WithParticipant, ids: IdGenerator) {
    const address = addressOf(account, event.participant)
    const known = yield* contacts.byAddress(account.workspace, address)
    let contact = Option.getOrNull(Option.map(known, ({ id }) => id))
    if (contact === null && event.type === "messageReceived") {
      contact = ids.next("con")
      yield* contacts.import(
        account.workspace,
        [
          {
            id: contact,
            workspace: account.workspace,
            name: event.participant.name ?? "",
            first: null,
            last: null,
            addresses: [
              { channel: account.channel, scope: event.participant.scope, externalId: event.participant.externalId }
            ],
            tags: [],
            attributes: {},
            timezone: null,
            consents: [],
            externalRef: null,
            metadata: {},
            createdAt: event.at
          }
        ],
        null
      )
    }
    const [chat] = yield* chats.open([
      {
        id: Chat.idOf(account.id, address),
        workspace: account.workspace,
        account: account.id,
        address,
        contact,
        name: event.participant.name ?? "",
        at: event.at
      }
    ])
    return { address, contact, chat: chat?.id ?? Chat.idOf(account.id, address) }
  })

  const suppress = Effect.fnUntraced(function* (
    account: Account,
    address: string,
    contact: ContactId | null,
    at: Instant,
    event: DomainEvent
  ) {
    const workspace = yield* workspaces.get(account.workspace)
    const scope = Option.match(workspace, {
      onNone: () => "contact" as const,
      onSome: ({ optOutScope }) => optOutScope
    })
    const person = contact === null ? Option.none() : yield* contacts.get(account.workspace, contact)
    const keys =
      scope === "contact" && Option.isSome(person)
        ? [...new Set([address, ...person.value.addresses.map(Address.key)])]
        : [address]
    return yield* contacts.suppress(
      keys.map((key) => ({
        workspace: account.workspace,
        address: key,
        account: null,
        reason: "optedOut" as const,
        at
      })),
      [event]
    )
  })

  const take = Effect.fnUntraced(function* (account: Account, event: ChannelEvent, ids: IdGenerator, now: Instant) {
    const tell = (
      type: EventType,
      subject: string,
      actor: DomainEvent["actor"],
      data: DomainEvent["data"]
    ): DomainEvent => ({
      id: ids.next("evt"),
      workspace: account.workspace,
      type,
      at: now,
      subject,
      actor,
      cause: null,
      data
    })
    const byContact = (contact: ContactId | null) => ({ type: "contact" as const, id: contact })

    if (event.type === "accountTroubled") {
      yield* accounts.modify([account.id], (before) => {
        const after = AccountRules.afterOutcome(before, { type: event.reason }, true, now)
        return {
          account: after,
          events:
            after === before
              ? []
              : [
                  tell(
                    "account.changed",
                    account.id,
                    { type: "channel", id: account.channel },
                    { health: AccountRules.health(after) }
                  )
                ]
        }
      })
      return
    }

    if (event.type === "optedOut" && (yield* isErased(account, event.participant))) return
    const { address, chat, contact } = yield* opened(account, event, ids)
    switch (event.type) {
      case "messageReceived": {
        const message = InboundMessage.received(account, event, ids, { address, chat, contact })
        const isNew = (yield* chats.record([message])).length > 0
        if (!isNew) return
        const text = Content.preview(event.content)
        yield* chats.touch([{ chat, at: event.at, text, direction: "inbound", unread: 1 }])
        const optOut =
          event.optOut === true || (event.content.type === "text" && OptOutWords.isOptOut(event.content.text))
        const optIn = !optOut && event.content.type === "text" && OptOutWords.isOptIn(event.content.text)
        if (optIn) yield* contacts.lift(account.workspace, keysOf(addressHash, address))
        if (optOut) {
          yield* suppress(
            account,
            address,
            contact,
            event.at,
            tell("contact.opted_out", contact ?? chat, byContact(contact), { chat, channel: account.channel })
          )
        }
        if (contact !== null) {
          const who = [{ contact, chat }]
          yield* Effect.forEach(
            reactions,
            (reaction) =>
              optOut
                ? reaction.optedOut(account.workspace, [contact], now)
                : reaction.replied(account.workspace, who, now),
            {
              discard: true
            }
          )
        }
        yield* feed.append([
          tell("message.received", message.id, byContact(contact), {
            chat,
            account: account.id,
            text: text.slice(0, 200)
          }),
          ...(optOut ? [] : [tell("chat.replied", chat, byContact(contact), { account: account.id })])
        ])
        return
      }
      case "optedOut": {
        yield* suppress(
          account,
          address,
          contact,
          event.at,
          tell("contact.opted_out", contact ?? chat, byContact(contact), { chat, channel: account.channel })
        )
        if (contact !== null) {
          yield* Effect.forEach(reactions, (reaction) => reaction.optedOut(account.workspace, [contact], now), {
            discard: true
          })
        }
        return
      }
      case "messageDelivered":
      case "messageRead":
      case "messageFailed": {
        const changed = yield* chats.advance([{ chat, externalId: event.externalId }], (message) =>
          InboundMessage.statusAfter(message, event)
        )
        yield* after(changed, account, now, tell)
        return
      }
      case "messageEchoed": {
        // An echo proves what we sent; one that is not ours was written by the account's owner on another device.
        const ours = event.key === undefined ? [] : [{ id: event.key.split(".")[0] as Message["id"] }]
        const known = yield* chats.advance([...ours, { chat, externalId: event.externalId }], (message) =>
          InboundMessage.echoed(message, event)
        )
        const isNamed = event.key !== undefined || known.length > 0
        const said = Content.preview(event.content)
        const [match] = isNamed
          ? []
          : (yield* chats.unproven(chat)).filter(({ content }) => Content.preview(content) === said)
        if (!isNamed && match === undefined) {
          const message = InboundMessage.written(account, event, ids, { address, chat, contact })
          const owner = { type: "channel", id: account.channel } as const
          yield* Takeover.fromDevice(chats, feed, reactions, message, owner, ids, now)
          return
        }
        const changed =
          match === undefined
            ? known
            : yield* chats.advance([{ id: match.id }], (message) => InboundMessage.echoed(message, event))
        yield* after(changed, account, now, tell)
        return
      }
      case "messageEdited":
      case "messageDeleted":
      case "reactionAdded":
      case "reactionRemoved":
        // Admitted once, and kept out of the ledger: nothing of a campaign depends on them.
        return
    }
  })

  /** What a changed message means to others: proof of a touch, or its late failure. */
  const after = Effect.fnUntraced(function* (
    changed: ReadonlyArray<{ readonly before: Message; readonly after: Message }>,
    account: Account,
    now: Instant,
    tell: (type: EventType, subject: string, actor: DomainEvent["actor"], data: DomainEvent["data"]) => DomainEvent
  ) {
    const real = changed.filter((one) => one.before.status !== one.after.status)
    if (real.length === 0) return
    yield* feed.append(
      real.map(({ after: message }) =>
        tell(
          message.status === "delivered"
            ? "message.delivered"
            : message.status === "read"
              ? "message.read"
              : message.status === "failed"
                ? "message.failed"
                : "message.sent",
          message.id,
          { type: "channel", id: account.channel },
          { chat: message.chat, ...(message.lead !== null && { lead: message.lead }) }
        )
      )
    )
    const proven = real.flatMap(({ after: message, before }) =>
      message.lead !== null && (before.status === "failed" || message.status === "failed")
        ? [{ ...message, lead: message.lead }]
        : []
    )
    if (proven.length > 0) {
      yield* Effect.forEach(reactions, (reaction) => reaction.proven(proven, now), { discard: true })
    }
  })

  return Inbox.of({
    receive: Effect.fn("Inbox.receive")((account: Account, events: ReadonlyArray<ChannelEvent>) =>
      events.length === 0
        ? Effect.succeed({ handled: 0, repeated: 0 })
        : transaction.within(
            Effect.gen(function* () {
              const ids = yield* makeIds
              const now = yield* time.now
              const fresh = yield* chats.admit(
                // Platforms make their keys of addresses, too.
                events.map(({ at, dedupeKey }) => ({ account: account.id, dedupeKey: Seed.digest(dedupeKey), at }))
              )
              for (const index of fresh) {
                const event = events[index]
                if (event !== undefined) yield* take(account, event, ids, now)
              }
              return { handled: fresh.length, repeated: events.length - fresh.length }
            })
          )
    )
  })
})
