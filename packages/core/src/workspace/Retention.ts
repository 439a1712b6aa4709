/**
 * How long what is only remembered is kept: days for each kind, settings of a workspace. Areas register what they keep
 * (`Retained`), and one chore purges all of it in small batches. People, campaigns, chats and messages are not among them.
 */
import { Context, type Effect, Schema } from "effect"
import type { WorkspaceId } from "./Id.ts"
import { day, type Instant } from "./Instant.ts"
import type { StorageError } from "./StorageError.ts"

export const RetentionKind = Schema.Literals([
  /** Events of the feed. A reader that is further behind is told that its cursor has expired. */
  "events",
  /** Deliveries of webhooks with their attempts. */
  "deliveries",
  /** Files of messages. */
  "media",
  /** Jobs that are over, and the files they wrote. */
  "jobs",
  /** The keys by which an event of a channel that comes again is known. */
  "channelEvents",
  /** What platforms told of messages that never came. */
  "notices",
  /** Files that were given to us and that nothing was made of. */
  "unusedMedia"
])
export type RetentionKind = typeof RetentionKind.Type

/** Days; null = for ever. */
const Days = Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 36_500 })))

/** What a workspace says of its own; kinds it does not name keep their default. */
export class Retention extends Schema.Opaque<Retention>()(
  Schema.Struct({
    events: Schema.optionalKey(Days),
    deliveries: Schema.optionalKey(Days),
    media: Schema.optionalKey(Days),
    jobs: Schema.optionalKey(Days),
    channelEvents: Schema.optionalKey(Days),
    notices: Schema.optionalKey(Days),
    unusedMedia: Schema.optionalKey(Days)
  }).annotate({ identifier: "Retention" })
) {}

/** Days. Reports read the feed, so it outlives a campaign; a platform repeats an event within days. */
export const defaults: Required<Retention> = {
  events: 365,
  deliveries: 30,
  media: null,
  jobs: 90,
  channelEvents: 30,
  notices: 30,
  unusedMedia: 30
}

/** What is older may be purged; null = nothing is. */
export const cutoff = (self: Retention, kind: RetentionKind, now: Instant): Instant | null => {
  const own = self[kind]
  const days = own === undefined ? defaults[kind] : own
  return days === null ? null : now - days * day
}

/** What an area keeps, and how the old of it goes. */
export interface Retained {
  readonly kind: RetentionKind
  /**
   * Removes at most `limit` things of a workspace that are older than `before` and says how many. Atomic by itself; several
   * processes may ask at once.
   */
  purge(workspace: WorkspaceId, before: Instant, limit: number): Effect.Effect<number, StorageError>
}

/** Everything in this engine that is kept for a time only. */
export class AllRetained extends Context.Service<AllRetained, ReadonlyArray<Retained>>()(
  "@overture/core/AllRetained"
) {}
