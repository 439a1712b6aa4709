/** `overture worker`: sends for every campaign of a database until it is told to stop. */
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import type { Campaign } from "@overture/core/campaign/Campaign"
import type { OutboxOptions } from "@overture/core/outbox/OutboxConfig"
import { second } from "@overture/core/workspace/Instant"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import * as ChannelsInUse from "../ChannelsInUse.ts"
import * as Drive from "../Drive.ts"
import * as Engine from "../Engine.ts"
import { unfinished } from "../Failure.ts"
import * as Equipment from "../Equipment.ts"
import * as Flags from "../Flags.ts"
import * as Output from "../Output.ts"
import * as Inputs from "../run/Inputs.ts"
import * as Stop from "../Stop.ts"
import * as Target from "../Target.ts"

/** How this process sends, from the flags that were given. */
export const outboxOf = (given: {
  readonly concurrency: Option.Option<number>
  readonly lease: Option.Option<number>
  readonly claimSize: Option.Option<number>
}): Partial<OutboxOptions> => ({
  ...(Option.isSome(given.concurrency) && { sendConcurrency: given.concurrency.value }),
  ...(Option.isSome(given.lease) && { leaseMs: Math.round(given.lease.value * second) }),
  ...(Option.isSome(given.claimSize) && { claimSize: given.claimSize.value })
})

/** The flags of every process that sends. */
export const sending = {
  clockRate: Flags.clockRate,
  sandbox: Flags.sandbox,
  sandboxLog: Flags.sandboxLog,
  media: Flags.media,
  concurrency: Flags.concurrency,
  lease: Flags.lease,
  claimSize: Flags.claimSize
}

const flags = {
  database: Flags.database,
  ...sending,
  exitWhenIdle: Flag.Boolean("exit-when-idle").pipe(
    Flag.withDescription("End when no campaign is running any more"),
    Flag.withDefault(false)
  )
}

/** The campaigns of all workspaces that are running now. */
const running = Effect.gen(function* () {
  const store = yield* CampaignStore
  const campaigns = yield* ChannelsInUse.ofWorkspaces<Campaign>((workspace, request) => store.list(workspace, request))
  return campaigns.filter(({ status }) => status === "running").map(({ id }) => id)
})

export const command = Command.make("worker", flags, (given) =>
  Effect.scoped(
    Effect.gen(function* () {
      const stop = yield* Stop.listen
      const target = given.database
      const script = Option.isSome(given.sandbox) ? yield* Inputs.readScript(given.sandbox.value) : null
      yield* Target.ensureThere(target)
      const equipment = yield* Equipment.make(given.media)
      yield* Target.lock(target)
      const storage = yield* Target.open(target)
      const { inUse, stored } = yield* Effect.provideContext(
        Effect.gen(function* () {
          return { inUse: yield* ChannelsInUse.names, stored: yield* (yield* WorkspaceStore).pacingClock }
        }),
        storage
      )
      const wish: Engine.TimeWish = Option.isSome(given.clockRate)
        ? { type: "rate", rate: given.clockRate.value }
        : { type: "asStored" }
      const time = yield* Engine.chooseTime(stored, wish, true)
      const clock = Engine.clockHolder()
      const log = Option.getOrUndefined(given.sandboxLog) ?? Target.defaultSandboxLog(target)
      const names = script === null ? ["sandbox"] : inUse
      const missing = inUse.filter((name) => !names.includes(name))
      if (missing.length > 0) {
        Output.say(
          `warning: accounts on ${missing.join(", ")} send nothing here; with --sandbox SCRIPT.json the sandbox plays them`
        )
      }
      const channels = yield* Engine.sandboxes(names, { script, log }, clock)
      const engine = yield* Engine.build(storage, { time, channels, clock, equipment, outbox: outboxOf(given) })
      Output.say(`worker ${process.pid} on ${Target.nameOf(target)}; SIGTERM or Ctrl-C ends it`)
      const isDone = given.exitWhenIdle ? Effect.map(running, (ids) => ids.length === 0) : Effect.succeed(false)
      const ended = yield* Effect.provideContext(
        Drive.until(
          stop,
          isDone,
          Effect.orElseSucceed(running, () => [])
        ),
        engine
      )
      if (ended !== "done") return Output.say(`stopped by ${ended}; everything that was begun is settled`)
      return given.exitWhenIdle
        ? Output.say("no campaign is running any more")
        : yield* unfinished("nothing more is to come")
    })
  )
).pipe(
  Command.withShortDescription("Send for every campaign of a database until told to stop"),
  Command.withDescription(
    "Sends for every campaign of a database until SIGTERM or SIGINT: then it settles what is being sent, gives the rest back and ends with 0. One worker at a time on a SQLite file; as many as wanted on one PostgreSQL. Where people were erased, OVERTURE_ADDRESS_KEY must hold the key they were erased with."
  ),
  Command.withExamples([
    {
      command: "overture worker --database postgres://overture@localhost/overture",
      description: "One of several workers"
    },
    {
      command: "overture worker --clock-rate 60 --sandbox sandbox.json",
      description: "A rehearsal: an hour of the campaign a minute"
    }
  ])
)
