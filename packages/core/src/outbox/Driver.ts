/**
 * Runs the outbox in one process: claims while anything is due, fetches what polled channels have to tell, and sleeps
 * until the next due instant. The chores of other areas run beside it. Storage that is away and a clock that is wrong are
 * waited for, and said once.
 */
import { Clock, Context, Effect, Layer, Schedule } from "effect"
import { AccountStore } from "../account/AccountStore.ts"
import type { Account } from "../account/Account.ts"
import { Senders } from "../account/Senders.ts"
import { Channels } from "../channel/Channel.ts"
import { concealed } from "../channel/Concealment.ts"
import { Inbox } from "../chat/Inbox.ts"
import { type Chore, Chores } from "../workspace/Chore.ts"
import type { AccountId } from "../workspace/Id.ts"
import { earliest, type Instant, second } from "../workspace/Instant.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import { Transaction } from "../workspace/Transaction.ts"
import type { NotClear, RestoreDetected } from "./Clearance.ts"
import { Outbox, type Round } from "./Outbox.ts"

/** How long a process sleeps at most, as others may have made something due (milliseconds). */
const longestSleepMs = second
/** How often a polled channel is asked that does not say when it has something (milliseconds). */
const pollEveryMs = 2 * second

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
  const inbox = yield* Inbox
  const accounts = yield* AccountStore
  const senders = yield* Senders
  const channels = yield* Channels
  const transaction = yield* Transaction
  const time = yield* PacingTime
  const chores = yield* Chores
  const polled = [...channels.all.values()].filter(({ capabilities }) => capabilities.polling).map(({ name }) => name)
  /** When each account is to be asked again, and when any is. */
  const askAt = new Map<AccountId, Instant>()
  let nextAsk: Instant | null = null
  /** When the accounts are gone through again: others may have connected one. */
  let goThroughAt = -Infinity

  /** Accounts whose secrets cannot be opened here, and why: said once. */
  const unopened = new Map<AccountId, string>()
  const senderOf = (account: Account) =>
    Effect.catchTag(senders.of(account), "VaultError", ({ message }) => {
      if (unopened.get(account.id) === message) return Effect.succeed(null)
      unopened.set(account.id, message)
      return Effect.as(Effect.logWarning(`${account.id} is not polled: ${message}`), null)
    })

  const pollAll = Effect.gen(function* () {
    if (polled.length === 0) return { worked: false, next: null }
    const now = yield* time.now
    if (now < goThroughAt) return { worked: false, next: nextAsk }
    let worked = false
    let next: Instant | null = null
    let latest = time.isVirtual ? Infinity : now + pollEveryMs
    for (const { account, cursor } of yield* accounts.polled(polled)) {
      const channel = channels.all.get(account.channel)
      if (channel === undefined) continue
      if (!time.isVirtual && (askAt.get(account.id) ?? 0) > now) {
        next = earliest(next, askAt.get(account.id) ?? null)
        continue
      }
      const sender = yield* senderOf(account)
      const told = sender === null ? { events: [], cursor, nextAt: null } : yield* channel.poll(sender, cursor, now)
      if (told.events.length > 0 || told.cursor !== cursor) {
        const events = sender === null ? [] : told.events.map((event) => concealed(sender, event))
        yield* transaction.within(
          Effect.andThen(inbox.receive(account, events), accounts.setPollCursor(account.id, told.cursor))
        )
      }
      worked ||= told.events.length > 0
      // Without an instant it is asked as usual; on a virtual clock that is whenever the clock moves.
      if (told.nextAt === null && time.isVirtual) latest = now + 1
      const again = told.nextAt ?? (time.isVirtual ? null : now + pollEveryMs)
      if (again === null) continue
      askAt.set(account.id, time.isVirtual ? again : Math.min(again, now + pollEveryMs))
      next = earliest(next, again)
    }
    nextAsk = next
    goThroughAt = Math.min(next ?? latest, latest)
    return { worked, next }
  })

  const step = Effect.gen(function* () {
    // What is told is kept with the time at which it was heard.
    yield* outbox.ensureMaySend
    const before = yield* pollAll
    const round = yield* time.isVirtual ? outbox.tick : outbox.pump
    if (!round.worked && !before.worked) return { worked: false, nextDue: earliest(round.nextDue, before.next) }
    // What was sent may be answered before the instant that a channel named.
    if (time.isVirtual) goThroughAt = -Infinity
    return { worked: true, nextDue: null }
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
  ) as Effect.Effect<Round, RestoreDetected>

  const sleep = (nextDue: Instant | null) =>
    time
      .waitUntil(nextDue ?? Number.MAX_SAFE_INTEGER, longestSleepMs)
      .pipe(Effect.retry({ schedule: Schedule.spaced("1 second") }), Effect.orDie)

  /** Does one chore for ever; storage that is away is waited for, and a chore that breaks is begun again. */
  const keepDoing = (chore: Chore): Effect.Effect<never> =>
    Effect.gen(function* () {
      const { nextDue, worked } = yield* chore.round(yield* Clock.currentTimeMillis)
      if (worked) return yield* Effect.yieldNow
      const now = yield* Clock.currentTimeMillis
      yield* Effect.sleep(Math.max(1, Math.min((nextDue ?? Infinity) - now, longestSleepMs)))
    }).pipe(
      Effect.catch(() => Effect.sleep(second)),
      Effect.catchDefect((defect) =>
        Effect.andThen(Effect.logError(`${chore.name} broke`, defect), Effect.sleep(second))
      ),
      Effect.forever
    )

  /** `work` with all chores beside it, which end with it. */
  const withChores = <A, E>(work: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.scoped(
      Effect.andThen(
        Effect.forEach(chores, (chore) => Effect.forkScoped(keepDoing(chore)), { discard: true }),
        work
      )
    )

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
    runUntil: (isDone) => withChores(Effect.ensuring(runUntil(isDone), outbox.drain)),
    run: withChores(Effect.ensuring(Effect.forever(runUntil(Effect.succeed(false))), outbox.drain))
  })
})
