/** `overture delete`: ends a campaign for good. Its results stay. */
import { seedKey } from "@overture/core/campaign/Campaign"
import { Campaigns } from "@overture/core/campaign/Campaigns"
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import * as Engine from "../Engine.ts"
import { refuse } from "../Failure.ts"
import * as Flags from "../Flags.ts"
import * as Output from "../Output.ts"
import * as Reading from "../Reading.ts"

const flags = {
  campaign: Flag.String("campaign").pipe(
    Flag.withMetavar("REF"),
    Flag.withDescription("The campaign's id in its file, its own id (cmp_…) or its name")
  ),
  database: Flags.database,
  json: Flags.json
}

export const command = Command.make("delete", flags, ({ campaign, database, json }) =>
  Reading.ofCampaign(database, Option.some(campaign), (found) =>
    Effect.gen(function* () {
      if (found.status === "running") {
        return yield* refuse(`${found.name} is running`, `First overture pause --campaign ${seedKey(found)}.`)
      }
      const { id, name, status } = yield* (yield* Campaigns).remove(Engine.workspace, found.id, Engine.actor)
      if (json) return Output.printJson({ campaign: { id, externalRef: found.externalRef, name, status } })
      Output.print(
        found.status === "deleted"
          ? `${name} was deleted before.`
          : `${name} is deleted: nothing more of it is sent. Its results stay: overture report --campaign ${id}.`
      )
    })
  )
).pipe(
  Command.withShortDescription("Delete a campaign that does not run"),
  Command.withDescription(
    "Deletes a campaign: whoever waits for a message of it gets none, what is being sent finishes, and its id in a campaign file is free again. It cannot be brought back, but what it did can still be reported and exported. One that is running has to be paused first."
  ),
  Command.withExamples([{ command: "overture delete --campaign spring", description: "By its id in the file" }])
)
