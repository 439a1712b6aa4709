/**
 * Delivers webhooks, as work beside sending: takes endpoints that have something to be told, each for itself, so that one
 * that hangs or fails holds up nobody. Several processes share them; each endpoint is with one at a time.
 */
import { Cause, Clock, Context, Effect, Layer, Queue } from "effect"
import type { Chore } from "../workspace/Chore.ts"
import { Ids, type WebhookEndpointId } from "../workspace/Id.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import { Vault } from "../workspace/Vault.ts"
import * as DeliverySession from "./DeliverySession.ts"
import { EventDetails, telling } from "./EventDetail.ts"
import { EventStore } from "./EventStore.ts"
import { type ClaimedEndpoint, WebhookStore } from "./WebhookStore.ts"
import { WebhookFormats } from "./WebhookFormat.ts"
import { WebhookTransport } from "./WebhookTransport.ts"

/** How many endpoints a process delivers to at a time. */
const mostSessions = 256
/** How many are taken in one go. */
const perClaim = 32
/** How often it looks for endpoints that have something to be told (milliseconds). */
const lookEveryMs = 250

export class WebhookDeliveries extends Context.Service<
  WebhookDeliveries,
  {
    /** None where the host gave no `WebhookTransport`. */
    readonly chores: ReadonlyArray<Chore>
  }
>()("@overture/core/WebhookDeliveries") {
  static readonly layer = Layer.effect(
    WebhookDeliveries,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const store = yield* WebhookStore
  const feed = yield* EventStore
  const transport = yield* WebhookTransport
  const vault = yield* Vault
  const formats = yield* WebhookFormats
  const told = telling(yield* EventDetails)
  const { now: pacing } = yield* PacingTime
  const makeIds = (yield* Ids).generator

  const session = Effect.fnUntraced(function* (claimed: ClaimedEndpoint) {
    const { endpoint } = claimed.state
    const format = formats.find(({ name }) => name === endpoint.format)
    if (format === undefined) return
    const ids = yield* makeIds
    const means = { store, feed, transport, vault, format, told, ids, pacing }
    yield* DeliverySession.run(means, claimed).pipe(
      // Its lease runs out, and then somebody goes on.
      Effect.catchCauseIf(
        (cause) => !Cause.hasInterrupts(cause),
        (cause) => Effect.logWarning(`deliveries to ${endpoint.id} stopped`, cause)
      )
    )
  })

  const claim = Effect.fnUntraced(function* (limit: number) {
    const ids = yield* makeIds
    return yield* store.claim({
      now: yield* Clock.currentTimeMillis,
      formats: formats.map(({ name }) => name),
      durationMs: DeliverySession.leaseMs,
      claims: Array.from({ length: limit }, () => ids.next("clm"))
    })
  })

  /** Takes endpoints as they come up, until there is nothing to tell to any. */
  const round: Chore["round"] = (now) =>
    Effect.scoped(
      Effect.gen(function* () {
        const running = new Set<WebhookEndpointId>()
        const ended = yield* Queue.dropping<void>(1)
        let worked = false
        for (;;) {
          const places = Math.min(perClaim, mostSessions - running.size)
          const claimed = yield* places === 0
            ? Effect.succeed([])
            : Effect.catch(claim(places), (error) =>
                // Those that are under way have their own patience with a storage that is away.
                running.size > 0 ? Effect.succeed([]) : Effect.fail(error)
              )
          for (const one of claimed) {
            const { id } = one.state.endpoint
            running.add(id)
            const over = Effect.sync(() => {
              running.delete(id)
              Queue.offerUnsafe(ended, undefined)
            })
            yield* Effect.forkScoped(Effect.ensuring(session(one), over))
          }
          worked ||= claimed.length > 0
          if (running.size === 0) return { worked, nextDue: now + lookEveryMs }
          if (claimed.length < perClaim) yield* Effect.timeoutOption(Queue.take(ended), lookEveryMs)
        }
      })
    )

  return WebhookDeliveries.of({ chores: transport.isAvailable ? [{ name: "webhooks", round }] : [] })
})
