/**
 * The one path by which messages leave: claim → begin → send → settle. A message is handed to a channel only after its
 * row says so, and what became of it is written once; where nobody can know, the ledger says so and never sends again by
 * itself. Any number of processes may run this at the same time.
 */
import { Context, Effect, Fiber, Layer, Queue, Ref } from "effect"
import { AccountStore } from "../account/AccountStore.ts"
import { Channels } from "../channel/Channel.ts"
import type { Outcome } from "../channel/Outcome.ts"
import type { Claimed } from "../chat/Message.ts"
import { Ids, type ClaimId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import * as AccountOutcomes from "./AccountOutcomes.ts"
import * as Backlog from "./Backlog.ts"
import type { Lease } from "./Claim.ts"
import type { ClockSkewed, RestoreDetected } from "./Clearance.ts"
import * as Clearance from "./Clearance.ts"
import { OutboundParties } from "./ClaimSource.ts"
import * as Held from "./Held.ts"
import { insist } from "./Insistence.ts"
import { OutboxConfig } from "./OutboxConfig.ts"
import { OutboxStore } from "./OutboxStore.ts"
import * as Places from "./Places.ts"
import { decideQueued } from "./QueuedGates.ts"
import * as Sending from "./Sending.ts"
import * as SettleRules from "./SettleRules.ts"
import type { Result } from "./Settling.ts"
import * as Together from "./Together.ts"

export interface Tick {
  /** Whether anything was due: then the next tick may find more. */
  readonly worked: boolean
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
    readonly tick: Effect.Effect<Tick, StorageError | ClockSkewed | RestoreDetected>
    /**
     * The same without waiting for what was claimed to be settled: a process that calls it again and again keeps its places
     * full, and a slow send holds up nobody. Waits only while more than half a claim has not begun. Returns whether anything
     * was due.
     */
    readonly pump: Effect.Effect<boolean, StorageError | ClockSkewed | RestoreDetected>
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

const make = Effect.gen(function* () {
  const store = yield* OutboxStore
  const accounts = yield* AccountStore
  const workspaces = yield* WorkspaceStore
  const transaction = yield* Transaction
  const channels = yield* Channels
  const parties = yield* OutboundParties
  const time = yield* PacingTime
  const makeIds = (yield* Ids).generator
  const tellAccounts = AccountOutcomes.make(accounts, makeIds)
  const config = yield* OutboxConfig
  const places = yield* Places.make(config.sendConcurrency)
  const finished = yield* Queue.unbounded<{ readonly held: Held.Held; readonly result: Result }>()
  const draining = yield* Ref.make(false)
  const scope = yield* Effect.scope
  const running = new Set<Fiber.Fiber<void, StorageError>>()
  const backlog = yield* Backlog.make
  const settledCount = yield* Ref.make({ sent: 0, settled: 0 })

  const react = (each: (reaction: (typeof parties.reactions)[number]) => Effect.Effect<void, StorageError>) =>
    Effect.forEach(parties.reactions, each, { discard: true })

  const sending = Sending.make(config.sendTimeoutMs)

  const { ensure: ensureMaySend, hasJumped, present } = Clearance.make(store, time, config.maxClockSkewMs)

  const settleClaim = (held: Held.Held, results: ReadonlyArray<Result>, now: Instant) =>
    insist(
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

  /** Settles everything that has finished; whoever finds nothing left was settled by another. */
  const flush = yield* Together.make(
    Effect.gen(function* () {
      const all = yield* Queue.clear(finished)
      if (all.length === 0) return
      const now = yield* present
      const byClaim = new Map<Held.Held, Array<Result>>()
      for (const { held, result } of all) {
        const results = byClaim.get(held)
        if (results === undefined) byClaim.set(held, [result])
        else results.push(result)
      }
      // One claim that cannot be settled keeps no other from it; its rows are left to recovery.
      const exits = yield* Effect.forEach(byClaim, ([held, results]) =>
        Effect.exit(
          Effect.flatMap(settleClaim(held, results, now), (settled) =>
            Ref.update(settledCount, (count) => ({
              sent: count.sent + settled.filter((one) => one.fate === "sent").length,
              settled: count.settled + settled.length
            }))
          )
        )
      ).pipe(Effect.ensuring(places.release(all.length)))
      yield* Effect.forEach(exits, (exit) => exit, { discard: true })
    })
  )

  const finish = (held: Held.Held, claimed: Claimed, outcome: Outcome) =>
    Effect.gen(function* () {
      const at = yield* present
      yield* Queue.offer(finished, { held, result: { claimed, outcome, at } })
      yield* flush
    })

  const giveBack = (claim: ClaimId, messages: ReadonlyArray<Claimed>) =>
    messages.length === 0
      ? Effect.void
      : insist(
          transaction.within(
            Effect.gen(function* () {
              const now = yield* present
              const returned = yield* store.release(
                claim,
                messages.map(({ message }) => message.id),
                now
              )
              if (returned.length > 0) yield* react((reaction) => reaction.returned(returned, now))
            })
          )
        )

  /** Begins and sends a claim's messages group by group as places become free, until all are settled or given back. */
  const deliver = (held: Held.Held) =>
    Effect.gen(function* () {
      const renewal = yield* Effect.forkChild(
        Effect.interruptible(Held.renewing(held, insist(store.renew(held.claim.id, config.leaseMs)), config.leaseMs))
      )
      const sends: Array<Fiber.Fiber<void, StorageError>> = []
      const waiting = [...held.claim.messages]
      while (waiting.length > 0) {
        const group = waiting.splice(0, yield* places.take(waiting.length))
        yield* backlog.change(-group.length)
        const late =
          held.lost ||
          (yield* Clearance.monotonicMs) >= held.beginUntil ||
          (yield* Ref.get(draining)) ||
          (yield* hasJumped)
        const begun = late
          ? []
          : yield* insist(
              store.begin(
                held.claim.id,
                group.map(({ message }) => message.id)
              )
            ).pipe(Effect.onError(() => Effect.andThen(places.release(group.length), backlog.change(-waiting.length))))
        const ids = new Set<string>(begun)
        const refused = group.filter(({ message }) => !ids.has(message.id))
        if (refused.length > 0) yield* places.release(refused.length)
        const going = group.filter(({ message }) => ids.has(message.id))
        for (const claimed of going) {
          const channel = channels.all.get(claimed.account.channel)
          const answer: Effect.Effect<Outcome> =
            channel === undefined
              ? Effect.succeed({
                  type: "misconfigured",
                  detail: `this process has no channel ${claimed.account.channel}`
                })
              : sending.send(channel, claimed)
          sends.push(yield* Effect.forkChild(Effect.flatMap(answer, (outcome) => finish(held, claimed, outcome))))
        }
        if (late) {
          yield* backlog.change(-waiting.length)
          yield* giveBack(held.claim.id, [...refused, ...waiting.splice(0)])
          break
        }
        yield* giveBack(held.claim.id, refused)
      }
      yield* Fiber.awaitAll(sends)
      yield* Effect.forEach(sends, Fiber.join, { discard: true })
      yield* Fiber.interrupt(renewal)
      yield* insist(store.finish(held.claim.id))
    })

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
    Effect.gen(function* () {
      const renewal = yield* Effect.forkChild(
        Effect.interruptible(Held.renewing(held, insist(store.renew(held.claim.id, config.leaseMs)), config.leaseMs))
      )
      yield* Effect.forEach(
        held.claim.messages,
        (claimed) => {
          const channel = channels.all.get(claimed.account.channel)
          // Without the channel nothing can be found out here: the claim runs out again for a process that has it.
          if (channel === undefined) return Effect.void
          return Effect.gen(function* () {
            yield* places.take(1)
            yield* finish(held, claimed, yield* sending.resolve(channel, claimed, store.clock))
          })
        },
        { concurrency: "unbounded", discard: true }
      )
      yield* Fiber.interrupt(renewal)
      yield* insist(store.finish(held.claim.id))
    })

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
          decide: decideQueued(now, channels.all, ids)
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
      nextDue: store.nextQueued
    }
  ]

  /** Recovers, claims, and sets the deliveries going. */
  const round = Effect.gen(function* () {
    yield* ensureMaySend
    const launched: Array<Fiber.Fiber<void, StorageError>> = []
    if ((yield* Ref.get(draining)) || (yield* workspaces.stopped)) return { worked: false, launched }
    const recovery = yield* recover
    if (recovery !== null) launched.push(recovery)
    let worked = recovery !== null
    for (const source of sources) {
      const now = yield* present
      const lease = yield* leaseNow
      const from = yield* Clearance.monotonicMs
      const found = yield* source.claim(now, config.claimSize, lease)
      worked ||= found.worked
      if (found.claim === null) continue
      yield* backlog.change(found.claim.messages.length)
      launched.push(yield* launch(deliver(Held.make(found.claim, from, config.leaseMs))))
    }
    return { worked, launched }
  })

  const tick = Effect.gen(function* () {
    yield* Ref.set(settledCount, { sent: 0, settled: 0 })
    const { launched, worked } = yield* round
    yield* Effect.forEach(launched, Fiber.join, { discard: true })
    return { worked, ...(yield* Ref.get(settledCount)) }
  })

  return Outbox.of({
    tick: Effect.uninterruptible(tick),
    pump: Effect.andThen(
      backlog.below(Math.ceil(config.claimSize / 2)),
      Effect.uninterruptible(Effect.map(round, ({ worked }) => worked))
    ),
    nextDue: Effect.map(
      Effect.forEach(sources, (source) => source.nextDue),
      (instants) =>
        instants.reduce((first, at) => (first === null ? at : at === null ? first : Math.min(first, at)), null)
    ),
    drain: Effect.andThen(
      Ref.set(draining, true),
      Effect.suspend(() => Effect.asVoid(Fiber.awaitAll([...running])))
    )
  })
})
