/**
 * A channel to a scripted platform, for demos, tests and dry runs: deterministic by seed, honest about what reached the
 * person. The log has every message before the sender is answered, so that whoever is killed in between can be checked
 * against it. QUIRKS.md describes the script and the log.
 */
import { ChannelName } from "@overture/core/channel/Address"
import type { Capabilities } from "@overture/core/channel/Capability"
import * as Channel from "@overture/core/channel/Channel"
import type { Sender } from "@overture/core/channel/Sender"
import type { ChannelPolicy } from "@overture/core/channel/ChannelPolicy"
import { preview } from "@overture/core/channel/Content"
import type { Outcome } from "@overture/core/channel/Outcome"
import type { Instant } from "@overture/core/workspace/Instant"
import { Clock, Effect, type Scope } from "effect"
import { chance } from "./Happenings.ts"
import { Memory } from "./Memory.ts"
import * as Platform from "./Platform.ts"
import * as Script from "./Script.ts"
import * as SentLog from "./SentLog.ts"

export interface SandboxOptions {
  /** 2–32 characters, default `sandbox`; several sandboxes of one process need different names. */
  readonly name?: string
  readonly script?: Script.ScriptInput
  /** The NDJSON file, made with its directory where there is none; without it the platform forgets with the process. */
  readonly log?: string
  /** Pacing time; default the clock of the sending fiber. */
  readonly clock?: () => Instant
  /** What differs from the usual capabilities: to pretend another platform. */
  readonly capabilities?: Partial<Omit<Capabilities, "idempotencyKeys" | "lookup" | "polling">>
  readonly policy?: Partial<ChannelPolicy>
}

export interface SandboxChannel extends Channel.Channel {
  /** Every message that reached the platform so far, by any process that shares the log, in the log's order. */
  received(): ReadonlyArray<SentLog.Received>
}

const capabilities = (script: Script.Script, others: SandboxOptions["capabilities"]): Capabilities => ({
  text: { maxLength: 4096, unit: "characters" },
  media: ["image", "video", "audio", "file"],
  buttons: 3,
  approvedTemplates: true,
  reactions: true,
  edits: false,
  deletions: false,
  replies: true,
  receipts: ["delivered", "read"],
  idempotencyKeys: script.idempotencyKeys,
  lookup: script.lookup,
  polling: true,
  addressScope: "channel",
  phoneNumbers: false,
  ...others
})

const policy = ({ replyWindow }: Script.Script, others: SandboxOptions["policy"]): ChannelPolicy => {
  const declared = replyWindow?.declared === true ? replyWindow.afterMs : null
  return {
    official: true,
    personWritesFirst: false,
    optInRequired: false,
    automationAllowed: true,
    replyWindow: { automatedMs: declared, humanMs: declared },
    ...others
  }
}

/** Runs `use`; where the log fails, nobody can say what a reader will find in it. */
const guarded = (use: () => Outcome): Effect.Effect<Outcome> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(use())
    } catch (error) {
      if (!(error instanceof SentLog.SandboxLogError)) throw error
      return Effect.succeed({ type: "outcomeUnknown", code: error._tag, detail: error.message })
    }
  })

/** Opens a sandbox; the scope's end closes its log. */
export const make = Effect.fnUntraced(function* (
  options: SandboxOptions = {}
): Effect.fn.Return<SandboxChannel, Script.SandboxScriptError | SentLog.SandboxLogError, Scope.Scope> {
  const script = yield* Script.decode(options.script ?? {})
  const name = ChannelName.make(options.name ?? "sandbox")
  const memory = new Memory(name, script)
  const observe = (line: SentLog.Received) => memory.observe(line)
  const log = yield* Effect.acquireRelease(open(options.log, observe), (log) => Effect.sync(() => log.close()))
  const now = options.clock === undefined ? Clock.currentTimeMillis : Effect.sync(options.clock)

  /** The platform's part of a send. */
  const receive = (sender: Sender, { key, to, content }: Channel.Outbound, at: Instant): Outcome =>
    log.exclusively((append) => {
      const attempt = { at, account: sender.externalId, to: to.externalId, key }
      const { scripted, repeat } = Platform.decide(script, memory, attempt)
      const outcome = Platform.logged(scripted)
      if (outcome === null) memory.lost(attempt.account, attempt.to)
      else append({ ...attempt, body: preview(content), outcome, repeat, ...(to.scope !== "" && { scope: to.scope }) })
      return Platform.answer(scripted, memory.taken(attempt.account, key))
    })

  const send: Channel.Channel["send"] = Effect.fnUntraced(function* (sender, outbound) {
    const random = chance(script, sender.externalId, outbound.to.externalId, "latency", outbound.key)
    const latency = script.latency === 0 ? 0 : Script.drawn(script.latency, random())
    const before = Math.floor(random() * latency)
    if (before > 0) yield* Effect.sleep(before)
    const at = yield* now
    const outcome = yield* guarded(() => receive(sender, outbound, at))
    if (latency > before) yield* Effect.sleep(latency - before)
    return outcome
  })

  const lookup = (afterMs: number): Channel.Channel["lookup"] =>
    Effect.fnUntraced(function* (sender, sent) {
      // A send begins at a time of the database, whatever clock pacing follows.
      const at = yield* Clock.currentTimeMillis
      return yield* guarded(() =>
        log.exclusively(() => {
          const taken = memory.taken(sender.externalId, sent.key)
          if (taken !== undefined) return Platform.answer("accepted", taken)
          return at < sent.at + afterMs
            ? { type: "outcomeUnknown", detail: `not here yet; final ${afterMs} ms after the send` }
            : { type: "transient", detail: "the sandbox never got it" }
        })
      )
    })

  const poll: Channel.Channel["poll"] = (sender, cursor, at) =>
    Effect.sync(() => {
      log.catchUp()
      return memory.account(sender.externalId).timeline.next(cursor, at)
    })

  return {
    ...Channel.make({
      name,
      capabilities: capabilities(script, options.capabilities),
      policy: policy(script, options.policy),
      send,
      poll,
      ...(script.lookup !== null && { lookup: lookup(script.lookup.afterMs) })
    }),
    received: () => {
      log.catchUp()
      return [...memory.received]
    }
  }
})

const open = (path: string | undefined, observe: (line: SentLog.Received) => void) =>
  path === undefined
    ? Effect.succeed(SentLog.memory(observe))
    : Effect.suspend((): Effect.Effect<SentLog.SentLog, SentLog.SandboxLogError> => {
        try {
          return Effect.succeed(SentLog.file(path, observe))
        } catch (error) {
          if (!(error instanceof SentLog.SandboxLogError)) throw error
          return Effect.fail(error)
        }
      })
