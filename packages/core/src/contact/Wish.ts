/**
 * What a person says of being written to: stop, or start again. Such words come late, twice and out of order, and of one
 * address the last one said counts, by the platform's time; of two at once, stop.
 */
import type { WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"

export interface Wish {
  readonly workspace: WorkspaceId
  /** The key of an address. */
  readonly address: string
  readonly type: "stop" | "start"
  /** The platform's time. */
  readonly at: Instant
}

/** What is remembered of an address: when its person last said each. */
export interface WishState extends Pick<Wish, "workspace" | "address"> {
  readonly stopAt: Instant | null
  readonly startAt: Instant | null
}

/** What is remembered of an address once a wish was heeded. */
export interface Heeded extends WishState {
  /** Whether it was suppressed until then and is no more. */
  readonly lifted: boolean
}

const later = (one: Instant | null, other: Instant | null): Instant | null =>
  one === null ? other : other === null ? one : Math.max(one, other)

/** One state for each address, of these wishes alone. */
export const collected = (wishes: ReadonlyArray<Wish>): ReadonlyArray<WishState> => {
  const states = new Map<string, WishState>()
  for (const { address, at, type, workspace } of wishes) {
    const key = `${workspace}|${address}`
    const own = { workspace, address, stopAt: type === "stop" ? at : null, startAt: type === "start" ? at : null }
    states.set(key, joined(states.get(key), own))
  }
  return [...states.values()]
}

/** Both as if all of it had been said to one. */
export const joined = (one: WishState | undefined, other: WishState): WishState =>
  one === undefined
    ? other
    : { ...one, stopAt: later(one.stopAt, other.stopAt), startAt: later(one.startAt, other.startAt) }

/** The wish at each of these addresses. */
export const at = (
  workspace: WorkspaceId,
  addresses: ReadonlyArray<string>,
  type: Wish["type"],
  when: Instant
): ReadonlyArray<Wish> => addresses.map((address) => ({ workspace, address, type, at: when }))

/**
 * What goes for each of the addresses that are one person's: a stop that stands at one of them, since when it does in
 * `stops`, stands at all.
 */
export const shared = (
  workspace: WorkspaceId,
  people: ReadonlyArray<ReadonlyArray<string>>,
  stops: ReadonlyMap<string, Instant>
): ReadonlyArray<Wish> =>
  people.flatMap((addresses) => {
    const stop = addresses.reduce<Instant | null>((last, address) => later(last, stops.get(address) ?? null), null)
    if (stop === null) return []
    const others = addresses.filter((address) => (stops.get(address) ?? -Infinity) < stop)
    return at(workspace, others, "stop", stop)
  })

/** Since when the person wants no messages; null = they said nothing, or said start since. */
export const stopped = ({ startAt, stopAt }: WishState): Instant | null =>
  stopAt !== null && (startAt === null || startAt <= stopAt) ? stopAt : null
