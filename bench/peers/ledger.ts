/**
 * The engine's own work as the handler of a job queue: claim with its gates, begin, send, settle, by the same statements
 * for as many leads as the queue hands out at a time. What a queue saves is the engine's loop, which here only tells what
 * is due; so a job takes the lead whose turn it is, not one that was named when it was queued.
 */
import { Outbox } from "@overture/core/outbox/Outbox"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { Effect, Layer } from "effect"
import * as Engine from "../engine.ts"
import type { Task } from "../Run.ts"
import * as Seed from "../Seed.ts"

/** Handlers for at most `most` leads at a time, of which `atATime` run side by side. */
export const open = (task: Task, most: number, atATime: number) => {
  let now = Seed.from
  const time = Layer.succeed(
    PacingTime,
    PacingTime.of({ now: Effect.sync(() => now), waitUntil: () => Effect.void, isVirtual: false })
  )
  const { runtime, sent } = Engine.make(task, time, { claimSize: most, sendConcurrency: most * atATime })
  let running = 0
  const step = Effect.gen(function* () {
    // As many as there are leads to send may be tried at a time: a queue has no job for more.
    if (sent() + running >= task.leads) return yield* Effect.sleep(1)
    running += 1
    const { tick } = yield* Outbox
    const { nextDue, worked } = yield* Effect.ensuring(
      tick,
      Effect.sync(() => (running -= 1))
    )
    if (!worked && nextDue !== null) now = Math.max(now, Math.min(nextDue, Seed.until))
  })
  let asked = 0
  return {
    /** Sends for so many jobs. */
    work: (jobs: number) =>
      runtime.runPromise(
        Effect.suspend(() => {
          const until = Math.min((asked += jobs), task.leads)
          return Effect.repeat(step, { until: () => sent() >= until })
        })
      ),
    close: () => runtime.dispose()
  }
}
