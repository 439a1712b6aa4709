/**
 * The one path by which messages leave: claim → begin → send → settle. A message is handed to a channel only after its
 * row says so, and what became of it is written once; where nobody can know, the ledger says so and never sends again by
 * itself. Any number of processes may run this at the same time.
 */
import { type Cause, Context, Effect, Exit, Fiber, Layer, Option, Queue, Ref, Semaphore } from "effect"
import { AccountLogStore } from "../account/AccountLogStore.ts"
import { AccountStore } from "../account/AccountStore.ts"
import { Senders } from "../account/Senders.ts"
import { Channels } from "../channel/Channel.ts"
import type { Outcome } from "../channel/Outcome.ts"
import type { Claimed } from "../chat/Message.ts"
import { ContactStore } from "../contact/ContactStore.ts"
import { AddressHash } from "../contact/Suppression.ts"
import { Ids } from "../workspace/Id.ts"
import { earliest, type Instant, second } from "../workspace/Instant.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import * as AccountOutcomes from "./AccountOutcomes.ts"
import * as Backlog from "./Backlog.ts"
import type { Lease } from "./Claim.ts"
import type { NotClear } from "./Clearance.ts"
import * as Clearance from "./Clearance.ts"
import { OutboundParties } from "./ClaimSource.ts"
import * as Held from "./Held.ts"
import * as Insistence from "./Insistence.ts"
import { MediaHandover } from "./MediaHandover.ts"
import { OutboxConfig } from "./OutboxConfig.ts"
import { OutboxStore } from "./OutboxStore.ts"
import * as Places from "./Places.ts"
import { decideQueued } from "./QueuedGates.ts"
import * as Sending from "./Sending.ts"
import * as SettleRules from "./SettleRules.ts"
import type { Result } from "./Settling.ts"

export interface Round {
  /** Whether anything was done: then the next round may find more. */
  readonly worked: boolean
  /** The next instant at which something is due, in pacing time; null when nothing is to come, or unknown after work. */
  readonly nextDue: Instant | null
}

export interface Tick extends Round {
  readonly sent: number
  readonly settled: number
}

export class Outbox extends Context.Service<
  Outbox,
  {
    /**
     * Recovers one expired claim, claims what is due and sends it; ends when all of that is settled. Anyone may call it, in
     * any number of processes.
     */
    readonly tick: Effect.Effect<Tick, NotClear>
    /**
     * The same without waiting for what was claimed to be settled: a process that calls it again and again keeps its places
     * full, and a slow send holds up nobody. Waits only while more than half a claim has not begun.
     */
    readonly pump: Effect.Effect<Round, NotClear>
    /** Fails while this process may not send, because its clock or the place of the database is wrong. */
    readonly ensureMaySend: Effect.Effect<void, NotClear>
    /** The next instant at which something is due, in pacing time; null when nothing is to come. */
    readonly nextDue: Effect.Effect<Instant | null, StorageError>
    /** Begins nothing more and waits: what is being sent is settled, what was claimed is given back. */
    readonly drain: Effect.Effect<void>
  }
>()("@overture/core/Outbox") {
  static readonly layer = Layer.effect(
    Outbox,
    Effect.suspend(() => make)
  )
}

/** How often claims are looked for that others lost, while there are none (milliseconds of real time, as leases are). */
const recoverEveryMs = second

/** Hands in what became of a message. */
type Finish = (claimed: Claimed, outcome: Outcome) => Effect.Effect<void>

