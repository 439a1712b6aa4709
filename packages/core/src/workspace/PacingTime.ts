/**
 * The clock that pacing follows. It is the real one, or a virtual one that jumps to the next due instant, or one that runs
 * `rate` times as fast. Leases, renewals and timeouts never use it.
 */
import { Clock, Context, Effect, Layer } from "effect"
import type { Instant } from "./Instant.ts"
import type { StorageError } from "./StorageError.ts"
import { type PacingClock, WorkspaceStore } from "./WorkspaceStore.ts"

type Anchor = Extract<PacingClock, { readonly type: "rate" }>

/** The anchor from which a clock goes on at `rate`, never back; the same one where it runs at that rate already. */
const anchored = (known: PacingClock, rate: number, real: Instant): Anchor => {
  if (known.type === "rate" && known.rate === rate) return known
  const from =
    known.type === "rate"
      ? known.from + (real - known.realFrom) * known.rate
      : known.type === "virtual"
        ? known.at
        : real
  return { type: "rate", rate, realFrom: real, from: Math.round(from) }
}

export class PacingTime extends Context.Service<
  PacingTime,
  {
    readonly now: Effect.Effect<Instant>
    /** Waits until `at` at most `atMostMs` of real time; a virtual clock jumps there at once. */
    waitUntil(at: Instant, atMostMs: number): Effect.Effect<void, StorageError>
    /** Whether it jumps: then nothing is to be waited for but what is due. */
    readonly isVirtual: boolean
  }
>()("@overture/core/PacingTime") {
  /** The ambient clock. */
  static readonly layer = Layer.succeed(
    PacingTime,
    PacingTime.of({
      now: Clock.currentTimeMillis,
      waitUntil: (at, atMostMs) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.sleep(Math.max(0, Math.min(at - now, atMostMs)))),
      isVirtual: false
    })
  )

  /**
   * Starts at the instant the database remembers, else at `from`, and remembers every jump before anything happens at it:
   * a later run goes on from there.
   */
  static readonly layerVirtual = (from: Instant) =>
    Layer.effect(
      PacingTime,
      Effect.gen(function* () {
        const store = yield* WorkspaceStore
        const known = yield* store.pacingClock
        let at = known.type === "virtual" ? known.at : from
        yield* store.setPacingClock({ type: "virtual", at })
        return PacingTime.of({
          now: Effect.sync(() => at),
          waitUntil: (next) =>
            next <= at
              ? Effect.void
              : Effect.tap(store.setPacingClock({ type: "virtual", at: next }), () =>
                  Effect.sync(() => {
                    at = next
                  })
                ),
          isVirtual: true
        })
      })
    )

  /** Runs `rate` times as fast as the real clock, from an anchor all workers of a database share. */
  static readonly layerRate = (rate: number) =>
    Layer.effect(
      PacingTime,
      Effect.gen(function* () {
        const store = yield* WorkspaceStore
        const real = yield* Clock.currentTimeMillis
        const anchor = anchored(yield* store.agreePacingClock((known) => anchored(known, rate, real)), rate, real)
        const now = Effect.map(Clock.currentTimeMillis, (at) => Math.round(anchor.from + (at - anchor.realFrom) * rate))
        return PacingTime.of({
          now,
          waitUntil: (at, atMostMs) =>
            Effect.flatMap(now, (present) => Effect.sleep(Math.max(0, Math.min((at - present) / rate, atMostMs)))),
          isVirtual: false
        })
      })
    )
}
