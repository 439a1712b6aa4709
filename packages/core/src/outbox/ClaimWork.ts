/**
 * What becomes of one claim: its messages begin in groups as large as there are places, are handed to their channels, and
 * what came of them is settled as it comes, until nothing of the claim is left or it is no longer ours.
 */
import { type Cause, Effect, Exit, Fiber, Queue, Ref, Semaphore } from "effect"
import { type AccountReaction, tellTurned } from "../account/AccountReaction.ts"
import type { Capabilities } from "../channel/Capability.ts"
import type { Channels } from "../channel/Channel.ts"
import type { Outcome } from "../channel/Outcome.ts"
import type { Claimed, Message } from "../chat/Message.ts"
import type { IdGenerator, MessageId } from "../workspace/Id.ts"
import { type Instant, second } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Transaction } from "../workspace/Transaction.ts"
import type * as AccountOutcomes from "./AccountOutcomes.ts"
import type * as Backlog from "./Backlog.ts"
import type { OutboundReaction } from "./ClaimSource.ts"
import { beginPart } from "./Claim.ts"
import * as Clearance from "./Clearance.ts"
import * as Held from "./Held.ts"
import * as Insistence from "./Insistence.ts"
import type { OutboxStore, Terms } from "./OutboxStore.ts"
import type * as Places from "./Places.ts"
import { wantsConsent } from "./QueuedGates.ts"
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
  /** What others do about accounts that became able to send or unable. */
  readonly accountReactions: ReadonlyArray<AccountReaction>
  /** What the platform's word that people want nothing from us does beyond the address that it was said of. */
  readonly heedOptOuts: (results: ReadonlyArray<Result>) => Effect.Effect<void, StorageError>
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

/** How often who waits for a look-up sees whether it is still to wait (milliseconds). */
const lookMs = second

/** Hands in what became of a message; what nobody knows once the lease had run out is left to whoever takes it over. */
type Finish = (claimed: Claimed, outcome: Outcome) => Effect.Effect<void>

