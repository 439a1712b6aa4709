/**
 * The sandbox as a platform that pushes: it posts what is due to an ingress, signed, and again until it is taken. What was
 * taken is remembered by this process only: another one tells it once more.
 */
import type { ChannelEvent } from "@overture/core/channel/ChannelEvent"
import { earliest, type Instant } from "@overture/core/workspace/Instant"
import { Clock, Effect, type Redacted, Schema } from "effect"
import type { Memory } from "./Memory.ts"
import * as Signature from "./Signature.ts"
import * as Wire from "./Wire.ts"

/** Where the sandbox pushes to. */
export interface PushTarget {
  readonly url: string
  /** What it signs with. */
  readonly secret: Redacted.Redacted<string>
}

export interface Pushed {
  /** How many events that was. */
  readonly taken: number
  /** When the next one is due that is known to come. */
  readonly nextAt: Instant | null
}

/** The ingress did not take the events of an account: its status, or why it could not be asked. */
export class SandboxPushError extends Schema.TaggedError<SandboxPushError>()("SandboxPushError", {
  account: Schema.String,
  why: Schema.Union([Schema.Int, Schema.String])
}) {
  override get message(): string {
    return `the ingress did not take events of ${this.account}: ${this.why}`
  }
}

/** The most events of one request. */
const batch = 500
/** How long an ingress may take to answer, in milliseconds. */
const patience = 10_000

const post = Effect.fnUntraced(function* (
  { secret, url }: PushTarget,
  account: string,
  events: ReadonlyArray<ChannelEvent>
) {
  const body = Wire.encode({ account, events })
  const at = yield* Clock.currentTimeMillis
  const { ok, status } = yield* Effect.tryPromise({
    try: async (signal) => {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...Signature.sign(secret, at, body) },
        body,
        redirect: "error",
        signal: AbortSignal.any([signal, AbortSignal.timeout(patience)])
      })
      await response.body?.cancel()
      return response
    },
    catch: (error) => new SandboxPushError({ account, why: error instanceof Error ? error.message : String(error) })
  })
  if (!ok) return yield* new SandboxPushError({ account, why: status })
})

/** What pushes the events that `memory` expects; `catchUp` has it read what other processes logged. */
export const make = (memory: Memory, catchUp: Effect.Effect<void>, now: Effect.Effect<Instant>) => {
  const taken = new Map<string, string | null>()
  return Effect.fn("Sandbox.push")(function* (target: PushTarget) {
    yield* catchUp
    const at = yield* now
    const pushOne = Effect.fnUntraced(function* (account: string) {
      const { cursor, events, nextAt } = memory.account(account).timeline.next(taken.get(account) ?? null, at)
      for (let i = 0; i < events.length; i += batch) yield* post(target, account, events.slice(i, i + batch))
      taken.set(account, cursor)
      return { taken: events.length, nextAt }
    })
    // What one account's events come to is no matter of the others.
    const [pushed, errors] = yield* Effect.partition(memory.accounts(), pushOne)
    if (errors[0] !== undefined) return yield* errors[0]
    return pushed.reduce<Pushed>(
      (all, one) => ({ taken: all.taken + one.taken, nextAt: earliest(all.nextAt, one.nextAt) }),
      { taken: 0, nextAt: null }
    )
  })
}