const make = Effect.gen(function* () {
  const store = yield* OutboxStore
  const accounts = yield* AccountStore
  const workspaces = yield* WorkspaceStore
  const transaction = yield* Transaction
  const channels = yield* Channels
  const parties = yield* OutboundParties
  const time = yield* PacingTime
  const makeIds = (yield* Ids).generator
  const tellAccounts = AccountOutcomes.make(accounts, yield* AccountLogStore, makeIds)
  const config = yield* OutboxConfig
  const addressHash = yield* AddressHash
  const contacts = yield* ContactStore
  const places = yield* Places.make(config.sendConcurrency)
  /** Claims begin one after another, each in groups as large as there are places. */
  const turns = yield* Semaphore.make(1)
  let draining = false
  const scope = yield* Effect.scope
  const running = new Set<Fiber.Fiber<void, StorageError>>()
  const backlog = yield* Backlog.make
  const settledCount = yield* Ref.make({ sent: 0, settled: 0 })

  /** Patient while the claim may still be ours and the process is not to stop. */
  const insist = (held: Held.Held) => Insistence.insist(() => !held.lost && !draining)

  const react = (each: (reaction: (typeof parties.reactions)[number]) => Effect.Effect<void, StorageError>) =>
    Effect.forEach(parties.reactions, each, { discard: true })

  const handover = Option.getOrNull(yield* Effect.serviceOption(MediaHandover))
  const sending = Sending.make(config.sendTimeoutMs, yield* Senders, handover)

  const {
    ensure: ensureMaySend,
    hasJumped,
    present
  } = Clearance.make(store, contacts, time, {
    addressHash,
    maxClockSkewMs: config.maxClockSkewMs
  })

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
      const renew = insist(held)(store.renew(held.claim.id, config.leaseMs))
      const renewal = yield* Effect.forkChild(Effect.interruptible(Held.renewing(held, renew, config.leaseMs)))
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
        const late = held.lost || (yield* Clearance.monotonicMs) >= held.beginUntil || draining || (yield* hasJumped)
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

  const leaseNow = Effect.map(
    makeIds,
    (ids): Lease => ({
      claim: ids.next("clm"),
      worker: config.worker,
      durationMs: config.leaseMs
    })
  )

  /** Runs beside the claims; a failure of the storage leaves its rows to the next recovery. */
  const launch = (work: Effect.Effect<void, StorageError>) =>
    Effect.gen(function* () {
      const fiber: Fiber.Fiber<void, StorageError> = yield* Effect.forkIn(
        Effect.tapError(work, (error) => Effect.logError("a claim could not be finished and will be recovered", error)),
        scope
      )
      running.add(fiber)
      fiber.addObserver(() => running.delete(fiber))
      return fiber
    })

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

  const recover = Effect.gen(function* () {
    const lease = yield* leaseNow
    const from = yield* Clearance.monotonicMs
    const now = yield* present
    const recovered = yield* transaction.within(
      Effect.gen(function* () {
        const found = yield* store.recover(lease, now)
        if (found !== null && found.returned.length > 0) {
          yield* react((reaction) =>
            reaction.returned(
              found.returned.map(({ message }) => message),
              now
            )
          )
        }
        return found
      })
    )
    if (recovered === null) return null
    yield* Effect.logInfo(
      `took over a claim: ${recovered.sending.length} messages were being sent, ${recovered.returned.length} are due again`
    )
    return yield* launch(resolveAll(Held.make({ id: recovered.id, messages: recovered.sending }, from, config.leaseMs)))
  })

  const claimQueued = (now: Instant, lease: Lease) =>
    transaction.within(
      Effect.gen(function* () {
        const ids = yield* makeIds
        const found = yield* store.claimQueued({
          now,
          limit: config.claimSize,
          lease,
          decide: decideQueued(now, channels.all, ids),
          addressHash
        })
        if (found === null) return { claim: null, worked: false }
        if (found.cancelled.length > 0) {
          yield* react((reaction) =>
            reaction.cancelled(
              found.cancelled.map(({ message }) => message),
              now
            )
          )
        }
        return { claim: found.claim, worked: true }
      })
    )

  const sources = [
    ...parties.sources,
    {
      name: "queue",
      claim: (now: Instant, _limit: number, lease: Lease) => claimQueued(now, lease),
      nextDue: store.nextQueued,
      idle: () => Effect.succeed(false)
    }
  ]

  let recoverAt = -Infinity

  /**
   * Recovers, claims from the sources whose time has come, and sets the deliveries going. Most rounds of a process find
   * nothing due, so that is asked before anything is locked.
   */
  const round = Effect.gen(function* () {
    yield* ensureMaySend
    const launched: Array<Fiber.Fiber<void, StorageError>> = []
    let allowed: boolean | null = null
    const mayClaim = Effect.suspend(() =>
      draining || allowed === false
        ? Effect.succeed(false)
        : allowed === true
          ? Effect.succeed(true)
          : Effect.map(workspaces.stopped, (stopped) => (allowed = !stopped))
    )
    let worked = false
    const at = yield* Clearance.monotonicMs
    if (at >= recoverAt && (yield* mayClaim)) {
      const recovery = yield* recover
      if (recovery === null) recoverAt = at + recoverEveryMs
      else {
        launched.push(recovery)
        worked = true
      }
    }
    let nextDue: Instant | null = null
    for (const source of sources) {
      const due = yield* source.nextDue
      const now = yield* present
      nextDue = earliest(nextDue, due)
      if (due === null || due > now) {
        if (yield* source.idle(now)) worked = true
        continue
      }
      if (!(yield* mayClaim)) continue
      const lease = yield* leaseNow
      const from = yield* Clearance.monotonicMs
      const found = yield* source.claim(now, config.claimSize, lease)
      worked ||= found.worked
      if (found.claim === null) continue
      yield* backlog.change(found.claim.messages.length)
      launched.push(yield* launch(deliver(Held.make(found.claim, from, config.leaseMs))))
    }
    return { worked, nextDue: worked ? null : nextDue, launched }
  })

  const tick = Effect.gen(function* () {
    yield* Ref.set(settledCount, { sent: 0, settled: 0 })
    const { launched, nextDue, worked } = yield* round
    yield* Effect.forEach(launched, Fiber.join, { discard: true })
    return { worked, nextDue, ...(yield* Ref.get(settledCount)) }
  })

  return Outbox.of({
    ensureMaySend,
    tick: Effect.uninterruptible(tick),
    pump: Effect.andThen(
      backlog.below(Math.ceil(config.claimSize / 2)),
      Effect.uninterruptible(Effect.map(round, ({ nextDue, worked }) => ({ worked, nextDue })))
    ),
    nextDue: Effect.map(
      Effect.forEach(sources, (source) => source.nextDue),
      (instants) => instants.reduce(earliest, null)
    ),
    drain: Effect.suspend(() => {
      draining = true
      return Effect.asVoid(Fiber.awaitAll([...running]))
    })
  })
})
