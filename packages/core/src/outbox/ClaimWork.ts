/**
 * What becomes of one claim: its messages begin in groups as large as there are places, are handed to their channels, and
 * what came of them is settled as it comes, until nothing of the claim is left or it is no longer ours.
 */
import { type Cause, Effect, Exit, Fiber, Queue, Ref, Semaphore } from "effect"
import type { Channels } from "../channel/Channel.ts"
import type { Outcome } from "../channel/Outcome.ts"
import type { Claimed } from "../chat/Message.ts"
import type { IdGenerator } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Transaction } from "../workspace/Transaction.ts"
import type * as AccountOutcomes from "./AccountOutcomes.ts"
import type * as Backlog from "./Backlog.ts"
import type { OutboundReaction } from "./ClaimSource.ts"
import * as Clearance from "./Clearance.ts"
import * as Held from "./Held.ts"
import * as Insistence from "./Insistence.ts"
import type { OutboxStore } from "./OutboxStore.ts"
import type * as Places from "./Places.ts"
import type * as Sending from "./Sending.ts"
import * as SettleRules from "./SettleRules.ts"
import type { Result } from "./Settling.ts"

/** What a process keeps one of, for all its claims. */
export interface ClaimWorkParts {
  readonly store: OutboxStore["Service"]
  readonly transaction: Transaction["Service"]
  readonly channels: Channels["Service"]
  readonly reactions: ReadonlyArray<OutboundReaction>
  readonly tellAccounts: ReturnType<typeof AccountOutcomes.make>
  readonly sending: ReturnType<typeof Sending.make>
  readonly places: Places.Places
  readonly backlog: Backlog.Backlog
  readonly makeIds: Effect.Effect<IdGenerator>
  readonly present: Effect.Effect<Instant>
  /** Whether the clock leapt: then nothing begins. */
  readonly hasJumped: Effect.Effect<boolean>
  /** Whether the process is to stop: then nothing begins, and nothing is insisted on. */
  readonly isDraining: () => boolean
  readonly leaseMs: number
}

/** Hands in what became of a message. */
type Finish = (claimed: Claimed, outcome: Outcome) => Effect.Effect<void>

