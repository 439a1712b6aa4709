/**
 * How lists are read: after an opaque cursor or from an offset, never more than `limit` rows, with the total on request.
 * What hosts ask of a list is checked once, by the service that offers it; a store takes what is left of nonsense as if it
 * had not been said.
 */
import { Effect, Option, Schema } from "effect"
import * as Problem from "./Problem.ts"
import { storable } from "./Storable.ts"

export interface PageRequest {
  /** 1–500, default 50. */
  readonly limit?: number | undefined
  /** Continues after a former page; excludes `offset`. */
  readonly cursor?: string | undefined
  /** How many rows are passed over, default none. */
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

/** What was asked of a list makes no sense: by its argument and field, `filter.status` or `page.limit`. */
export class InvalidListRequest extends Schema.TaggedError<InvalidListRequest>()("InvalidListRequest", {
  field: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.field}: ${this.problem}`
  }
}

const defaultLimit = 50
/** The most rows of a page. */
export const maxLimit = 500

/** What a list is ordered by, whole numbers and texts; ends with something unique. */
export type Key = ReadonlyArray<number | string>

const readKey = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Array(Schema.Union([Schema.Int, Schema.String])))
)

/** The cursor of a store after the row that has this key. */
export const cursorOf = (key: Key): string => JSON.stringify(key)

/** The key in a cursor; none where it is no cursor of a list whose keys are like this one. */
export const keyIn = (cursor: string, like: Key): Option.Option<Key> =>
  Option.filter(
    readKey(cursor),
    (key) =>
      key.length === like.length && key.every((part, i) => typeof part === typeof like[i] && storable(part) === part)
  )

const formerCursor = "the nextCursor of a former page of this list"

const wholeFrom = (least: number, most: number, expected: string) =>
  Schema.Number.check(
    Schema.makeFilter((n: number) => Number.isSafeInteger(n) && n >= least && n <= most, { expected })
  )

/** How many of something are asked for, at most so many. */
export const upTo = (most: number) => wholeFrom(1, most, `a whole number from 1 to ${most}`)

/** What a request may say to a list whose keys are like this one; not every list takes all of it. */
export const fieldsOf = (like: Key) => ({
  limit: Schema.optional(upTo(maxLimit)),
  cursor: Schema.optional(
    Schema.String.check(
      Schema.makeFilter((cursor: string) => Option.isSome(keyIn(cursor.slice(cursor.indexOf("[")), like)), {
        expected: formerCursor
      })
    )
  ),
  offset: Schema.optional(wholeFrom(0, Number.MAX_SAFE_INTEGER, "a whole number from 0")),
  count: Schema.optional(Schema.Boolean)
})

/** What may be asked of a list that takes all of it. */
export const requestOf = (like: Key) =>
  Schema.Struct(fieldsOf(like)).check(
    Schema.makeFilter(
      ({ cursor, offset }) =>
        cursor === undefined ||
        offset === undefined || { path: ["offset"], issue: "expected either a cursor or an offset, got both" }
    )
  )

/** Checks the arguments of a verb that reads a list, by their names. */
export const checker = <S extends Schema.ConstraintDecoder<unknown>>(asked: S) =>
  Problem.checker(Schema.toType(asked), InvalidListRequest)

/** Checks the request for a list that is asked for nothing but its pages. */
export const checkerOf = (like: Key) => checker(Schema.Struct({ page: requestOf(like) }))

/** The same for a list in the order of ids. */
export const checkById = checkerOf([""])

/**
 * Reads a page of the list of that name, whose request was checked: hosts get cursors with the name before them, and those of
 * other lists are refused.
 */
export const ofList = <A, E, R>(
  name: string,
  { cursor, ...request }: PageRequest,
  read: (request: PageRequest) => Effect.Effect<Page<A>, E, R>
): Effect.Effect<Page<A>, E | InvalidListRequest, R> => {
  if (cursor !== undefined && !cursor.startsWith(`${name}[`)) {
    const problem = `expected ${formerCursor}, got ${JSON.stringify(cursor)}`
    return Effect.fail(new InvalidListRequest({ field: "page.cursor", problem }))
  }
  return Effect.map(read({ ...request, cursor: cursor?.slice(name.length) }), ({ nextCursor, ...page }) => ({
    ...page,
    nextCursor: nextCursor === null ? null : `${name}${nextCursor}`
  }))
}

/** The number of rows a request may have. */
export const limitOf = (request: PageRequest): number => Math.max(1, Math.min(maxLimit, request.limit ?? defaultLimit))

/** Where a page begins: after a key, or (null) from an offset. */
export interface Place {
  readonly limit: number
  readonly after: Key | null
  readonly offset: number
}

/** What a store reads in a request for a list whose keys are like this one. */
export const placeOf = (request: PageRequest, like: Key): Place => {
  const after = request.cursor === undefined ? null : Option.getOrNull(keyIn(request.cursor, like))
  return { limit: limitOf(request), after, offset: after === null ? Math.max(0, request.offset ?? 0) : 0 }
}

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
