/** How many claimed messages of a process have not begun yet: who claims more waits until they are few. */
import { Deferred, Effect } from "effect"

export interface Backlog {
  change(by: number): Effect.Effect<void>
  /** Waits until fewer than `count` are left. */
  below(count: number): Effect.Effect<void>
}

export const make: Effect.Effect<Backlog> = Effect.sync(() => {
  let size = 0
  let waiting: Array<{ readonly count: number; readonly done: Deferred.Deferred<void> }> = []
  return {
    change: (by) =>
      Effect.suspend(() => {
        size += by
        const ready = waiting.filter(({ count }) => size < count)
        waiting = waiting.filter(({ count }) => size >= count)
        return Effect.forEach(ready, ({ done }) => Deferred.succeed(done, undefined), { discard: true })
      }),
    below: (count) =>
      Effect.suspend(() => {
        if (size < count) return Effect.void
        const done = Deferred.makeUnsafe<void>()
        waiting.push({ count, done })
        return Deferred.await(done)
      })
  }
})
