/**
 * How lists are read: after an opaque cursor or from an offset, never more than `limit` rows, with the total on request.
 */
import { Effect } from "effect"

export interface PageRequest {
  /** 1–500, default 50. */
  readonly limit?: number | undefined
  /** Continues after a former page; wins over `offset`. */
  readonly cursor?: string | undefined
  readonly offset?: number | undefined
  /** Ask for the number of all rows that match. */
  readonly count?: boolean | undefined
}

export interface Page<A> {
  readonly data: ReadonlyArray<A>
  /** Hand back as `cursor` for the next page; null on the last. */
  readonly nextCursor: string | null
  /** Only when `count` was asked for. */
  readonly total?: number | undefined
}

const defaultLimit = 50
export const maxLimit = 500

/** The number of rows a request may have. */
export const limitOf = (request: PageRequest): number => Math.max(1, Math.min(maxLimit, request.limit ?? defaultLimit))

/** All rows of a list, page by page. */
export const everything = Effect.fnUntraced(function* <A, E>(read: (page: PageRequest) => Effect.Effect<Page<A>, E>) {
  const rows: Array<A> = []
  let cursor: string | null | undefined
  while (cursor !== null) {
    const page: Page<A> = yield* read({ limit: maxLimit, cursor })
    rows.push(...page.data)
    cursor = page.nextCursor
  }
  return rows
})
