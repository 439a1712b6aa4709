/**
 * The engine of one command over an opened database: which clock pacing follows, and which channels there are. A database
 * has one kind of pacing time; a command that would mix two is refused, as it would leap through a running campaign.
 */
import * as Sandbox from "@overture/adapters/channels/sandbox/Sandbox"
import type * as Script from "@overture/adapters/channels/sandbox/Script"
import type { SandboxLogError } from "@overture/adapters/channels/sandbox/SentLog"
import type { Channel } from "@overture/core/channel/Channel"
import type { OutboxOptions } from "@overture/core/outbox/OutboxConfig"
import * as Overture from "@overture/core/Overture"
import { CampaignReports } from "@overture/core/stats/CampaignReports"
import { CampaignResults } from "@overture/core/stats/CampaignResults"
import { fromUuid } from "@overture/core/workspace/Id"
import { format, type Instant } from "@overture/core/workspace/Instant"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { type PacingClock, WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Clock, Context, Effect, Layer, type Scope } from "effect"
import { extname } from "node:path"
import * as EgressReach from "./EgressReach.ts"
import type { Equipment } from "./Equipment.ts"
import * as ErasureKey from "./ErasureKey.ts"
import { type CliFailure, refuse } from "./Failure.ts"
import * as WebhookReach from "./WebhookReach.ts"
import * as SecretKeys from "./SecretKeys.ts"

/** The workspace of the command line. */
export const workspace = fromUuid("wsp", "00000000-0000-7000-8000-000000000001")

/** Who acts on the command line. */
export const actor = { type: "member", id: "cli" } as const

type Time = Layer.Layer<PacingTime, StorageError, WorkspaceStore>

/** What a command says about time. */
export type TimeWish =
  | { readonly type: "asStored" }
  | { readonly type: "virtual"; readonly from: Instant }
  | { readonly type: "rate"; readonly rate: number }

/**
 * The clock for `wish` on a database whose clock is `stored`. `inUse`: whether campaigns have started on it, so that a
 * real clock there is meant.
 */
export const chooseTime = (stored: PacingClock, wish: TimeWish, inUse: boolean): Effect.Effect<Time, CliFailure> => {
  switch (wish.type) {
    case "virtual":
      return stored.type === "virtual" || (stored.type === "real" && !inUse)
        ? Effect.succeed(PacingTime.layerVirtual(wish.from))
        : Effect.fail(
            refuse(
              `this database runs on ${stored.type === "real" ? "the real clock" : `a clock at ${stored.rate} times its speed`}, and --virtual would leap through its campaigns`,
              "Name a new database with --database, or leave --virtual out."
            )
          )
    case "rate":
      return Effect.succeed(PacingTime.layerRate(wish.rate))
    case "asStored":
      return stored.type === "virtual"
        ? Effect.fail(
            refuse(
              `this database runs on virtual time, now ${format(stored.at)}`,
              "Go on with overture run --virtual, or with --clock-rate 1 at the speed of the real clock from there."
            )
          )
        : Effect.succeed(stored.type === "rate" ? PacingTime.layerRate(stored.rate) : PacingTime.layer)
  }
}

/** Which instant a database's clock has reached when the real one shows `real`. */
const reached = (stored: PacingClock, real: Instant): Instant => {
  switch (stored.type) {
    case "real":
      return real
    case "virtual":
      return stored.at
    case "rate":
      return Math.round(stored.from + (real - stored.realFrom) * stored.rate)
  }
}

/** The instant from which a command goes on that wishes for `wish`. */
export const startOf = (stored: PacingClock, wish: TimeWish): Effect.Effect<Instant> =>
  wish.type === "virtual" && stored.type !== "virtual"
    ? Effect.succeed(wish.from)
    : Effect.map(Clock.currentTimeMillis, (real) => reached(stored, real))

/** Shows the pacing time of a database to a command that sends nothing. */
const layerReading: Time = Layer.unwrap(
  Effect.map(
    Effect.flatMap(WorkspaceStore, (store) => store.pacingClock),
    (stored): Time =>
      stored.type === "real"
        ? PacingTime.layer
        : Layer.succeed(
            PacingTime,
            PacingTime.of({
              now: Effect.map(Clock.currentTimeMillis, (real) => reached(stored, real)),
              waitUntil: () => Effect.void,
              isVirtual: stored.type === "virtual"
            })
          )
  )
)

/** Where channels made before the engine read its pacing time from. */
export interface ClockHolder {
  now: () => Instant
}

export const clockHolder = (): ClockHolder => ({ now: () => Date.now() })

export interface SandboxSettings {
  readonly script: Script.Script | null
  readonly log: string | undefined
}

/** The file of one of several sandboxes: the log is the memory of a platform, so each has its own. */
export const logOf = (log: string | undefined, name: string, names: ReadonlyArray<string>): string | undefined => {
  if (log === undefined || names.length < 2) return log
  const extension = extname(log)
  return `${log.slice(0, log.length - extension.length)}.${name}${extension}`
}

/** The sandbox under each of these names; with a script it plays any platform. */
export const sandboxes = (
  names: ReadonlyArray<string>,
  settings: SandboxSettings,
  clock: ClockHolder
): Effect.Effect<ReadonlyArray<Channel>, SandboxLogError | Script.SandboxScriptError, Scope.Scope> =>
  Effect.forEach(names, (name) => {
    const log = logOf(settings.log, name, names)
    return Sandbox.make({
      name,
      ...(settings.script !== null && { script: settings.script }),
      ...(log !== undefined && { log }),
      clock: () => clock.now()
    })
  })

export type Services = Overture.Services | CampaignReports | CampaignResults

/**
 * The engine over storage that is open. Nothing is sent until its driver runs. Only a command that brings nobody in and
 * writes to nobody may go on where people were erased whom it does not recognise (`mayMissErased`).
 */
export const build = (
  storage: Context.Context<Overture.StoragePorts>,
  options: {
    readonly time?: Time
    readonly channels?: ReadonlyArray<Channel>
    readonly clock?: ClockHolder
    readonly outbox?: Partial<OutboxOptions>
    readonly equipment?: Equipment
    readonly mayMissErased?: boolean
  } = {}
): Effect.Effect<Context.Context<Services>, CliFailure | StorageError, Scope.Scope> => {
  const time = (options.time ?? layerReading).pipe(
    Layer.tap((context) =>
      Effect.sync(() => {
        const { now } = Context.get(context, PacingTime)
        if (options.clock !== undefined) options.clock.now = () => Effect.runSync(now)
      })
    )
  )
  return Effect.gen(function* () {
    const addressHash = yield* options.mayMissErased === true
      ? ErasureKey.fromEnvironment
      : Effect.provideContext(ErasureKey.recognising, storage)
    const vault = yield* SecretKeys.fromEnvironment
    const webhooks = yield* WebhookReach.fromEnvironment
    const egressProbe = yield* EgressReach.fromEnvironment
    const engine = Overture.layer({
      storage: Layer.succeedContext(storage),
      vault,
      webhooks,
      egressProbe,
      ...options.equipment,
      channels: options.channels ?? [],
      time,
      ...(addressHash !== null && { addressHash }),
      outbox: { worker: `cli-${process.pid}`, ...options.outbox }
    })
    const reports = Layer.mergeAll(CampaignReports.layer, CampaignResults.layer)
    return yield* Layer.build(reports.pipe(Layer.provideMerge(engine)))
  })
}