/** How a process works off its claims; `settledCount` counts what was settled, over all of them. */
export const make = Effect.fnUntraced(function* ({
  backlog,
  channels,
  hasJumped,
  isDraining,
  leaseMs,
  makeIds,
  places,
  present,
  reactions,
  sending,
  store,
  tellAccounts,
  transaction
}: ClaimWorkParts) {
  /** Claims begin one after another, each in groups as large as there are places. */
  const turns = yield* Semaphore.make(1)
  const settledCount = yield* Ref.make({ sent: 0, settled: 0 })

  /** Patient while the claim may still be ours and the process is not to stop. */
  const insist = (held: Held.Held) => Insistence.insist(() => !held.lost && !isDraining())

  const react = (each: (reaction: OutboundReaction) => Effect.Effect<void, StorageError>) =>
    Effect.forEach(reactions, each, { discard: true })

  const settle = (held: Held.Held, results: ReadonlyArray<Result>, now: Instant) =>
    insist(held)(
      transaction.within(
        Effect.gen(function* () {
          const ids = yield* makeIds
          const { settled } = yield* store.settle(held.claim.id, results, SettleRules.conclude(ids))
          if (settled.length === 0) return settled
          yield* tellAccounts(settled, now)
          yield* react((reaction) => reaction.settled(settled, now))
          return settled
        })
      )
    )

  /**
   * Settles a claim's results as they come, each time all that have come meanwhile, until they end. Places are free again
   * once their results are settled; those that cannot be are left to recovery, and make it fail in the end.
   */
  const settling = (held: Held.Held, finished: Queue.Dequeue<Result, Cause.Done>) =>
    Effect.gen(function* () {
      let outcome: Exit.Exit<void, StorageError> = Exit.void
      while (true) {
        const results = yield* Effect.catchTag(Queue.takeAll(finished), "Done", () => Effect.succeed([]))
        if (results.length === 0) return yield* outcome
        yield* places.leave(results.length)
        const exit = yield* Effect.exit(settle(held, results, yield* present))
        yield* places.release(results.length, results.length)
        if (Exit.isFailure(exit)) outcome = Exit.asVoid(exit)
        else {
          const sent = exit.value.filter((one) => one.fate === "sent").length
          yield* Ref.update(settledCount, (count) => ({
            sent: count.sent + sent,
            settled: count.settled + exit.value.length
          }))
        }
      }
    })

  /** Keeps the claim while `work` hands its sends over, and ends it when all that came back is settled. */
  const keeping = (held: Held.Held, work: (finish: Finish) => Effect.Effect<void, StorageError>) =>
    Effect.gen(function* () {
      const renew = insist(held)(store.renew(held.claim.id, leaseMs))
      const renewal = yield* Effect.forkChild(Effect.interruptible(Held.renewing(held, renew, leaseMs)))
      const finished = yield* Queue.unbounded<Result, Cause.Done>()
      const settler = yield* Effect.forkChild(settling(held, finished))
      const finish: Finish = (claimed, outcome) =>
        Effect.map(present, (at) => void Queue.offerUnsafe(finished, { claimed, outcome, at }))
      const exit = yield* Effect.exit(work(finish))
      yield* Queue.end(finished)
      yield* Effect.andThen(Fiber.join(settler), exit)
      yield* Fiber.interrupt(renewal)
      yield* insist(held)(store.finish(held.claim.id))
    })

  const giveBack = (held: Held.Held, messages: ReadonlyArray<Claimed>) =>
    messages.length === 0
      ? Effect.void
      : insist(held)(
          transaction.within(
            Effect.gen(function* () {
              const now = yield* present
              const returned = yield* store.release(
                held.claim.id,
                messages.map(({ message }) => message.id),
                now
              )
              if (returned.length > 0) yield* react((reaction) => reaction.returned(returned, now))
            })
          )
        )

  const send = ({ account, message }: Claimed): Effect.Effect<Outcome> => {
    const channel = channels.all.get(account.channel)
    return channel === undefined
      ? Effect.succeed({ type: "misconfigured", detail: `this process has no channel ${account.channel}` })
      : sending.send(channel, { account, message })
  }

  /** Begins and sends a claim's messages group by group as places become free; `sends` gets the fibers of the sends. */
  const begin = (held: Held.Held, finish: Finish, sends: Array<Fiber.Fiber<void>>) =>
    Effect.gen(function* () {
      const waiting = [...held.claim.messages]
      while (waiting.length > 0) {
        const group = waiting.splice(0, yield* places.take(waiting.length))
        yield* backlog.change(-group.length)
        const late =
          held.lost || (yield* Clearance.monotonicMs) >= held.beginUntil || isDraining() || (yield* hasJumped)
        const ids = group.map(({ message }) => message.id)
        const begun = late
          ? []
          : yield* insist(held)(store.begin(held.claim.id, ids)).pipe(
              Effect.onError(() => Effect.andThen(places.release(group.length), backlog.change(-waiting.length)))
            )
        const going = new Set<string>(begun)
        const refused = group.filter(({ message }) => !going.has(message.id))
        if (refused.length > 0) yield* places.release(refused.length)
        for (const claimed of group) {
          if (!going.has(claimed.message.id)) continue
          sends.push(yield* Effect.forkChild(Effect.flatMap(send(claimed), (outcome) => finish(claimed, outcome))))
        }
        if (late) {
          yield* backlog.change(-waiting.length)
          return yield* giveBack(held, [...refused, ...waiting])
        }
        yield* giveBack(held, refused)
      }
    })

  /** Sends a claim's messages, until all are settled or given back. */
  const deliver = (held: Held.Held) =>
    keeping(held, (finish) =>
      Effect.gen(function* () {
        const sends: Array<Fiber.Fiber<void>> = []
        const exit = yield* Effect.exit(turns.withPermits(1)(begin(held, finish, sends)))
        yield* Fiber.awaitAll(sends)
        yield* exit
      })
    )

  /** Finds out what became of a claim's messages that a lost process was sending. */
  const resolveAll = (held: Held.Held) =>
    keeping(held, (finish) =>
      Effect.forEach(
        held.claim.messages,
        (claimed) => {
          const channel = channels.all.get(claimed.account.channel)
          // Without the channel nothing can be found out here: the claim runs out again for a process that has it.
          if (channel === undefined) return Effect.void
          return Effect.gen(function* () {
            yield* places.take(1)
            const outcome = yield* Effect.onError(sending.resolve(channel, claimed, store.clock), () =>
              places.release(1)
            )
            // For a process that has the key.
            if (outcome === null) return yield* places.release(1)
            yield* finish(claimed, outcome)
          })
        },
        { concurrency: "unbounded", discard: true }
      )
    )

  return { deliver, resolveAll, settledCount }
})
