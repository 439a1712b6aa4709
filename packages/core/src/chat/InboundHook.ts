/**
 * What a host may say of messages before campaigns hear of them: that one is no answer (an out-of-office reply), that one
 * means stop, or what to answer it with. Hooks run before the transaction that keeps the messages, for a limited time, and
 * a hook that fails or is slow is as if it were not there: no message waits for one, or is lost by it.
 */
import { Context, Effect } from "effect"
import type { Account } from "../account/Account.ts"
import type { ChannelEvent } from "../channel/ChannelEvent.ts"
import type { Content } from "../channel/Content.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Message } from "./Message.ts"

export type ReceivedEvent = Extract<ChannelEvent, { readonly type: "messageReceived" }>

/** What a hook says of one message. */
export interface Judgement {
  /** False: it is kept and shown like any other, and no sequence stops for it. Of several hooks one `false` is enough. */
  readonly stopsSequences?: boolean | undefined
  /** True: it means stop, whatever its words are. Of several hooks one `true` is enough. */
  readonly optOut?: boolean | undefined
  /** Queued as an automatic message, under all gates of such. */
  readonly reply?: Content | undefined
}

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
