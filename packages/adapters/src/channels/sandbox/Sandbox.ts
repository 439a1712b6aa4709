/**
 * A channel to a scripted platform, for demos, tests and dry runs: deterministic by seed, honest about what reached the
 * person. The log has every message before the sender is answered, so that whoever is killed in between can be checked
 * against it. QUIRKS.md describes the script and the log.
 */
import { ChannelName } from "@overture/core/channel/Address"
import * as Channel from "@overture/core/channel/Channel"
import type { Sender } from "@overture/core/channel/Sender"
import type { ChannelPolicy } from "@overture/core/channel/ChannelPolicy"
import { preview } from "@overture/core/channel/Content"
import { ProfileField, type ProfileUpdate } from "@overture/core/channel/ProfileUpdate"
import type { Outcome } from "@overture/core/channel/Outcome"
import type { Instant } from "@overture/core/workspace/Instant"
import { Clock, Effect, Redacted, type Scope } from "effect"
import * as Abilities from "./Abilities.ts"
import * as Files from "./Files.ts"
import { chance } from "./Happenings.ts"
import { Memory } from "./Memory.ts"
import * as Platform from "./Platform.ts"
import * as Push from "./Push.ts"
import * as Script from "./Script.ts"
import * as SentLog from "./SentLog.ts"
import * as Signature from "./Signature.ts"
import { drawn } from "./Span.ts"
import * as Wire from "./Wire.ts"

export interface SandboxOptions {
  /** 2–32 characters, default `sandbox`; several sandboxes of one process need different names. */
  readonly name?: string
  readonly script?: Script.ScriptInput
  /** The NDJSON file, made with its directory where there is none; without it the platform forgets with the process. */
  readonly log?: string
  /** Pacing time; default the clock of the sending fiber. */
  readonly clock?: () => Instant
  /** What differs from the usual capabilities: to pretend another platform. Goes before the script's. */
  readonly capabilities?: Abilities.Switches
  readonly policy?: Partial<ChannelPolicy>
}

export interface SandboxChannel extends Channel.Channel {
  /** Every message that reached the platform so far, by any process that shares the log, in the log's order. */
  received(): ReadonlyArray<SentLog.Received>
  /** How an account shows itself, as far as this process changed it. */
  profile(account: string): ProfileUpdate
  /** Posts what is due and was not taken yet, signed. What fails is due again. */
  push(target: Push.PushTarget): Effect.Effect<Push.Pushed, Push.SandboxPushError>
  /** Pushes whatever falls due, for ever; an ingress that does not take it is asked again. */
  pushTo(target: Push.PushTarget): Effect.Effect<never>
}

/** How often it is looked whether something is to be pushed, and how long an ingress that refused is left alone. */
const lookEveryMs = 25
/** By how much more than it is scripted a send may be slow, as on a busy machine, before its connection is cut. */
const lateMs = 1_000
const afterRefusalMs = 1_000

const tokenOf = ({ credentials }: Sender): string | null => (credentials === null ? null : Redacted.value(credentials))

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
  const files = Files.of(script)
  const profiles = new Map<string, ProfileUpdate>()
  const observe = (line: SentLog.Received) => memory.observe(line)
  const log = yield* Effect.acquireRelease(open(options.log, observe), (log) => Effect.sync(() => log.close()))
  const now = options.clock === undefined ? Clock.currentTimeMillis : Effect.sync(options.clock)

  /** The platform's part of a send. */
  const take = (sender: Sender, { key, to, content, comment }: Channel.Outbound, at: Instant): Outcome =>
    log.exclusively((append) => {
      const attempt = { at, account: sender.externalId, to: to.externalId, key, token: tokenOf(sender), comment }
      const { scripted, repeat } = Platform.decide(script, memory, attempt)
      const outcome = Platform.logged(scripted)
      if (outcome === null) memory.lost(attempt.account, attempt.to)
      else
        append({
          at,
          account: attempt.account,
          to: attempt.to,
          key,
          body: preview(content),
          outcome,
          repeat,
          ...(to.scope !== "" && { scope: to.scope }),
          ...(comment !== undefined && { comment })
        })
      return Platform.answer(scripted, memory.taken(attempt.account, key))
    })

  const send: Channel.Channel["send"] = Effect.fnUntraced(function* (sender, outbound) {
    const random = chance(script, sender.externalId, outbound.to.externalId, "latency", outbound.key)
    const latency = script.latency === 0 ? 0 : drawn(script.latency, random())
    const before = Math.floor(random() * latency)
    const from = yield* Clock.monotonicTimeNanos
    if (before > 0) yield* Effect.sleep(before)
    const onItsWayMs = Number((yield* Clock.monotonicTimeNanos) - from) / 1e6
    // What was said meanwhile, by a look-up or to another try under its key, stays so. Only a process that slept is so late.
    const isLate = onItsWayMs > Math.max(script.lookup?.afterMs ?? 0, latency) + lateMs
    if (isLate && (script.lookup !== null || script.idempotencyKeys)) {
      return { type: "outcomeUnknown", detail: "the connection to the sandbox was cut: it came too late" }
    }
    const at = yield* now
    const outcome = yield* guarded(() => take(sender, outbound, at))
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

  const push = Push.make(
    memory,
    Effect.sync(() => log.catchUp()),
    now
  )

  const poll: Channel.Channel["poll"] = (sender, cursor, at) =>
    Effect.sync(() => {
      log.catchUp()
      return memory.account(sender.externalId).timeline.next(cursor, at)
    })

  const receive: Channel.Channel["receive"] = Effect.fnUntraced(function* (request, secret) {
    yield* Signature.verify(name, secret, request)
    return [yield* Effect.fromResult(Wire.decode(name, request.body))]
  })

  return {
    ...Channel.make({
      name,
      capabilities: Abilities.capabilities(script, options.capabilities),
      policy: Abilities.policy(script, options.policy),
      send,
      poll,
      receive,
      download: (_sender, { url }) => Effect.sync(() => files(url)),
      verify: (sender) =>
        Effect.map(now, (at) =>
          Platform.verified(script, memory, { at, account: sender.externalId, token: tokenOf(sender) })
        ),
      applyProfile: (sender, update) =>
        Effect.sync(() => {
          const refusal = script.accounts[sender.externalId]?.profile ?? null
          if (refusal !== null) return { applied: [], refusal }
          const given = ProfileField.literals.filter((field) => update[field] !== undefined)
          const changes = Object.fromEntries(given.map((field) => [field, update[field]]))
          profiles.set(sender.externalId, { ...profiles.get(sender.externalId), ...changes })
          return { applied: given, refusal: null }
        }),
      profileOf: (_sender, { externalId }) => Effect.succeed(script.recipients[externalId]?.profile ?? null),
      ...(script.lookup !== null && { lookup: lookup(script.lookup.afterMs) })
    }),
    profile: (account) => profiles.get(account) ?? {},
    push,
    pushTo: (target) =>
      Effect.forever(
        Effect.matchEffect(push(target), {
          onFailure: (error) => Effect.andThen(Effect.logWarning(error.message), Effect.sleep(afterRefusalMs)),
          onSuccess: () => Effect.sleep(lookEveryMs)
        })
      ),
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
