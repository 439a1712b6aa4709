/** Lists that are read in pages, as a whole: for what a person has few of, such as campaigns and accounts. */
import type { Page, PageRequest } from "@overture/core/workspace/Page"
import { maxLimit } from "@overture/core/workspace/Page"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"

/** Everything that a paged read has, in its order. */
export const everything = <A>(read: (request: PageRequest) => Effect.Effect<Page<A>, StorageError>) =>
  Effect.gen(function* () {
    const found: Array<A> = []
    let cursor: string | undefined
    do {
      const page: Page<A> = yield* read({ limit: maxLimit, cursor })
      found.push(...page.data)
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    return found
  })