/** How a process works off its claims; `settledCount` counts what was settled, over all of them. */
export const make = Effect.fnUntraced(function* ({
  accountReactions,
  backlog,
  channels,
  hasJumped,
  heedOptOuts,
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
  /** How long after its begin a message may be handed over at most: so a look-up knows from when on its answer is final. */
  const handOverMs = leaseMs * beginPart

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
          const turned = yield* tellAccounts(settled, now)
          yield* react((reaction) => reaction.settled(settled, now))
          yield* tellTurned(accountReactions, turned, now)
          return settled
        })
      )
    )

  /**
   * Settles a claim's results as they come, each time all that have come meanwhile, until they end. Opt-outs among them are
   * heeded first, so none is known of its address alone, whatever becomes of this process. Places are free again once their
   * results are settled; those that cannot be are left to recovery, and make it fail in the end.
   */
  const settling = (held: Held.Held, finished: Queue.Dequeue<Result, Cause.Done>) =>
    Effect.gen(function* () {
      let outcome: Exit.Exit<void, StorageError> = Exit.void
      while (true) {
        const results = yield* Effect.catchTag(Queue.takeAll(finished), "Done", () => Effect.succeed([]))
        if (results.length === 0) return yield* outcome
        const settled = Effect.flatMap(present, (now) => settle(held, results, now))
        const exit = yield* Effect.exit(Effect.andThen(insist(held)(heedOptOuts(results)), settled))
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
      const finish: Finish = Effect.fnUntraced(function* (claimed, outcome) {
        if (outcome.type === "outcomeUnknown" && (yield* Held.hasRunOut(held))) return yield* places.release(1)
        const at = yield* present
        yield* places.leave
        Queue.offerUnsafe(finished, { claimed, outcome, at })
      })
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

  /** Whether sends of the claim may begin at this moment, by what this process knows: another has it once they may not. */
  const isInTime = (held: Held.Held): Effect.Effect<boolean> =>
    Effect.gen(function* () {
      return !held.lost && (yield* Clearance.monotonicMs) < held.beginUntil && !(yield* hasJumped)
    })

  /** `until` is when it is too late to hand it over, whatever it waited for: see `handOverMs`. */
  const send = (held: Held.Held, claimed: Claimed, until: number): Effect.Effect<Outcome> => {
    const { channel: name } = claimed.account
    const channel = channels.all.get(name)
    if (channel === undefined) {
      return Effect.succeed({ type: "misconfigured", detail: `this process has no channel ${name}` })
    }
    const isIn = Effect.flatMap(Clearance.monotonicMs, (now) => (now < until ? isInTime(held) : Effect.succeed(false)))
    return sending.send(channel, claimed, isIn)
  }

  /** What must still hold of messages when they are handed over; those of which nothing must are left out. */
  const termsOf = (claimed: ReadonlyArray<Claimed>): ReadonlyMap<MessageId, Terms> =>
    new Map(
      claimed.flatMap(({ account, despite, message }): ReadonlyArray<readonly [MessageId, Terms]> => {
        const consentFor = wantsConsent(message, channels.all.get(account.channel)) ? account.channel : undefined
        return despite === undefined && consentFor === undefined ? [] : [[message.id, { despite, consentFor }]]
      })
    )

  /** Begins and sends a claim's messages group by group as places become free; `sends` gets the fibers of the sends. */
  const begin = (held: Held.Held, finish: Finish, sends: Array<Fiber.Fiber<void>>) => {
    const waiting = [...held.claim.messages]
    const leave = (count: number) =>
      Effect.suspend(() => {
        const group = waiting.splice(0, count)
        return Effect.as(backlog.change(-group.length), group)
      })
    return Effect.gen(function* () {
      while (waiting.length > 0) {
        const group = yield* leave(yield* places.take(waiting.length))
        const late = isDraining() || !(yield* isInTime(held))
        const until = (yield* Clearance.monotonicMs) + handOverMs
        const ids = group.map(({ message }) => message.id)
        const beginning = Effect.flatMap(present, (now) => store.begin(held.claim.id, ids, now, termsOf(group)))
        const begun = late ? [] : yield* Effect.onError(insist(held)(beginning), () => places.release(group.length))
        const going = new Set<string>(begun)
        const refused = group.filter(({ message }) => !going.has(message.id))
        if (refused.length > 0) yield* places.release(refused.length)
        for (const claimed of group) {
          if (!going.has(claimed.message.id)) continue
          const sent = Effect.flatMap(send(held, claimed, until), (outcome) => finish(claimed, outcome))
          sends.push(yield* Effect.forkChild(Effect.onError(sent, () => places.release(1))))
        }
        if (late) return yield* giveBack(held, [...refused, ...(yield* leave(waiting.length))])
        yield* giveBack(held, refused)
      }
    }).pipe(Effect.ensuring(Effect.suspend(() => leave(waiting.length))))
  }

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

  /** Whether a message taken over may be handed over once more at this moment; null = it is no longer ours. */
  const mayRepeat = (held: Held.Held, claimed: Claimed) =>
    Effect.gen(function* () {
      const { message } = claimed
      const asking = Effect.flatMap(present, (now) =>
        store.mayRepeat(held.claim.id, [message.id], now, termsOf([claimed]))
      )
      const found = yield* insist(held)(asking)
      return isDraining() || !(yield* isInTime(held)) ? null : (found.get(message.id) ?? null)
    })

  /** Waits until a look-up tells the truth, holding no place; in vain where the claim is lost or the process is to stop. */
  const untilKnown = ({ lookup }: Capabilities, held: Held.Held, { begunAt }: Message) =>
    Effect.gen(function* () {
      if (lookup === null) return
      const until = (begunAt ?? 0) + handOverMs + lookup.afterMs
      for (let left = until - (yield* store.clock); left > 0 && !held.lost && !isDraining(); left -= lookMs) {
        yield* Effect.sleep(Math.min(left, lookMs))
      }
    })

  const resolve = (held: Held.Held, claimed: Claimed, finish: Finish): Effect.Effect<void, StorageError> => {
    const channel = channels.all.get(claimed.account.channel)
    // Without the channel nothing can be found out here: the claim runs out again for a process that has it.
    if (channel === undefined) return Effect.void
    return Effect.gen(function* () {
      yield* untilKnown(channel.capabilities, held, claimed.message)
      yield* places.take(1)
      const resolved = Effect.flatMap(
        sending.resolve(channel, claimed, mayRepeat(held, claimed)),
        // Nothing is for a process that has the key, or for later: the claim runs out for whoever comes then.
        (outcome) => (outcome === null ? places.release(1) : finish(claimed, outcome))
      )
      yield* Effect.onError(resolved, () => places.release(1))
    })
  }

  /** Finds out what became of a claim's messages that a lost process was sending, each by itself. */
  const resolveAll = (held: Held.Held) =>
    keeping(held, (finish) =>
      Effect.gen(function* () {
        const exits = yield* Effect.forEach(
          held.claim.messages,
          (claimed) => Effect.exit(resolve(held, claimed, finish)),
          { concurrency: "unbounded" }
        )
        yield* exits.find(Exit.isFailure) ?? Effect.void
      })
    )

  return { deliver, resolveAll, settledCount }
})
