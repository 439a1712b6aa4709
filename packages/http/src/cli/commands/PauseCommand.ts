/** `overture pause` and `overture resume`: stop a campaign or everything, and let it go on. */
import { Campaigns } from "@overture/core/campaign/Campaigns"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import * as Engine from "../Engine.ts"
import { misuse, refuse } from "../Failure.ts"
import * as Flags from "../Flags.ts"
import * as Output from "../Output.ts"
import * as Reading from "../Reading.ts"
import type { Target } from "../Target.ts"

const all = Flag.Boolean("all").pipe(
  Flag.withDescription("Everything in the database, messages written by hand included"),
  Flag.withDefault(false)
)

const told = (json: boolean, value: object, text: string) =>
  Effect.sync(() => (json ? Output.printJson(value) : Output.print(text)))

interface Given {
  readonly campaign: Option.Option<string>
  readonly all: boolean
  readonly database: Target
  readonly json: boolean
}

const everything = ({ database, json }: Given, stopped: boolean) =>
  Reading.over(
    database,
    Effect.gen(function* () {
      yield* (yield* WorkspaceStore).stop(stopped)
      yield* told(
        json,
        { stopped },
        stopped
          ? "Everything is stopped: no message begins until overture resume --all. What is being sent is settled."
          : "Nothing is stopped any more; campaigns that were paused by themselves stay paused."
      )
    })
  )

const one = ({ campaign, database, json }: Given, running: boolean) =>
  Reading.ofCampaign(database, campaign, (found) =>
    Effect.gen(function* () {
      const campaigns = yield* Campaigns
      if (running && found.status !== "paused" && found.status !== "running") {
        return yield* refuse(`${found.name} is ${found.status}, not paused`, "overture run starts a campaign.")
      }
      const changed = running
        ? yield* campaigns.start(Engine.workspace, found.id, Engine.actor)
        : yield* campaigns.pause(Engine.workspace, found.id, "paused by hand", Engine.actor)
      const { standing } = yield* campaigns.get(Engine.workspace, found.id)
      const { externalRef, id, name, status } = changed
      yield* told(
        json,
        { campaign: { id, externalRef, name, status, standing } },
        !running
          ? `${name} is paused: none of its messages begins.`
          : standing === "inactive"
            ? `${name} is running, but none of its accounts can send: see overture accounts.`
            : `${name} is running: a worker, or overture run, sends on.`
      )
    })
  )

const change = (given: Given, running: boolean) =>
  given.all && Option.isSome(given.campaign)
    ? Effect.fail(misuse("--all and --campaign exclude each other"))
    : given.all
      ? everything(given, !running)
      : one(given, running)

const shared = { campaign: Flags.campaign, all, database: Flags.database, json: Flags.json }

export const pause = Command.make(
  "pause",
  {
    ...shared,
    resume: Flag.Boolean("resume").pipe(
      Flag.withDescription("The opposite; the same as overture resume"),
      Flag.withDefault(false)
    )
  },
  (given) => change(given, given.resume)
).pipe(
  Command.withShortDescription("Stop a campaign, or everything"),
  Command.withDescription(
    "Stops a campaign, or with --all everything in the database. It holds before the next message begins, in every process; what is being sent is settled. Use --all before you restore a backup or take a snapshot of the volume."
  ),
  Command.withExamples([{ command: "overture pause --all", description: "Nothing more begins" }])
)

export const resume = Command.make("resume", shared, (given) => change(given, true)).pipe(
  Command.withShortDescription("Let a campaign, or everything, go on"),
  Command.withDescription("Lets a paused campaign go on, or with --all everything that pause --all stopped.")
)
