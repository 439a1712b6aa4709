/**
 * Runs the outbox in one process: claims while anything is due, fetches what polled channels have to tell, and sleeps
 * until the next due instant. Storage that is away and a clock that is wrong are waited for, and said once.
 */
import { Context, Effect, Layer, Schedule } from "effect"
import { AccountStore } from "../account/AccountStore.ts"
import * as Account from "../account/Account.ts"
import { Channels } from "../channel/Channel.ts"
import { Inbox } from "../chat/Inbox.ts"
import type { AccountId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { second } from "../workspace/Instant.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import type { ClockSkewed, RestoreDetected } from "./Clearance.ts"
import { Outbox } from "./Outbox.ts"

export interface Step {
  /** Whether anything was done: then there may be more to do at once. */
  readonly worked: boolean
  /** The next instant at which something is due; null when nothing is to come. */
  readonly nextDue: Instant | null
}

/** How long a process sleeps at most, as others may have made something due (milliseconds). */
const longestSleepMs = second
/** How often a polled channel is asked that does not say when it has something (milliseconds). */
const pollEveryMs = 2 * second

export class Driver extends Context.Service<
  Driver,
  {
    /** One round: polls, claims, sends. On a virtual clock it waits for all of it to be settled. */
    readonly step: Effect.Effect<Step, StorageError | ClockSkewed | RestoreDetected>
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
  const inbox = yield* Inbox
  const accounts = yield* AccountStore
  const channels = yield* Channels
  const transaction = yield* Transaction
  const time = yield* PacingTime
  const polled = [...channels.all.values()].filter(({ capabilities }) => capabilities.polling).map(({ name }) => name)
  /** When each account is to be asked again. */
  const askAt = new Map<AccountId, Instant>()

  const pollAll = Effect.gen(function* () {
    if (polled.length === 0) return { worked: false, next: null }
    const now = yield* time.now
    let worked = false
    let next: Instant | null = null
    for (const { account, cursor } of yield* accounts.polled(polled)) {
      const channel = channels.all.get(account.channel)
      if (channel === undefined) continue
      if (!time.isVirtual && (askAt.get(account.id) ?? 0) > now) {
        next = Math.min(next ?? Infinity, askAt.get(account.id) ?? Infinity)
        continue
      }
      const told = yield* channel.poll(Account.sender(account, null), cursor, now)
      if (told.events.length > 0 || told.cursor !== cursor) {
        yield* transaction.within(
          Effect.andThen(inbox.receive(account, told.events), accounts.setPollCursor(account.id, told.cursor))
        )
      }
      worked ||= told.events.length > 0
      const again = told.nextAt ?? (time.isVirtual ? null : now + pollEveryMs)
      if (again === null) continue
      askAt.set(account.id, time.isVirtual ? again : Math.min(again, now + pollEveryMs))
      next = Math.min(next ?? Infinity, again)
    }
    return { worked, next }
  })

  const step = Effect.gen(function* () {
    // What is told is kept with the time at which it was heard.
    yield* outbox.ensureMaySend
    const before = yield* pollAll
    const worked = time.isVirtual ? (yield* outbox.tick).worked : yield* outbox.pump
    if (worked || before.worked) return { worked: true, nextDue: null }
    const due = yield* outbox.nextDue
    const { next } = before
    return { worked: false, nextDue: due === null ? next : next === null ? due : Math.min(due, next) }
  })

  let said = ""
  /** Says a trouble once, and waits: it is met by trying again. */
  const patiently = step.pipe(
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
  ) as Effect.Effect<Step, RestoreDetected>

  const sleep = (nextDue: Instant | null) =>
    time
      .waitUntil(nextDue ?? Number.MAX_SAFE_INTEGER, longestSleepMs)
      .pipe(Effect.retry({ schedule: Schedule.spaced("1 second") }), Effect.orDie)

  const runUntil = <E>(isDone: Effect.Effect<boolean, E>): Effect.Effect<void, RestoreDetected | E> =>
    Effect.gen(function* () {
      while (true) {
        const { nextDue, worked } = yield* patiently
        if (worked) {
          yield* Effect.yieldNow
          continue
        }
        if (yield* isDone) return
        if (time.isVirtual && nextDue === null) return
        yield* sleep(nextDue)
      }
    })

  return Driver.of({
    step,
    // Not interruptible: whoever is stopped still settles what it is sending.
    runUntil: (isDone) => Effect.ensuring(runUntil(isDone), outbox.drain),
    run: Effect.ensuring(Effect.forever(runUntil(Effect.succeed(false))), outbox.drain)
  })
})
