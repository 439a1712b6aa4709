/**
 * What a host may say of messages before campaigns hear of them: that one is no answer (an out-of-office reply), that one
 * means stop, or what to answer it with. Hooks run before the transaction that keeps the messages, for a limited time, and
 * a hook that fails or is slow is as if it were not there, and so is one that says what is no judgement, of the message of
 * which it says so: no message waits for a hook, or is lost by it.
 */
import { Context, Effect, Result, Schema } from "effect"
import type { Account } from "../account/Account.ts"
import type { ChannelEvent } from "../channel/ChannelEvent.ts"
import { Content } from "../channel/Content.ts"
import type { Instant } from "../workspace/Instant.ts"
import * as Problem from "../workspace/Problem.ts"
import { storable } from "../workspace/Storable.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Message } from "./Message.ts"

export type ReceivedEvent = Extract<ChannelEvent, { readonly type: "messageReceived" }>

/** What a hook says of one message. */
export const Judgement = Schema.Struct({
  /** False: it is kept and shown like any other, and no sequence stops for it. Of several hooks one `false` is enough. */
  stopsSequences: Schema.optional(Schema.Boolean),
  /** True: it means stop, whatever its words are. Of several hooks one `true` is enough. */
  optOut: Schema.optional(Schema.Boolean),
  /** Queued as an automatic message, under all gates of such. */
  reply: Schema.optional(Content)
}).annotate({ identifier: "Judgement" })
export type Judgement = typeof Judgement.Type

export interface InboundHook {
  /** For logs. */
  readonly name: string
  /**
   * Asked once for each batch that has messages of people, in their order; answers one for each, null = nothing to say. A
   * message that is told again is judged again, and nothing is done with that.
   */
  judge(
    account: Account,
    messages: ReadonlyArray<ReceivedEvent>
  ): Effect.Effect<ReadonlyArray<Judgement | null>, unknown>
}

/** The hooks of this engine. */
export const InboundHooks = Context.Reference<ReadonlyArray<InboundHook>>("@overture/core/InboundHooks", {
  defaultValue: () => []
})

/** Queues what hooks answer with, in the transaction of the messages; whoever sends registers it. */
export const InboundReplies = Context.Reference<
  (messages: ReadonlyArray<Message>, now: Instant) => Effect.Effect<void, StorageError>
>("@overture/core/InboundReplies", { defaultValue: () => () => Effect.void })

/** How long a batch waits for its hooks (milliseconds). */
const longestMs = 2_000

/** Whether a message stops sequences or everything, and what it is answered with. */
export interface Verdict {
  readonly stopsSequences: boolean
  readonly optsOut: boolean
  readonly replies: ReadonlyArray<Content>
}

const silent: Verdict = { stopsSequences: true, optsOut: false, replies: [] }

const decodeAll = Schema.decodeUnknownResult(Schema.Array(Schema.Unknown))
const decodeOne = Schema.decodeUnknownResult(Schema.NullOr(Judgement))

/** What is wrong with it, without what came, which may be a person's. */
const problemOf = (error: Schema.SchemaError, place: string): string => {
  const [{ field, message }] = Problem.of(error)
  return `${place}${field === "" ? "" : `.${field}`}: ${message}`
}

interface Answers {
  /** One for each message; null where the hook says nothing that can be understood. */
  readonly judgements: ReadonlyArray<Judgement | null>
  readonly problems: ReadonlyArray<string>
}

/** How many problems of a batch the log is told. */
const problemsTold = 3

const passedBy = ({ name }: InboundHook, problems: ReadonlyArray<string>): string =>
  `the inbound hook ${name} was passed by: ${problems.slice(0, problemsTold).join("; ")}`

/** What a hook said of `count` messages, as far as it is a judgement. */
const answersIn = (said: unknown, count: number): Answers => {
  const all = decodeAll(said)
  if (Result.isFailure(all)) return { judgements: [], problems: [problemOf(all.failure, "what it says")] }
  if (all.success.length !== count) {
    const problem = `what it says: expected one judgement or null for each of ${count}, got ${all.success.length}`
    return { judgements: [], problems: [problem] }
  }
  const problems: Array<string> = []
  const judgements = all.success.map((one, i) => {
    const judged = decodeOne(one, { errors: "all", onExcessProperty: "error" })
    if (Result.isSuccess(judged)) return storable(judged.success)
    problems.push(problemOf(judged.failure, `[${i}]`))
    return null
  })
  return { judgements, problems }
}

/** What all hooks say of these messages, one verdict for each. */
export const judged = Effect.fnUntraced(function* (
  hooks: ReadonlyArray<InboundHook>,
  account: Account,
  messages: ReadonlyArray<ReceivedEvent>
) {
  if (hooks.length === 0 || messages.length === 0) return messages.map(() => silent)
  const answers = yield* Effect.forEach(
    hooks,
    (hook) =>
      Effect.suspend(() => hook.judge(account, messages)).pipe(
        Effect.timeout(longestMs),
        Effect.map((said) => answersIn(said, messages.length)),
        Effect.flatMap(({ judgements, problems }) =>
          problems.length === 0
            ? Effect.succeed(judgements)
            : Effect.as(Effect.logWarning(passedBy(hook, problems)), judgements)
        ),
        Effect.catchCause((cause) =>
          Effect.as(Effect.logWarning(`the inbound hook ${hook.name} failed and was passed by`, cause), [])
        )
      ),
    { concurrency: "unbounded" }
  )
  return messages.map((_, i): Verdict => {
    const own = answers.flatMap((all) => all[i] ?? [])
    return {
      stopsSequences: own.every(({ stopsSequences }) => stopsSequences !== false),
      optsOut: own.some(({ optOut }) => optOut === true),
      replies: own.flatMap(({ reply }) => reply ?? [])
    }
  })
})
