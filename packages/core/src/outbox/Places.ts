/**
 * The send concurrency of a process: so many messages may be `sending` at one time, and a freed place is used at once,
 * unless as many more are about to be freed, of messages that were sent and are not settled yet: begun together they cost
 * one transaction. So what was torn into small groups, as at the end of a claim, comes together again.
 */
import { Effect } from "effect"

export interface Places {
  /** Waits until some are free and takes up to `atMost` of them. */
  take(atMost: number): Effect.Effect<number>
  /** One of those taken is about to be released: what became of its message is known. */
  readonly leave: Effect.Effect<void>
  /** Frees places; `left` of them were told to `leave`. */
  release(count: number, left?: number): Effect.Effect<void>
}

export const make = (count: number): Effect.Effect<Places> =>
  Effect.sync(() => {
    let free = count
    let leaving = 0
    const waiting: Array<{ readonly atMost: number; readonly grant: (places: number) => void }> = []

    const next = () => {
      for (let first = waiting[0]; first !== undefined && free > 0; first = waiting[0]) {
        if (free < first.atMost && free <= leaving) return
        const places = Math.min(first.atMost, free)
        free -= places
        waiting.shift()
        first.grant(places)
      }
    }

    return {
      take: (atMost) =>
        Effect.callback<number>((resume) => {
          const one = { atMost, grant: (places: number) => resume(Effect.succeed(places)) }
          waiting.push(one)
          next()
          return Effect.sync(() => {
            const place = waiting.indexOf(one)
            if (place >= 0) waiting.splice(place, 1)
          })
        }),
      leave: Effect.sync(() => {
        leaving += 1
      }),
      release: (places, left = 0) =>
        Effect.sync(() => {
          free += places
          leaving -= left
          next()
        })
    }
  })
