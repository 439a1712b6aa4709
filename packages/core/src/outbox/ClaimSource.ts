/**
 * Where claims come from, and who must hear what became of them. The outbox knows neither campaigns nor members: areas
 * above it register a source and a reaction.
 */
import { Context, type Effect } from "effect"
import type { Message } from "../chat/Message.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Claim, Lease } from "./Claim.ts"
import type { Settled } from "./Settling.ts"

export interface ClaimSource {
  readonly name: string
  /** Claims at most `limit` due things; `worked` is false when nothing was due at `now`. Asked once `nextDue` has come. */
  claim(
    now: Instant,
    limit: number,
    lease: Lease
  ): Effect.Effect<{ readonly claim: Claim | null; readonly worked: boolean }, StorageError>
  /** The next instant at which something is due; null when nothing is to come. */
  readonly nextDue: Effect.Effect<Instant | null, StorageError>
  /** What is left to do while nothing is due. Returns whether there was anything. */
  idle(now: Instant): Effect.Effect<boolean, StorageError>
}

/** Hears of outbound messages in the transaction that changes them, one call per batch. */
export interface OutboundReaction {
  settled(batch: ReadonlyArray<Settled>, now: Instant): Effect.Effect<void, StorageError>
  /** Messages that were claimed and never begun; their rows are as they were before. */
  returned(messages: ReadonlyArray<Message>, now: Instant): Effect.Effect<void, StorageError>
  /** Messages that the gates of the queue cancelled. */
  cancelled(messages: ReadonlyArray<Message>, now: Instant): Effect.Effect<void, StorageError>
}

/** What the areas above the outbox register. */
export class OutboundParties extends Context.Service<
  OutboundParties,
  {
    readonly sources: ReadonlyArray<ClaimSource>
    readonly reactions: ReadonlyArray<OutboundReaction>
  }
>()("@overture/core/OutboundParties") {}
