/** The feed in memory: transactions run one after the other, so the order of writing is the order of the feed. */
import { Effect } from "effect"
import { CursorExpired, EventStore, type FeedEvent, type Position } from "../event/EventStore.ts"
import * as DomainEvent from "../event/DomainEvent.ts"
import type { WorkspaceId } from "../workspace/Id.ts"
import type { Memory } from "./Memory.ts"
import type { State } from "./State.ts"

const epoch = "memory"
const positionOf = (number: number): Position => `${epoch}.0.${number}`

/** The number in a position; null when the position is not of this feed. */
const numberOf = (position: Position): number | null => {
  const match = /^memory\.0\.([1-9]\d{0,14})$/.exec(position)
  return match === null ? null : Number(match[1])
}

/** Adds events to the feed. */
export const append = (state: State, events: ReadonlyArray<DomainEvent.DomainEvent>): void => {
  for (const event of events) state.events.set(state.events.size + 1, event)
}

/** The events about some subjects, with their numbers. */
const about = (state: State, workspace: WorkspaceId, subjects: ReadonlyArray<string>) => {
  const meant = new Set(subjects)
  const found: Array<readonly [number, DomainEvent.DomainEvent]> = []
  for (let number = 1; number <= state.events.size; number++) {
    const event = state.events.need(number)
    if (event.workspace === workspace && meant.has(event.subject)) found.push([number, event])
  }
  return found
}

export const make = ({ state, verb, within }: Memory) =>
  EventStore.of({
    append: (events) => verb(() => append(state, events)),
    lag: Effect.succeed({ hidden: 0, heldMs: 0, holder: null }),
    about: (workspace, subjects) => verb(() => about(state, workspace, subjects).map(([, event]) => event)),
    erase: (workspace, subjects) =>
      verb(() => {
        for (const [number, event] of about(state, workspace, subjects))
          state.events.set(number, DomainEvent.erase(event))
      }),
    read: (workspace, after, limit) =>
      within(
        Effect.suspend(() => {
          const start = after === null ? 0 : numberOf(after)
          if (start === null) return Effect.fail(new CursorExpired({ position: after ?? "" }))
          const read: Array<FeedEvent> = []
          for (let number = start + 1; number <= state.events.size && read.length < limit; number++) {
            const event = state.events.need(number)
            if (event.workspace === workspace) read.push({ position: positionOf(number), event })
          }
          return Effect.succeed<ReadonlyArray<FeedEvent>>(read)
        })
      )
  })
