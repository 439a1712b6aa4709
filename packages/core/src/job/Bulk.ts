/**
 * One verb over many things. Fewer than a hundred are done while the caller waits, and the answer says which were not
 * found; a hundred or more are a job of the same kind with the same answer as its result. Either way they are done chunk by
 * chunk, and each chunk commits with how far it came.
 */
import { Effect, Schema } from "effect"
import type { Actor } from "../event/DomainEvent.ts"
import type { WorkspaceId } from "../workspace/Id.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Transaction } from "../workspace/Transaction.ts"
import type { JobKind } from "./Job.ts"
import * as JobHandler from "./JobHandler.ts"

/** From so many things on it is a job. */
export const jobFrom = 100
/** The most things of one request. */
export const mostItems = 10_000
/** How many are done together, where nothing else is said. */
const usualChunk = 50

export class BulkAnswer extends Schema.Opaque<BulkAnswer>()(
  Schema.Struct({
    /** Different ones. */
    requested: Schema.Int,
    done: Schema.Int,
    /** In the order in which they were asked for. */
    notFound: Schema.Array(Schema.String)
  }).annotate({ identifier: "BulkAnswer" })
) {}

/** More things than one request may have. */
export class BulkTooLarge extends Schema.TaggedError<BulkTooLarge>()("BulkTooLarge", {
  requested: Schema.Int,
  most: Schema.Int
}) {
  override get message(): string {
    return `${this.requested} were asked for at once, at most ${this.most} are allowed`
  }
}

/** Does it to some of the things, in the caller's transaction, and says which of them there were. */
export type Each<With> = (request: {
  readonly workspace: WorkspaceId
  readonly ids: ReadonlyArray<string>
  readonly with: With
  readonly actor: Actor
}) => Effect.Effect<ReadonlyArray<string>, JobHandler.JobFailed | StorageError>

/** A verb over many things. */
export interface Bulk<With> {
  readonly kind: JobKind
  readonly each: Each<With>
  readonly chunk: number
  readonly handler: JobHandler.JobHandler
}

type Within = Transaction["Service"]["within"]

/** What is done of a request so far. */
const Sofar = Schema.Struct({ done: Schema.Int, notFound: Schema.Array(Schema.String) })
type Sofar = typeof Sofar.Type

const nothing: Sofar = { done: 0, notFound: [] }
const count = ({ done, notFound }: Sofar): number => done + notFound.length

/** Does the rest of `ids`, telling of each chunk in its transaction. */
const rest = <With, E>(
  { chunk, each }: Pick<Bulk<With>, "chunk" | "each">,
  within: Within,
  request: Parameters<Each<With>>[0],
  from: Sofar,
  tell: (sofar: Sofar) => Effect.Effect<void, E>
) =>
  Effect.gen(function* () {
    let sofar = from
    while (count(sofar) < request.ids.length) {
      const ids = request.ids.slice(count(sofar), count(sofar) + chunk)
      sofar = yield* within(
        Effect.gen(function* () {
          const found = new Set(yield* each({ ...request, ids }))
          const missing = ids.filter((id) => !found.has(id))
          const next = { done: sofar.done + ids.length - missing.length, notFound: [...sofar.notFound, ...missing] }
          yield* tell(next)
          return next
        })
      )
    }
    return { requested: request.ids.length, ...sofar }
  })

/** A bulk verb from what it does to a few, at most `chunk` of them (1 to 50); `with` is what it is done with. */
export const make = <With>(
  within: Within,
  {
    chunk = usualChunk,
    ...spec
  }: {
    readonly kind: JobKind
    readonly with: Schema.Codec<With, unknown>
    readonly each: Each<With>
    readonly chunk?: number
  }
): Bulk<With> => ({
  kind: spec.kind,
  each: spec.each,
  chunk,
  handler: JobHandler.make({
    kind: spec.kind,
    input: Schema.Struct({ ids: Schema.Array(Schema.String), with: spec.with }),
    checkpoint: Sofar,
    run: ({ checkpoint, input, job: { actor, workspace }, progress }) =>
      rest(
        { each: spec.each, chunk },
        within,
        { workspace, ids: input.ids, with: input.with, actor },
        checkpoint ?? nothing,
        (sofar) => progress({ done: count(sofar), total: input.ids.length, checkpoint: sofar })
      )
  })
})

/** The things of a request, each once; an error where they are too many. */
export const itemsOf = (ids: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>, BulkTooLarge> => {
  const different = [...new Set(ids)]
  return different.length > mostItems
    ? Effect.fail(new BulkTooLarge({ requested: different.length, most: mostItems }))
    : Effect.succeed(different)
}

/** Does all of it now. */
export const now = <With>(
  self: Bulk<With>,
  within: Within,
  request: Parameters<Each<With>>[0]
): Effect.Effect<BulkAnswer, JobHandler.JobFailed | StorageError> =>
  rest(self, within, request, nothing, () => Effect.void)
