/** The feed in memory: transactions run one after the other, so the order of writing is the order of the feed. */
import { Effect } from "effect"
import {
  CursorExpired,
  longestWaitMs,
  EventStore,
  type FeedEvent,
  type Position,
  type Scan,
  type Scanned
} from "../event/EventStore.ts"
import * as DomainEvent from "../event/DomainEvent.ts"
import type { WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Memory } from "./Memory.ts"
import { type State, within as inWorkspace } from "./State.ts"

const epoch = "memory"
export const positionOf = (number: number): Position => `${epoch}.0.${number}`

/** The number in a position; null when the position is not of this feed. */
export const numberOf = (position: Position): number | null => {
  const match = /^memory\.0\.([1-9]\d{0,14})$/.exec(position)
  return match === null ? null : Number(match[1])
}

const count = "event"

/** The number of the last event of all workspaces. */
export const lastNumber = (state: State): number => state.numbers.get(count)?.last ?? 0

/** Adds events to the feed. */
export const append = (state: State, events: ReadonlyArray<DomainEvent.DomainEvent>): void => {
  if (events.length === 0) return
  const first = lastNumber(state) + 1
  for (const [i, event] of events.entries()) state.events.set(first + i, event)
  state.numbers.set(count, { last: first + events.length - 1 })
}

/** The last event of a workspace that was purged; 0 = none was. */
const horizonOf = (state: State, workspace: WorkspaceId): number =>
  state.numbers.get(inWorkspace(workspace, "feed horizon"))?.last ?? 0

/** The events of a workspace with numbers above `after`, in feed order. */
export function* eventsAfter(state: State, workspace: WorkspaceId, after: number) {
  for (let number = after + 1; number <= lastNumber(state); number++) {
    const event = state.events.get(number)
    if (event?.workspace === workspace) yield [number, event] as const
  }
}

/** The events about some subjects, with their numbers. */
const about = (state: State, workspace: WorkspaceId, subjects: ReadonlyArray<string>) => {
  const meant = new Set(subjects)
  return [...eventsAfter(state, workspace, 0)].filter(([, event]) => meant.has(event.subject))
}

/** The number of a position, null as 0. */
const placeOf = (state: State, workspace: WorkspaceId, position: Position | null) => {
  if (position === null) return Effect.succeed(0)
  const number = numberOf(position)
  return number === null || number < horizonOf(state, workspace)
    ? Effect.fail(new CursorExpired({ position }))
    : Effect.succeed(number)
}

const scan = (state: State, workspace: WorkspaceId, after: number, until: number, { limit, types }: Scan): Scanned => {
  const events: Array<FeedEvent> = []
  let last = after
  let looked = 0
  for (const [number, event] of eventsAfter(state, workspace, after)) {
    if (looked === limit || number > until) break
    looked += 1
    last = number
    if (types === null || types.includes(event.type)) events.push({ position: positionOf(number), event })
  }
  return { events, position: last === 0 ? null : positionOf(last), looked }
}

/** The last position of a workspace, of an event from before `before` where that is given; null = there is none. */
export const last = (state: State, workspace: WorkspaceId, before: Instant | null): Position | null => {
  for (let number = lastNumber(state); number > 0; number--) {
    const event = state.events.get(number)
    if (event?.workspace === workspace && (before === null || event.at < before)) return positionOf(number)
  }
  return null
}

/** Where endpoints still have to begin reading, as the number of the last event that none of them awaits. */
const awaited = (state: State, workspace: WorkspaceId): number => {
  let least = Infinity
  for (const { state: endpoint } of state.webhooks.values()) {
    if (endpoint.endpoint.workspace !== workspace || endpoint.endpoint.disabled !== null) continue
    least = Math.min(least, endpoint.cursor === null ? 0 : (numberOf(endpoint.cursor) ?? 0))
    for (const { delivery, position } of state.deliveriesByEndpoint.get(endpoint.endpoint.id).values())
      if (delivery.status === "waiting") least = Math.min(least, (numberOf(position) ?? 0) - 1)
  }
  return least
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
        for (const row of [...state.webhooks.values()].filter((one) => one.state.endpoint.workspace === workspace))
          state.webhooks.set(row.state.endpoint.id, { ...row, erasures: row.erasures + 1 })
        for (const row of state.deliveries.values())
          if (row.delivery.workspace === workspace && subjects.includes(row.delivery.subject))
            state.deliveries.set(row.delivery.id, { ...row, delivery: { ...row.delivery, response: null } })
      }),
    read: (workspace, after, limit) =>
      within(
        Effect.map(
          placeOf(state, workspace, after),
          (start) => scan(state, workspace, start, Infinity, { after, until: null, types: null, limit }).events
        )
      ),
    scan: (workspace, request) =>
      within(
        Effect.gen(function* () {
          const start = yield* placeOf(state, workspace, request.after)
          const end = request.until === null ? Infinity : yield* placeOf(state, workspace, request.until)
          return scan(state, workspace, start, end, request)
        })
      ),
    last: (workspace, before) => verb(() => last(state, workspace, before)),
    purge: (workspace, before, limit) =>
      verb(() => {
        const stop = awaited(state, workspace)
        let purged = 0
        for (const [number, event] of eventsAfter(state, workspace, 0)) {
          const isAwaited = number > stop && event.at >= before - longestWaitMs
          if (purged === limit || event.at >= before || isAwaited) break
          state.events.delete(number)
          state.numbers.set(inWorkspace(workspace, "feed horizon"), { last: number })
          purged += 1
        }
        return purged
      })
  })
