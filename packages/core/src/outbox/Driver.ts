/**
 * Runs the outbox in one process: claims while anything is due, and sleeps until the next due instant. What polled channels
 * have to tell is fetched beside it, and so the chores of other areas are done. Storage that is away and a clock that is wrong are
 * waited for, and said once.
 */
import { Clock, Context, Effect, Latch, Layer, Schedule } from "effect"
import { type Chore, Chores } from "../workspace/Chore.ts"
import { earliest, type Instant, second } from "../workspace/Instant.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { NotClear, RestoreDetected } from "./Clearance.ts"
import { Outbox, type Round } from "./Outbox.ts"
import { type Lane, Poller } from "./Poller.ts"

/** How long a process sleeps at most, as others may have made something due (milliseconds). */
const longestSleepMs = second
/** How long it waits for what is due and may not be claimed: another has it, or everything is stopped (milliseconds). */
const heldMs = 50

export class Driver extends Context.Service<
  Driver,
  {
    /** One round: polls, claims, sends. On a virtual clock it waits for all of it to be settled. */
    readonly step: Effect.Effect<Round, NotClear>
    /** Steps until `isDone`, asked whenever nothing is due, answers true. On a virtual clock also when nothing is to come. */
    runUntil<E>(isDone: Effect.Effect<boolean, E>): Effect.Effect<void, RestoreDetected | E>
    /** Steps for ever. */
    readonly run: Effect.Effect<never, RestoreDetected>
  }
>()("@overture/core/Driver") {
  static readonly layer = Layer.effect(
    Driver,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const outbox = yield* Outbox
  const poller = yield* Poller
  const time = yield* PacingTime
  const chores = yield* Chores

  /** Asks all channels, one after the other. */
  const pollAll = Effect.map(
    Effect.forEach(poller.lanes, ({ round }) => round),
    (lanes) => ({
      worked: lanes.some(({ worked }) => worked),
      next: lanes.reduce<Instant | null>((next, lane) => earliest(next, lane.next), null)
    })
  )

  const step = Effect.gen(function* () {
    // What is told is kept with the time at which it was heard.
    yield* outbox.ensureMaySend
    const before = yield* pollAll
    const round = yield* time.isVirtual ? outbox.tick : outbox.pump
    if (!round.worked && !before.worked) return { worked: false, nextDue: earliest(round.nextDue, before.next) }
    if (time.isVirtual) yield* Effect.forEach(poller.lanes, ({ hurry }) => hurry, { discard: true })
    return { worked: true, nextDue: null }
  })

  /** The trouble that was said last: it is met by trying again. */
  let said = ""
  /** A rehearsal goes step by step; else channels are polled beside the sending, so that none holds up a message. */
  const patiently = (time.isVirtual ? step : outbox.pump).pipe(
    Effect.tap(() =>
      Effect.suspend(() => {
        if (said === "") return Effect.void
        said = ""
        return Effect.logInfo("going on")
      })
    ),
    Effect.tapError((error) =>
      Effect.suspend(() => {
        if (said === error._tag || error._tag === "RestoreDetected") return Effect.void
        said = error._tag
        return Effect.logWarning(error.message)
      })
    ),
    Effect.retry({
      while: (error) => error._tag !== "RestoreDetected",
      schedule: Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("2 seconds")])
    })
  ) as Effect.Effect<Round, RestoreDetected>

  const sleep = (nextDue: Instant | null) =>
    Effect.flatMap(time.now, (now) =>
      nextDue !== null && nextDue <= now
        ? Effect.sleep(heldMs)
        : time.waitUntil(nextDue ?? Number.MAX_SAFE_INTEGER, longestSleepMs)
    ).pipe(Effect.retry({ schedule: Schedule.spaced("1 second") }), Effect.orDie)

  /** What breaks is begun again, so that no row ends a worker. A rehearsal ends there, as it would stand still. */
  const turn = time.isVirtual
    ? patiently
    : Effect.catchDefect(patiently, (defect) =>
        Effect.andThen(Effect.logError("a round broke", defect), Effect.sleep(second)).pipe(
          Effect.as<Round>({ worked: false, nextDue: null })
        )
      )

  /** Does something for ever; storage that is away is waited for, and what breaks is begun again. */
  const keepDoing = <E>(name: string, work: Effect.Effect<void, E>): Effect.Effect<never> =>
    work.pipe(
      Effect.catch(() => Effect.sleep(second)),
      Effect.catchDefect((defect) => Effect.andThen(Effect.logError(`${name} broke`, defect), Effect.sleep(second))),
      Effect.forever
    )

  const keepUp = (chore: Chore): Effect.Effect<never> =>
    keepDoing(
      chore.name,
      Effect.gen(function* () {
        const { nextDue, worked } = yield* chore.round(yield* Clock.currentTimeMillis)
        if (worked) return yield* Effect.yieldNow
        const now = yield* Clock.currentTimeMillis
        yield* Effect.sleep(Math.max(1, Math.min((nextDue ?? Infinity) - now, longestSleepMs)))
      })
    )

  /** Open once every channel was asked: whoever ends when nothing is left to do has heard before what there was to hear. */
  const asked = Latch.makeUnsafe(time.isVirtual || poller.lanes.length === 0)
  const unasked = new Set(poller.lanes)

  const keepPolling = (lane: Lane): Effect.Effect<never> =>
    keepDoing(
      `polling ${lane.channel}`,
      Effect.gen(function* () {
        yield* outbox.ensureMaySend
        const { next, worked } = yield* lane.round
        unasked.delete(lane)
        if (unasked.size === 0) yield* asked.open
        yield* worked ? Effect.yieldNow : sleep(next)
      })
    )

  const beside = [...chores.map(keepUp), ...(time.isVirtual ? [] : poller.lanes.map(keepPolling))]

  /** `work` with everything beside it, which ends with it. */
  const withChores = <A, E>(work: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.scoped(
      Effect.andThen(
        Effect.forEach(beside, (one) => Effect.forkScoped(one), { discard: true }),
        work
      )
    )

  const runUntil = <E>(isDone: Effect.Effect<boolean, E>): Effect.Effect<void, RestoreDetected | E> =>
    Effect.gen(function* () {
      while (true) {
        const { nextDue, worked } = yield* turn
        if (worked) {
          yield* Effect.yieldNow
          continue
        }
        yield* asked.await
        if (yield* isDone) return
        if (time.isVirtual && nextDue === null) return
        yield* sleep(nextDue)
      }
    })

  return Driver.of({
    step,
    // Not interruptible: whoever is stopped still settles what it is sending.
    runUntil: (isDone) => withChores(Effect.ensuring(runUntil(isDone), outbox.drain)),
    run: withChores(Effect.ensuring(Effect.forever(runUntil(Effect.succeed(false))), outbox.drain))
  })
})
