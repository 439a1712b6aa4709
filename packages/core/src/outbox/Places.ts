/** The send concurrency of a process: so many messages may be `sending` at one time, and a freed place is used at once. */
import { Effect, Semaphore } from "effect"

export interface Places {
  /** Waits until one is free and takes up to `atMost` of those that are. */
  take(atMost: number): Effect.Effect<number>
  release(count: number): Effect.Effect<void>
}

export const make = (count: number): Effect.Effect<Places> =>
  Effect.map(Semaphore.make(count), (semaphore) => {
    let free = count
    return {
      take: (atMost) =>
        Effect.flatMap(semaphore.take(1), () => {
          free -= 1
          const more = Math.min(atMost - 1, free)
          if (more <= 0) return Effect.succeed(1)
          return Effect.map(semaphore.takeIfAvailable(more), (got) => {
            if (got) free -= more
            return got ? 1 + more : 1
          })
        }),
      release: (released) =>
        Effect.suspend(() => {
          free += released
          return Effect.asVoid(semaphore.release(released))
        })
    }
  })
