/** What a case of the storage suite is, and what a storage must bring to run it. */
import { Context, Effect } from "effect"
import type * as MemoryStorage from "../../memory/MemoryStorage.ts"
import type { Page, PageRequest } from "../../workspace/Page.ts"
import type { StorageError } from "../../workspace/StorageError.ts"
import * as Expect from "../Expect.ts"

/** How a suite moves the time that leases are measured in, on a storage whose clock it cannot wait for. */
export class LeaseClock extends Context.Service<
  LeaseClock,
  {
    /** Leases are that much closer to their end, or past it. */
    advance(ms: number): Effect.Effect<void>
    /** Lets other fibers come as far as they can without us. */
    readonly moment: Effect.Effect<void>
  }
>()("@overture/core/testing/LeaseClock") {}

/** Everything that a storage holds, whatever its tables: what a person was erased from must not contain them anywhere. */
export class Contents extends Context.Service<
  Contents,
  {
    /** Every row of every table as text, in no order that may be relied on. */
    readonly rows: Effect.Effect<ReadonlyArray<{ readonly table: string; readonly text: string }>>
  }
>()("@overture/core/testing/Contents") {}

/** Every port of storage, the suite's hold on lease time, and its view of all that is stored. */
export type StoragePorts = MemoryStorage.StoragePorts | LeaseClock | Contents

/** One promise of the ports. It runs on a storage of its own that is empty, and dies or fails where it is broken. */
export interface StorageCase {
  readonly name: string
  readonly run: Effect.Effect<void, unknown, StoragePorts>
}

/** A case from its name and body. */
export const storageCase = (
  name: string,
  body: () => Generator<Effect.Effect<unknown, unknown, StoragePorts>, void, never>
): StorageCase => ({ name, run: Effect.gen(body) })

/** Thrown by the rules of cases that must leave nothing behind. */
export class Refused extends Error {}

/** A rule that throws. */
export const refuse = (): never => {
  throw new Refused("a rule of the suite threw")
}

/** The effect must fail or die; whether it does so with one or the other is not promised. */
export const fails = <A, E, R>(effect: Effect.Effect<A, E, R>, what: string): Effect.Effect<void, never, R> =>
  Effect.matchCause(effect, {
    onFailure: () => undefined,
    onSuccess: (value) => Expect.fail(`${what} should have failed, but gave ${Expect.show(value)}`)
  })

type Reader<A> = (request: PageRequest) => Effect.Effect<Page<A>, StorageError>

/** Every row of a list, by cursor. `between` runs after the first page. */
export const readAll = <A>(
  read: Reader<A>,
  limit: number,
  between: Effect.Effect<unknown, StorageError, StoragePorts> = Effect.void
): Effect.Effect<ReadonlyArray<A>, StorageError, StoragePorts> =>
  Effect.gen(function* () {
    const rows: Array<A> = []
    let cursor: string | null | undefined
    for (let pages = 0; cursor !== null; pages++) {
      if (pages > 1_000) Expect.fail("a list has more than 1000 pages: its cursor does not advance")
      const page: Page<A> = yield* read({ limit, cursor })
      Expect.ok(page.data.length <= limit, `a page of at most ${limit} rows has ${page.data.length}`)
      rows.push(...page.data)
      cursor = page.nextCursor
      if (pages === 0) yield* between
    }
    return rows
  })

/** The promises of every list: whole by cursor and by offset, with the total on request, no row twice or left out. */
export const expectPaged = <A extends { readonly id: string }>(
  read: Reader<A>,
  expected: ReadonlyArray<string>,
  what: string
): Effect.Effect<void, StorageError, StoragePorts> =>
  Effect.gen(function* () {
    const byCursor = yield* readAll(read, 2)
    Expect.equal(
      byCursor.map(({ id }) => id),
      [...expected],
      `${what} by cursor`
    )
    const first = yield* read({ limit: 2, count: true })
    Expect.equal(first.total, expected.length, `the total of ${what}`)
    const tail = yield* read({ offset: 1, limit: 500, count: true })
    Expect.equal(
      tail.data.map(({ id }) => id),
      expected.slice(1),
      `${what} from offset 1`
    )
    Expect.equal(tail.total, expected.length, `the total of ${what} from an offset`)
    Expect.equal(tail.nextCursor, null, `the cursor after the last of ${what}`)
    const beyond = yield* read({ offset: expected.length, limit: 2 })
    Expect.equal(beyond.data.length, 0, `${what} beyond its end`)
    const uncounted = yield* read({ limit: 1 })
    Expect.equal(uncounted.total, undefined, `the total of ${what} without being asked for`)
  })

/** Ids in ascending order. */
export const sorted = (ids: ReadonlyArray<string>): ReadonlyArray<string> => [...ids].sort()
