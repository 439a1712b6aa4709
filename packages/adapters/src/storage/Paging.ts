/** How the SQL stores answer a page: the rows after a key or an offset, and one more to see whether others follow. */
import { cursorOf, type Key, type Page, type PageRequest, placeOf } from "@overture/core/workspace/Page"
import type { WorkspaceId } from "@overture/core/workspace/Id"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "./Database.ts"
import type { Parameter, Statement } from "./Dialect.ts"

/** A list in ascending order of its keys. Both statements take `of`; `select` then takes the key to start after, the limit and the offset. */
export interface Listing<Row, A> {
  readonly select: Statement
  readonly count: Statement
  readonly of: ReadonlyArray<Parameter>
  /** A key before every other. */
  readonly start: Key
  readonly decode: (row: Row) => A
  readonly keyOf: (value: A) => Key
}

export const page = Effect.fnUntraced(function* <Row, A>(
  database: Database["Service"],
  listing: Listing<Row, A>,
  request: PageRequest
): Effect.fn.Return<Page<A>, StorageError> {
  const { count, decode, keyOf, of, select, start } = listing
  const { after, limit, offset } = placeOf(request, start)
  const rows = yield* database.execute<Row>(select, [...of, ...(after ?? start), limit + 1, offset])
  const data = rows.slice(0, limit).map(decode)
  const last = data.at(-1)
  const counted = request.count === true ? yield* database.execute<{ readonly total: number }>(count, of) : []
  return {
    data,
    nextCursor: rows.length > limit && last !== undefined ? cursorOf(keyOf(last)) : null,
    ...counted[0]
  }
})

/** The list of all that a workspace has of a kind, in order of the ids. Both statements take the workspace first. */
export const byId =
  <Row, A extends { readonly id: string }>(
    database: Database["Service"],
    sql: { readonly list: Statement; readonly count: Statement },
    decode: (row: Row) => A
  ) =>
  (workspace: WorkspaceId, request: PageRequest): Effect.Effect<Page<A>, StorageError> =>
    page(
      database,
      { select: sql.list, count: sql.count, of: [workspace], start: [""], decode, keyOf: ({ id }) => [id] },
      request
    )
