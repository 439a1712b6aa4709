/**
 * One run for many who ask at the same time: whoever asks while one is under way is served by the one that follows it. As
 * many askers in the queue of a semaphore cost the square of their number, each time one of them has its turn.
 */
import { Deferred, Effect, Semaphore } from "effect"

/**
 * `run` must deal with everything that is there when it starts. Who asks waits until a run is over that began after the
 * question; a run's failure is that of the one who began it.
 */
export const make = <E>(run: Effect.Effect<void, E>): Effect.Effect<Effect.Effect<void, E>> =>
  Effect.map(Semaphore.make(1), (turns) => {
    /** The run that has not begun; tells those who wait for it whether it ever did. */
    let next: Deferred.Deferred<boolean> | null = null
    const ask: Effect.Effect<void, E> = Effect.suspend(() => {
      if (next !== null) return Effect.flatMap(Deferred.await(next), (began) => (began ? Effect.void : ask))
      const mine = Deferred.makeUnsafe<boolean>()
      let began = false
      next = mine
      const turn = Effect.suspend(() => {
        began = true
        next = null
        return run
      })
      return turns
        .withPermits(1)(Effect.andThen(Effect.yieldNow, turn))
        .pipe(
          Effect.ensuring(
            Effect.suspend(() => {
              if (next === mine) next = null
              return Deferred.succeed(mine, began)
            })
          )
        )
    })
    return ask
  })
