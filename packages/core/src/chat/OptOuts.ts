/**
 * Opts a person out where somebody of ours says it for them (a call, a letter, an unsubscribe page, another system), with
 * the same consequences as if the person had said stop: no address of theirs is written to, what campaigns have open ends,
 * and nothing follows. What is being sent at that moment goes out.
 */
import { Context, Effect, Layer, Option } from "effect"
import * as Address from "../channel/Address.ts"
import { ContactNotFound } from "../contact/Contacts.ts"
import { ContactStore } from "../contact/ContactStore.ts"
import { AddressHash } from "../contact/Suppression.ts"
import * as Wish from "../contact/Wish.ts"
import { type Actor, stamped } from "../event/DomainEvent.ts"
import { EventStore } from "../event/EventStore.ts"
import type { ContactId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { ChatStore } from "./ChatStore.ts"
import { InboundReactions, together } from "./InboundReaction.ts"

export class OptOuts extends Context.Service<
  OptOuts,
  {
    /**
     * The person wants no more messages, from now on: all their addresses are suppressed, whatever the workspace's
     * `optOutScope`, as it is the person that is named. Nothing is said to them, and nothing is told of who is opted out
     * everywhere already. Only they lift it, by a start word or a consent newly given (`Contacts.recordConsent`).
     */
    optOut(
      workspace: WorkspaceId,
      contact: ContactId,
      actor: Actor
    ): Effect.Effect<void, ContactNotFound | StorageError>
  }
>()("@overture/core/OptOuts") {
  static readonly layer = Layer.effect(
    OptOuts,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const chats = yield* ChatStore
  const contacts = yield* ContactStore
  const feed = yield* EventStore
  const reactions = together(yield* InboundReactions)
  const { within } = yield* Transaction
  const time = yield* PacingTime
  const makeIds = (yield* Ids).generator
  const hash = yield* AddressHash

  return OptOuts.of({
    optOut: Effect.fn("OptOuts.optOut")(function* (workspace, contact, actor) {
      const ids = yield* makeIds
      const at = yield* time.now
      // That nobody is there is no failure in here: the transaction around this one may go on.
      const isKnown = yield* within(
        Effect.gen(function* () {
          const { leads, messages } = yield* reactions.hold(workspace, [contact], [])
          yield* chats.advance(
            messages.map((id) => ({ id })),
            (message) => message
          )
          const person = yield* contacts.modify(workspace, contact, (before) => ({ contact: before, events: [] }))
          if (Option.isNone(person)) return false
          const addresses = person.value.addresses.map(Address.key)
          const stopped = (yield* contacts.wishes(workspace, addresses)).filter((wish) => Wish.stopped(wish) !== null)
          yield* reactions.holdCounts(leads)
          if (addresses.length === 0 || stopped.length < addresses.length) {
            yield* feed.append([
              stamped(ids, at, { workspace, type: "contact.opted_out", subject: contact, actor, data: {} })
            ])
          }
          yield* reactions.heard(workspace, [{ type: "optedOut", contact, chat: null, at }], at)
          yield* contacts.heed(Wish.at(workspace, addresses, "stop", at), hash)
          return true
        })
      )
      if (!isKnown) return yield* new ContactNotFound({ contact })
    })
  })
})
