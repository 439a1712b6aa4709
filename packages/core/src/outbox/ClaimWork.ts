/**
 * What becomes of one claim: its messages begin in groups as large as there are places, are handed to their channels, and
 * what came of them is settled as it comes, until nothing of the claim is left or it is no longer ours.
 */
import { type Cause, Effect, Exit, Fiber, Queue, Semaphore } from "effect"
import { type Capabilities, tellsLater } from "../channel/Capability.ts"
import type { Channels } from "../channel/Channel.ts"
import type { Outcome } from "../channel/Outcome.ts"
import type { Claimed, Message } from "../chat/Message.ts"
import type { MessageId } from "../workspace/Id.ts"
import { second } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type * as Backlog from "./Backlog.ts"
import type { OutboundReaction } from "./ClaimSource.ts"
import { askableMs, askAgainMs, beginPart } from "./Claim.ts"
import * as ClaimSettling from "./ClaimSettling.ts"
import * as Clearance from "./Clearance.ts"
import * as Held from "./Held.ts"
import * as Insistence from "./Insistence.ts"
import type { Terms } from "./OutboxStore.ts"
import { wantsConsent } from "./QueuedGates.ts"
import type * as Sending from "./Sending.ts"
import type { Result } from "./Settling.ts"

/** What a process keeps one of, for all its claims. */
export interface ClaimWorkParts extends Omit<ClaimSettling.ClaimSettlingParts, "insist"> {
  readonly channels: Channels["Service"]
  readonly sending: ReturnType<typeof Sending.make>
  readonly backlog: Backlog.Backlog
  /** Whether the clock leapt: then nothing begins. */
  readonly hasJumped: Effect.Effect<boolean>
  /** Whether the process is to stop: then nothing begins, and nothing is insisted on. */
  readonly isDraining: () => boolean
  /** Whether channels are asked again what they could not tell of; else that is unknown at once. */
  readonly asksAgain: boolean
  readonly leaseMs: number
}

/** How often who waits for a look-up sees whether it is still to wait (milliseconds). */
const lookMs = second

/** Hands in what became of a message; what nobody knows once the lease had run out is left to whoever takes it over. */
type Finish = (claimed: Claimed, outcome: Outcome) => Effect.Effect<void>

/** How a process works off its claims; `settledCount` counts what was settled, over all of them. */
export const make = Effect.fnUntraced(function* (parts: ClaimWorkParts) {
  const {
    asksAgain,
    backlog,
    channels,
    hasJumped,
    isDraining,
    leaseMs,
    places,
    present,
    reactions,
    sending,
    store,
    transaction
  } = parts
  /** How long after its begin a message may be handed over at most: so a look-up knows from when on its answer is final. */
  const handOverMs = leaseMs * beginPart

  /** Claims begin one after another, each in groups as large as there are places. */
  const turns = yield* Semaphore.make(1)

  /** Patient while the claim may still be ours and the process is not to stop. */
  const insist = (held: Held.Held) => Insistence.insist(() => !held.lost && !isDraining())

  const { settledCount, settling } = yield* ClaimSettling.make({ ...parts, insist })

  const react = (each: (reaction: OutboundReaction) => Effect.Effect<void, StorageError>) =>
    Effect.forEach(reactions, each, { discard: true })

  /** Keeps the claim while `work` hands its sends over, and ends it when all that came back is settled. */
  const keeping = (held: Held.Held, work: (finish: Finish) => Effect.Effect<void, StorageError>) =>
    Effect.gen(function* () {
      const renew = insist(held)(Effect.suspend(() => store.renew(held.claim.id, held.leaseMs)))
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
      // Whoever takes over then what is left in it asks again.
      if (held.restMs > 0) yield* insist(held)(store.renew(held.claim.id, held.restMs))
    })

  /** Leaves a message in its claim, for whoever takes that over after so long at the least (milliseconds). */
  const leaveFor = (held: Held.Held, restMs: number) =>
    Effect.suspend(() => {
      held.restMs = Math.max(held.restMs, restMs)
      return places.release(1)
    })

  /**
   * Hands in what a channel could not tell of, `ageMs` after its begin: where it may tell later the message is left in its
   * claim, `sending` as those of a lost worker, for whoever takes that over when it is time to ask: not before a look-up's
   * answer is final about what was tried just now.
   */
  const untold = Effect.fnUntraced(function* (
    held: Held.Held,
    claimed: Claimed,
    outcome: Outcome,
    ageMs: number,
    finish: Finish
  ) {
    const capabilities = channels.all.get(claimed.account.channel)?.capabilities
    const mayTell = asksAgain && capabilities !== undefined && tellsLater(capabilities)
    const restMs = mayTell ? askAgainMs(ageMs, handOverMs + (capabilities.lookup?.afterMs ?? 0)) : null
    if (restMs === null || (yield* Held.hasRunOut(held))) return yield* finish(claimed, outcome)
    yield* leaveFor(held, restMs)
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
          const sent = Effect.flatMap(send(held, claimed, until), (outcome) =>
            outcome.type === "outcomeUnknown" ? untold(held, claimed, outcome, 0, finish) : finish(claimed, outcome)
          )
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

  /**
   * The same right before what surely did not go out is handed over: the claim is held so much longer, and rests as long,
   * that whoever takes it over looks it up no sooner than that tells the truth about this try too.
   */
  const mayTryAgain = (held: Held.Held, claimed: Claimed, { lookup }: Capabilities) =>
    Effect.suspend(() => {
      const afterMs = lookup?.afterMs ?? 0
      held.leaseMs = Math.max(held.leaseMs, leaseMs + afterMs)
      held.restMs = Math.max(held.restMs, handOverMs + afterMs)
      return Effect.flatMap(insist(held)(store.renew(held.claim.id, held.leaseMs)), (isOurs) =>
        isOurs ? mayRepeat(held, claimed) : Effect.succeed(null)
      )
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
        sending.resolve(channel, claimed, {
          repeat: mayRepeat(held, claimed),
          tryAgain: mayTryAgain(held, claimed, channel.capabilities)
        }),
        Effect.fnUntraced(function* (found) {
          // For a process that has the key, or for later: the claim runs out for whoever comes then.
          if (found.type === "nothing") return yield* leaveFor(held, 0)
          if (found.type === "known") return yield* finish(claimed, found.outcome)
          const ageMs = (yield* insist(held)(store.clock)) - (claimed.message.begunAt ?? 0)
          if (found.type === "untold") return yield* untold(held, claimed, found.outcome, ageMs, finish)
          yield* leaveFor(held, asksAgain ? (askAgainMs(ageMs, handOverMs) ?? askableMs) : 0)
        })
      )
      yield* Effect.onError(resolved, () => places.release(1))
    })
  }

  /** Finds out what became of the messages of a claim taken over, which nobody could tell of, each by itself. */
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
