/**
 * How what came of a claim's sends is written down: as it comes, whatever has come meanwhile in one transaction, with what
 * others make of it. An opt-out among it is heeded before it is settled, and apart: nobody waits for one that cannot be.
 */
import { Cause, Effect, Exit, Fiber, Option, Queue, Ref } from "effect"
import { type AccountReaction, tellTurned } from "../account/AccountReaction.ts"
import type { Message } from "../chat/Message.ts"
import type { IdGenerator } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { isAway, type StorageError } from "../workspace/StorageError.ts"
import type { Transaction } from "../workspace/Transaction.ts"
import type * as AccountOutcomes from "./AccountOutcomes.ts"
import type { OutboundReaction } from "./ClaimSource.ts"
import type * as Held from "./Held.ts"
import type * as Insistence from "./Insistence.ts"
import type { OutboxStore } from "./OutboxStore.ts"
import type * as Places from "./Places.ts"
import * as SettleRules from "./SettleRules.ts"
import type { Result } from "./Settling.ts"

/** What a process keeps one of, for all its claims. */
export interface ClaimSettlingParts {
  readonly store: OutboxStore["Service"]
  readonly transaction: Transaction["Service"]
  readonly reactions: ReadonlyArray<OutboundReaction>
  readonly tellAccounts: ReturnType<typeof AccountOutcomes.make>
  /** What others do about accounts that became able to send or unable. */
  readonly accountReactions: ReadonlyArray<AccountReaction>
  /** What the platform's word that people want nothing from us does beyond the address that it was said of. */
  readonly heedOptOut: (message: Message) => Effect.Effect<void, StorageError>
  readonly places: Places.Places
  readonly makeIds: Effect.Effect<IdGenerator>
  readonly present: Effect.Effect<Instant>
  readonly insist: (held: Held.Held) => ReturnType<typeof Insistence.insist>
}

/** How a process settles what its claims came to; `settledCount` counts it, over all of them. */
export const make = Effect.fnUntraced(function* ({
  accountReactions,
  heedOptOut,
  insist,
  makeIds,
  places,
  present,
  reactions,
  store,
  tellAccounts,
  transaction
}: ClaimSettlingParts) {
  const settledCount = yield* Ref.make({ sent: 0, settled: 0 })

  const settle = (held: Held.Held, results: ReadonlyArray<Result>, now: Instant) =>
    insist(held)(
      transaction.within(
        Effect.gen(function* () {
          const ids = yield* makeIds
          const { settled } = yield* store.settle(held.claim.id, results, SettleRules.conclude(ids))
          if (settled.length === 0) return settled
          const turned = yield* tellAccounts(settled, now)
          yield* Effect.forEach(reactions, (reaction) => reaction.settled(settled, now), { discard: true })
          yield* tellTurned(accountReactions, turned, now)
          return settled
        })
      )
    )

  /** Settles results after `first`. Their places are free then, whatever came of that. */
  const conclude = (held: Held.Held, results: ReadonlyArray<Result>, first: Effect.Effect<void, StorageError>) =>
    Effect.gen(function* () {
      const settled = Effect.flatMap(present, (now) => settle(held, results, now))
      const exit = yield* Effect.exit(Effect.andThen(first, settled))
      yield* places.release(results.length, results.length)
      if (Exit.isFailure(exit)) return Exit.asVoid(exit)
      const sent = exit.value.filter((one) => one.fate === "sent").length
      yield* Ref.update(settledCount, (count) => ({
        sent: count.sent + sent,
        settled: count.settled + exit.value.length
      }))
      return Exit.void
    })

  /** Of a person for whom that fails for good the address is suppressed all the same, as their send is settled. */
  const heed = (held: Held.Held, { claimed: { message } }: Result) =>
    Effect.catchCause(insist(held)(heedOptOut(message)), (cause) =>
      isAway(Option.getOrNull(Cause.findErrorOption(cause))) || Cause.hasInterrupts(cause)
        ? Effect.failCause(cause)
        : Effect.logError(`${message.contact} is opted out at the address of ${message.id} alone`, cause)
    )

  /**
   * Settles a claim's results as they come, each time all that have come meanwhile, until they end. Each opt-out is heeded
   * before it is settled, so none is known of its address alone, whatever becomes of this process, and apart from the
   * others, so nobody waits for a person who cannot be opted out. What cannot be settled is left to recovery, and makes it
   * fail in the end.
   */
  const settling = (held: Held.Held, finished: Queue.Dequeue<Result, Cause.Done>) =>
    Effect.gen(function* () {
      const apart: Array<Fiber.Fiber<Exit.Exit<void, StorageError>>> = []
      const exits: Array<Exit.Exit<void, StorageError>> = []
      while (true) {
        const results = yield* Effect.catchTag(Queue.takeAll(finished), "Done", () => Effect.succeed([]))
        if (results.length === 0) break
        for (const one of results) {
          if (one.outcome.type === "optedOut")
            apart.push(yield* Effect.forkChild(conclude(held, [one], heed(held, one))))
        }
        const others = results.filter(({ outcome }) => outcome.type !== "optedOut")
        if (others.length > 0) exits.push(yield* conclude(held, others, Effect.void))
      }
      for (const fiber of apart) exits.push(yield* Fiber.join(fiber))
      yield* exits.find(Exit.isFailure) ?? Effect.void
    })

  return { settledCount, settling }
})
