/**
 * How a kind of job is done: a function that goes on from a checkpoint. It may be run again from its last one at any time
 * (a killed process, a lost lease), so what it does after a checkpoint must be harmless to do twice, or be committed
 * together with the next one: `progress` inside the handler's own transaction commits with it.
 */
import { Context, Effect, Schema } from "effect"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Job, JobKind, JobStep } from "./Job.ts"

/** Why a job came to nothing, in words for people and without any secret. */
export class JobFailed extends Schema.TaggedError<JobFailed>()("JobFailed", {
  problem: Schema.String,
  /** Whether it may come to something later: then it is tried again, after a pause. */
  retryable: Schema.Boolean
}) {
  override get message(): string {
    return this.problem
  }
}

/** Fails a job with this error for good: no later try could do better. */
export const forGood = ({ message }: { readonly message: string }): Effect.Effect<never, JobFailed> =>
  Effect.fail(new JobFailed({ problem: message, retryable: false }))

/** The job was cancelled, or another process has it now: nothing more is to be done here. */
export class JobStopped extends Schema.TaggedError<JobStopped>()("JobStopped", {
  reason: Schema.Literals(["cancelled", "lost"])
}) {
  override get message(): string {
    return this.reason === "cancelled" ? "the job was cancelled" : "another process has the job now"
  }
}

/** The input cannot be used; names the field and what was expected. */
export class JobInputInvalid extends Schema.TaggedError<JobInputInvalid>()("JobInputInvalid", {
  kind: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `the input of ${this.kind} cannot be used: ${this.problem}`
  }
}

/** A job under way, as its handler sees it. */
export interface JobRun<I, C> {
  readonly job: Job
  readonly input: I
  /** Where it came to; null = nothing is done yet. */
  readonly checkpoint: C | null
  /**
   * Writes how far it came, in the transaction that is open around the call. Fails when the job is to stop, and then that
   * transaction must fail, too.
   */
  progress(
    step: Omit<JobStep, "checkpoint"> & { readonly checkpoint: C | null }
  ): Effect.Effect<void, JobStopped | StorageError>
}

/** Why the input of a job that was queued is none any more: it was checked when it was submitted. */
export const noLonger = (problem: string): string =>
  `${problem}; it could be used when it was submitted, so somebody whom it named may have been erased since`

/** A handler whose input and checkpoint are known to itself alone. */
export interface JobHandler {
  readonly kind: JobKind
  /** The input as it is stored. */
  check(input: unknown): Effect.Effect<Schema.Json, JobInputInvalid>
  run(
    job: Job,
    progress: (step: JobStep) => Effect.Effect<void, JobStopped | StorageError>
  ): Effect.Effect<Schema.Json, JobFailed | JobStopped | JobInputInvalid | StorageError>
  /** What is to be tidied up when a job is given up, in the transaction that says so. */
  readonly onCancelled?: ((job: Job) => Effect.Effect<void, StorageError>) | undefined
}

/** Schemas that need nothing to read and write. */
type JsonCodec<A> = Schema.Codec<A, unknown>

/** A handler from its schemas: the input is checked when it is submitted, and read again when it runs. */
export const make = <I, C>(spec: {
  readonly kind: JobKind
  readonly input: JsonCodec<I>
  readonly checkpoint: JsonCodec<C>
  readonly run: (run: JobRun<I, C>) => Effect.Effect<Schema.Json, JobFailed | JobStopped | StorageError>
  readonly onCancelled?: JobHandler["onCancelled"]
}): JobHandler => {
  const { kind, onCancelled } = spec
  const input = Schema.toCodecJson(spec.input)
  const checkpoint = Schema.toCodecJson(spec.checkpoint)
  const invalid = (error: Schema.SchemaError) => new JobInputInvalid({ kind, problem: error.message })
  const strict = { errors: "all", onExcessProperty: "error" } as const
  return {
    kind,
    onCancelled,
    check: (given) =>
      Schema.decodeUnknownEffect(
        input,
        strict
      )(given).pipe(
        Effect.flatMap((read) => Schema.encodeEffect(input)(read)),
        Effect.mapError(invalid)
      ),
    run: (job, progress) =>
      Effect.gen(function* () {
        const read = yield* Schema.decodeUnknownEffect(input)(job.input).pipe(
          Effect.mapError(({ message }) => new JobInputInvalid({ kind, problem: noLonger(message) }))
        )
        // One that an older version wrote in another shape is none: the handler begins again.
        const at =
          job.checkpoint === null
            ? null
            : yield* Effect.orElseSucceed(Schema.decodeUnknownEffect(checkpoint)(job.checkpoint), () => null)
        return yield* spec.run({
          job,
          input: read,
          checkpoint: at,
          progress: (step) =>
            progress({
              ...step,
              checkpoint: step.checkpoint === null ? null : Schema.encodeSync(checkpoint)(step.checkpoint)
            })
        })
      })
  }
}

/** The kinds of jobs of this engine. */
export class JobHandlers extends Context.Service<JobHandlers, ReadonlyMap<JobKind, JobHandler>>()(
  "@overture/core/JobHandlers"
) {
  static readonly from = (handlers: ReadonlyArray<JobHandler>) =>
    JobHandlers.of(new Map(handlers.map((handler) => [handler.kind, handler])))
}
