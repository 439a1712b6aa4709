/**
 * The feed as hosts follow it: page by page, or as a stream that goes on where it was left and misses nothing. Its lag, what
 * readers do not see yet and for how long, is a metric.
 */
import { Context, Effect, Layer, Metric, Option, Schema, Stream } from "effect"
import type { Chore } from "../workspace/Chore.ts"
import type { WorkspaceId } from "../workspace/Id.ts"
import { type Instant, second } from "../workspace/Instant.ts"
import { checker, type InvalidListRequest } from "../workspace/Page.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { EventDetails, telling } from "./EventDetail.ts"
import { EventPattern, typesOf } from "./EventPattern.ts"
import { type CursorExpired, EventStore, type FeedEvent, type Position } from "./EventStore.ts"

/** Events of all workspaces that readers do not see yet, as a transaction before them is open. */
export const feedHidden = Metric.gauge("overture_feed_hidden_events", {
  description: "Events that readers of the feed do not see yet, because a transaction before them is open"
})
/** How long the oldest of those transactions has been open. */
export const feedHeld = Metric.gauge("overture_feed_held_ms", {
  description: "How long the oldest open transaction that writes has held the feed back, in milliseconds"
})

export const Following = Schema.Struct({
  /** A position; null = from the beginning of the feed. */
  after: Schema.NullOr(Schema.String),
  /** Default all. */
  events: Schema.optional(Schema.Array(EventPattern))
}).annotate({ identifier: "Following" })
export type Following = typeof Following.Type

const check = checker(Following)

export class EventFeed extends Context.Service<
  EventFeed,
  {
    /** The position after which everything is yet to happen; null = nothing has. */
    end(workspace: WorkspaceId): Effect.Effect<Position | null, StorageError>
    /** Every event after a position, and then those that happen, in order and without a gap. Does not end. */
    stream(
      workspace: WorkspaceId,
      following: Following
    ): Stream.Stream<FeedEvent, StorageError | CursorExpired | InvalidListRequest>
    /** Measures the lag. */
    readonly chore: Chore
  }
>()("@overture/core/EventFeed") {
  static readonly layer = Layer.effect(
    EventFeed,
    Effect.suspend(() => make)
  )
}

/** How many events are looked at in one go. */
const batch = 500
/** How long a stream rests at the end of the feed: twice as long each time, up to the second (milliseconds). */
const shortestRestMs = 50
const longestRestMs = second
const measureEveryMs = 15 * second

const make = Effect.gen(function* () {
  const store = yield* EventStore
  const told = telling(yield* EventDetails)
  let measuredAt = -Infinity

  return EventFeed.of({
    end: Effect.fn("EventFeed.end")((workspace) => store.last(workspace, null)),
    stream: Effect.fnUntraced(function* (workspace, following) {
      const { after, events = ["*"] } = yield* Effect.fromResult(check(following))
      const types = typesOf(events)
      return Stream.paginate({ after, restMs: 0 }, ({ after, restMs }) =>
        Effect.gen(function* () {
          if (restMs > 0) yield* Effect.sleep(restMs)
          const found = yield* store.scan(workspace, { after, until: null, types, limit: batch })
          const rest = found.looked > 0 ? 0 : Math.min(longestRestMs, Math.max(shortestRestMs, 2 * restMs))
          const tell = yield* told(
            workspace,
            found.events.map(({ event }) => event)
          )
          const events = found.events.map(({ event, position }) => ({ position, event: tell(event) }))
          return [events, Option.some({ after: found.position, restMs: rest })] as const
        })
      )
    }, Stream.unwrap),
    chore: {
      name: "feed lag",
      round: Effect.fnUntraced(function* (now: Instant) {
        if (now < measuredAt + measureEveryMs) return { worked: false, nextDue: measuredAt + measureEveryMs }
        measuredAt = now
        const { heldMs, hidden } = yield* store.lag
        yield* Metric.update(feedHidden, hidden)
        yield* Metric.update(feedHeld, heldMs)
        return { worked: false, nextDue: now + measureEveryMs }
      })
    }
  })
})
