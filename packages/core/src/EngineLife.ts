/**
 * The life of an engine that is called by promises. The first call opens its database, and the next one again where it
 * could not be. Told to end, it takes no more calls, lets those that are under way settle, and only then gives its
 * services up: each of its promises settles.
 */
import { Cause, Effect, Exit, Fiber, type Layer, ManagedRuntime, Schema, Stream } from "effect"
import { second } from "./workspace/Instant.ts"

/** The engine was closed: what was asked of it was not begun, or was given up when it had taken too long. */
export class EngineClosed extends Schema.TaggedError<EngineClosed>()("EngineClosed", {}) {
  override get message(): string {
    return "the engine was closed"
  }
}

export interface EngineLife<R> {
  /** Rejects with the effect's own error, or with `EngineClosed`. */
  run<A, E>(program: Effect.Effect<A, E, R>, options?: { readonly signal?: AbortSignal }): Promise<A>
  /** A stream that has no end of its own: it ends with the engine. */
  iterate<A, E, F>(stream: Effect.Effect<Stream.Stream<A, E>, F, R>): AsyncIterable<A>
  /**
   * Ends it, whoever asks and however often: first what `stop` ends in good order. What is under way then has some seconds
   * to settle before it is interrupted, which is waited for.
   */
  close(stop: () => Promise<void>): Promise<void>
}

/** How long calls may go on that are under way when the engine ends (milliseconds). */
const graceMs = 5 * second

const within = (ms: number, work: Promise<unknown>): Promise<unknown> =>
  Effect.runPromise(
    Effect.timeoutOption(
      Effect.promise(() => work),
      ms
    )
  )

export const make = <R, E>(services: Layer.Layer<R, E>): EngineLife<R> => {
  const made = () => ManagedRuntime.make(services)
  let runtime = made()
  /** Promises that are yet to settle, with what settles those that take too long. */
  const underWay = new Map<Promise<unknown>, () => void>()
  const ending = Promise.withResolvers<void>()
  let closed: Promise<void> | null = null
  let isGivenUp = false

  const opened = async () => {
    const present = runtime
    try {
      await present.context()
      return present
    } catch (error) {
      if (present === runtime && closed === null) runtime = made()
      throw error
    }
  }

  /** The call, which the end waits for. */
  const noted = async <A>(call: Promise<A>, giveUp: () => void = () => {}): Promise<A> => {
    underWay.set(call, giveUp)
    try {
      return await call
    } finally {
      underWay.delete(call)
    }
  }

  const run: EngineLife<R>["run"] = async (program, settings) => {
    if (closed !== null) throw new EngineClosed()
    const engine = await noted(opened())
    if (isGivenUp) throw new EngineClosed()
    const fiber = engine.runFork(program, settings)
    const exit = await noted(Effect.runPromise(Fiber.await(fiber)), () => fiber.interruptUnsafe())
    if (Exit.isSuccess(exit)) return exit.value
    throw isGivenUp && Cause.hasInterruptsOnly(exit.cause) ? new EngineClosed() : Cause.squash(exit.cause)
  }

  const end = async (stop: () => Promise<void>) => {
    await stop()
    const settled = async () => {
      while (underWay.size > 0) await Promise.allSettled(underWay.keys())
    }
    await within(graceMs, settled())
    isGivenUp = true
    for (const giveUp of underWay.values()) giveUp()
    await settled()
    await runtime.dispose()
  }

  return {
    run,
    iterate: async function* (stream) {
      const ended = Effect.promise(() => ending.promise)
      const elements = Stream.toAsyncIterable(Stream.interruptWhen(await run(stream), ended))[Symbol.asyncIterator]()
      try {
        while (closed === null) {
          const next = await noted(elements.next())
          if (next.done === true) return
          yield next.value
        }
      } finally {
        await elements.return?.()
      }
    },
    close: (stop) => {
      ending.resolve()
      closed ??= end(stop)
      return closed
    }
  }
}
