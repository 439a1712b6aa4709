/**
 * Fetches what polled channels have to tell. Each channel has a lane of its own, and in a lane each account is asked for
 * itself: one that fails, hangs or tells what cannot be taken is left alone for a while and loses nothing, as its cursor
 * stays where it was. That it fails is logged once, until it answers again.
 */
import { Cause, Context, Effect, Layer, Schema } from "effect"
import type { Account } from "../account/Account.ts"
import { AccountStore } from "../account/AccountStore.ts"
import { Senders } from "../account/Senders.ts"
import { type Channel, Channels } from "../channel/Channel.ts"
import { concealed } from "../channel/Concealment.ts"
import { Inbox } from "../chat/Inbox.ts"
import { apart } from "../workspace/Chore.ts"
import type { AccountId } from "../workspace/Id.ts"
import { earliest, type Instant, minute, second } from "../workspace/Instant.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { VaultError } from "../workspace/Vault.ts"

/** How often an account is asked whose channel does not say when it has something (milliseconds). */
const pollEveryMs = 2 * second
/** How long a channel has to answer (milliseconds of real time). */
const answerMs = 30 * second
/** How long an account is left alone that failed: at first, and at most, doubling in between (milliseconds). */
const restMs = 30 * second
const longestRestMs = 15 * minute
/** Accounts of a channel that are asked at the same time. */
const atOnce = 8

export interface Polled {
  readonly worked: boolean
  /** When somebody is to be asked again, in pacing time; null = whenever the clock has moved. */
  readonly next: Instant | null
}

/** The accounts of one channel. */
export interface Lane {
  readonly channel: Channel["name"]
  /** Asks the accounts that are due. Fails only where the storage may be back soon. */
  readonly round: Effect.Effect<Polled, StorageError>
  /** What was sent may be answered before the instant that the channel named: asks all again. */
  readonly hurry: Effect.Effect<void>
}

export class Poller extends Context.Service<Poller, { readonly lanes: ReadonlyArray<Lane> }>()(
  "@overture/core/Poller"
) {
  static readonly layer = Layer.effect(
    Poller,
    Effect.suspend(() => make)
  )
}

/** Why an account had nothing to tell. */
class Unheard extends Schema.TaggedError<Unheard>()("Unheard", { message: Schema.String }) {}

interface Heard {
  /** How many events it had. */
  readonly told: number
  /** When the channel has more; null where it does not say. */
  readonly nextAt: Instant | null
  readonly isResting: boolean
}

interface Trouble {
  readonly said: string
  readonly restMs: number
}

const make = Effect.gen(function* () {
  const inbox = yield* Inbox
  const accounts = yield* AccountStore
  const senders = yield* Senders
  const time = yield* PacingTime
  const channels = yield* Channels

  const laneOf = (channel: Channel): Lane => {
    /** When each account is to be asked again, and when any is. */
    const askAt = new Map<AccountId, Instant>()
    let nextAsk: Instant | null = null
    /** When the accounts are gone through again: others may have connected one. */
    let goThroughAt = -Infinity
    const troubles = new Map<AccountId, Trouble>()

    /** Asks one account; how many events it had, and when it wants to be asked again. */
    const ask = Effect.fnUntraced(function* (account: Account, cursor: string | null, now: Instant) {
      const sender = yield* senders.of(account)
      const answer = yield* Effect.suspend(() => channel.poll(sender, cursor, now)).pipe(
        // What it threw may hold what it sent.
        Effect.catchDefect(() => Effect.fail(new Unheard({ message: "the channel failed" }))),
        Effect.timeoutOrElse({
          duration: answerMs,
          orElse: () =>
            Effect.fail(new Unheard({ message: `the channel did not answer within ${answerMs / second} s` }))
        })
      )
      const events = answer.events.map((event) => concealed(sender, event))
      // Not in one transaction: hooks judge before anything is locked, and what was taken and is told again changes nothing.
      if (events.length > 0) yield* inbox.receive(account, events)
      if (answer.cursor !== cursor) yield* accounts.setPollCursor(account.id, answer.cursor)
      return { told: answer.events.length, nextAt: answer.nextAt }
    })

    /** Leaves an account alone for a while. */
    const rest = (account: AccountId, cause: Cause.Cause<unknown>, now: Instant) =>
      Effect.suspend(() => {
        const error = Cause.squash(cause)
        const isKnown = error instanceof Unheard || error instanceof VaultError
        const said = isKnown ? error.message : "what it told could not be taken"
        const former = troubles.get(account)
        const ms = former === undefined ? restMs : Math.min(longestRestMs, former.restMs * 2)
        troubles.set(account, { said, restMs: ms })
        const words = `${account} of ${channel.name} is not heard: ${said}`
        return Effect.as(
          former?.said === said ? Effect.void : isKnown ? Effect.logWarning(words) : Effect.logError(words, cause),
          { told: 0, nextAt: time.isVirtual ? null : now + ms, isResting: true }
        )
      })

    const one = (account: Account, cursor: string | null, now: Instant): Effect.Effect<Heard, StorageError> =>
      apart(
        Effect.map(ask(account, cursor, now), (answer) => {
          troubles.delete(account.id)
          return { ...answer, isResting: false }
        }),
        (cause) => rest(account.id, cause, now)
      )

    const isDue = (account: AccountId, now: Instant) => time.isVirtual || (askAt.get(account) ?? 0) <= now

    const round = Effect.gen(function* () {
      const now = yield* time.now
      if (now < goThroughAt) return { worked: false, next: nextAsk }
      let worked = false
      let next: Instant | null = null
      let latest = time.isVirtual ? Infinity : now + pollEveryMs
      const all = yield* accounts.polled([channel.name])
      for (const { account } of all) {
        if (!isDue(account.id, now)) next = earliest(next, askAt.get(account.id) ?? null)
      }
      yield* Effect.forEach(
        all.filter(({ account }) => isDue(account.id, now)),
        ({ account, cursor }) =>
          Effect.map(one(account, cursor, now), ({ isResting, nextAt, told }) => {
            worked ||= told > 0
            // Without an instant it is asked as usual; on a virtual clock that is whenever the clock moves.
            if (nextAt === null && time.isVirtual) latest = now + 1
            const again = nextAt ?? (time.isVirtual ? null : now + pollEveryMs)
            if (again === null) return
            askAt.set(account.id, time.isVirtual || isResting ? again : Math.min(again, now + pollEveryMs))
            next = earliest(next, again)
          }),
        // A rehearsal is the same every time, so its accounts take turns.
        { concurrency: time.isVirtual ? 1 : atOnce, discard: true }
      )
      nextAsk = next
      goThroughAt = Math.min(next ?? latest, latest)
      return { worked, next }
    })

    return {
      channel: channel.name,
      round,
      hurry: Effect.sync(() => {
        goThroughAt = -Infinity
      })
    }
  }

  return Poller.of({
    lanes: [...channels.all.values()].filter(({ capabilities }) => capabilities.polling).map(laneOf)
  })
})
