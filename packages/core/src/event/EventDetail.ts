/**
 * What is added to events when they are told. Words that may be edited, taken back or erased later stay with the thing they
 * belong to, and the feed has none of them: whoever is told late, or again, is told what it says by then.
 */
import { Context, Effect } from "effect"
import type { EventId, WorkspaceId } from "../workspace/Id.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { DomainEvent, EventType } from "./DomainEvent.ts"

export interface EventDetail {
  /** To which events it adds something. */
  readonly types: ReadonlySet<EventType>
  /** The fields that are added to the data of these events, which are of its types; nothing to those it leaves out. */
  of(
    workspace: WorkspaceId,
    events: ReadonlyArray<DomainEvent>
  ): Effect.Effect<ReadonlyMap<EventId, DomainEvent["data"]>, StorageError>
}

/** What areas above the feed add; none by default. */
export const EventDetails = Context.Reference<ReadonlyArray<EventDetail>>("@overture/core/EventDetails", {
  defaultValue: () => []
})

/** Looks up what is to be added to these events of a workspace, once for all of them, and gives the rule that adds it. */
export type Telling = (
  workspace: WorkspaceId,
  events: ReadonlyArray<DomainEvent>
) => Effect.Effect<(event: DomainEvent) => DomainEvent, StorageError>

/** Events as readers are told them, with what these add. */
export const telling = (details: ReadonlyArray<EventDetail>): Telling =>
  Effect.fnUntraced(function* (workspace, events) {
    const added = new Map<EventId, DomainEvent["data"]>()
    for (const detail of details) {
      const own = events.filter(({ type }) => detail.types.has(type))
      if (own.length === 0) continue
      for (const [id, data] of yield* detail.of(workspace, own)) added.set(id, { ...added.get(id), ...data })
    }
    return (event) => {
      const more = added.get(event.id)
      return more === undefined ? event : { ...event, data: { ...event.data, ...more } }
    }
  })
