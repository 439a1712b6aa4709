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

/** Reads a list page by page to its end, or until `use` answers false. */
export const walk = Effect.fnUntraced(function* <A, E, E2, R, R2>(
  read: (page: PageRequest) => Effect.Effect<Page<A>, E, R>,
  use: (rows: ReadonlyArray<A>) => Effect.Effect<boolean, E2, R2>
) {
  let cursor: string | null | undefined
  while (cursor !== null) {
    const page: Page<A> = yield* read({ limit: maxLimit, cursor })
    cursor = (yield* use(page.data)) ? page.nextCursor : null
  }
})

/** All rows of a list. */
export const everything = <A, E, R>(
  read: (page: PageRequest) => Effect.Effect<Page<A>, E, R>
): Effect.Effect<ReadonlyArray<A>, E, R> =>
  Effect.suspend(() => {
    const rows: Array<A> = []
    const keep = (more: ReadonlyArray<A>) =>
      Effect.sync(() => {
        rows.push(...more)
        return true
      })
    return Effect.as(walk(read, keep), rows)
  })
