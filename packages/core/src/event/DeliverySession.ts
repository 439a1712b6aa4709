/**
 * The time in which a process delivers to one endpoint: it reads the feed ahead, sends as many requests at a time as the
 * endpoint takes, and writes what came of them every quarter of a second, with the cursor. What a killed process did not
 * write is delivered again by the next; one that ends in good order leaves nothing to be repeated.
 */
import { Clock, Effect, Exit, Queue, Random, Result, Schedule } from "effect"
import type { IdGenerator } from "../workspace/Id.ts"
import { type Instant, minute, second } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Vault } from "../workspace/Vault.ts"
import { keyOf } from "./Delivery.ts"
import { DeliveryLanes, type Errand, FeedReading } from "./DeliveryLanes.ts"
import { type Attempted, DeliveryTally } from "./DeliveryTally.ts"
import { stamped, system } from "./DomainEvent.ts"
import type { Telling } from "./EventDetail.ts"
import { typesOf } from "./EventPattern.ts"
import type { EventStore, FeedEvent, Scanned } from "./EventStore.ts"
import { trusting } from "./WebhookEndpoint.ts"
import type { WebhookFormat } from "./WebhookFormat.ts"
import * as WebhookSecrets from "./WebhookSecrets.ts"
import type { Answer } from "./WebhookAnswer.ts"
import type { ClaimedEndpoint, Replay, WebhookStore } from "./WebhookStore.ts"
import type { WebhookTransport } from "./WebhookTransport.ts"

/** What a session works with. */
export interface Means {
  readonly store: WebhookStore["Service"]
  readonly feed: EventStore["Service"]
  readonly transport: WebhookTransport["Service"]
  readonly vault: Vault["Service"]
  readonly format: WebhookFormat
  readonly told: Telling
  readonly ids: IdGenerator
  /** The clock of events. */
  readonly pacing: Effect.Effect<Instant, StorageError>
}

/** How long an endpoint is held without a sign of life (milliseconds). */
export const leaseMs = minute
/** Requests begin only in the first part of a lease; the rest is for what is under way. */
const beginMs = 0.6 * leaseMs
/** The longest that a session lasts while others may wait for their turn. */
const sliceMs = 30 * second
/** How often results are written, and an end of the feed is looked behind. */
const everyMs = 250
/** How often deliveries that succeeded are written, which only people look at. */
const showEveryMs = second
/** Attempts after which results are written at once. */
const mostUnwritten = 1_000
/** How many events are read ahead for each request at a time; below half of them more are read. */
const aheadEach = 32
/** How many are read at a time where only some are wanted. */
const aheadOfSome = 2_048
/** How far the first delivery that is not done may hold back the cursor. */
const mostOpen = 5_000
/** How long an endpoint rests whose secrets cannot be opened here. */
const lockedMs = minute

