/**
 * The one path by which messages leave: claim → begin → send → settle. A message is handed to a channel only after its
 * row says so, and what became of it is written once; where nobody can know, the ledger says so and never sends again by
 * itself. Any number of processes may run this at the same time.
 */
import { Cause, Context, Deferred, Effect, Fiber, Layer, Option, Ref } from "effect"
import { AccountLogStore } from "../account/AccountLogStore.ts"
import { AccountReactions } from "../account/AccountReaction.ts"
import { AccountStore } from "../account/AccountStore.ts"
import { Senders } from "../account/Senders.ts"
import { Channels } from "../channel/Channel.ts"
import { ContactStore } from "../contact/ContactStore.ts"
import { AddressHash } from "../contact/Suppression.ts"
import type { Message } from "../chat/Message.ts"
import { OptOuts } from "../chat/OptOuts.ts"
import type { Actor } from "../event/DomainEvent.ts"
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
import { type ClaimSource, OutboundParties } from "./ClaimSource.ts"
import * as ClaimWork from "./ClaimWork.ts"
import * as Held from "./Held.ts"
import { MediaHandover } from "./MediaHandover.ts"
import { OutboxConfig } from "./OutboxConfig.ts"
import { OutboxStore } from "./OutboxStore.ts"
import * as Places from "./Places.ts"
import { decideQueued } from "./QueuedGates.ts"
import * as Sending from "./Sending.ts"
import * as SteadySource from "./SteadySource.ts"

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
    /**
     * Begins nothing more and waits until nothing is under way: what is being sent is settled, what was claimed is given
     * back. Whoever goes on after that sends again.
     */
    readonly drain: Effect.Effect<void>
  }
>()("@overture/core/Outbox") {
  static readonly layer = Layer.effect(
    Outbox,
    Effect.suspend(() => make)
  ).pipe(Layer.provide(OptOuts.layer))

  /**
   * Registers the queue with accounts, beside what is registered there already: what a pause, a trouble, a rest or a cap
   * put off is looked at again once an operator changes that.
   */
  static readonly layerAccounts = Layer.effect(
    AccountReactions,
    Effect.gen(function* () {
      const others = yield* AccountReactions
      const { wake } = yield* OutboxStore
      return [...others, { changing: () => Effect.void, changed: wake }]
    })
  )
}

/** How often claims are looked for that others lost, while there are none (milliseconds of real time, as leases are). */
const recoverEveryMs = second

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
  /** How many wait for everything to end; while there is anyone, nothing begins. */
  let drains = 0
  const scope = yield* Effect.scope
  /** What waits for each round, and for each claim, that is under way. */
  const running = new Set<Effect.Effect<unknown>>()
  const backlog = yield* Backlog.make

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

  const optOuts = yield* OptOuts
  const heedOptOut = Effect.fnUntraced(function* ({ contact, workspace }: Message) {
    if (contact === null) return
    const owner = Option.getOrNull(yield* workspaces.get(workspace))
    if (owner === null || owner.optOutScope === "address") return
    const channel: Actor = { type: "channel", id: null }
    // Nobody is there once they were erased or removed.
    yield* Effect.catchTag(optOuts.optOut(owner.id, contact, channel), "ContactNotFound", () => Effect.void)
  })

  const claimWork = yield* ClaimWork.make({
    store,
    transaction,
    channels,
    reactions: parties.reactions,
    tellAccounts,
    accountReactions: yield* AccountReactions,
    heedOptOut,
    sending,
    places: yield* Places.make(config.sendConcurrency),
    backlog,
    makeIds,
    present,
    hasJumped,
    isDraining: () => drains > 0,
    // A rehearsal is over before a platform in trouble could say more.
    asksAgain: !time.isVirtual,
    leaseMs: config.leaseMs
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
        Effect.tapCause(work, (cause) =>
          Cause.hasInterruptsOnly(cause)
            ? Effect.void
            : Effect.logError("a claim could not be finished and will be recovered", cause)
        ),
        scope
      )
      const end = Fiber.await(fiber)
      running.add(end)
      fiber.addObserver(() => running.delete(end))
      return fiber
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
    return yield* launch(
      claimWork.resolveAll(Held.make({ id: recovered.id, messages: recovered.sending }, from, config.leaseMs))
    )
  })

  /** Messages that were queued by themselves, and later parts of touches. */
  const queue: ClaimSource = {
    name: "queue",
    claim: (now, limit, lease) =>
      transaction.within(
        Effect.gen(function* () {
          const decide = decideQueued(now, channels.all, yield* makeIds)
          const found = yield* store.claimQueued({ now, limit, lease, decide, addressHash })
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
      ),
    nextDue: store.nextQueued,
    idle: () => Effect.succeed(false)
  }

  const all = [...parties.sources, queue]
  const sources = time.isVirtual ? all : all.map(SteadySource.make)
  const recovering = time.isVirtual ? recover : SteadySource.steadily("recovery")(recover, null)

  let recoverAt = -Infinity

  /**
   * Recovers, claims from the sources whose time has come, and sets the deliveries going. Most rounds of a process find
   * nothing due, so that is asked before anything is locked.
   */
  const round = Effect.suspend(() => {
    const over = Deferred.makeUnsafe<void>()
    const end = Deferred.await(over)
    running.add(end)
    return Effect.ensuring(
      claiming,
      Effect.suspend(() => {
        running.delete(end)
        return Deferred.succeed(over, undefined)
      })
    )
  })

  const claiming = Effect.gen(function* () {
    yield* ensureMaySend
    const launched: Array<Fiber.Fiber<void, StorageError>> = []
    let allowed: boolean | null = null
    const mayClaim = Effect.suspend(() =>
      drains > 0 || allowed === false
        ? Effect.succeed(false)
        : allowed === true
          ? Effect.succeed(true)
          : Effect.map(workspaces.stopped, (stopped) => (allowed = !stopped))
    )
    let worked = false
    const at = yield* Clearance.monotonicMs
    if (at >= recoverAt && (yield* mayClaim)) {
      const recovery = yield* recovering
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
      launched.push(yield* launch(claimWork.deliver(Held.make(found.claim, from, config.leaseMs))))
    }
    return { worked, nextDue: worked ? null : nextDue, launched }
  })

  const tick = Effect.gen(function* () {
    yield* Ref.set(claimWork.settledCount, { sent: 0, settled: 0 })
    const { launched, nextDue, worked } = yield* round
    yield* Effect.forEach(launched, Fiber.join, { discard: true })
    return { worked, nextDue, ...(yield* Ref.get(claimWork.settledCount)) }
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
      drains += 1
      const ended = Effect.suspend(() => Effect.all([...running], { concurrency: "unbounded", discard: true }))
      return Effect.ensuring(
        Effect.repeat(ended, { until: () => running.size === 0 }),
        Effect.sync(() => {
          drains -= 1
        })
      )
    })
  })
})
