/** Places in the feed: as columns hold them, and as the opaque positions that readers are given. */
import type { Position } from "@overture/core/event/EventStore"
import type { Sql } from "./Dialect.ts"

export interface Place {
  readonly epoch: string
  /** A text: 64 bits. */
  readonly xid: string
  readonly n: string
}

/** Columns of a place. */
export interface PlaceRow {
  readonly xid: string | number
  readonly n: number
}

/** Before the first event. */
export const beginning = { xid: "0", n: "0" } as const

/** The place that a position names; null where it is none, as with numbers that no column holds. */
export const parse = (position: Position): Place | null => {
  const match = /^([0-9a-f]+)\.(0|[1-9]\d{0,17})\.(0|[1-9]\d{0,15})$/.exec(position)
  return match === null ? null : { epoch: match[1]!, xid: match[2]!, n: match[3]! }
}

export const format = (epoch: string, { n, xid }: PlaceRow): Position => `${epoch}.${xid}.${n}`

/** The position of a place; null for the beginning. */
export const positionOf = (epoch: string, place: PlaceRow): Position | null =>
  String(place.xid) === "0" && place.n === 0 ? null : format(epoch, place)

/** Whether `a` comes before `b`. */
export const isBefore = (a: Pick<Place, "xid" | "n">, b: Pick<Place, "xid" | "n">): boolean =>
  a.xid === b.xid ? BigInt(a.n) < BigInt(b.n) : BigInt(a.xid) < BigInt(b.xid)

/** The same of columns. */
export const follows = (a: PlaceRow, b: PlaceRow): boolean =>
  isBefore({ xid: String(b.xid), n: String(b.n) }, { xid: String(a.xid), n: String(a.n) })

/** A transaction's number as its column has it, out of a text. */
export const xidOf = (sql: Sql, text: string): string =>
  sql.pick({ postgres: `(${text})::xid8`, sqlite: `cast(${text} as integer)` })

/** The same as a text, which is what a reader can hold. */
export const xidText = (sql: Sql, column: string): string =>
  sql.pick({ postgres: `${column}::text`, sqlite: `cast(${column} as text)` })

/** Below every transaction that is still open: what commits late is never behind a reader. */
export const isVisible = (sql: Sql, alias: string): string =>
  sql.pick({ postgres: `${alias}.xid < pg_snapshot_xmin(pg_current_snapshot())`, sqlite: "true" })