/** Delivers until there is nothing more to tell, the endpoint fails, or its turn is over. */
export const run = Effect.fnUntraced(function* (means: Means, claimed: ClaimedEndpoint) {
  const { feed, format, ids, store, told, transport } = means
  const { lease, state } = claimed
  const { endpoint } = state
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  const now = () => clock.currentTimeMillisUnsafe()
  const mono = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  const began = mono()

  const lanes = new DeliveryLanes()
  const tally = new DeliveryTally(endpoint, ids, lanes, () => random.nextDoubleUnsafe())
  const types = typesOf(endpoint.events)
  const ahead = aheadEach * endpoint.concurrency
  let live = new FeedReading(state.cursor)
  let replay: { readonly range: Replay; readonly reading: FeedReading } | null =
    state.replay === null ? null : { range: state.replay, reading: new FeedReading(state.replay.after) }
  let cursorBefore = state.cursor
  let hasWaiting = claimed.hasWaiting
  /** With what gives each up. */
  const underWay = new Map<Errand, () => void>()
  let left: ReadonlyArray<Errand> = []
  let isEnding = false
  let isTold = false
  let isExhausted = false
  let heldAt = began
  let writtenAt = began
  let shownAt = began
  let readAt = -Infinity

  const answers = yield* Queue.unbounded<Attempted>()
  const signal = yield* Queue.dropping<void>(1)
  const call = () => void Queue.offerUnsafe(signal, undefined)

  const disabledEvent = (reason: string, at: Instant) =>
    stamped(ids, at, {
      workspace: endpoint.workspace,
      type: "webhook.disabled",
      subject: endpoint.id,
      actor: system,
      data: { reason }
    })

  /** Writes what is known; false = the endpoint is held no more. */
  const write = Effect.fnUntraced(function* (holdMs: number | null) {
    const pacing = yield* means.pacing
    const at = mono()
    const isShowing = holdMs === null || at - shownAt >= showEveryMs
    const batch = tally.take(isShowing)
    const { disabled, health } = tally
    const cursor = live.done
    const { blocked, ...written } = batch
    hasWaiting ||= blocked.size > 0
    const result = yield* store
      .settle(lease, now(), {
        ...written,
        cursor,
        cursorBefore,
        replay: replay === null ? null : { ...replay.range, after: replay.reading.done },
        health,
        disabled,
        events: disabled === null || isTold ? [] : [disabledEvent(disabled.reason, pacing)],
        holdMs
      })
      .pipe(Effect.onError(() => Effect.sync(() => tally.giveBack(batch))))
    isTold = disabled !== null
    cursorBefore = cursor
    heldAt = at
    writtenAt = at
    if (isShowing) shownAt = at
    if (result === "changed") isEnding = true
    return result !== "lost"
  })

  /** Puts events of the feed into their lanes, or behind what waits of their key. */
  const enlist = Effect.fnUntraced(function* (
    reading: FeedReading,
    scanned: Scanned,
    isMeant: (at: Instant) => boolean
  ) {
    const events = scanned.events.filter(({ event }) => isMeant(event.at))
    const tell = yield* told(
      endpoint.workspace,
      events.map(({ event }) => event)
    )
    // Also of keys that have a lane now: it may be empty by the time of the answer, and more of them wait in the store.
    const waiting =
      hasWaiting && events.length > 0
        ? yield* store.waiting(endpoint.id, [...new Set(events.map(({ event }) => keyOf(event)))])
        : new Set<string>()
    const add = ({ event, position }: FeedEvent) => {
      const key = keyOf(event)
      const errand = { event: tell(event), position, key, row: null, ticket: reading.take(position) }
      if (!waiting.has(key) && !tally.isBlocked(key) && lanes.has(key) !== "rows") lanes.add(errand)
      else tally.park(errand, now())
    }
    events.forEach(add)
    reading.readTo(scanned.position)
  })

  /** What is due again. A key has one lane: what is in hand of it comes first. */
  const readDue = Effect.gen(function* () {
    const taken = new Set<string>()
    const dues = yield* store.due(endpoint.id, now(), ahead)
    const tell = yield* told(
      endpoint.workspace,
      dues.flatMap(({ event }) => event ?? [])
    )
    for (const due of dues) {
      if (!taken.has(due.key) && (lanes.has(due.key) !== "none" || tally.isTouched(due.key))) continue
      if (due.event === null) {
        tally.lose(due, now())
        continue
      }
      taken.add(due.key)
      const { event, key, position } = due
      lanes.add({ event: tell(event), key, position, row: { delivery: due.delivery, key, position }, ticket: null })
    }
    return taken.size
  })

  const readFeed = Effect.gen(function* () {
    const limit = types === null ? ahead : aheadOfSome
    const scan = (reading: FeedReading, until: Replay["until"] | null) =>
      feed.scan(endpoint.workspace, { after: reading.read, until, types, limit })
    const news = yield* scan(live, null).pipe(
      // It waited longer than the feed is kept: it goes on with what is left.
      Effect.catchTag("CursorExpired", () => scan((live = new FeedReading(null)), null)),
      Effect.catchTag("CursorExpired", Effect.die)
    )
    yield* enlist(live, news, () => true)
    if (replay === null || news.looked > 0) return news.looked
    const { range, reading } = replay
    const found = yield* scan(reading, range.until).pipe(Effect.catchTag("CursorExpired", () => Effect.succeed(null)))
    if (found === null || found.looked === 0) {
      if (reading.size === 0) replay = null
      return 0
    }
    yield* enlist(reading, found, (at) => at >= range.since && at < range.before)
    return found.looked
  })

  const read = Effect.gen(function* () {
    const found = (hasWaiting ? yield* readDue : 0) + (yield* readFeed)
    readAt = mono()
    isExhausted = found === 0
  })

  const mayBegin = () => !isEnding && mono() - heldAt < beginMs
  const wantsMore = () => !isEnding && !isExhausted && lanes.size < ahead / 2 && live.size < mostOpen

  const opened = yield* Effect.exit(WebhookSecrets.open(means.vault, state))
  if (Exit.isFailure(opened)) {
    yield* Effect.logError(`the secrets of ${endpoint.id} cannot be opened`, opened.cause)
    tally.health = { ...tally.health, pausedUntil: now() + lockedMs }
    return yield* Effect.asVoid(write(null))
  }
  const requestOf = WebhookSecrets.requests(opened.value, endpoint, format, transport.hmac)

  /** Starts as many requests as may be under way. */
  const begin = Effect.suspend(() => {
    const places = !mayBegin() ? 0 : tally.health.failures < trusting ? endpoint.concurrency : 1
    const defects: Array<unknown> = []
    while (underWay.size < places) {
      const errand = lanes.next()
      if (errand === undefined) break
      const began = now()
      const answered = (answer: Answer) => void Queue.offerUnsafe(answers, { errand, answer, began, at: now() })
      const posted = Result.try(() => transport.post(requestOf(errand.event, began), answered))
      underWay.set(errand, Result.isSuccess(posted) ? posted.success : () => {})
      if (Result.isSuccess(posted)) continue
      defects.push(posted.failure)
      answered({ status: null, problem: "the delivery could not be written" })
    }
    return Effect.forEach(defects, (defect) => Effect.logError(`a delivery to ${endpoint.id} broke`, defect), {
      discard: true
    })
  })

  const take = (attempted: Attempted) => {
    underWay.delete(attempted.errand)
    tally.record(attempted)
    if (tally.disabled !== null || (tally.health.pausedUntil ?? 0) > now()) isEnding = true
  }

  /** Takes answers as they come, those of one moment together, and begins what may follow. */
  const proceed = Effect.gen(function* () {
    for (;;) {
      for (const attempted of yield* Queue.takeAll(answers)) take(attempted)
      yield* begin
      if (isEnding || underWay.size === 0 || wantsMore() || tally.attempts >= mostUnwritten) call()
    }
  })

  /** Reads, writes and rests in turn until the end; false = the endpoint was lost. */
  const attend = Effect.gen(function* () {
    for (;;) {
      if (mono() - began >= sliceMs || mono() - heldAt >= beginMs) isEnding = true
      if (isEnding) left = [...left, ...lanes.clear()]
      if (isEnding && underWay.size === 0) return true
      if (mono() - writtenAt >= everyMs || tally.attempts >= mostUnwritten) {
        const isHeld = yield* write(leaseMs).pipe(
          Effect.catch((error) =>
            mono() - heldAt < leaseMs ? Effect.as(Effect.sleep(everyMs), true) : Effect.fail(error)
          )
        )
        if (!isHeld) return false
      }
      if (mono() - readAt >= everyMs) isExhausted = false
      if (wantsMore()) yield* read
      if (isExhausted && lanes.size === 0 && underWay.size === 0) return true
      yield* begin
      yield* wantsMore() ? Effect.yieldNow : Effect.timeoutOption(Queue.take(signal), everyMs)
    }
  })

  const end = Effect.gen(function* () {
    for (const attempted of yield* Queue.clear(answers)) take(attempted)
    // What was passed by goes into rows, or the cursor would lead the next session to what is done already.
    const holes = new Set([...live.holes, ...(replay?.reading.holes ?? [])])
    for (const errand of [...underWay.keys(), ...left, ...lanes.clear()]) {
      if (errand.ticket !== null && holes.has(errand.ticket)) tally.park(errand, now())
    }
    underWay.clear()
    left = []
    yield* Effect.retry(write(null), { schedule: Schedule.spaced("500 millis"), times: 5 })
  })

  yield* Effect.raceFirst(attend, proceed).pipe(
    Effect.ensuring(Effect.sync(() => underWay.forEach((giveUp) => giveUp()))),
    Effect.flatMap((isHeld) => (isHeld ? end : Effect.void)),
    // Whoever is stopped still writes what it knows; what was under way is delivered again.
    Effect.onInterrupt(() => Effect.ignore(Effect.timeoutOption(end, 5 * second)))
  )
})
