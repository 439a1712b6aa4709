/** How the memory storage orders and cuts rows. */
import { Option, Schema } from "effect"
import { limitOf, type Page, type PageRequest } from "../workspace/Page.ts"

/** Negative when `a` comes first. */
export type Order<A> = (a: A, b: A) => number

/** By a key of a row: numbers by size, texts by code unit. */
export const by =
  <A>(...keys: ReadonlyArray<(row: A) => number | string>): Order<A> =>
  (a, b) => {
    for (const key of keys) {
      const one = key(a),
        other = key(b)
      if (one !== other) return one < other ? -1 : 1
    }
    return 0
  }

export const byId: Order<{ readonly id: string }> = by((row) => row.id)

/** The first `limit` rows of an order, without sorting the others. */
export const firstOf = <A>(rows: Iterable<A>, limit: number, order: Order<A>): ReadonlyArray<A> => {
  const first: Array<A> = []
  if (limit <= 0) return first
  for (const row of rows) {
    if (first.length === limit && order(row, first[limit - 1]!) >= 0) continue
    let low = 0,
      high = first.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (order(row, first[middle]!) < 0) high = middle
      else low = middle + 1
    }
    first.splice(low, 0, row)
    if (first.length > limit) first.pop()
  }
  return first
}

/** What a list is ordered by; ends with something unique. */
type Key = ReadonlyArray<number | string>

const Cursor = Schema.fromJsonString(Schema.Array(Schema.Union([Schema.Number, Schema.String])))
const readCursor = Schema.decodeUnknownOption(Cursor)

const compare = (a: Key, b: Key): number => {
  for (const [index, one] of a.entries()) {
    const other = b[index]!
    if (one !== other) return one < other ? -1 : 1
  }
  return 0
}

/** The page of `rows` that was asked for. A cursor is the key of the last row seen; one that cannot be read is none. */
export const page = <A>(
  rows: Iterable<A>,
  request: PageRequest,
  keyOf: (row: A) => Key,
  order: "ascending" | "descending" = "ascending"
): Page<A> => {
  const sign = order === "ascending" ? 1 : -1
  const all = Array.from(rows, (row) => ({ row, key: keyOf(row) })).sort((a, b) => sign * compare(a.key, b.key))
  const cursor = request.cursor === undefined ? null : Option.getOrNull(readCursor(request.cursor))
  const start =
    cursor === null ? Math.max(0, request.offset ?? 0) : all.findIndex(({ key }) => sign * compare(key, cursor) > 0)
  const rest = start < 0 ? [] : all.slice(start)
  const limit = limitOf(request)
  const data = rest.slice(0, limit)
  return {
    data: data.map(({ row }) => row),
    nextCursor: rest.length > limit ? JSON.stringify(data[limit - 1]!.key) : null,
    ...(request.count === true ? { total: all.length } : {})
  }
}
